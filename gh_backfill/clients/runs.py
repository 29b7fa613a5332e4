"""Ask GitHub Actions for the jobs of a run."""

from __future__ import annotations

from itertools import islice

from gh_backfill.clients.rest import client, own_errors
from gh_backfill.policy.ledger import RunnerJob

# A run has at most so many, over all its attempts; a list without an end is not read for ever.
MOST_JOBS = 5_000


def runner_jobs(api_url: str, token: str, repository: str, run_id: int) -> list[RunnerJob]:
    """Return the jobs of all attempts of a workflow run as they are now.

    Needs `actions: read`.  Raises Denied (also where there is no such run), RateLimited or Unreachable.
    https://docs.github.com/en/rest/actions/workflow-jobs
    """
    with own_errors(api_url, "GITHUB_TOKEN and `permissions: actions: read`"), client(api_url, token) as asking:
        run = asking.get_repo(repository).get_workflow_run(run_id)
        return [
            RunnerJob(
                name=job.name,
                status=job.status,
                conclusion=job.conclusion,
                started_at=job.started_at,
                completed_at=job.completed_at,
                attempt=job.run_attempt or 1,
            )
            for job in islice(run.jobs("all"), MOST_JOBS)
        ]
