"""The whole job on one machine: track, plan, several captures at once as the matrix would, report.

Without token and repositories it is a demo: an invented GitHub, and a database in a folder of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from gh_backfill.errors import ConfigurationError
from gh_backfill.models import Goal, TrackedRepository
from gh_backfill.policy.selection import Thresholds
from gh_backfill.settings import Settings
from gh_backfill.store import repositories
from gh_backfill.store.db import Database
from gh_backfill.store.repositories import Status
from gh_backfill.tasks import connect
from gh_backfill.tasks.plan import Plan, plan
from gh_backfill.tasks.report import Report, report
from gh_backfill.tasks.track import Tracked, ask, track

WORKERS = 5
LOOK_EVERY = 0.25
DEMO = ("octo-demo/engine:1200", "octo-demo/website:320", "octo-demo/docs:140")


@dataclass(kw_only=True, slots=True)
class Child:
    """One capture in a process of its own."""

    repository_id: str
    name: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What a run on this machine shows while it goes on."""

    states: Sequence[Status]
    running: frozenset[str]
    planned: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalRun:
    """What a run on this machine did; `folder` holds the embedded database, None where another one is configured."""

    tracked: Sequence[Tracked]
    plan: Plan
    report: Report | None
    states: Sequence[Status]
    folder: Path | None
    logs: Path
    failed_logs: Sequence[Path]


def is_demo(settings: Settings, names: Sequence[str]) -> bool:
    """Say whether a run is the demo; raises ConfigurationError where it could be meant otherwise."""
    if settings.has_credential:
        return False
    if names or settings.database_url is not None:
        what = "repositories were named" if names else "a database is configured"
        raise ConfigurationError(
            f"GITHUB_TOKEN is missing, but {what}: set it to capture from GitHub (create one at "
            f"{settings.server_url}/settings/tokens, no scopes needed for public repositories), or start the demo "
            "without repositories and without a database"
        )
    return True


def demo_settings(settings: Settings) -> Settings:
    """Return settings whose database is the demo's own, whatever is configured."""
    return settings.model_copy(
        update={
            "github_api_url": "http://127.0.0.1",
            "github_graphql_url": None,
            "github_token": SecretStr("demo"),
            "github_tokens": None,
            "app_id": None,
            "app_private_key": None,
            "database_url": None,
            "home": settings.data_folder / "demo",
        }
    )


@contextmanager
def demo(settings: Settings) -> Iterator[Settings]:
    """Run the invented GitHub beside the block, and yield settings that lead there and nowhere else."""
    from gh_backfill.simulator.loading import load  # noqa: PLC0415  (only the demo needs it)
    from gh_backfill.simulator.server import running  # noqa: PLC0415

    with running(load(recipes=DEMO)) as simulator:
        yield demo_settings(settings).model_copy(update={"github_api_url": simulator.url})


def preview(settings: Settings, names: Sequence[str]) -> list[Tracked]:
    """Ask GitHub about repositories and write nothing; there need not be a database yet."""
    return ask(connect.github(settings), names, name_of=connect.name_of(settings))


def run(
    settings: Settings,
    names: Sequence[str],
    *,
    goal: Goal,
    larger: bool = False,
    workers: int = WORKERS,
    show: Callable[[Scene], None],
    say: Callable[[str], None],
) -> LocalRun:
    """Do the whole job; returns when every capture has ended.  Raises ConfigurationError before anything is written."""
    graphql = connect.github(settings)
    with connect.database_url(settings) as url:
        run_settings = settings.model_copy(update={"run_key": connect.this_run(settings).key})
        with Database(url) as db, connect.sharing(graphql, db):
            connect.prepare(db, settings)
            name_of = connect.name_of(settings)
            tracked = track(db, graphql, names, name_of=name_of, backfill=goal, larger=larger) if names else []
            asked = [each.repository_id for each in tracked if each.repository_id is not None]
            for each in tracked:
                say(f"{each.given}: {each.result}")
            if names and not asked:
                raise ConfigurationError("none of these repositories can be captured: nothing was written")
            made = plan(
                db,
                graphql,
                connect.this_run(run_settings),
                datetime.now(UTC),
                asked=list(dict.fromkeys(asked)),
                thresholds=Thresholds(
                    more_than=settings.minimum_pull_requests, below_percent=settings.complete_percent
                ),
                limit=settings.plan_limit,
                per_part=settings.per_part,
            )
            logs = settings.data_folder / "logs"
            children = _capture_all(db, run_settings, url, made, logs, workers, show)
            done = report(db, run_settings.run_key) if made.chosen else None
            with db.transaction(read_only=True) as tx:
                states = repositories.status(tx, asked or None)
    return LocalRun(
        tracked=tracked,
        plan=made,
        report=done,
        states=states,
        folder=connect.embedded_folder(settings) if settings.database_url is None else None,
        logs=logs,
        failed_logs=[child.log for child in children if child.process.returncode],
    )


def _capture_all(
    db: Database,
    settings: Settings,
    url: str,
    made: Plan,
    logs: Path,
    workers: int,
    show: Callable[[Scene], None],
) -> list[Child]:
    """Keep up to `workers` captures going until all are done; whatever interrupts us ends them in good order."""
    waiting = list(reversed(made.entries))
    planned = [each.id for each in made.chosen]
    children: list[Child] = []
    environment = _environment(settings, url)
    try:
        while waiting or any(child.process.poll() is None for child in children):
            running = [child for child in children if child.process.poll() is None]
            while waiting and len(running) < workers:
                verdict, part = waiting.pop()
                running.append(_start(verdict.repository, part, environment, logs))
                children.append(running[-1])
            with db.transaction(read_only=True) as tx:
                states = repositories.status(tx, planned)
            show(Scene(states=states, running=frozenset(each.repository_id for each in running), planned=planned))
            time.sleep(LOOK_EVERY)
        if planned:
            with db.transaction(read_only=True) as tx:
                show(Scene(states=repositories.status(tx, planned), running=frozenset(), planned=planned))
    finally:
        _end(children)
    return children


def _start(repository: TrackedRepository, part: int | None, environment: Mapping[str, str], logs: Path) -> Child:
    logs.mkdir(parents=True, exist_ok=True)
    number = "" if part is None else str(part)
    name = repository.full_name
    log = logs / f"{name.replace('/', '__')}{number and '__part'}{number}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gh_backfill", "capture"],
            env={**environment, "GH_BACKFILL_REPOSITORY_ID": repository.id, "GH_BACKFILL_PART": number},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Child(repository_id=repository.id, name=name, process=process, log=log)


def _environment(settings: Settings, url: str) -> dict[str, str]:
    token = settings.github_token
    return {
        **os.environ,
        "DATABASE_URL": url,
        "GITHUB_TOKEN": token.get_secret_value() if token else "",
        "GH_BACKFILL_GITHUB_API_URL": settings.github_api_url,
        "GH_BACKFILL_GITHUB_GRAPHQL_URL": settings.graphql_url,
        "GH_BACKFILL_RUN_KEY": settings.run_key or "",
        "PYTHONPATH": os.pathsep.join(
            path for path in (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")) if path
        ),
    }


def _end(children: Sequence[Child]) -> None:
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    for child in children:
        try:
            child.process.wait(10)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
