"""The storm: rival workers on every repository, struck down at seeded moments, in bad weather, until it is over."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import BackfillError
from gh_backfill.models.work import Goal
from gh_backfill.policy.selection import Thresholds
from gh_backfill.simulator import changes, discussing
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.server import Simulator
from gh_backfill.simulator.targets import next_time
from gh_backfill.store import backfills
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import plan, track
from tests.storm.fates import Deed, Fate, Fates, Point
from tests.storm.judge import Judgement, judge
from tests.storm.lives import End, Life
from tests.storm.overseer import Overseer
from tests.storm.weather import Mover

KINDS = ("pull_requests", "issues", "discussions")
# Of every ten workers, these capture one kind alone.
_ALONE = {1: "issues", 4: "discussions", 6: "issues", 9: "discussions"}
LEFT_ALONE = Fate(deed=Deed.NOTHING, point=Point.ANY)
# Done or nothing to do; a refused token; a failed chunk; GitHub or the database out of reach; killed.
_KNOWN_EXITS = {0, 2, 3, 4, -9}
# In seconds: so often somebody asks for another goal, where that is part of the storm.
AIM_EVERY = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What kind of storm it is to be.  Seconds are those of a clock on the wall, and only bounds.

    Who captures issues or discussions alone has pages of `issues_page`: there are few, and the storm is to meet them
    all the way.
    With `goals` somebody asks for another one again and again, while workers are at it, and for all in the end.
    """

    names: tuple[str, ...]
    fates: list[Fate]
    faults: list[Fault]
    seed: int
    rivals: int = 2
    side_by_side: int = 1
    page: int = 10
    issues_page: int = 10
    chunks_a_life: int = 4
    longest: float = 600.0
    move_every: float | None = None
    goals: tuple[Goal, ...] = ()


@dataclass(kw_only=True)
class Tally:
    """What was done, and to how many."""

    deeds: Counter[tuple[str, str]] = field(default_factory=Counter)
    exits: Counter[int] = field(default_factory=Counter)
    requests: int = 0
    struck: dict[str, int] = field(default_factory=dict)
    struck_at: dict[str, int] = field(default_factory=dict)
    moves: dict[str, int] = field(default_factory=dict)
    taken_over: int = 0
    stirred: int = 0
    unexpected: list[str] = field(default_factory=list)
    lives: list[str] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def kills(self) -> int:
        """How many workers were killed."""
        return sum(count for (deed, _), count in self.deeds.items() if deed == Deed.KILL)

    @property
    def share(self) -> float:
        """Return which part of the requests that were made while it stormed was struck."""
        return sum(self.struck.values()) / self.requests if self.requests else 0.0

    @property
    def faults(self) -> str:
        """Say how many requests were made while it stormed, and how many of them were struck."""
        return f"{sum(self.struck.values())} of {self.requests} requests struck ({100 * self.share:.1f} %)"

    def add(self, name: str, end: End) -> None:
        """Count a life."""
        with self._lock:
            if end.point is not None:
                self.deeds[end.deed, end.point] += 1
            self.exits[end.exit_code] += 1
            if end.exit_code == -signal.SIGKILL:
                self.killed.add(name)
            words = " ".join(end.last_words.split())[-150:]
            self.lives.append(f"{name}: {end.deed} {end.point or ''}, exit {end.exit_code}: {words}")
            self.taken_over += end.taken_over
            if end.exit_code not in _KNOWN_EXITS or "Traceback" in end.last_words:
                self.unexpected.append(f"{name} ({end.deed} {end.point or ''}) exit {end.exit_code}: {end.last_words}")


