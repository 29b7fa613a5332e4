"""What programs send and get: the shapes of the API, checked at the edge and described by OpenAPI."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gh_backfill.policy.initial import NEWEST
from gh_backfill.web.pages.wishes import MOST_NAMES

LONGEST = 300


def _printable(text: str) -> str:
    """Accept what can be shown and stored."""
    if not text.isprintable():
        raise ValueError("has a character that no name has")
    return text


Name = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_printable)]
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
    max_prs: Annotated[int, Field(ge=1, le=2**31 - 1)] | Literal["all"] = Field(
        default=NEWEST, description="How many of the newest pull requests."
    )
    since: date | None = Field(default=None, description="Only those created on this day or later.")
    until: date | None = Field(default=None, description="Only those created before this day.")
    state: State | list[State] | None = Field(default=None, description="Only those in these states.")
    smart: bool = Field(default=False, description="Let size and recent activity decide how many.")
    only_newest: bool = Field(default=False, description="The rest of the history is not wanted later either.")
    one_per_owner: bool = Field(default=False, description="One repository of an account at a time.")
    backfill: bool = Field(default=True, description="False only puts them on the list.")


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
