"""Start the worker's workflow: one start carries all jobs of a tick."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gh_backfill.policy.ledger import JobType
from gh_backfill.store.routing import WaitingJob
from gh_backfill.tasks.plan import on_runners

WORKER = "historical-pr-sync-graphql.yml"
# GitHub starts at most this many jobs of one matrix.
MOST_BACKFILLS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowSender:
    """Hands jobs to GitHub Actions; `start` starts the worker with inputs.

    Repositories are named by our ids: GitHub shows the inputs of a run to whoever sees the run.
    """

    start: Callable[[Mapping[str, str]], None]
    runners: tuple[str, ...] = ()

    def send(self, jobs: Sequence[WaitingJob], run_key: str) -> None:
        """Start the workflow once for all of them."""
        self.start(inputs(jobs, run_key, self.runners))


def inputs(jobs: Sequence[WaitingJob], run_key: str, runners: Sequence[str] = ()) -> dict[str, str]:
    """Return the worker's inputs: the repositories to sync, and those to be backfilled as the matrix of their jobs."""
    syncs = [each.repository_id for each in jobs if each.job_type is JobType.SYNC and each.repository_id is not None]
    backfills = [each for each in jobs if each.job_type is JobType.BACKFILL and each.repository_id is not None]
    entries = [{"repository_id": each.repository_id or "", "name": each.label} for each in backfills[:MOST_BACKFILLS]]
    matrix = on_runners(entries, runners)
    return {
        "run_key": run_key,
        "repositories": " ".join(syncs),
        "backfills": json.dumps({"include": matrix}, separators=(",", ":")) if matrix else "",
        "reason": "scheduled",
    }
