"""An export: what stands in its files is what stands in the database, of one moment, whole or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from pyarrow import parquet

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.exported import NAMES, ExportedTable, ExportFormat, tables
from gh_backfill.resources import sql
from gh_backfill.store import events, repositories
from gh_backfill.store import export as store
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks.exports import export, parquet_files, text_files
from tests.aggregation_rows import Odd
from tests.examples import REPOSITORY, tracked
from tests.velocity_by_hand import Plain, Told
from tests.velocity_rows import store as store_events

NOW = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
TABLES = {each.name: each for each in tables(embeddings=True)}
Rows = list[dict[str, Any]]


@pytest.fixture
def world(db: Database) -> dict[str, str]:
    """Fill a public, a private and an unknown repository; returns our ids by these words."""
    with db.transaction() as tx:
        odd = Odd(tx, 7, NOW)
        ids = {
            "public": odd.repository(),
            "private": odd.repository(private=True, items=20),
            "unknown": odd.repository(private=None, items=3),
        }
        tx.run(
            "insert into tracked_repositories (repository_id, organization_name, repository_name) "
            "select id, owner, name from repositories"
        )
        tx.run(
            "update pull_requests set body = case when number %% 2 = 0 then '' end, labels = %(labels)s",
            labels=[{"name": 'a "quoted", label', "color": "ff0000"}],
        )
        tx.run(
            "update pull_requests set title = %(title)s, github_id = 9000000000000000001 "
            "where id = (select id from pull_requests where repository_id = %(id)s order by number limit 1)",
            title='=cmd|"a", b\nand a second line; ünïcode \U0001f680',
            id=ids["public"],
        )
        tx.run(
            "insert into pull_request_diffs (pull_request_id, list, rows, as_of) "
            "select p.id, l.list, l.rows, now() "
            "from pull_requests p, jsonb_to_recordset(%(lists)s) as l (list text, rows jsonb)",
            lists=[
                {"list": "files", "rows": [{"path": "a,b", "change_type": "ADDED", "additions": 3}, {"path": 'é"'}]},
                {"list": "commits", "rows": [{"oid": "0a", "message": "=1\n2", "authored_at": "2026-01-02T03:04:05Z"}]},
            ],
        )
        tx.run(
            "insert into star_days (repository_id, day, stars, read_at) values (%(id)s, '2026-02-03', 4, now())",
            id=ids["public"],
        )
    return ids


def write(db: Database, out: Path, *names: str, **how: Any) -> export.Exported:
    return export.export(db, names, export.asked(out, **how))


def of_csv(folder: Path, table: ExportedTable) -> Rows:
    """Read a file as its own rule has it: what is not quoted, and empty, is null."""
    text = (folder / f"{table.name}.csv").read_text(encoding="utf-8")
    rows: list[list[tuple[str, bool]]] = [[("", False)]]
    at, inside = 0, False
    while at < len(text):
        letter, (value, quoted) = text[at], rows[-1][-1]
        if inside and letter == '"' and text[at + 1 : at + 2] == '"':
            rows[-1][-1], at = (value + '"', quoted), at + 1
        elif letter == '"':
            inside, rows[-1][-1] = not inside, (value, True)
        elif not inside and letter == ",":
            rows[-1].append(("", False))
        elif not inside and letter == "\n":
            rows.append([("", False)])
        else:
            rows[-1][-1] = (value + letter, quoted)
        at += 1
    head, *body = rows[:-1]
    assert [name for name, _ in head] == list(table.columns)
    return [
        dict(zip(table.columns, (None if not value and not quoted else value for value, quoted in row), strict=True))
        for row in body
    ]


def of_jsonl(folder: Path, table: ExportedTable) -> Rows:
    return [json.loads(line) for line in (folder / f"{table.name}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]


def of_sqlite(file: Path, table: ExportedTable) -> Rows:
    with closing(sqlite3.connect(file)) as opened:
        opened.row_factory = sqlite3.Row
        return [dict(row) for row in opened.execute(f"select * from {table.name}")]  # noqa: S608


def of_parquet(folder: Path, table: ExportedTable) -> Rows:
    found: Rows = parquet.read_table(folder / f"{table.name}.parquet").to_pylist()
    return found


def asked(question: str) -> list[Any]:
    with duckdb.connect() as duck:
        return list(duck.execute(question).fetchall())


READERS: Mapping[str, Callable[[Path, ExportedTable], Rows]] = {
    "csv": of_csv,
    "jsonl": of_jsonl,
    "sqlite": of_sqlite,
    "parquet": of_parquet,
}


def comparable(value: object) -> object:
    """Return a value as text, whatever type a format has for it; a format of text has no other."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bool():
            return str(int(value))
        case None:
            return None
    return {"true": "1", "false": "0"}.get(str(value), str(value))


