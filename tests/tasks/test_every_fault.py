"""Every fault of GitHub at every request that names something: nothing wrong is written, and the next try is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from gh_backfill.clients import account, created, rest
from gh_backfill.clients.credentials import Credential, Credentials, fixed, of_token
from gh_backfill.clients.gate import OwnGate
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.profiles import ProfileReader
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.engine.profiles import ProfileReading
from gh_backfill.errors import BackfillError
from gh_backfill.models.events import Source
from gh_backfill.models.work import PULL_REQUESTS, Goal
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes, profiles
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import backfills
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import accounts, capture, plan, reread, sync, track
from gh_backfill.tasks.dispatch import due
from gh_backfill.tasks.events.fetching import Ways, fetch
from gh_backfill.tasks.events.wish import EventsWish
from gh_backfill.tasks.sync_told import SyncWish
from gh_backfill.tasks.verify.verify import verify
from gh_backfill.tasks.webhooks.freshen import Freshener
from gh_backfill.tasks.webhooks.receive import receive
from tests.conftest import Server
from tests.tasks.conftest import House
from tests.turns import some

BIG, LITTLE = "octo/big", "octo/little"
RECIPES = (f"{BIG}:110", f"{LITTLE}:6:9:discussions=3")
# More than the page of a pull request and one query more bring; some of their comments are asked for by themselves.
REVIEWS = 105
TABLES = "repositories, contributors, progressive_capture_jobs, api_budgets, github_events_cache"
# What GitHub does to a whole request, by what it means: not now, the credential is not good enough, wait.
AWAY = {"502_json", "502_html", "504", "200_timeout", "truncated", "reset", "stall"}
REFUSED = {"bad_credentials", "forbidden"}
LIMITED = {"secondary_a", "secondary_b", "secondary_c", "rate_limited", "rate_limit"}
# What it does to the things that are named.
SILENT = {"node_unread", "node_forbidden", "node_untyped"}
# What leaves the highest number in doubt.
IN_DOUBT = {"empty_page", "newest_unread", "huge_number", "null_edge", "missing_id"}
SIZES = {"resource_limits": 1.0}


@dataclass(kw_only=True)
class Room(House):
    """A house of which many tests use the database and the simulated GitHub, one after the other."""

    token: str = ""

    def graphql(self, token: str = "") -> GraphQL:
        """Return a client with a budget of its own in each test, which neither waits nor is kept waiting."""
        return GraphQL(self.github.graphql_url, token or self.token, sleep=self.slept.append, timeout=(0.4, 0.4))

    def clear(self) -> None:
        """Forget everything but the schema."""
        self.token, self.run = uuid4().hex, Run(key=uuid4().hex, run_id=None, attempt=1, processor="local")
        self.github.faults.clear()
        with self.db.transaction() as tx:
            tx.run(f"truncate {TABLES} cascade")


@pytest.fixture(scope="module")
def shared(server: Server) -> Iterator[Room]:
    name = server.make(server.migrated())
    world = load(recipes=RECIPES)
    for index in range(REVIEWS):
        changes.review(world, LITTLE, 4, author="ada", comments=["x", "y"] if index < 3 else ())
    with Database(server.url_of(name)) as db, running(world) as github:
        yield Room(db=db, url=server.url_of(name), github=github)
    server.drop(name)


@pytest.fixture
def room(shared: Room) -> Room:
    shared.clear()
    return shared


@dataclass(frozen=True, kw_only=True)
class Exits:
    """The codes with which an operation may end while a fault lasts, by the kind of fault."""

    away: set[int]
    limited: set[int]
    silent: set[int]
    refused: set[int]

    def of(self, fault: str) -> set[int]:
        """Return the codes that are right for a fault."""
        kinds = ((AWAY, self.away), (LIMITED, self.limited), (SILENT, self.silent), (REFUSED, self.refused))
        return next((codes for names, codes in kinds if fault in names), {0, 1, 3, *self.silent})


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing we ask GitHub: what comes before it, what asks it, and by what the request is known."""

    match: dict[str, str]
    act: Callable[[Room], object]
    before: Callable[[Room], object] = lambda room: None
    exits: Exits
    without: frozenset[str] = frozenset()

    def meets(self, fault: str) -> bool:
        """Say whether a fault has anything to do here: those that change data change GraphQL's."""
        return fault not in self.without and ("path" not in self.match or EFFECTS[fault].data is None)


