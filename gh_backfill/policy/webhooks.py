"""The meaning of GitHub's webhooks for us, from its event and payload alone.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gh_backfill.policy.events import of_webhooks
from gh_backfill.policy.ledger import RunnerJob


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded:
    """An attempt of a workflow run is over, as GitHub concluded; `url` and `number` are the run's."""

    run_id: int
    attempt: int
    conclusion: str
    at: datetime | None
    url: str | None = None
    number: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEnded:
    """A job of an attempt is over."""

    run_id: int
    runner: RunnerJob


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A pull request moved and is to be fetched; or an event happened that is kept as a row.

    With `each`, every delivery is a row of its own; without, only the latest about the same thing counts.  `also` is
    the event of a pull request that is to be fetched.
    """

    repository_github_id: int
    kind: str
    identity: str
    payload: Mapping[str, object]
    each: bool = False
    also: Moved | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Nothing:
    """There is nothing to do about it."""

    reason: str


Meaning = RunEnded | JobEnded | Moved | Nothing

# No number at GitHub is this large.  A number beyond GraphQL's Int would make the query fail for all the others in it.
LARGEST_NUMBER = 999_999_999
LONGEST_WORD = 200


def concerns(event: str) -> bool:
    """Say whether the payloads of an event mean anything to us."""
    return event in _READERS


def meaning(event: str, payload: Mapping[str, Any]) -> Meaning:
    """Say what a webhook means; ValueError where a payload lacks what its event must have."""
    reader = _READERS.get(event)
    if reader is None:
        return Nothing(reason=f"{event} is not for us")
    try:
        return reader(payload)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a {event} without {error}") from None


def _pull_request(event: str, thing: str = "pull_request") -> Callable[[Mapping[str, Any]], Meaning]:
    def read(payload: Mapping[str, Any]) -> Meaning:
        also = _happened(event)(payload)
        return replace(_moved(payload, _number(payload[thing])), also=also if isinstance(also, Moved) else None)

    return read


def _issue_comment(payload: Mapping[str, Any]) -> Meaning:
    """A conversation belongs to a pull request or to an issue; GitHub sends both under one name."""
    if payload["issue"].get("pull_request"):
        return _pull_request("issue_comment", "issue")(payload)
    return _happened("issue_comment")(payload)


def _happened(event: str) -> Callable[[Mapping[str, Any]], Meaning]:
    """Read what tells of an event; what that is made of is judged when it is made."""

    def read(payload: Mapping[str, Any]) -> Meaning:
        if not of_webhooks.is_event(event, payload):
            return Nothing(reason=f"{event} {_word(payload.get('action')) or ''}".rstrip() + " is no event for us")
        return Moved(
            repository_github_id=int(payload["repository"]["id"]),
            kind="event",
            identity=of_webhooks.identity(event, payload),
            payload=of_webhooks.kept(event, payload),
            each=event == "star",
        )

    return read


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
        url=_word(run.get("html_url")),
        number=None if run.get("run_number") is None else int(run["run_number"]),
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


def _moved(payload: Mapping[str, Any], identity: str) -> Moved:
    """Keep of a payload only who, what and when; texts are fetched, never taken from here."""
    sender, repository = payload["sender"], payload["repository"]
    return Moved(
        repository_github_id=int(repository["id"]),
        kind="capture",
        identity=identity,
        payload={
            "action": _word(payload.get("action")),
            "actor": _word(sender["login"]),
            "actor_id": int(sender["id"]),
            "at": _word(_when(payload)),
        },
    )


def _when(payload: Mapping[str, Any]) -> object:
    """Return GitHub's time of what happened; deliveries overtake one another, so that ours would not tell the order."""
    things = (payload.get(name) or {} for name in ("comment", "issue", "pull_request", "repository"))
    return next((thing["updated_at"] for thing in things if thing.get("updated_at")), None)


def _number(thing: Mapping[str, Any]) -> str:
    number = int(thing["number"])
    if not 0 < number <= LARGEST_NUMBER:
        raise ValueError(f"{number} is no number of a pull request")
    return str(number)


def _word(value: object) -> str | None:
    """Accept a short text or nothing; whatever else GitHub may send one day is no word."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_WORD:
        raise TypeError("a short text")
    return value


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Meaning]] = {
    "ping": lambda payload: Nothing(reason="pong"),
    "workflow_run": _run,
    "workflow_job": _job,
    "pull_request": _pull_request("pull_request"),
    "pull_request_review": _pull_request("pull_request_review"),
    "pull_request_review_comment": _pull_request("pull_request_review_comment"),
    "issue_comment": _issue_comment,
    "issues": _happened("issues"),
    "star": _happened("star"),
    "fork": _happened("fork"),
}