def rows_of(rows: Rows) -> list[list[tuple[str, object]]]:
    return sorted(([(name, comparable(row[name])) for name in sorted(row)] for row in rows), key=str)


@pytest.mark.parametrize("form", list(ExportFormat))
def test_each_format_gives_back_every_row_and_value_of_what_is_public(
    db: Database, world: dict[str, str], tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"history.{form}"
    done = write(db, out)
    assert (done.format, done.repositories) == (form, 1)
    told = {each.name: each.rows for each in done.tables}
    with db.transaction(read_only=True) as tx:
        for name in (
            *("pull_requests", "reviews", "comments", "issues", "star_days"),
            *("pull_request_files", "pull_request_commits"),
        ):
            columns = TABLES[name].columns
            wanted = tx.rows(
                f"select {', '.join(f'{each}::text' if kind == 'json' else each for each, kind in columns.items())} "  # noqa: S608
                f"from {name} where repository_id = %(id)s",
                id=world["public"],
            )
            found = READERS[form](out, TABLES[name])
            assert told[name] == len(found) == len(wanted)
            assert rows_of(found) == rows_of(wanted), name
    assert told["pull_requests"] > 50
    assert told["pull_request_files"] == 2 * told["pull_requests"]
    assert {None, ""} <= {row["body"] for row in READERS[form](out, TABLES["pull_requests"])}
    assert list(tmp_path.iterdir()) == [out]


def test_parquet_has_types_that_need_no_guessing_and_duckdb_reads_it(
    db: Database, world: dict[str, str], tmp_path: Path
) -> None:
    write(db, tmp_path / "history", format_word="parquet")
    files = tmp_path / "history"
    pulls = f"'{files}/pull_requests.parquet'"
    types = dict(asked(f"select column_name, column_type from (describe from {pulls})"))  # noqa: S608
    assert {name: types[name] for name in ("github_id", "draft", "created_at", "labels", "number")} == {
        "github_id": "BIGINT",
        "draft": "BOOLEAN",
        "created_at": "TIMESTAMP WITH TIME ZONE",
        "labels": "VARCHAR",
        "number": "BIGINT",
    }
    bodies = "count(*) filter (body is null) > 0, count(*) filter (body = '') > 0"
    found = asked(f"select max(github_id), {bodies} from {pulls}")  # noqa: S608
    assert found == [(9_000_000_000_000_000_001, True, True)]
    found = asked(f"select day, stars from '{files}/star_days.parquet'")  # noqa: S608
    assert found == [(date(2026, 2, 3), 4)]
    no_rows = parquet.read_table(files / "count_snapshots.parquet")
    assert (no_rows.num_rows, no_rows.column_names) == (0, list(TABLES["count_snapshots"].columns))


def test_sqlite_has_keys_references_and_indexes(db: Database, world: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "history.sqlite"
    write(db, out, private=True)
    with closing(sqlite3.connect(out)) as file:
        assert file.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert file.execute("pragma foreign_key_check").fetchall() == []
        for table in tables():
            info = file.execute(f"pragma table_info({table.name})").fetchall()
            assert tuple(row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]) == table.key
        plan = file.execute("explain query plan select * from reviews where pull_request_id = 'x'").fetchall()
        assert "reviews_pull_request_id" in plan[0][3]


def test_rows_come_a_few_at_a_time_however_many_there_are(db: Database, world: dict[str, str]) -> None:
    with store.snapshot(db) as tx:
        sizes = [len(rows) for rows in store.batches(tx, TABLES["pull_requests"], list(world.values()), size=7)]
        first, every = store.sample(tx, TABLES["pull_requests"], list(world.values()), size=7)
    assert sizes[:-1] == [7] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= 7
    assert (len(first), every) == (7, sum(sizes))
    assert len(sizes) > 8


def test_all_tables_are_of_one_moment(db: Database, database_url: str, world: dict[str, str], tmp_path: Path) -> None:
    def meanwhile(table: str, _rows: int) -> None:
        if table == "repositories":
            with Database(database_url) as other, other.transaction() as tx:
                tx.run("delete from comments")
                tx.run("update pull_requests set title = 'changed'")

    wanted = export.asked(tmp_path / "history.sqlite")
    done = export.export(db, [], wanted, meanwhile)
    assert next(each.rows for each in done.tables if each.name == "comments") > 0
    assert "changed" not in {row["title"] for row in of_sqlite(wanted.out, TABLES["pull_requests"])}


def test_an_export_cannot_write_to_the_database(db: Database) -> None:
    with pytest.raises(Exception, match="read-only"), store.snapshot(db) as tx:
        tx.run("delete from comments")


def people_of(tx: Transaction, ids: list[str]) -> set[str]:
    """Return who occurs in repositories, by every column that has a person."""
    found: set[str] = set()
    for table, column in (
        ("pull_requests", "author_id"),
        ("pull_requests", "merged_by_id"),
        ("reviews", "author_id"),
        ("comments", "commenter_id"),
        ("issues", "author_id"),
        ("issues", "closed_by_id"),
    ):
        rows = tx.rows(
            f"select distinct {column} as id from {table} where repository_id = any(%(ids)s::uuid[])",  # noqa: S608
            ids=tuple(ids),
        )
        found |= {str(row["id"]) for row in rows if row["id"]}
    rows = tx.rows(
        "select c.id from contributors c join discussions d on d.author_id = c.github_id "
        "where d.repository_id = any(%(ids)s::uuid[]) union "
        "select c.id from contributors c join discussion_comments m on m.author_github_id = c.github_id "
        "join discussions d on d.id = m.discussion_id where d.repository_id = any(%(ids)s::uuid[])",
        ids=tuple(ids),
    )
    return found | {str(row["id"]) for row in rows}


def test_what_is_not_known_to_be_public_comes_only_when_asked_for_with_its_people(
    db: Database, world: dict[str, str], tmp_path: Path
) -> None:
    with db.transaction() as tx:
        tx.run(
            "insert into contributors (id, github_id, username, email) "
            "values ('00000000-0000-0000-0000-00000000000a', 77, 'only-there', 'her@example.test')"
        )
        tx.run(
            "update pull_requests set author_id = '00000000-0000-0000-0000-00000000000a' "
            "where id = (select id from pull_requests where repository_id = %(id)s limit 1)",
            id=world["private"],
        )
        public, every = people_of(tx, [world["public"]]), people_of(tx, list(world.values()))
    done = write(db, tmp_path / "public.jsonl")
    assert (done.private_left_out, done.people_left_out) == (2, len(every - public))
    assert {row["id"] for row in of_jsonl(tmp_path / "public.jsonl", TABLES["contributors"])} == public
    text = "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "public.jsonl").iterdir())
    assert "only-there" not in text
    assert world["private"] not in text
    assert world["unknown"] not in text
    done = write(db, tmp_path / "all.jsonl", private=True)
    assert (done.private_left_out, done.people_left_out, done.repositories) == (0, 0, 3)
    assert {row["id"] for row in of_jsonl(tmp_path / "all.jsonl", TABLES["contributors"])} == every
    assert (tmp_path / "all.jsonl").stat().st_mode & 0o077 == 0
    assert "her@example.test" not in (tmp_path / "all.jsonl" / "contributors.jsonl").read_text(encoding="utf-8")


def test_events_of_a_repository_come_from_both_tables_and_those_of_private_ones_only_when_asked_for(
    db: Database, tmp_path: Path
) -> None:
    told = [Told("WatchEvent", "ann", 1, NOW.timestamp() - 86_400), Told("ForkEvent", "f/k", 5, NOW.timestamp())]
    events.make_months(db, [NOW, NOW - timedelta(days=1)])
    with db.transaction() as tx:
        store_events(tx, Plain(told=told), name="open")
        store_events(tx, Plain(told=told), name="shut", is_private=True)
        tx.run(
            "insert into tracked_repositories (repository_id, organization_name, repository_name) "
            "select id, owner, name from repositories"
        )
    write(db, tmp_path / "public.jsonl")
    rows = of_jsonl(tmp_path / "public.jsonl", TABLES["events"])
    assert sorted(row["event_type"] for row in rows) == ["ForkEvent", "WatchEvent"]
    assert all(isinstance(json.loads(row["payload"]), dict) for row in rows)
    write(db, tmp_path / "all.jsonl", private=True)
    assert len(of_jsonl(tmp_path / "all.jsonl", TABLES["events"])) == 4


def test_only_the_named_ones_come_and_what_is_not_here_is_named(
    db: Database, world: dict[str, str], tmp_path: Path
) -> None:
    with db.transaction() as tx:
        other = tracked(tx, REPOSITORY)
    done = write(db, tmp_path / "one.csv", "octo/engine", "octo/nowhere")
    assert (done.repositories, done.unknown, done.private_left_out) == (1, ("octo/nowhere",), 0)
    assert [row["id"] for row in of_csv(tmp_path / "one.csv", TABLES["repositories"])] == [other.id]
    with db.reading() as tx:
        (private,) = repositories.find(tx, [world["private"]]).values()
    assert private is not None
    with pytest.raises(ConfigurationError, match=r"only private repositories .* --private"):
        write(db, tmp_path / "none.csv", private.full_name)
    with pytest.raises(ConfigurationError, match="not here: octo/nowhere: gh-backfill track"):
        write(db, tmp_path / "none.csv", "octo/nowhere")
    assert [each.name for each in tmp_path.iterdir()] == ["one.csv"]


@pytest.mark.parametrize("form", list(ExportFormat))
def test_an_interrupted_export_leaves_nothing_and_the_one_before_it_as_it_was(
    db: Database, world: dict[str, str], tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"history.{form}"
    write(db, out)

    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def interrupt(table: str, _rows: int) -> None:
        if table == "comments":
            raise KeyboardInterrupt

    before = contents()
    for place, force in ((out, True), (tmp_path / f"new.{form}", False)):
        with pytest.raises(KeyboardInterrupt):
            export.export(db, [], export.asked(place, force=force), interrupt)
    assert contents() == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("form", list(ExportFormat))
def test_what_is_there_is_replaced_only_with_force(
    db: Database, world: dict[str, str], tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"history.{form}"
    write(db, out)
    with pytest.raises(ConfigurationError, match=r"is there already: .* --force"):
        export.asked(out)
    wanted = export.asked(tmp_path / f"late.{form}")
    (wanted.out if wanted.is_file else wanted.out / "theirs").parent.mkdir(exist_ok=True)
    (wanted.out if wanted.is_file else wanted.out / "theirs").write_text("somebody's")
    with pytest.raises(ConfigurationError, match="nothing was replaced"):
        export.export(db, [], wanted)
    with db.transaction() as tx:
        tx.run("update pull_requests set title = 'newer'")
    write(db, out, force=True)
    assert {row["title"] for row in READERS[form](out, TABLES["pull_requests"])} == {"newer"}
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"history.{form}", f"late.{form}"]


def test_force_replaces_no_folder_of_anybody_else_and_no_folder_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "mine" / "letter.txt")
    with pytest.raises(ConfigurationError, match="no export"):
        export.asked(tmp_path / "mine", force=True)
    with pytest.raises(ConfigurationError, match="no file"):
        export.asked(tmp_path / "link.sqlite", force=True)
    with pytest.raises(ConfigurationError, match="make it first"):
        export.asked(tmp_path / "nowhere" / "out.csv")


@pytest.mark.parametrize("marker", ['{"x": 1}', "[]", "no JSON", '{"written_by": "somebody"}'])
def test_force_replaces_no_folder_whose_marker_is_somebody_elses(tmp_path: Path, marker: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "export.json").write_text(marker)
    with pytest.raises(ConfigurationError, match="no export"):
        export.asked(tmp_path / "out", force=True)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_force_replaces_no_export_to_which_somebody_has_added_something(
    db: Database, world: dict[str, str], tmp_path: Path, when: str
) -> None:
    out = tmp_path / "history"
    write(db, out)

    def add(*_: object) -> None:
        (out / "notes.md").write_text("mine")

    if when == "before":
        add()
    with pytest.raises(ConfigurationError, match=r"history holds what no export wrote \(notes.md\)"):
        export.export(db, [], export.asked(out, format_word="jsonl", force=True), add)
    assert (out / "notes.md").read_text() == "mine"
    assert (out / "pull_requests.csv").exists()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_no_file_of_sqlite_is_put_beside_what_would_be_taken_for_a_part_of_it(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"out.db{ending}").write_text("pages")
    with pytest.raises(ConfigurationError, match=f"out.db{ending} has what a program writes to out.db"):
        export.asked(tmp_path / "out.db", force=True)


def test_the_format_is_that_of_the_ending_or_of_the_option_and_never_two(tmp_path: Path) -> None:
    assert export.asked(tmp_path / "a.db").format == ExportFormat.SQLITE
    assert export.asked(tmp_path / "a").format == ExportFormat.CSV
    assert export.asked(tmp_path / "a", format_word="JSONL").format == ExportFormat.JSONL
    with pytest.raises(ConfigurationError, match="ends in another format"):
        export.asked(tmp_path / "a.sqlite", format_word="csv")
    with pytest.raises(ConfigurationError, match="parquet, csv, jsonl or sqlite, not xlsx"):
        export.asked(tmp_path / "a", format_word="xlsx")


def test_without_pyarrow_one_line_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"-m pip install pyarrow, or choose --format sqlite$"):
        export.asked(tmp_path / "a.parquet")
    assert export.asked(tmp_path / "a.jsonl").format == ExportFormat.JSONL