def tracked(room: Room, *names: str) -> None:
    track.raise_failures(
        track.track(
            room.db,
            room.graphql(),
            names,
            name_of=lambda github_id: rest.full_name(room.github.url, room.token, github_id, seconds=1),
            backfill=Goal(),
        )
    )


def planned(room: Room) -> None:
    plan.plan(room.db, room.graphql(), room.run, datetime.now(UTC), thresholds=Thresholds(), limit=12)


def planned_in_parts(room: Room) -> None:
    """Plan with two identities, so that the larger one is split.

    If GitHub does not say how, the next plan does it; what it lists nothing of is walked whole, and may yet be split.
    """
    both = [Credential(name, lambda: room.token, partial(str, name)) for name in ("one", "two")]
    graphql = GraphQL(room.github.graphql_url, Credentials(both), sleep=room.slept.append, timeout=(0.4, 0.4))
    now = datetime.now(UTC)
    made = plan.plan(room.db, graphql, room.run, now, thresholds=Thresholds(), limit=12, per_part=50)
    whys = {each.why for each in made.verdicts}
    assert made.parts or PlanReason.NOT_SPLIT in whys or IN_DOUBT & room.github.faults.struck().keys()


def spoilt(room: Room) -> None:
    """Let half of a page be unreadable, so that its places are asked for again."""
    tracked(room, BIG, LITTLE)
    room.github.faults.add(Fault(name="missing_id", size=0.5, match={"operation": "^PullRequestPage"}))


def captured(room: Room, name: str = LITTLE) -> None:
    """Capture as a job of a workflow does: with a time limit, which is over before any pause of GitHub's."""
    limits = Limits(deadline=datetime.now(UTC) + timedelta(seconds=40), chunk_size=2)
    capture.run(
        *(room.db, room.graphql(), room.run, name, limits),
        listen=lambda progress: None,
        sleep=room.wait,
        begin=at_once,
    )


def without_node_ids(room: Room) -> None:
    """Leave the rows as an existing installation has them."""
    tracked(room, BIG, LITTLE)
    with room.db.transaction() as tx:
        tx.run("update repositories set node_id = null")


def of_states(room: Room) -> None:
    """Let a walk be about some states only."""
    tracked(room, BIG, LITTLE)
    with room.db.transaction() as tx:
        tx.run("update backfill_streams set goal_states = '{open,merged}'")


def before_a_day(room: Room) -> None:
    """Let a walk pass over what is newer than a day, of which there is some."""
    tracked(room, BIG, LITTLE)
    with room.db.transaction() as tx:
        tx.run("update backfill_streams set goal_until = '2020-01-01'")


def in_parts(room: Room) -> None:
    tracked(room, BIG, LITTLE)
    repository_id = _id(room, LITTLE)
    with room.db.transaction() as tx:
        assert backfills.split(tx, repository_id, [(1, 3), (4, 6)], began=datetime.now(UTC))


def in_quarantine(room: Room) -> None:
    tracked(room, BIG, LITTLE)
    repository_id = _id(room, LITTLE)
    with room.db.transaction() as tx:
        tx.run(
            "insert into backfill_quarantine (repository_id, kind, identity, number, reason) "
            "values (%(id)s, 'pull_request', '2', 2, 'too big')",
            id=repository_id,
        )


def who(room: Room) -> None:
    credentials = Credentials([of_token("GITHUB_TOKEN", room.token, api_url=room.github.url, workflow_of=None)])
    assert credentials.by_identity()


