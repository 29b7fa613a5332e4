"""Items with words and vectors for the tests of search, and makers of the vectors of what is searched for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.policy.embedding.recipe import DIMENSIONS, VectorRecipe
from gh_backfill.policy.embedding.text import prepared
from gh_backfill.store.db import Database
from gh_backfill.tasks.search.found import Found
from gh_backfill.tasks.search.query_vectors import QueryVector

RECIPE = VectorRecipe(provider="fixed", model="of the tests")
_MORE = {
    "issues": ("", ""),
    "pull_requests": (
        ", merged, repository_full_name, base_branch, head_branch",
        ", %(state)s = 'merged', 'octo/any', 'main', 'topic'",
    ),
    "discussions": (", id, url", ", 'D_' || %(github_id)s, 'https://example.test/'"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An item to be found; `vector` is what makes it alike, None for none."""

    number: int
    title: str = "nothing of note"
    body: str | None = None
    table: str = "issues"
    state: str = "open"
    vector: str | None = None
    recipe: VectorRecipe = RECIPE
    gone: bool = False
    is_pull_request: bool = False


def towards(*numbers: float) -> str:
    """Return a vector that points somewhere: its first numbers, the others are 0."""
    return f"[{','.join(map(str, [*numbers, *([0.0] * (DIMENSIONS - len(numbers)))]))}]"


def hashed(title: str, body: str | None = None) -> str:
    """Return the hashing vector of an item."""
    (vector,) = HashEmbedder().embed([prepared(title, body)]).each
    return f"[{','.join(map(str, vector))}]"


def always(vector: str, recipe: VectorRecipe = RECIPE) -> Callable[[str], QueryVector]:
    """Return what makes the same vector of every text."""
    return lambda _: QueryVector(vector=vector, recipe=recipe)


def nobody(text: str) -> QueryVector:
    """Fail: nobody should be asked for this vector."""
    raise AssertionError(f"nobody should be asked for the vector of {text!r}")


def store(db: Database, name: str, items: Sequence[Item], *, is_private: bool | None = False) -> str:
    """Add a repository with items, and return its id; the later an item stands, the older it is."""
    owner, _, short = name.partition("/")
    with db.transaction() as tx:
        row = tx.row(
            "insert into repositories (github_id, full_name, owner, name, is_private) values "
            "((select 1000 + count(*) from repositories), %(name)s, %(owner)s, %(short)s, %(is_private)s) returning id",
            name=name, owner=owner, short=short, is_private=is_private,
        )  # fmt: skip
        assert row is not None
        for place, item in enumerate(items):
            _insert(tx.run, str(row["id"]), item, place)
    return str(row["id"])


def names(found: Found) -> list[str]:
    """Return what was found, in its order."""
    return [each.name for each in found.items]


def _insert(run: Callable[..., int], repository_id: str, item: Item, place: int) -> None:
    columns, values = _MORE[item.table]
    github_id = abs(hash((repository_id, item.table, item.number))) % 10**12
    run(
        f"insert into {item.table} (github_id, repository_id, number, title, body, state, gone_at, created_at, "  # noqa: S608
        f"updated_at{columns}) values (%(github_id)s, %(repository)s, %(number)s, %(title)s, %(body)s, %(state)s, "
        f"case when %(gone)s then now() end, now(), '2026-01-01'::timestamptz - %(place)s * interval '1 day'{values})",
        github_id=github_id, repository=repository_id, number=item.number, title=item.title, body=item.body,
        state=item.state, gone=item.gone, place=place,
    )  # fmt: skip
    if item.is_pull_request:
        run("update issues set is_pull_request = true where github_id = %(id)s", id=github_id)
    if item.vector is not None:
        run(
            f"update {item.table} set embedding = (%(vector)s::text::real[]), embedding_generated_at = now(), "  # noqa: S608
            "content_hash = %(hash)s where github_id = %(id)s",
            vector=item.vector.replace("[", "{").replace("]", "}"),
            hash=item.recipe.content_hash(item.title),
            id=github_id,
        )
