"""Whatever GitHub can answer at once, everything comes, nothing is given up, and few queries are asked in vain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.errors import TooBig
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from tests.comparison import compare
from tests.discussion_comparison import differences
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import House
from tests.tasks.test_parts import planned

NAME = "octo/much"


@pytest.fixture
def house(db: Database, database_url: str) -> Iterator[House]:
    with running(load(recipes=(f"{NAME}:150:discussions=40",))) as github:
        yield House(db=db, url=database_url, github=github)


def asked_at_once(variables: Mapping[str, Any]) -> int:
    """Return how many things a query names or wants of a list."""
    lists = sum(len(value) for value in variables.values() if isinstance(value, list))
    wanted = sum(value for name, value in variables.items() if name.startswith("first") and isinstance(value, int))
    numbers = sum(name.startswith("number") or (name[0] == "q" and name[1:].isdigit()) for name in variables)
    return lists + wanted + numbers


class Narrow:
    """A GitHub that gives up where a query asks for more than `most`, or names `poison`; counts what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int, poison: str = "nothing") -> None:
        self.answered = self.refused = 0
        self.named: list[str] = []
        execute = GraphQL.execute

        def narrow(graphql: GraphQL, document: str, variables: Mapping[str, object], **more: Any) -> object:
            if "dryRun" not in document and (asked_at_once(variables) > most or poison in str(variables)):
                self.refused += 1
                raise TooBig("GitHub gave up after its time limit (status 504)")
            self.answered += 1
            self.named += cast("list[str]", variables.get("ids", []))
            return execute(graphql, document, variables, **more)

        monkeypatch.setattr(GraphQL, "execute", narrow)


def captured(house: House, limits: Limits | None = None, kinds: Sequence[str] = ("pull_requests",)) -> Captured:
    return capture.run(
        house.db,
        house.graphql(),
        house.run,
        NAME,
        limits or Limits(),
        kinds=kinds,
        listen=lambda progress: None,
        sleep=house.wait,
    )


@pytest.mark.parametrize("chunk_size", [None, 7])
@pytest.mark.parametrize("most", [100, 40, 6])
@pytest.mark.parametrize("what", ["pull requests", "parts", "discussions"])
def test_everything_comes_whatever_can_be_answered_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch, what: str, most: int, chunk_size: int | None
) -> None:
    house.track(NAME)
    if what == "parts":
        assert len(planned(house, 2).entries) == 2
    github = Narrow(monkeypatch, most)
    kinds = ("discussions",) if what == "discussions" else ("pull_requests",)
    assert captured(house, Limits(chunk_size=chunk_size), kinds).outcome is CaptureOutcome.COMPLETED
    with house.db.transaction(read_only=True) as tx:
        if what == "discussions":
            assert differences(tx, house.github.world, NAME) == []
        else:
            assert not compare(tx, expected_world(house.github.world, NAME)).found
    assert house.rows("select * from backfill_quarantine") == []
    assert github.refused <= github.answered / 2 + 4


def test_one_list_that_can_not_be_read_costs_the_others_little(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.track(NAME)
    whole = Narrow(monkeypatch, 10_000)
    captured(house)
    review = whole.named[len(whole.named) // 2]
    with house.db.transaction() as tx:
        tx.run("truncate repositories cascade")
    house.track(NAME)
    github = Narrow(monkeypatch, 10_000, poison=review)
    captured(house)
    lost = house.rows("select kind, identity from backfill_quarantine")
    assert [row["identity"] for row in lost] == [review]
    assert github.refused <= 20  # it is found by halves, then asked for alone, and once more by the catch-up
    assert github.answered <= whole.answered + 8
