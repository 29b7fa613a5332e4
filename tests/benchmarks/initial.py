"""Initial backfills in bulk: how long the newest 200 of many repositories take, what they cost, and what faults do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from gh_backfill.policy.governor import BURST, reserve
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.world import World
from gh_backfill.store.db import Database
from tests.benchmarks.github import GitHub, Tally, github
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source
from tests.comparison import compare
from tests.expected import Repository
from tests.storm.expected_world import expected_world, pulls_of

LATENCY, LATENCY_PER_NODE = 0.25, 0.002
NEWEST, LANES, LIMIT = 200, 5, 5_000
# In seconds: for twenty repositories, or the mix, and for one of a hundred.
ALLOWED, ALLOWED_EACH = 600.0, 120.0
OF_THE_FLOOR = 1.3
# What passes by itself; together they strike one request in ten.
TRANSIENT = ("502_json", "504", "200_timeout", "truncated", "reset")
STATUS = "select full_name, initial_backfill_status as status from repositories order by 1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bulk:
    """How a bulk of initial backfills ended: seconds in all and of the mean one, and what GitHub counted.

    `statuses` are by name, and `wrong` says which rows are not what they should be.
    """

    seconds: float
    mean: float
    tally: Tally
    statuses: Mapping[str, str | None]
    wrong: str

    @property
    def floor(self) -> float:
        """Return the seconds that GitHub allows: 60 of its own a minute, and what was saved up before."""
        own = LATENCY * self.tally.requests + LATENCY_PER_NODE * self.tally.nodes
        return max(own / LANES, own - BURST)

    def ended(self, status: str) -> int:
        """Return how many ended so."""
        return sum(each == status for each in self.statuses.values())


def initial(rig: Rig) -> list[Table]:
    """Measure each promise of the bulk; the worlds are made up, and rows are compared with them."""
    twenty = [f"bench/of-300-{number:02}:300" for number in range(20)]
    mix = [f"bench/of-{size}:{size}" for size in (500, 2000, 1000, 300, 400)]
    hundred = [f"bench/of-60-{number:03}:60" for number in range(100)]
    each: dict[str, Callable[[], Bulk]] = {
        "twenty of 300": lambda: _bulk(rig, twenty),
        "500, 2,000, 1,000, 300 and 400": lambda: _bulk(rig, mix),
        "a hundred of 60, a fault in 10 %": lambda: _bulk(rig, hundred, faults=transient()),
        "twenty of 300, five broken for good": lambda: _bulk(rig, twenty, broken=5),
        "one of 2,000, cancelled": lambda: _cancelled(rig, "bench/of-2000:2000"),
    }
    runs: dict[str, Bulk] = {}
    for name, run in each.items():
        runs[name] = run()
        print(f"{name}: {runs[name].seconds:.0f} s", file=sys.stderr, flush=True)
    return [
        Table(
            section="initial",
            title=f"newest {NEWEST} of each, {LANES} at a time, {LATENCY} s + {1000 * LATENCY_PER_NODE:.0f} ms a node",
            columns=(
                "bulk",
                "seconds",
                "mean (s)",
                "GitHub's time (s)",
                "times",
                "points",
                "requests",
                "completed",
                "failed",
            ),
            rows=tuple(_row(name, each) for name, each in runs.items()),
            notes=(
                "GitHub's time is that of all requests, of which it grants an identity 60 s a minute, however many ask",
                "the captures share the processors of this machine with the simulated GitHub",
            ),
            missed=tuple(_missed(runs)),
        )
    ]


def quick(rig: Rig) -> Bulk:
    """Bring nine of a GitHub without delay that fails one request in ten, and one repository for good."""
    recipes = ["bench/of-300:300", *(f"bench/small-{number}:40" for number in range(8))]
    return _bulk(rig, recipes[::-1], faults=transient(), broken=1, latency=0.0, latency_per_node=0.0)


def transient() -> list[Mapping[str, object]]:
    """Return faults that together strike one request in ten, each time the same ones."""
    return [{"name": name, "probability": 0.1 / len(TRANSIENT), "seed": seed} for seed, name in enumerate(TRANSIENT)]


def _row(name: str, bulk: Bulk) -> tuple[str | int | float, ...]:
    times, counted = bulk.seconds / bulk.floor, bulk.tally
    ended = bulk.ended("completed"), bulk.ended("failed")
    return name, bulk.seconds, bulk.mean, bulk.floor, times, counted.points, counted.requests, *ended


def _missed(runs: Mapping[str, Bulk]) -> list[str]:
    """Name what is not as it was promised."""
    twenty, mix, faulty, broken, cancelled = runs.values()
    bad = [f"{name}: {each.wrong}" for name, each in runs.items() if each.wrong]
    bad += [f"{each.seconds:.0f} s, allowed {ALLOWED:.0f}" for each in (twenty, mix) if each.seconds > ALLOWED]
    bad += [
        f"{each.tally.points} points: the reserve"
        for each in (twenty, mix)
        if each.tally.points > LIMIT - reserve(LIMIT)
    ]
    bad += [f"with faults {faulty.ended('completed')} of 100 completed"] if faulty.ended("completed") < 100 else []
    bad += [f"the mean with faults is {faulty.mean:.0f} s"] if faulty.mean > ALLOWED_EACH / 2 else []
    bad += (
        [f"with faults {faulty.seconds / faulty.floor:.2f} times"]
        if faulty.seconds > OF_THE_FLOOR * faulty.floor
        else []
    )
    bad += [f"{broken.ended('failed')} of 5 that are broken failed"] if broken.ended("failed") != 5 else []
    bad += [f"{broken.ended('completed')} of 15 completed"] if broken.ended("completed") != 15 else []
    bad += ["what was cancelled is not"] if cancelled.ended("cancelled") != 1 else []
    return bad


def _bulk(
    rig: Rig,
    recipes: Sequence[str],
    *,
    faults: Sequence[Mapping[str, object]] = (),
    broken: int = 0,
    latency: float = LATENCY,
    latency_per_node: float = LATENCY_PER_NODE,
) -> Bulk:
    """Bring the newest of each; the first so many are `broken` for good."""
    world = load(recipes=recipes)
    names = [recipe.partition(":")[0] for recipe in recipes]
    given = list(faults) + [_broken(world, name) for name in names[:broken]]
    database = rig.database()
    with github(
        Source(recipes=tuple(recipes)), latency=latency, latency_per_node=latency_per_node, graphql_limit=LIMIT
    ) as server:
        rig.track(names, database, server, "--only-newest")
        server.faults(given)
        usage = _worked(rig, database, server, fails=broken > 0)
        bulk = _seen(database, server, usage, world, names[broken:])
    rig.drop(database)
    return bulk


def _worked(rig: Rig, database: str, server: GitHub, *, fails: bool = False) -> float:
    started = time.monotonic()
    try:
        rig.run(["work"], database, server)
    except RuntimeError:
        if not fails:
            raise
    return time.monotonic() - started


def _cancelled(rig: Rig, recipe: str) -> Bulk:
    """Cancel one while its pages arrive; what is stored by then stays."""
    world, name, database = load(recipes=[recipe]), recipe.partition(":")[0], rig.database()
    with (
        github(
            Source(recipes=(recipe,)), latency=LATENCY, latency_per_node=LATENCY_PER_NODE, graphql_limit=LIMIT
        ) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        rig.track([name], database, server)
        worked = pool.submit(_worked, rig, database, server, fails=True)
        while not (before := _many(database)) and not worked.done():
            time.sleep(0.1)
        rig.run(["cancel", name], database, replace(server))
        seconds = worked.result()
        bulk = _seen(database, server, seconds, world, ())
        kept = _many(database)
    rig.drop(database)
    right = before <= kept < 2000
    return replace(bulk, wrong="" if right else f"{before} rows before, {kept} after")


def _broken(world: World, name: str) -> dict[str, object]:
    """Return the fault of a repository whose pages GitHub never delivers."""
    home = world.repository(*name.split("/"))
    assert home is not None
    return {"name": "blocked", "match": {"operation": "^PullRequest", "variables": home.node_id}}


def _many(database: str) -> int:
    with Database(database) as db, db.transaction(read_only=True) as tx:
        row = tx.row("select count(*) as many from pull_requests")
    return 0 if row is None else int(row["many"])


def _seen(database: str, server: GitHub, seconds: float, world: World, whole: Sequence[str]) -> Bulk:
    """Return how a bulk ended; rows of those that are to be `whole` are compared."""
    with Database(database) as db, db.transaction(read_only=True) as tx:
        statuses = {row["full_name"]: row["status"] for row in tx.rows(STATUS)}
        mean = tx.row(
            "select avg(extract(epoch from completed_at - started_at))::float8 as mean from progressive_capture_jobs"
        )
        differences = compare(tx, [_newest(world, name) for name in whole], stood_still=False)
    spent = 0.0 if mean is None or mean["mean"] is None else float(mean["mean"])
    wrong = repr(differences)[:300] if differences else ""
    return Bulk(seconds=seconds, mean=spent, tally=server.tally(), statuses=statuses, wrong=wrong)


def _newest(world: World, name: str) -> Repository:
    """Return a repository with its newest pull requests, as they should be stored."""
    (whole,) = expected_world(world, name, moved=True)
    pulls = sorted(pulls_of(world, whole.github_id), key=lambda pull: (pull.created_at, pull.id), reverse=True)
    kept = {pull.number for pull in pulls[:NEWEST]}
    return replace(
        whole,
        pull_requests=tuple(each for each in whole.pull_requests if each.number in kept),
        reviews=tuple(each for each in whole.reviews if each.pull_request in kept),
        review_comments=tuple(each for each in whole.review_comments if each.pull_request in kept),
        comments=tuple(each for each in whole.comments if each.pull_request in kept),
    )