def _id(room: Room, name: str) -> str:
    return str(room.only("select id from repositories where full_name = %(name)s", name=name)["id"])


def both(room: Room) -> None:
    tracked(room, BIG, LITTLE)


def account_tracked(room: Room) -> None:
    found = accounts.look(room.graphql(), "octo", accounts.Filters())
    track.register(
        room.db,
        [track.Tracked(given=each.full_name, result=track.Result.ADDED, repository=each) for each in found.chosen],
    )


def announced(room: Room) -> None:
    """Let a webhook say that a pull request moved."""
    tracked(room, BIG, LITTLE)
    known = room.only("select github_id from repositories where full_name = %(name)s", name=LITTLE)
    payload = {
        "action": "edited",
        "pull_request": {"number": 3},
        "repository": {"id": known["github_id"]},
        "sender": {"login": "ada", "id": 1},
    }
    assert receive(room.db, uuid4().hex, "pull_request", payload) == "noted"


def freshened(room: Room) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    freshener = Freshener(db=room.db, graphql=room.graphql(), run=room.run, now=lambda: later, sleep=room.slept.append)
    freshener.look()


def complete(room: Room) -> None:
    """Let a repository be complete."""
    tracked(room, BIG, LITTLE)
    captured(room)


def complete_with(kind: str, room: Room) -> None:
    """Let nothing but one other kind be wanted, so that it alone is asked about."""
    complete(room)
    with room.db.transaction() as tx:
        tx.run("update tracked_repositories set kinds = array[%(kind)s]", kind=kind)


def asked_about_what_is_due(room: Room) -> None:
    """Ask what changed; where nothing did, or nobody knows, no job waits, and the next time of each has come again."""
    due.ask(room.db, room.graphql(), sleep=room.slept.append)
    with room.db.transaction() as tx:
        tx.run("delete from progressive_capture_jobs where job_type = 'sync'")
        tx.run("update repository_syncs set next_due_at = clock_timestamp()")


def synced(room: Room) -> None:
    limits = Limits(deadline=datetime.now(UTC) + timedelta(seconds=40), chunk_size=2)
    done = sync.run(
        *(room.db, room.graphql(), room.run, LITTLE, SyncWish(days=90)), limits=limits, sleep=room.wait, begin=at_once
    )
    assert done.refused is None
    last = room.only("select last_success_at as at from repository_syncs")["at"]
    whole = done.captured is not None and done.captured.outcome is CaptureOutcome.COMPLETED
    assert (last is not None) == whole or not room.github.faults.struck()


def with_a_leftover(room: Room) -> None:
    """Let a comment be here that GitHub does not have."""
    complete(room)
    repository_id = _id(room, LITTLE)
    with room.db.transaction() as tx:
        tx.run(
            "insert into comments (repository_id, pull_request_id, github_id, node_id, comment_type, body, created_at, "
            "updated_at) select repository_id, id, 1, 'IC_nothing', 'issue_comment', 'Left over', now(), now() "
            "from pull_requests where number = 3 and repository_id = %(id)s",
            id=repository_id,
        )


def with_discussions_alone(room: Room) -> None:
    """Let the discussions of the smaller one be here, and nothing else."""
    tracked(room, BIG, LITTLE)
    with room.db.transaction() as tx:
        tx.run("update tracked_repositories set kinds = '{discussions}'")
    captured(room)


def with_issues_alone(room: Room) -> None:
    """Let the issues of the larger one be here, and nothing else, so that its other numbers are asked about."""
    tracked(room, BIG, LITTLE)
    with room.db.transaction() as tx:
        tx.run("update tracked_repositories set kinds = '{issues}'")
    captured(room, BIG)