@dataclass(kw_only=True)
class Storm:
    """A storm over one database and one simulated GitHub; logs of the workers go into a folder."""

    database_url: str
    github: Simulator
    plan: Plan
    folder: Path
    say: Callable[[str], None] = lambda text: None
    tally: Tally = field(default_factory=Tally)
    _count: itertools.count[int] = field(default_factory=itertools.count)
    _turns: itertools.count[int] = field(default_factory=itertools.count)
    _ends: float = 0.0

    def run(self) -> Judgement:
        """Let the storm blow, then let workers finish undisturbed, and judge what they leave."""
        overseer = Overseer(self.database_url)
        overseer.watch()
        self._track()
        mover = Mover(self.github.world, self.plan.names, self.plan.seed)
        self._ends = time.monotonic() + self.plan.longest
        blowing = mover.at_work(self.plan.move_every) if self.plan.move_every else nullcontext()
        before = self.github.stats.requests
        with blowing:
            self._blow(overseer)
        self.tally.requests = self.github.stats.requests - before
        self.tally.struck, self.tally.moves = self.github.faults.struck(), dict(mover.done)
        self.tally.struck_at = self.github.faults.operations()
        self.github.faults.clear()
        if self.plan.goals:
            self._aim(overseer, Goal())
        for repository_id in self._ids(overseer):
            self._finish(overseer, repository_id)
        with Database(self.database_url) as db, db.transaction(read_only=True) as tx:
            homes = [each.full_name for each in self.github.world.repositories.values()]
            return judge(
                tx,
                self.github.world,
                *homes,
                moved=self.plan.move_every is not None,
                deleted=mover.deleted,
                killed=self.tally.killed,
                aimed=bool(self.plan.goals),
            )

    def _track(self) -> None:
        with Database(self.database_url) as db:
            track.track(
                db,
                GraphQL(self.github.graphql_url, "tracker"),
                self.plan.names,
                backfill=next(iter(self.plan.goals), Goal()),
            )

    def _ids(self, overseer: Overseer) -> list[str]:
        shelves = self.github.world.shelves
        return overseer.ids(tuple(github_id for github_id, shelf in shelves.items() if len(shelf)))

    def _blow(self, overseer: Overseer) -> None:
        """Work on a few repositories at a time, each with its rivals, until all is met or time is up."""
        for fault in self.plan.faults:
            self.github.faults.add(fault)
        fates = Fates(self.plan.fates)
        places = itertools.cycle(self._ids(overseer))
        visitors = min(self.plan.side_by_side, len(self.plan.names))
        with ThreadPoolExecutor(max_workers=visitors) as pool:
            for work in [pool.submit(self._visit, overseer, fates, places) for _ in range(visitors)]:
                work.result()

    def _visit(self, overseer: Overseer, fates: Fates, places: Iterable[str]) -> None:
        for repository_id in places:
            if self._is_over(fates):
                return
            if overseer.is_complete(repository_id, KINDS):
                self._stir(overseer.github_id(repository_id))
            self._plan()
            with ThreadPoolExecutor(max_workers=self.plan.rivals + 1) as pool:
                rivals = [pool.submit(self._rival, overseer, fates, repository_id) for _ in range(self.plan.rivals)]
                if self.plan.goals:
                    pool.submit(self._keep_aiming, overseer, rivals)
                for rival in rivals:
                    rival.result()

    def _keep_aiming(self, overseer: Overseer, rivals: Sequence[Future[None]]) -> None:
        while not all(rival.done() for rival in rivals):
            time.sleep(AIM_EVERY)
            with suppress(BackfillError):  # a deadlock is replayed by whoever asks again
                self._aim(overseer, self.plan.goals[next(self._turns) % len(self.plan.goals)])

    def _aim(self, overseer: Overseer, goal: Goal) -> None:
        """Ask for another goal, as somebody does who does not care who is at work."""
        for repository_id in self._ids(overseer):
            with overseer.transaction() as tx:
                backfills.open_backfill(tx, repository_id, total=0, goal=goal)

    def _plan(self) -> None:
        """Name and plan everything in the same weather: whatever GitHub says, nothing of it may be taken for gone."""
        graphql = GraphQL(self.github.graphql_url, "planner", timeout=(2.0, 2.0), sleep=lambda seconds: None)
        run = Run(key=f"storm-{self.plan.seed}-{next(self._count)}", run_id=None, attempt=1, processor="local")
        with Database(self.database_url) as db:
            for act in (
                lambda: track.track(db, graphql, self.plan.names),
                lambda: plan.plan(db, graphql, run, datetime.now(UTC), thresholds=Thresholds(), limit=12, kinds=KINDS),
            ):
                try:
                    act()
                except BackfillError as error:
                    self.tally.exits[error.exit_code] += 1
                except Exception as error:  # noqa: BLE001  (it is told at the end, with the seed)
                    self.tally.unexpected.append(f"track or plan: {type(error).__name__}: {error}")
            with db.transaction(read_only=True) as tx:
                hidden = tx.rows("select full_name from repositories where is_private")
        self.tally.unexpected += [f"{row['full_name']} was taken for gone" for row in hidden]

    def _is_over(self, fates: Fates) -> bool:
        """Say whether every fate was met and every fault has struck, or time is up."""
        over = not len(fates) and all(self.github.faults.struck().values())
        return over or time.monotonic() >= self._ends

    def _stir(self, github_id: int) -> None:
        """Edit so many items of each kind that every point is passed again: fates are left, and nothing to do."""
        world = self.github.world
        home = world.repositories[github_id]
        now = next_time(world, home)
        for outline in world.shelves[github_id].outlines()[-self.plan.page * self.plan.chunks_a_life :]:
            changes.edit(world, home.full_name, outline.number, at=now, title=f"Edited {now}")
        for number in sorted(world.shelves[github_id].issues)[-self.plan.issues_page * self.plan.chunks_a_life :]:
            changes.edit_issue(world, home.full_name, number, at=now, title=f"Edited {now}")
        for number in sorted(world.shelves[github_id].discussions)[-self.plan.issues_page * self.plan.chunks_a_life :]:
            discussing.edit_discussion(world, home.full_name, number, at=now, title=f"Edited {now}")
        self.tally.stirred += 1

    def _rival(self, overseer: Overseer, fates: Fates, repository_id: str) -> None:
        """Live one life after the other on a repository until its backfill is complete."""
        while not self._is_over(fates):
            fate = fates.take() or LEFT_ALONE
            end = self._life(overseer, repository_id, fate, patience=6.0)
            if fate is not LEFT_ALONE and (end.deed is not fate.deed or end.point is not fate.point):
                fates.give_back(fate)
            if overseer.is_complete(repository_id, KINDS):
                return
            if end.deed is Deed.NOTHING:
                time.sleep(0.3)  # it found the other one at work

    def _finish(self, overseer: Overseer, repository_id: str) -> None:
        """Run workers undisturbed until one says that nothing is left; one whole run after the last change."""
        for _ in range(6):
            overseer.hurry()
            self._life(overseer, repository_id, LEFT_ALONE, patience=None)
            if overseer.is_complete(repository_id, KINDS):
                return

    def _life(self, overseer: Overseer, repository_id: str, fate: Fate, *, patience: float | None) -> End:
        number = next(self._count)
        name = f"storm-{self.plan.seed}-{number}"
        # Some capture a kind alone, so that two workers on one repository have a kind each, or the same one.
        alone = _ALONE.get(number % 10) if patience is not None else None
        kinds, page = (KINDS, self.plan.page) if alone is None else ((alone,), self.plan.issues_page)
        end = Life(
            name=name,
            repository=repository_id,
            fate=fate,
            database_url=self.database_url,
            environment=self._environment(name) | {"GH_BACKFILL_KINDS": ",".join(kinds)},
            overseer=overseer,
            log=self.folder / f"{name}.log",
            arguments=("--chunk-size", str(page), *self._limit(patience)),
            patience=patience,
        ).run()
        self.tally.add(name, end)
        if len(self.tally.lives) % 25 == 0:
            self.say(f"{self.tally.kills} kills, {len(self.tally.lives)} workers so far")
        return end

    def _limit(self, patience: float | None) -> tuple[str, ...]:
        """While it storms nobody gets far, so that there is something left for every fate."""
        return () if patience is None else ("--max-chunks", str(self.plan.chunks_a_life))

    def _environment(self, token: str) -> dict[str, str]:
        """Each worker has a budget of its own: the storm is about the chunks, and one that must wait stops no other."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        return kept | {
            "GITHUB_TOKEN": token,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_GRAPHQL_URL": self.github.graphql_url,
            "GH_BACKFILL_HOME": str(self.folder),
        }
