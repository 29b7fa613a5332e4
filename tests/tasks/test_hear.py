"""What webhooks tell becomes events: each once, in whatever order and however often, and where it may be seen."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_backfill.models.events import Source, star
from gh_backfill.store import events, repositories, webhooks
from gh_backfill.store.db import Database
from gh_backfill.tasks import workspaces
from gh_backfill.tasks.dispatch import tick
from gh_backfill.tasks.dispatch.jobs import Processors
from gh_backfill.tasks.velocity.figures import velocities
from gh_backfill.tasks.webhooks.hear import HeardEvents, hear
from gh_backfill.tasks.webhooks.receive import receive
from tests.tasks.conftest import SMALL, House

# A day of last month: whatever is told of it is in the past.
DAY = (datetime.now(UTC) - timedelta(days=20)).replace(hour=0, minute=0, second=0, microsecond=0)
PUBLIC, PRIVATE = "github_events_cache", "private_events"


def clock(hour: int) -> str:
    return (DAY + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(kw_only=True)
class Door:
    """Where deliveries come in, each with a name of its own."""

    house: House
    sent: itertools.count[int] = field(default_factory=itertools.count)
    home: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.house.only("select id, github_id from repositories where full_name = %(name)s", name=SMALL)

    def tell(self, event: str, payload: Mapping[str, Any], *, of: int | None = None, **more: Any) -> str:
        place = {"id": of or self.home["github_id"], "full_name": SMALL, "private": False, **more}
        told = {"sender": {"login": "ada", "id": 1}, "repository": place, **payload}
        return receive(self.house.db, f"delivery-{next(self.sent)}", event, told)

    def star(self, hour: int, *, login: str = "ada", number: int = 1, **more: Any) -> str:
        payload = {"action": "created", "starred_at": clock(hour), "sender": {"login": login, "id": number}}
        return self.tell("star", payload, **more)

    def unstar(self, hour: int, **more: Any) -> str:
        return self.tell("star", {"action": "deleted", "starred_at": None}, updated_at=clock(hour), **more)

    def hear(self) -> HeardEvents:
        return hear(self.house.db, self.house.slept.append)

    def events(self, table: str = PUBLIC) -> list[str]:
        rows = self.house.rows(
            f"select event_type, actor_login, created_at, source from {table} order by created_at, event_id"  # noqa: S608
        )
        assert {row["source"] for row in rows} <= {"webhook"}
        return [f"{row['event_type']} {row['actor_login']} {row['created_at']:%H}" for row in rows]

    def waiting(self) -> list[str]:
        return [row["identity"] for row in self.house.rows("select identity from webhook_pending order by identity")]

    def given(self) -> list[int | None]:
        """Return the stars of the day that still exist, as velocity counts them where the day is covered."""
        with self.house.db.transaction() as tx:
            tx.run(
                "insert into event_sources (repository_id, series, source, state, asked_at, covered) "
                "values (%(id)s, 'stars', 'events', 'available', now(), "
                "tstzmultirange(tstzrange(%(day)s, %(day)s + interval '1 day'))) "
                "on conflict do nothing",
                id=self.home["id"], day=DAY,
            )  # fmt: skip
        with self.house.db.reading() as tx:
            (found,) = velocities(tx, [self.home["id"]], 30, datetime.now(UTC))
        days = found.stars.current
        return [days.counts[(DAY.date() - days.first).days]]


@pytest.fixture
def door(house: House) -> Door:
    house.track(SMALL)
    return Door(house=house)


def test_what_webhooks_tell_becomes_events_and_waits_no_more(door: Door) -> None:
    door.star(8)
    door.unstar(9)
    forkee = {"id": 5, "full_name": "ada/kit", "private": False, "created_at": clock(10)}
    door.tell("fork", {"forkee": forkee})
    issue = {"id": 70, "number": 9, "created_at": clock(11), "closed_at": clock(12)}
    door.tell("issues", {"action": "opened", "issue": issue})
    door.tell("issues", {"action": "closed", "issue": issue})
    comment = {"action": "created", "issue": issue, "comment": {"id": 77, "created_at": clock(13)}}
    door.tell("issue_comment", comment)
    assert door.hear() == HeardEvents(new=6)
    assert door.events() == [
        "WatchEvent ada 08",
        "StarRemovedEvent ada 09",
        "ForkEvent ada 10",
        "IssuesEvent ada 11",
        "IssuesEvent ada 12",
        "IssueCommentEvent ada 13",
    ]
    assert door.waiting() == []
    row = door.house.only("select event_id, payload from github_events_cache where event_type = 'ForkEvent'")
    assert row == {"event_id": "ForkEvent_5", "payload": {"forkee": {"id": 5, "full_name": "ada/kit"}}}
    assert door.hear() == HeardEvents()


def test_what_is_delivered_again_under_another_name_is_no_other_event(door: Door) -> None:
    for _ in range(2):
        door.star(8)
        door.unstar(9)
        door.hear()
    door.star(8)
    assert door.hear() == HeardEvents(known=1)
    assert door.events() == ["WatchEvent ada 08", "StarRemovedEvent ada 09"]


def test_one_star_is_one_whichever_source_tells_of_it_first(door: Door) -> None:
    home = door.home
    listed = star(home["github_id"], "Ada", 1, DAY + timedelta(hours=8, seconds=1), Source.STARGAZERS)
    events.make_months(door.house.db, [DAY])
    with door.house.db.transaction() as tx:
        assert events.write(tx, home["id"], [listed]) == 1
    door.star(8)
    door.star(9, login="bob", number=2)
    assert door.hear() == HeardEvents(new=1, known=1)
    with door.house.db.transaction() as tx:
        assert events.write(tx, home["id"], [star(home["github_id"], "bob", 2, DAY, Source.EVENTS)]) == 0
    assert door.house.count(PUBLIC) == 2


@pytest.mark.parametrize("is_private", [False, True])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_star_given_again_on_the_same_day_stands_and_one_taken_back_last_does_not_in_any_order(
    door: Door, order: tuple[int, ...], is_private: bool
) -> None:
    with door.house.db.transaction() as tx:
        tx.run("update repositories set is_private = %(is_private)s", is_private=is_private)
    told = [(door.star, 8), (door.unstar, 9), (door.star, 10)]
    for place in order:
        tell, hour = told[place]
        tell(hour)
        door.hear()
    assert door.given() == [1]
    door.unstar(11)
    door.hear()
    assert door.given() == [0]
    removed = [each for each in door.events(PRIVATE if is_private else PUBLIC) if each.startswith("StarRemoved")]
    assert removed == ["StarRemovedEvent ada 09", "StarRemovedEvent ada 11"]


@pytest.mark.parametrize("is_private", [True, None])
def test_events_of_a_repository_not_known_to_be_public_never_go_where_guests_read(
    door: Door, is_private: bool | None
) -> None:
    with door.house.db.transaction() as tx:
        tx.run("update repositories set is_private = %(is_private)s", is_private=is_private)
    door.star(8)
    door.unstar(9)
    assert door.hear() == HeardEvents(new=2)
    assert door.events(PRIVATE) == ["WatchEvent ada 08", "StarRemovedEvent ada 09"]
    assert door.events(PUBLIC) == []


def test_a_webhook_that_calls_its_repository_private_hides_it_before_its_event_is_written(door: Door) -> None:
    door.star(8)
    door.hear()
    assert door.events(PUBLIC) == ["WatchEvent ada 08"]
    door.star(9, login="bob", number=2, private=True)
    assert door.hear() == HeardEvents(new=1)
    assert door.events(PUBLIC) == []
    assert door.events(PRIVATE) == ["WatchEvent ada 08", "WatchEvent bob 09"]


def test_the_name_of_a_private_fork_is_told_to_nobody(door: Door) -> None:
    forkee = {"id": 5, "full_name": "ada/secret", "private": True, "created_at": clock(10)}
    door.tell("fork", {"forkee": forkee})
    assert "secret" not in str(door.house.rows("select * from webhook_pending"))
    assert door.hear() == HeardEvents(new=1)
    row = door.house.only("select actor_login, payload from github_events_cache")
    assert row == {"actor_login": "ghost", "payload": {"forkee": {"id": 5}}}


def test_a_repository_is_known_by_its_id_whatever_it_is_called(door: Door) -> None:
    door.star(8)
    with door.house.db.transaction() as tx:
        repositories.follow(tx, door.home["id"], full_name="cat/small", is_private=False, total=None)
    door.star(9, login="bob", number=2, full_name="dog/small")
    assert door.hear() == HeardEvents(new=2)
    rows = door.house.rows(
        "select distinct repository_owner || '/' || repository_name as name from github_events_cache"
    )
    assert [row["name"] for row in rows] == ["cat/small"]


def test_what_is_not_tracked_any_more_is_dropped_and_counted(door: Door) -> None:
    assert door.star(8, of=999) == "the repository is not tracked here"
    door.star(8)
    with door.house.db.transaction() as tx:
        tx.run("update tracked_repositories set tracking_enabled = false")
        tx.run(
            "insert into webhook_pending (repository_github_id, kind, identity, event) values (999, 'event', 'x', 'x')"
        )
    assert door.hear() == HeardEvents(untracked=2)
    assert door.waiting() == []
    assert door.house.count(PUBLIC) == 0


def test_of_a_repository_that_is_in_a_workspace_alone_events_are_taken_and_nothing_is_fetched(door: Door) -> None:
    with door.house.db.transaction() as tx:
        tx.run("update tracked_repositories set tracking_enabled = false")
    workspaces.create(door.house.db, "kit", name=None, description=None, owner=None, private=False)
    with door.house.db.transaction() as tx:
        tx.run("insert into workspace_repositories (workspace_id, repository_id, added_by) "
               "select w.id, r.id, w.owner_id from workspaces w cross join repositories r")  # fmt: skip
    pull = {"id": 3, "number": 3, "created_at": clock(9)}
    assert door.star(8) == "noted"
    assert door.tell("pull_request", {"action": "opened", "pull_request": pull}) == "noted"
    assert not [each for each in door.waiting() if each == "3"]
    assert door.hear() == HeardEvents(new=2)
    with door.house.db.transaction() as tx:
        tx.run("update workspaces set is_active = false")
    assert door.star(9) == "the repository is not tracked here"


STRANGE: dict[str, tuple[str, dict[str, Any], str]] = {
    "no sender": ("star", {"action": "created", "starred_at": clock(1), "sender": None}, "actor_id is missing"),
    "no id": ("star", {"action": "created", "starred_at": clock(1), "sender": {"id": "x"}}, "actor_id is no number"),
    "true": ("star", {"action": "created", "starred_at": clock(1), "sender": {"id": True}}, "actor_id is no number"),
    "list": ("star", {"action": "created", "starred_at": [1]}, "its time is missing"),
    "no time": ("star", {"action": "created", "starred_at": None}, "its time is missing"),
    "no zone": ("star", {"action": "created", "starred_at": "2026-03-01"}, "its time tells no zone"),
    "words": ("star", {"action": "created", "starred_at": "at noon"}, "its time is none"),
    "too early": (
        "star",
        {"action": "created", "starred_at": "0001-01-01T00:00:00+14:00"},
        "its time is out of bounds",
    ),
    "too late": ("star", {"action": "created", "starred_at": "9999-12-31T23:59:59-14:00"}, "its time is out of bounds"),
    "huge": ("fork", {"forkee": {"id": 2**63, "created_at": clock(1)}}, "id is missing"),
    "none": ("fork", {"forkee": None}, "its time is missing"),
    "negative": ("fork", {"forkee": {"id": -1, "created_at": clock(1)}}, "id is no number"),
    "empty": ("issues", {"action": "opened", "issue": {"id": 1, "created_at": clock(1)}}, "number is missing"),
    "login": (
        "star",
        {"action": "created", "starred_at": clock(1), "sender": {"id": 1, "login": 7}},
        "actor is no login",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_no_event_is_kept_aside_once_with_its_reason_and_keeps_nothing_else_back(door: Door, name: str) -> None:
    event, payload, reason = STRANGE[name]
    assert door.tell(event, payload) == "noted"
    door.star(8, login="bob", number=2)
    assert door.hear() == HeardEvents(new=1, unusable=1)
    assert door.hear() == HeardEvents()
    with door.house.db.reading() as tx:
        assert webhooks.unusable(tx) == webhooks.UnusableRows(many=1, reason=reason)
    assert door.events() == ["WatchEvent bob 08"]


def test_a_pull_request_that_a_webhook_opens_is_the_event_that_its_capture_gives(door: Door) -> None:
    door.house.capture(SMALL)
    row = door.house.only("select github_id, number, created_at from pull_requests where number = 3")
    pull = {"id": row["github_id"], "number": 3, "created_at": f"{row['created_at']:%Y-%m-%dT%H:%M:%SZ}"}
    assert door.tell("pull_request", {"action": "opened", "pull_request": pull}) == "noted"
    assert door.waiting() == ["3", f"pull_request opened {row['github_id']}"]
    assert door.hear() == HeardEvents(new=1)
    assert door.waiting() == ["3"]  # it is fetched all the same
    since = datetime(2008, 1, 1, tzinfo=UTC)
    with door.house.db.reading() as tx:
        captured = events.captured(tx, door.home["id"], ["PullRequestEvent"], since, datetime.now(UTC))
    (same,) = [each for each in captured if each.event_id == f"PullRequestEvent_{row['github_id']}_opened"]
    with door.house.db.transaction() as tx:
        assert events.write(tx, door.home["id"], [same]) == 0
    told = door.house.only("select payload, created_at from github_events_cache")
    assert told == {"payload": same.payload, "created_at": same.created_at}


def test_two_who_do_it_at_once_share_the_work_and_do_none_twice(door: Door) -> None:
    for number in range(1, 5):
        door.star(8, login=f"fan{number}", number=number)
    with door.house.db.reading() as tx:
        told = webhooks.heard(tx, most=10)
    with Database(door.house.url) as other, other.transaction() as tx:
        assert len(webhooks.take_heard(tx, door.home["github_id"], told[:2])) == 2
        assert door.hear() == HeardEvents(new=2)  # the others are in hand there
    assert door.hear() == HeardEvents()
    assert door.house.count(PUBLIC) == 2


def test_what_comes_again_while_it_is_taken_stays(door: Door) -> None:
    forkee = {"id": 5, "full_name": "ada/kit", "private": False, "created_at": clock(10)}
    door.tell("fork", {"forkee": forkee})
    with door.house.db.reading() as tx:
        told = webhooks.heard(tx, most=10)
    door.tell("fork", {"forkee": forkee})
    with door.house.db.transaction() as tx:
        assert webhooks.take_heard(tx, door.home["github_id"], told) == set()
    assert door.hear() == HeardEvents(new=1)


def test_what_the_database_refuses_is_set_aside_alone(door: Door) -> None:
    with door.house.db.transaction() as tx:
        tx.run("alter table github_events_cache add constraint odd check (actor_login <> 'eve')")
    for number, login in enumerate(("ada", "eve", "bob"), 1):
        door.star(8, login=login, number=number)
    assert door.hear() == HeardEvents(new=2, unusable=1)
    assert door.hear() == HeardEvents()
    assert door.events() == ["WatchEvent ada 08", "WatchEvent bob 08"]


def test_what_cannot_be_written_now_waits_and_is_told(door: Door) -> None:
    door.star(8)
    with door.house.db.transaction() as tx:
        tx.run("alter table github_events_cache rename to elsewhere")
    (failure,) = door.hear().failed
    assert "wait" in failure
    with door.house.db.transaction() as tx:
        tx.run("alter table elsewhere rename to github_events_cache")
    assert door.hear() == HeardEvents(new=1)


def test_a_tick_makes_events_also_where_nobody_receives(door: Door) -> None:
    door.star(8)
    done = tick.tick(door.house.db, door.house.graphql(), Processors(senders={}), sleep=door.house.slept.append)
    assert "events of webhooks: 1 new" in done.lines
    assert door.events() == ["WatchEvent ada 08"]


def test_more_than_are_read_at_a_time_are_events_after_one_look(door: Door) -> None:
    with door.house.db.transaction() as tx:
        tx.run(
            "insert into webhook_pending (repository_github_id, kind, identity, event, payload) "
            "select %(id)s, 'event', 'star ' || n, 'star', jsonb_build_object('action', 'created', 'actor', "
            "'fan' || n, 'actor_id', n, 'at', %(at)s::text) from generate_series(1, 2500) n",
            id=door.home["github_id"], at=clock(8),
        )  # fmt: skip
    assert door.hear() == HeardEvents(new=2_500)
    assert door.waiting() == []