@pytest.mark.parametrize("form", list(ExportFormat))
def test_a_dry_run_counts_what_would_be_written_and_guesses_its_size(
    db: Database, world: dict[str, str], tmp_path: Path, form: str
) -> None:
    wanted = export.asked(tmp_path / f"history.{form}", private=True)
    told = export.export(db, [], wanted, dry_run=True)
    assert list(tmp_path.iterdir()) == []
    done = export.export(db, [], wanted)
    assert told.tables == done.tables
    assert done.bytes / 8 < told.bytes < done.bytes * 8


def test_vectors_come_only_when_asked_for(db: Database, world: dict[str, str], tmp_path: Path) -> None:
    with db.transaction() as tx:
        tx.run(
            "update issues set embedding = (%(vector)s::text::real[]) where id = (select id from issues "
            "where repository_id = %(id)s limit 1)",
            vector="{" + ",".join(["0.5"] * 384) + "}",
            id=world["public"],
        )
    write(db, tmp_path / "without")
    assert "embeddings.csv" not in {each.name for each in (tmp_path / "without").iterdir()}
    write(db, tmp_path / "with", embeddings=True)
    (row,) = of_csv(tmp_path / "with", TABLES["embeddings"])
    assert (row["item_type"], json.loads(row["embedding"])) == ("issue", [0.5] * 384)


