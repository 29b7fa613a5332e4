"""The ready questions of docs/questions.sql: each runs, and answers what is computed by hand from the same rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gh_backfill.store.db import Database, Row
from tests import aggregation_by_hand as by_hand
from tests.aggregation_by_hand import Pull, World, quantile
from tests.aggregation_rows import Odd, tables
from tests.test_commands_in_texts import ROOT

DAY = 86_400.0
TEXT = (ROOT / "docs" / "questions.sql").read_text(encoding="utf-8")
_PARTS = re.split(r"^-- name: (\w+)$", TEXT, flags=re.MULTILINE)
QUESTIONS = dict(zip(_PARTS[1::2], _PARTS[2::2], strict=True))
Answer = dict[tuple[Any, ...], tuple[Any, ...]]


class Asked:
    """Rows of some repositories, what counts of them by hand, and what the questions answer."""

    def __init__(self, db: Database, now: datetime, *, seeds: Sequence[int] = (3, 4)) -> None:
        self._db, self.now = db, now.timestamp()
        with db.transaction() as tx:
            for seed in seeds:
                odd = Odd(tx, seed, now)
                for items in (60, 25):
                    odd.repository(items=items)
            tx.run(
                "update pull_requests set additions = (array[1, 4, 15, 60, 300, 1200])[1 + github_id % 6], "
                "deletions = case when github_id % 5 = 0 then 130 else 6 end"
            )
            self.rows = tables(tx)
        self.world: World = by_hand.world(self.rows)
        self.repositories = {row["id"]: row["full_name"] for row in self.rows["repositories"]}
        self.by_id: Mapping[str, Row] = {row["id"]: row for row in self.rows["pull_requests"]}

    def answer(self, name: str, keys: int = 1) -> Answer:
        """Return the answer to a question by its first columns, numbers as floats."""
        with self._db.reading() as tx:
            rows = [tuple(_number(value) for value in row.values()) for row in tx.rows(QUESTIONS[name])]
        found = {row[:keys]: row[keys:] for row in rows}
        assert len(found) == len(rows) > 0
        return found

    def people(self) -> Iterable[tuple[str, Pull]]:
        """Yield the pull requests of people with our ids of them."""
        return ((own, pull) for own, pull in self.world.pulls.items() if not pull.bot)

    def name(self, pull: Pull) -> str:
        return str(self.repositories[pull.repository])


def _number(value: Any) -> Any:
    return value if value is None or isinstance(value, str | date | bool) else float(value)


def month(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date().replace(day=1)


def near(found: Answer, wanted: Answer) -> list[Any]:
    """Return what differs by more than the rounding to one place behind the point."""

    def same(one: Any, other: Any) -> bool:
        if one is None or other is None or isinstance(one, str):
            return bool(one == other)
        return abs(float(one) - float(other)) <= 0.0500001

    return [
        (key, found.get(key), wanted.get(key))
        for key in {*found, *wanted}
        if key not in found or key not in wanted or not all(map(same, found[key], wanted[key]))
    ]


@pytest.fixture
def asked(db: Database) -> Asked:
    return Asked(db, datetime.now(UTC))


def test_the_time_to_the_first_review_by_month(asked: Asked) -> None:
    groups: dict[tuple[Any, ...], list[float | None]] = defaultdict(list)
    for _, pull in asked.people():
        groups[asked.name(pull), month(pull.opened)].append(pull.hours_to_first_review)
    wanted = {
        key: (len(hours), sum(each is not None for each in hours), quantile(hours, 0.5), quantile(hours, 0.9))
        for key, hours in groups.items()
    }
    assert near(asked.answer("time_to_first_review", 2), wanted) == []


def test_the_time_to_merge_by_size(asked: Asked) -> None:
    groups: dict[tuple[Any, ...], list[float | None]] = defaultdict(list)
    for own, pull in asked.people():
        if pull.hours_to_merge is not None:
            lines = asked.by_id[own]["additions"] + asked.by_id[own]["deletions"]
            bounds = ((10, "1: up to 10"), (50, "2: 11 to 50"), (200, "3: 51 to 200"), (1000, "4: 201 to 1,000"))
            size = next((word for most, word in bounds if lines <= most), "5: over 1,000")
            groups[asked.name(pull), size].append(pull.hours_to_merge)
    every = Counter[str]()
    for (name, _), hours in groups.items():
        every[name] += len(hours)
    wanted = {
        (name, size): (len(hours), quantile(hours, 0.5), quantile(hours, 0.9), 100 * len(hours) / every[name])
        for (name, size), hours in groups.items()
    }
    assert len({size for _, size in wanted}) >= 4
    assert near(asked.answer("time_to_merge_by_size", 2), wanted) == []


def test_the_review_load_of_ninety_days(asked: Asked) -> None:
    groups: dict[tuple[Any, ...], list[by_hand.Act]] = defaultdict(list)
    for act in asked.world.acts:
        if act.what == "review" and act.who not in asked.world.bots and act.at >= asked.now - 90 * DAY:
            groups[asked.repositories[act.repository], asked.world.names[act.who]].append(act)
    every = Counter[str]()
    for (name, _), acts in groups.items():
        every[name] += len(acts)
    wanted = {
        (name, who): (
            len(acts),
            len({act.of for act in acts}),
            100 * len(acts) / every[name],
            quantile([act.after / by_hand.HOUR if act.after is not None else None for act in acts], 0.5),
        )
        for (name, who), acts in groups.items()
    }
    assert near(asked.answer("review_load", 2), wanted) == []


def test_who_reviews_whom(asked: Asked) -> None:
    wanted: dict[tuple[Any, ...], list[by_hand.Act]] = defaultdict(list)
    for act in asked.world.acts:
        if act.what == "review" and act.who not in asked.world.bots and act.at >= asked.now - 365 * DAY:
            pull, row = asked.world.pulls[act.of], asked.by_id[act.of]
            author = asked.world.names[pull.author] if pull.author else row["author_login"]
            if author is not None:
                wanted[asked.name(pull), asked.world.names[act.who], author].append(act)
    counted: Answer = {
        key: (len({act.of for act in acts}), len(acts), sum(act.state == "APPROVED" for act in acts))
        for key, acts in wanted.items()
    }
    assert near(asked.answer("who_reviews_whom", 3), counted) == []


def test_the_age_of_open_pull_requests(asked: Asked) -> None:
    ages: dict[tuple[Any, ...], list[tuple[float, bool]]] = defaultdict(list)
    for pull in asked.world.pulls.values():
        if pull.state == "open":
            ages[(asked.name(pull),)].append(((asked.now - pull.opened) / DAY, pull.draft))
    wanted = {
        key: (
            len(each),
            sum(draft for _, draft in each),
            *(sum(low <= days < high for days, _ in each) for low, high in ((-1e9, 7), (7, 30), (30, 90), (90, 1e9))),
            quantile([days for days, _ in each], 0.5),
        )
        for key, each in ages.items()
    }
    assert near(asked.answer("age_of_open_pull_requests"), wanted) == []


def test_the_bus_factor(asked: Asked) -> None:
    authors: dict[str, Counter[str]] = defaultdict(Counter)
    for own, pull in asked.people():
        who = asked.world.names[pull.author] if pull.author else asked.by_id[own]["author_login"]
        recent = pull.merged is not None and pull.merged >= asked.now - 365 * DAY
        if pull.state == "merged" and recent and who is not None:
            authors[asked.name(pull)][who] += 1
    found = asked.answer("bus_factor")
    assert {name for (name,) in found} == set(authors)
    for name, counts in authors.items():
        many = sorted(counts.values(), reverse=True)
        fewest = next(n for n in range(1, len(many) + 1) if 2 * sum(many[:n]) >= sum(many))
        factor, people, merged, most, share = found[(name,)]
        assert (factor, people, merged) == (fewest, len(many), sum(many))
        assert counts[most] == many[0]
        assert share == pytest.approx(100 * many[0] / sum(many), abs=0.051)


def test_newcomers_per_month(asked: Asked) -> None:
    pulls: dict[tuple[str, str], list[tuple[float, int, str]]] = defaultdict(list)
    for own, pull in asked.people():
        if pull.author is not None:
            pulls[asked.name(pull), pull.author].append((pull.opened, asked.by_id[own]["number"], pull.state))
    wanted: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (name, _), each in pulls.items():
        opened, _, state = min(each)
        for place, yes in enumerate((True, state == "merged", len(each) > 1)):
            wanted[name, month(opened)][place] += yes
    assert near(asked.answer("newcomers_per_month", 2), {key: tuple(each) for key, each in wanted.items()}) == []


def test_what_is_merged_without_review(asked: Asked) -> None:
    wanted: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    for _, pull in asked.people():
        if pull.state == "merged" and pull.merged is not None:
            wanted[asked.name(pull), month(pull.merged)].append(pull.first_review is None)
    counted: Answer = {key: (len(each), sum(each), 100 * sum(each) / len(each)) for key, each in wanted.items()}
    assert near(asked.answer("merged_without_review", 2), counted) == []


def test_what_waits_for_a_first_review_and_what_is_stale_are_told_apart(asked: Asked) -> None:
    waiting = {
        (asked.name(pull), asked.by_id[own]["number"])
        for own, pull in asked.people()
        if pull.state == "open" and not pull.draft and pull.first_review is None
    }
    assert set(asked.answer("waiting_for_a_first_review", 2)) == waiting
    newest: dict[str, by_hand.Act] = {}
    for act in asked.world.acts:
        if act.what == "review" and act.who not in asked.world.bots:
            before = newest.get(act.of)
            newest[act.of] = act if before is None or act.at > before.at else before
    wanted = {
        (asked.name(pull), asked.by_id[own]["number"]): ("author" if act.state == "CHANGES_REQUESTED" else "reviewer")
        for own, act in newest.items()
        if (pull := asked.world.pulls[own]).state == "open"
        and max(act.at, asked.by_id[own]["updated_at"].timestamp()) < asked.now - 14 * DAY
    }
    assert {key: row[-2] for key, row in asked.answer("stale_reviews", 2).items()} == wanted


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"], ids=["ours", "theirs"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_each_question_runs_on_a_database_of_ours_and_on_an_existing_one_and_says_what_its_columns_mean(
    kind: str, name: str, request: pytest.FixtureRequest
) -> None:
    with Database(request.getfixturevalue(kind)) as db:
        with db.transaction() as tx:
            Odd(tx, 3, datetime.now(UTC)).repository()
        with db.reading() as tx:
            rows = tx.rows(QUESTIONS[name])
    assert rows
    asked_first, *meaning = [line[3:] for line in QUESTIONS[name].splitlines() if line.startswith("-- ")]
    assert asked_first.endswith("?")
    known = {"repository", "month", "number", "title", "author", "reviewer", "html_url"}
    assert {column for column in rows[0] if column not in known and column not in " ".join(meaning)} == set()


def test_there_are_enough_of_them() -> None:
    assert len(QUESTIONS) >= 10