def verified(room: Room, name: str = LITTLE) -> None:
    """Verify with repair; whatever happens meanwhile, nothing that GitHub has gets a tombstone."""
    verify(room.db, room.graphql(), room.run, capture.find(room.db, name), repair=True, sleep=room.slept.append)
    assert room.rows("select number from pull_requests where gone_at is not null") == []
    assert room.rows("select number from discussions where gone_at is not null") == []
    assert room.rows("select github_id from discussion_comments where gone_at is not null") == []
    assert room.rows("select github_id from reviews where gone_at is not null") == []
    assert room.rows("select github_id from comments where gone_at is not null and github_id <> 1") == []
    if not room.github.faults.struck():
        certificate = room.only("select certificate ->> 'line' as line, open from verifications")
        assert certificate["open"] == 0, certificate["line"]


def gathered(room: Room, name: str = LITTLE) -> None:
    """Fetch stars and forks, of which there are none: whatever happens meanwhile, nothing else is written."""
    graphql = room.graphql()
    lists = RestPages(room.github.url, fixed(room.token), lambda: OwnGate(lambda: datetime.now(UTC)), sleep=room.wait)
    ways = Ways(db=room.db, graphql=graphql, lists=lists, sleep=room.slept.append)
    with lists:
        done = fetch(ways, room.run, capture.find(room.db, name), EventsWish.of(datetime.now(UTC), days=30))
    assert room.rows("select 1 from github_events_cache") == []
    assert room.rows("select 1 from star_days where stars <> 0") == []
    if not room.github.faults.struck():
        assert [each.source for each in done.series] == [Source.HISTORY, Source.FORKS], done.text


def known_by_login(room: Room) -> None:
    """Leave the people as older versions stored them."""
    complete(room)
    with room.db.transaction() as tx:
        tx.run("update contributors set node_id = null")


def counted_since(room: Room) -> None:
    """Ask how many pull requests were created since a day: whatever happens meanwhile, no other number is told."""
    since = datetime(2000, 1, 1, tzinfo=UTC)
    told = created.created_since(room.graphql(), LITTLE, {PULL_REQUESTS: since, "issues": since})
    home = room.github.world.repository(*LITTLE.split("/"))
    assert home is not None
    assert told.get(PULL_REQUESTS, len(room.github.world.shelves[home.id])) == len(room.github.world.shelves[home.id])


def profiled(room: Room, *, with_addresses: bool = True) -> None:
    """Read profiles; whatever happens meanwhile, nobody gets somebody else's, or half of one."""
    reading = ProfileReading(
        db=room.db,
        graphql=(graphql := room.graphql()),
        repository=capture.find(room.db, LITTLE),
        now=lambda: datetime.now(UTC),
        sleep=room.wait,
        listen=lambda progress: None,
        deadline=datetime.now(UTC) + timedelta(seconds=40),
        reader=ProfileReader(graphql=graphql, with_addresses=with_addresses),
    )
    done = reading.run()
    for row in room.rows("select * from contributors where profile_fetched_at is not null"):
        account_ = room.github.world.account(row["github_id"])
        assert account_ is not None
        told = profiles.of(account_)
        given = ("company", "location", "blog", "public_repos", "public_gists", "followers", "following")
        assert [row[name] for name in given] == [getattr(told, name) for name in given]
    assert room.rows("select 1 from contributors where profile_leased_until is not null") == []
    if not room.github.faults.struck():
        assert done.outcome is CaptureOutcome.COMPLETED
        assert (
            room.rows(
                "select 1 from contributors where not is_bot and github_id <> 10137 and profile_fetched_at is null"
            )
            == []
        )


def known_not_to_be_shown(room: Room) -> None:
    both(room)
    gathered(room)


