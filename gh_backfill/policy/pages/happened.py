"""The story of a repository in words: decisions, jobs, pages of work, what was announced, what could not be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill.models.work import PULL_REQUESTS, words_of
from gh_backfill.policy import shown, workers
from gh_backfill.policy.estimate import duration
from gh_backfill.policy.ledger import JobType, job_word
from gh_backfill.policy.lifecycle import ChunkStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.shown import MARKS, JobFacts, Mark, PageState, ShownState

# What GitHub calls it when commits come to a pull request.
_ACTIONS = {"synchronize": "got commits"}
_STREAMS = {"catch_up": "catch-up ", "sync": "sync "}


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One thing that happened: its mark, what it was in a few words, the rest in a sentence, and who did it."""

    at: datetime
    source: str
    mark: str
    word: str
    text: str
    who: str | None = None
    run_key: str | None = None
    run_id: int | None = None
    attempt: int = 1


def of(at: datetime, source: str, told: Mapping[str, Any], now: datetime) -> Happened:
    """Say what a source told."""
    match source:
        case "event":
            return _event(at, told)
        case "job":
            return _job(at, told, now)
        case "chunk":
            return _chunk(at, told, now)
        case "announced":
            return _announced(at, told, now)
        case _:
            return _quarantined(at, told)


def of_chunk(told: Mapping[str, Any], now: datetime) -> ShownState:
    """Decide how a page of work is shown."""
    match told["status"]:
        case ChunkStatus.COMPLETED:
            return ShownState(state=PageState.COMPLETED)
        case ChunkStatus.FAILED:
            return ShownState(state=PageState.FAILED, detail=told["error"])
        case ChunkStatus.SKIPPED:
            return ShownState(state=PageState.SKIPPED, detail=told["error"])
        case ChunkStatus.PROCESSING:
            return _held(told, now)
        case _:
            if told["failures"]:
                return ShownState(state=PageState.RETRYING, detail=told["error"], until=told["retry_at"])
            return ShownState(state=PageState.WAITING, detail="waits for a worker")


def of_work(told: Mapping[str, Any]) -> str:
    """Say what a page of work, or a job, brought: items, rows, points, time."""
    item = told.get("item") or words_of(told.get("kind") or PULL_REQUESTS).removesuffix("s")
    parts = [counted(told["items"], item)] if told["items"] is not None else []
    rows = (told.get("inserted") or 0, told.get("updated") or 0)
    parts += [f"{counted(rows[0], 'row')} new"] if rows[0] else []
    parts += [f"{rows[1]:,} changed"] if rows[1] else []
    parts += [f"{told['quarantined']:,} in quarantine"] if told.get("quarantined") else []
    parts += [counted(told["points"], "point")] if told["points"] is not None else []
    took = _took(told)
    return ", ".join([*parts, *([took] if took else [])])


def _held(told: Mapping[str, Any], now: datetime) -> ShownState:
    lease = told["lease_at"]
    if lease is None or lease <= now:
        return ShownState(state=PageState.WAITING, detail="its worker is gone, another one takes it")
    state = PageState.RETRYING if told["failures"] else PageState.RUNNING
    return ShownState(
        state=state, detail=f"claimed by {workers.told(told['claimed_by'])} until {lease:%H:%M} UTC", until=lease
    )


def _event(at: datetime, told: Mapping[str, Any]) -> Happened:
    kind = told["kind"]
    return Happened(
        at=at,
        source="event",
        mark=Mark.HELD,
        word=str(told["event"]) if kind is None else f"{words_of(kind)} {told['event']}",
        text=told["detail"] or "",
        who=told["who"],
        run_key=told["run_key"],
    )


def _job(at: datetime, told: Mapping[str, Any], now: datetime) -> Happened:
    facts = JobFacts(**{name: told[name] for name in ("status", "outcome", "error", "error_type", "reason", "beat_at")})
    found = shown.of_job(facts, now)
    done = of_work(told) if told["items"] else ""
    fetched = told["job_type"] == JobType.WEBHOOK
    what = f"announced by webhooks{': ' if done else ''}{done}" if fetched else done
    noun = job_word(told["job_type"]) or "job"
    return Happened(
        at=at,
        source="job",
        mark=found.mark,
        word=f"{noun} {found.word}",
        text="; ".join(part for part in (what, found.detail) if part),
        who=shown.PROCESSORS.get(told["processor"], told["processor"]),
        run_key=told["run_key"],
        run_id=told["run_id"],
        attempt=told["attempt"] or 1,
    )


def _chunk(at: datetime, told: Mapping[str, Any], now: datetime) -> Happened:
    found = of_chunk(told, now)
    which = _STREAMS.get(told["stream"], "")
    what = "" if told["kind"] == PULL_REQUESTS else f"{words_of(told['kind'])} "
    state = "" if found.state is PageState.COMPLETED else f" {found.word}"
    tries = f"claim {told['attempt']:,}" if told["failures"] and found.state is PageState.COMPLETED else None
    done = of_work(told) if found.state is PageState.COMPLETED else None
    return Happened(
        at=at,
        source="chunk",
        mark=found.mark,
        word=f"{which}{what}chunk {told['chunk_number']:,}{state}",
        text="; ".join(part for part in (done, tries, found.detail) if part),
        who=None if told["status"] == ChunkStatus.PROCESSING else workers.told(told["claimed_by"]),
    )


def _announced(at: datetime, told: Mapping[str, Any], now: datetime) -> Happened:
    """Say what a webhook told of a pull request that is still to be fetched; after that its job has the word."""
    action = _ACTIONS.get(told["action"], told["action"])
    what = " ".join(part.replace("_", " ") for part in (told["event"], action) if part)
    often = f", {told['times']:,} times" if told["times"] > 1 else ""
    state, fetched = PageState.WAITING, "waits to be fetched"
    if not told["tracked"]:
        fetched = "is fetched when the repository is tracked again"
    elif told["attempts"]:
        later = told["retry_at"]
        again = f"again at {later:%H:%M} UTC" if later is not None and later > now else "is tried again"
        state = PageState.RETRYING
        fetched = f"could not be fetched ({counted(told['attempts'], 'try')}), {again}: {told['reason'] or 'no reason'}"
    return Happened(
        at=at,
        source="announced",
        mark=MARKS[state],
        word=f"announced, {state}",
        text=f"#{told['number']} {what}{often}: {fetched}",
        who=told["who"],
    )


def _quarantined(at: datetime, told: Mapping[str, Any]) -> Happened:
    over = told["resolved_at"] is not None
    number = "" if told["number"] is None else f" of #{told['number']}"
    return Happened(
        at=at,
        source="quarantine",
        mark=MARKS[PageState.COMPLETED if over else PageState.FAILED],
        word="quarantined, stored since" if over else "quarantined",
        text=f"{told['kind'].replace('_', ' ')}{number}: {told['reason']}",
    )


def _took(told: Mapping[str, Any]) -> str | None:
    began, ended = told["started_at"], told["completed_at"]
    if began is None or ended is None:
        return None
    seconds = (ended - began).total_seconds()
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
