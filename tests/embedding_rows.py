"""Items with texts for the tests of embeddings, and what became of their vectors."""

from __future__ import annotations

from gh_backfill.store.db import Database, Row

TABLES = ("issues", "pull_requests", "discussions")
_COLUMNS = {
    "issues": ("state", "'open'"),
    "pull_requests": (
        "state, repository_full_name, base_branch, head_branch",
        "'open', 'octo/any', 'main', 'topic'",
    ),
    "discussions": ("id, url", "'D_' || %(name)s || n, 'https://example.test/'"),
}


def add(db: Database, name: str = "octo/one", *, issues: int = 0, pull_requests: int = 0, discussions: int = 0) -> str:
    """Add a repository with so many items, numbered from 1 in each table, and return its id."""
    owner, _, short = name.partition("/")
    counts = {"issues": issues, "pull_requests": pull_requests, "discussions": discussions}
    with db.transaction() as tx:
        row = tx.row(
            "insert into repositories (github_id, full_name, owner, name) values "
            "((select 1000 + count(*) from repositories), %(name)s, %(owner)s, %(short)s) returning id",
            name=name,
            owner=owner,
            short=short,
        )
        assert row is not None
        for table, many in counts.items():
            columns, values = _COLUMNS[table]
            tx.run(
                f"insert into {table} (github_id, repository_id, number, title, body, created_at, updated_at, "  # noqa: S608
                f"{columns}) "
                f"select coalesce((select max(github_id) from {table}), 0) + n, %(id)s, n, "
                f"'{table} ' || n || ' of ' || %(name)s, 'text about thing ' || n, now(), now(), {values} "
                "from generate_series(1, %(many)s) n",
                id=row["id"],
                name=name,
                many=many,
            )
    return str(row["id"])


def into_workspace(db: Database, repository_id: str) -> None:
    """Put a repository into a workspace of its own."""
    with db.transaction() as tx:
        tx.run(
            "insert into workspaces (id, name, slug, owner_id) values (%(id)s, 'the team', 'the-team', %(id)s)",
            id=repository_id,
        )
        tx.run(
            "insert into workspace_repositories (workspace_id, repository_id, added_by) "
            "values (%(id)s, %(id)s, %(id)s)",
            id=repository_id,
        )


def rows(db: Database, statement: str, /, **params: object) -> list[Row]:
    """Return rows of the database."""
    with db.transaction() as tx:
        return tx.rows(statement, **params)


def embedded(db: Database) -> dict[str, int]:
    """Return how many items of each table have vector, time and hash; none has only some of them."""
    found = {}
    for table in TABLES:
        (row,) = rows(
            db,
            "select count(*) filter (where embedding is not null) as n, "  # noqa: S608
            "count(*) filter (where num_nonnulls(embedding, content_hash, embedding_generated_at) in (1, 2)) as half "
            f"from {table}",
        )
        assert row["half"] == 0
        found[table] = row["n"]
    return found