LOOK = Exits(away={4}, limited={4}, silent={4}, refused={2})
PLAN = Exits(away={4}, limited={0}, silent={0}, refused={2})
CAPTURE = Exits(away={0}, limited={0}, silent={0}, refused={0})  # how it ended is in the ledger
DUE = Exits(away={0, 4}, limited={0}, silent={0}, refused={0, 2})  # what is refused or too much alone is charged to it
OPERATIONS = {
    "track by name": Operation(
        match={"operation": "RepositoryByName"}, act=lambda room: tracked(room, BIG, LITTLE), exits=LOOK
    ),
    "track by id": Operation(
        match={"path": "^/repositories/"},
        before=both,
        act=lambda room: tracked(room, str(room.only("select max(github_id) as id from repositories")["id"])),
        exits=replace(LOOK, refused={2, 4}),
    ),
    "track an account": Operation(
        match={"operation": "RepositoriesOfOwner"}, act=account_tracked, exits=replace(LOOK, limited={0}, silent={2, 4})
    ),
    "fetch what was announced": Operation(
        match={"operation": "PullRequestOf"},
        before=announced,
        act=freshened,
        exits=Exits(away={0, 4}, limited={0}, silent={0}, refused={2}),  # what is too much is charged to it alone
    ),
    "plan by id": Operation(match={"operation": "RepositoriesById"}, before=both, act=planned, exits=PLAN),
    "plan by name": Operation(
        match={"operation": "RepositoryByName"}, before=without_node_ids, act=planned, exits=PLAN
    ),
    "check the token": Operation(
        match={"operation": "Account"},
        act=lambda room: account.login(room.graphql()),
        exits=replace(LOOK, limited={0}),
    ),
    "whose budget": Operation(
        match={"path": "^/user$"},
        act=who,
        exits=replace(LOOK, limited={0, 4}),
        without=frozenset({"stall"}),  # there it is given up after half a minute
    ),
    "capture by name": Operation(
        match={"operation": "RepositoryByName"},
        before=without_node_ids,
        act=captured,
        exits=replace(LOOK, limited={0}),
    ),
    "capture a page": Operation(match={"operation": "PullRequestPage"}, before=both, act=captured, exits=CAPTURE),
    "capture a page of some states": Operation(
        match={"variables": '"states":'}, before=of_states, act=captured, exits=CAPTURE
    ),
    "count beside a page": Operation(match={"variables": '"counting":'}, before=of_states, act=captured, exits=CAPTURE),
    "pass over what is newer": Operation(
        match={"operation": "PullRequestOutline"}, before=before_a_day, act=captured, exits=CAPTURE
    ),
    "capture a part": Operation(match={"operation": "Numbers"}, before=in_parts, act=captured, exits=CAPTURE),
    "know a part": Operation(match={"variables": '"known":'}, before=in_parts, act=captured, exits=CAPTURE),
    "split a walk": Operation(
        match={"operation": "PullRequestOutline"}, before=both, act=planned_in_parts, exits=CAPTURE
    ),
    "read a place again": Operation(
        match={"operation": "PullRequestAfter"}, before=spoilt, act=captured, exits=CAPTURE
    ),
    "ask what is due": Operation(
        match={"operation": "PullRequestHeads"}, before=complete, act=asked_about_what_is_due, exits=DUE
    ),
    "ask what is due of issues": Operation(
        match={"operation": "IssueHeads"},
        before=partial(complete_with, "issues"),
        act=asked_about_what_is_due,
        exits=DUE,
    ),
    "ask what is due of discussions": Operation(
        match={"operation": "DiscussionHeads"},
        before=partial(complete_with, "discussions"),
        act=asked_about_what_is_due,
        exits=DUE,
    ),
    "prove where it is": Operation(match={"operation": "ProofHome"}, before=complete, act=verified, exits=CAPTURE),
    "prove items": Operation(match={"variables": '"pulls":'}, before=complete, act=verified, exits=CAPTURE),
    "prove issues": Operation(
        match={"variables": '"issues":'},
        before=with_issues_alone,
        act=partial(verified, name=BIG),
        exits=CAPTURE,
    ),
    "prove discussions": Operation(
        match={"variables": '"discussions":'}, before=with_discussions_alone, act=verified, exits=CAPTURE
    ),
    "what numbers are": Operation(
        match={"variables": '"q0":'}, before=with_issues_alone, act=partial(verified, name=BIG), exits=CAPTURE
    ),
    "read profiles": Operation(match={"operation": "^ProfilesById$"}, before=complete, act=profiled, exits=CAPTURE),
    "read profiles by login": Operation(
        match={"operation": "^ProfileByLogin$"}, before=known_by_login, act=profiled, exits=CAPTURE
    ),
    "read profiles without addresses": Operation(
        match={"operation": "^ProfilesByIdWithoutAddress"},
        before=complete,
        act=partial(profiled, with_addresses=False),
        exits=CAPTURE,
    ),
    "read profiles by login without addresses": Operation(
        match={"operation": "^ProfileByLoginWithoutAddress"},
        before=known_by_login,
        act=partial(profiled, with_addresses=False),
        exits=CAPTURE,
    ),
    "count what was created since": Operation(
        match={"operation": "CreatedSince"},
        before=both,
        act=counted_since,
        exits=Exits(away={4}, limited={0}, silent={0}, refused={2}),
    ),
    "is it still there": Operation(
        match={"variables": "IC_nothing"}, before=with_a_leftover, act=verified, exits=CAPTURE
    ),
    "read who starred": Operation(match={"operation": "StarPage"}, before=both, act=gathered, exits=CAPTURE),
    "read what was forked": Operation(match={"operation": "ForkPage"}, before=both, act=gathered, exits=CAPTURE),
    "count stars and forks": Operation(
        match={"operation": "SeriesHome"}, before=known_not_to_be_shown, act=gathered, exits=CAPTURE
    ),
    "sync a page": Operation(match={"operation": "PullRequestPage"}, before=complete, act=synced, exits=CAPTURE),
    "complete": Operation(match={"variables": '"ids?0?":'}, before=both, act=captured, exits=CAPTURE),
    "by number": Operation(
        match={"operation": "PullRequestByNumber"},
        before=in_quarantine,
        act=lambda room: reread.retry_quarantined(room.db, room.graphql(), [LITTLE]),
        exits=CAPTURE,
    ),
}


