"""What a webhook of GitHub means for us, from its event and payload alone.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill.policy.ledger import RunnerJob


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded:
    """An attempt of a workflow run is over, as GitHub concluded."""

    run_id: int
    attempt: int
    conclusion: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEnded:
    """A job of an attempt is over."""

    run_id: int
    runner: RunnerJob


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A pull request moved: its repository is to be captured again; or an event happened that is kept as a row."""

    repository_github_id: int
    kind: str
    identity: str
    payload: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Nothing:
    """There is nothing to do about it."""

    reason: str


Meaning = RunEnded | JobEnded | Moved | Nothing


def meaning(event: str, payload: Mapping[str, Any]) -> Meaning:
    """Say what a webhook means; ValueError where a payload lacks what its event must have."""
    reader = _READERS.get(event)
    if reader is None:
        return Nothing(reason=f"{event} is not for us")
    try:
        return reader(payload)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a {event} without {error}") from None


def _pull_request(payload: Mapping[str, Any]) -> Meaning:
    return _moved(payload, "capture", str(int(payload["pull_request"]["number"])))


def _issue_comment(payload: Mapping[str, Any]) -> Meaning:
    """A conversation belongs to a pull request or to an issue; GitHub sends both under one name."""
    if payload["issue"].get("pull_request"):
        return _moved(payload, "capture", str(int(payload["issue"]["number"])))
    return _moved(payload, "event", f"issue_comment {payload['action']} {int(payload['comment']['id'])}")


def _run(payload: Mapping[str, Any]) -> Meaning:
    """Only the conclusion counts: a payload with the action `completed` may still have the status `queued`."""
    run = payload["workflow_run"]
    if run["conclusion"] is None:
        return Nothing(reason="the run is not over")
    return RunEnded(
        run_id=int(run["id"]),
        attempt=int(run.get("run_attempt") or 1),
        conclusion=str(run["conclusion"]),
        at=_time(run.get("updated_at")),
    )


def _job(payload: Mapping[str, Any]) -> Meaning:
    job = payload["workflow_job"]
    if job["conclusion"] is None:
        return Nothing(reason="the job is not over")
    runner = RunnerJob(
        name=str(job["name"]),
        status=str(job["status"]),
        conclusion=str(job["conclusion"]),
        started_at=_time(job.get("started_at")),
        completed_at=_time(job.get("completed_at")),
        attempt=int(job.get("run_attempt") or 1),
    )
    return JobEnded(run_id=int(job["run_id"]), runner=runner)


def _moved(payload: Mapping[str, Any], kind: str, identity: str) -> Moved:
    """Keep of a payload only who, what and when; texts are fetched, never taken from here."""
    kept = {"action": payload.get("action"), "actor": payload["sender"]["login"], "actor_id": payload["sender"]["id"]}
    when = payload.get("starred_at") or (payload.get("forkee") or {}).get("created_at")
    return Moved(
        repository_github_id=int(payload["repository"]["id"]),
        kind=kind,
        identity=identity,
        payload={**kept, "at": when},
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Meaning]] = {
    "ping": lambda payload: Nothing(reason="pong"),
    "workflow_run": _run,
    "workflow_job": _job,
    "pull_request": _pull_request,
    "pull_request_review": _pull_request,
    "pull_request_review_comment": _pull_request,
    "issue_comment": _issue_comment,
    "issues": lambda payload: _moved(payload, "event", f"issues {int(payload['issue']['number'])}"),
    "star": lambda payload: _moved(payload, "event", f"star {int(payload['sender']['id'])}"),
    "fork": lambda payload: _moved(payload, "event", f"fork {int(payload['forkee']['id'])}"),
}