# Types of PostgreSQL by those of an export.
OIDS = {
    "text": {25, 1043},
    "json": {25},
    "integer": {20, 23},
    "boolean": {16},
    "time": {1184},
    "day": {1082},
}


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"], ids=["ours", "theirs"])
def test_each_table_has_its_columns_and_types_on_a_database_of_ours_and_on_an_existing_one(
    kind: str, request: pytest.FixtureRequest
) -> None:
    with closing(psycopg2.connect(request.getfixturevalue(kind))) as connection, connection.cursor() as cursor:
        for table in tables(embeddings=True):
            _, _, select = sql("export")[f"export_{table.name}"].partition("scroll cursor for\n")
            cursor.execute(select, {"repositories": []})
            found = {each.name: each.type_code for each in cursor.description or ()}
            assert list(found) == list(table.columns)
            wrong = {name for name, code in found.items() if code not in OIDS[table.columns[name]]}
            assert wrong == set(), table.name


def test_the_marker_says_of_which_moment_a_folder_is(db: Database, world: dict[str, str], tmp_path: Path) -> None:
    done = write(db, tmp_path / "history")
    marker = json.loads((tmp_path / "history" / "export.json").read_text(encoding="utf-8"))
    assert (marker["at"], marker["format"], marker["private"]) == (done.at.isoformat(), "csv", False)
    assert {each["name"]: each["rows"] for each in marker["tables"]} == {each.name: each.rows for each in done.tables}
    assert {each["name"] for each in marker["tables"]} | {"embeddings"} == NAMES


def test_a_group_of_parquet_is_written_once_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_files, "GROUP", 1_000)
    table = TABLES["star_days"]
    row = {"repository_id": "x" * 36, "day": date(2026, 1, 1), "stars": 1, "provisional": False, "read_at": NOW}
    with parquet_files.parquet_table(tmp_path, table) as put:
        for _ in range(6):
            put([row] * 10)
    file = parquet.ParquetFile(tmp_path / "star_days.parquet")
    assert file.metadata.num_rows == 60
    assert file.metadata.num_row_groups > 1


def test_a_time_sorts_as_text_whether_it_has_a_fraction_or_not() -> None:
    whole = NOW.replace(microsecond=0)
    texts = [text_files.plain(each) for each in (whole, NOW, whole + timedelta(seconds=1))]
    assert texts == sorted(texts, key=str)