def standing(room: Room) -> object:
    """Return what no fault may change: which repositories there are, their names, privacy and counts."""
    return room.rows(
        "select r.full_name, r.is_private, r.github_pull_requests, t.tracking_enabled from repositories r "
        "left join tracked_repositories t on t.repository_id = r.id order by 1"
    )


def ended(act: Callable[[Room], object], room: Room) -> int:
    """Return the exit code; whatever is no error of ours is a traceback, and fails the test."""
    try:
        act(room)
    except BackfillError as error:
        return error.exit_code
    return 0


def pairs() -> list[tuple[str, str]]:
    """Return each operation with every third fault: neighbours share them all, and so do three days."""
    faults = sorted(EFFECTS)
    every = [(name, each, some(faults, place, step=3)) for place, (name, each) in enumerate(OPERATIONS.items())]
    return [(name, fault) for name, each, taken in every for fault in taken if each.meets(fault)]


@pytest.mark.parametrize(("name", "fault"), pairs())
def test_no_fault_at_any_request_writes_what_is_wrong_and_the_next_try_is_right(
    room: Room, name: str, fault: str
) -> None:
    operation = OPERATIONS[name]
    operation.before(room)
    before = standing(room)
    room.github.faults.add(Fault(name=fault, match=operation.match, size=SIZES.get(fault)))
    code = ended(operation.act, room)
    assert room.github.faults.struck()[fault] > 0
    assert code in operation.exits.of(fault), (code, room.slept)
    if before and fault != "phantoms":  # there GitHub itself counts more
        assert standing(room) == before
    assert room.rows("select 1 from progressive_backfill_state where status = 'failed'") == []
    assert room.rows("select number from pull_requests where title is null or author_id is null") == []
    room.github.faults.clear()
    room.token = uuid4().hex  # whom GitHub told to wait has waited
    with room.db.transaction() as tx:
        tx.run("update progressive_backfill_state set resume_at = clock_timestamp() where resume_at is not null")
        tx.run("update backfill_chunks set retry_at = null")
    assert ended(operation.act, room) == 0
