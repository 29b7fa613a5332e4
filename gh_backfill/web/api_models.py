"""The values that programs send and get: the shapes of the API, checked at the edge and described by OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from gh_backfill.policy.initial import NEWEST
from gh_backfill.web.pages.wishes import MOST_NAMES

LONGEST = 300
_MOST = 2**31 - 1
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What each field must be, for whoever sent something else.
A_NAME = f"a name of 1 to {LONGEST} characters that can be printed"
_A_DAY = 'a day such as "2026-01-31", or null'
_TRUTH = "true or false"
MUST_BE: Mapping[str, str] = {
    "repository": "a name such as octocat/hello-world",
    "days": "a whole number from 1 to 3,660",
    "repositories": f"a list of 1 to {MOST_NAMES} names",
    "max_prs": f'a whole number from 1 to {_MOST:,}, or "all"',
    "since": _A_DAY,
    "until": _A_DAY,
    "state": 'one of "open", "closed" and "merged", a list of them, or null',
    "smart": _TRUTH,
    "only_newest": _TRUTH,
    "one_per_owner": _TRUTH,
    "backfill": _TRUTH,
    "priority": 'one of "high", "medium" and "low", or null',
}


def _printable(text: str) -> str:
    """Accept what can be shown and stored."""
    if not text.isprintable():
        raise ValueError("has a character that no name has")
    return text


def _day(value: object) -> object:
    """Accept a day as it is written; a number, which is a moment to others, is none."""
    if isinstance(value, date) or value is None or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("is no day")


Name = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_printable)]
Day = Annotated[date, BeforeValidator(_day)]
State = Literal["open", "closed", "merged"]


class BackfillsWanted(BaseModel):
    """Repositories to be added, and how much of the history of each comes first."""

    model_config = ConfigDict(extra="forbid")

    repositories: list[Name] = Field(
        min_length=1,
        max_length=MOST_NAMES,
        description="owner/name, an address, GitHub's id, or owner/* for a whole account.",
        examples=[["octocat/hello-world"]],
    )
    max_prs: Annotated[int, Field(strict=True, ge=1, le=_MOST)] | Literal["all"] = Field(
        default=NEWEST, description="How many of the newest pull requests."
    )
    since: Day | None = Field(default=None, description="Only those created on this day or later.")
    until: Day | None = Field(default=None, description="Only those created before this day.")
    state: State | list[State] | None = Field(default=None, description="Only those in these states.")
    smart: StrictBool = Field(default=False, description="Let size and recent activity decide how many.")
    only_newest: StrictBool = Field(default=False, description="The rest of the history is not wanted later either.")
    one_per_owner: StrictBool = Field(default=False, description="One repository of an account at a time.")
    priority: Literal["high", "medium", "low"] | None = Field(
        default=None, description="How often they are synced from then on: every 15, 30 or 60 minutes."
    )
    backfill: StrictBool = Field(default=True, description="False only puts them on the list.")


class Chosen(BaseModel):
    """Which repositories of a batch are meant, by our id; without any all that it can be done to."""

    model_config = ConfigDict(extra="forbid")

    repositories: list[Name] | None = Field(default=None, max_length=MOST_NAMES)


class RepositoryStatus(BaseModel):
    """One name of a batch: what became of it, and how far its initial backfill is."""

    given: str
    result: str
    failed: bool
    repository_id: str | None
    full_name: str | None
    private: bool
    status: Literal["pending", "processing", "completed", "failed", "cancelled"] | None
    word: Literal["waiting", "running", "paused", "completed", "failed", "cancelled"] | None = Field(
        description="Its state as the pages say it: one that is pending or processing may be paused."
    )
    captured: int
    wanted: int | None
    total: int | None
    progress: float | None = Field(description="Per cent of what is wanted.")
    error: str | None
    detail: str | None
    resume_at: datetime | None


class BatchStatus(BaseModel):
    """Repositories that were added together."""

    id: str
    created_at: datetime
    created_by: str | None
    backfill: bool
    done: int = Field(description="Initial backfills that are over.")
    added: int
    skipped: int
    failed: int = Field(description="Names that could not be added.")
    summary: str
    notice: str
    outcome: str
    repositories: list[RepositoryStatus]


class OperatedOn(BaseModel):
    """What became of one repository that was to be cancelled or tried again."""

    repository_id: str | None
    changed: bool
    failed: bool
    result: str


class ErrorSentence(BaseModel):
    """Why something was not done, in a sentence."""

    error: str
