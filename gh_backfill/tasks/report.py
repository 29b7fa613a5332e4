"""Close a run: one final status for every planned job, the step summary, outputs, and an honest exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from gh_backfill import actions
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.settings import Settings
from gh_backfill.store import jobs, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Job
from gh_backfill.store.repositories import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The jobs of one run and where their repositories stand now."""

    run_key: str
    jobs: tuple[Job, ...]
    states: dict[str, Status]

    @property
    def failed(self) -> list[Job]:
        """Return the jobs that did not do what they were planned for."""
        return [job for job in self.jobs if job.status is not JobStatus.COMPLETED]

    @property
    def paused(self) -> list[Job]:
        """Return the jobs that wait for points and go on by themselves."""
        return [job for job in self.jobs if job.outcome == "paused"]

    def totals(self) -> dict[str, int]:
        """Return what the run did in all."""
        return {
            "jobs": len(self.jobs),
            "failed": len(self.failed),
            "paused": len(self.paused),
            "pull_requests": sum(job.items for job in self.jobs),
            "chunks": sum(job.chunks for job in self.jobs),
            "points": sum(job.points for job in self.jobs),
            "requests": sum(job.requests for job in self.jobs),
            "warnings": sum(job.warnings for job in self.jobs),
        }

    def as_json(self) -> dict[str, object]:
        """Return the report as JSON-ready values."""
        return {
            "run": self.run_key,
            **self.totals(),
            "repositories": [
                {
                    **{key: value for key, value in asdict(job).items() if key not in ("is_private", "full_name")},
                    "name": display_name(job),
                    "seconds": job.seconds,
                    "captured": _captured(self, job),
                    "total": _total(self, job),
                }
                for job in self.jobs
            ],
        }


def report(db: Database, run_key: str | None, *, dry_run: bool = False) -> Report:
    """Give every open job of the run its final status (not in a dry run) and return what became of it.

    Without a key it is the run that was planned last; raises ConfigurationError where there is none.
    """
    with db.transaction(read_only=dry_run) as tx:
        key = run_key or jobs.latest_run(tx)
        if key is None:
            raise ConfigurationError("there is no run to report: gh-backfill plan makes one")
        if not dry_run:
            jobs.close(tx, key)
        done = jobs.of_run(tx, key)
        ids = sorted({job.repository_id for job in done if job.repository_id is not None})
        states = {state.id: state for state in repositories.status(tx, ids)} if ids else {}
    return Report(run_key=key, jobs=tuple(done), states=states)


def publish(settings: Settings, made: Report) -> None:
    """Write step summary, outputs and annotations."""
    actions.write_summary(settings, markdown(made))
    totals = {name: str(value) for name, value in made.totals().items()}
    outputs = {**totals, "report": json.dumps(made.as_json(), default=str)}
    actions.write_outputs(settings, outputs)
    actions.annotate(settings, "error", [f"{display_name(job)}: {job.error or job.status}" for job in made.failed])
    actions.annotate(
        settings, "notice", [f"{display_name(job)}: {job.error or 'paused'}, goes on by itself" for job in made.paused]
    )


def markdown(made: Report) -> str:
    """Return the report as Markdown: one line for the run, one row for each repository."""
    totals = made.totals()
    if not made.jobs:
        return "## Backfill\n\nNothing needed to be captured."
    head = (
        f"## Backfill\n\n{totals['pull_requests']} pull requests in {totals['chunks']} chunks for {totals['points']} "
        f"points ({totals['requests']} requests); "
        f"{len(made.jobs) - totals['failed']} of {len(made.jobs)} jobs succeeded."
    )
    columns = ("repository", "captured / total", "this run", "chunks", "points", "duration", "result")
    return f"{head}\n\n{actions.table(columns, [_row(made, job) for job in made.jobs])}"


def display_name(job: Job) -> str:
    """Return the name to show where others can read it: of a private repository its id only."""
    if job.full_name is None:
        return "unknown repository"
    return job.repository_id or "" if job.is_private else job.full_name


def _row(made: Report, job: Job) -> Sequence[str]:
    captured, total = _captured(made, job), _total(made, job)
    progress = "" if captured is None else f"{captured} / {'?' if total is None else total}"
    result = job.outcome or job.status
    if job.warnings:
        result += f", {job.warnings} warnings"
    if job.error:
        result += f": {job.error}"
    return (
        actions.plain(display_name(job)),
        progress,
        str(job.items),
        str(job.chunks),
        str(job.points),
        f"{job.seconds:.0f} s",
        actions.plain(result),
    )


def _captured(made: Report, job: Job) -> int | None:
    state = made.states.get(job.repository_id or "")
    return None if state is None else state.captured


def _total(made: Report, job: Job) -> int | None:
    state = made.states.get(job.repository_id or "")
    return None if state is None else state.total
