"""The events of Inngest: one schema for who sends them and who receives them, with the customer's names and fields.

What else an event brings is left out.  Nothing secret belongs into one, for Inngest keeps them all.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

# In bytes: Inngest takes no larger event of a free account.
LARGEST_EVENT = 256 * 1024
# So many pull requests are fetched where an event says nothing else.
NEWEST = 200
Text = Annotated[str, Field(min_length=1, max_length=200)]
RowId = Annotated[str, AfterValidator(lambda given: str(UUID(given)))]


class RepositoryEvent(BaseModel):
    """What is asked of one repository, by our id of it.

    Inngest counts runs by their `owner`.  The `request_id` tells two wishes from one that is sent twice: each wish has
    one of its own.  `job_id` is the job of the ledger that waits for the event, where there is one.
    """

    EVENT: ClassVar[str]
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    repository_id: RowId = Field(alias="repositoryId")
    owner: Text
    name: Text
    request_id: Text | None = Field(default=None, alias="requestId")
    job_id: RowId | None = Field(default=None, alias="jobId")

    @model_validator(mode="before")
    @classmethod
    def _split_name(cls, given: object) -> object:
        """Take a host application's `repositoryName`, which is owner and name in one."""
        if not isinstance(given, dict) or "owner" in given or not isinstance(given.get("repositoryName"), str):
            return given
        owner, _, name = given["repositoryName"].partition("/")
        return {**given, "owner": owner, "name": name}


class InitialBackfill(RepositoryEvent):
    """The newest pull requests of a repository are wanted; no number means as many as its backfill is about."""

    EVENT: ClassVar[str] = "repository/backfill.initial"

    max_prs: int | None = Field(default=NEWEST, ge=1, alias="maxPRs")
    user_id: Text | None = Field(default=None, alias="userId")


class _Sync(RepositoryEvent):
    days: int | None = None

    @field_validator("days")
    @classmethod
    def _no_days(cls, given: int | None) -> int | None:
        """Take 0, as a host application's code does, for nothing that was said."""
        if given is not None and given < 0:
            raise ValueError("must not be negative")
        return given or None


class PullRequestSync(_Sync):
    """What changed in the pull requests of a repository is wanted, by another application: its rules hold."""

    EVENT: ClassVar[str] = "capture/repository.sync.graphql"

    priority: Literal["critical", "high", "medium", "low"] | None = None
    reason: Text = "automatic"


class RepositorySync(_Sync):
    """What changed in a repository is wanted, of all kinds that are captured of it."""

    EVENT: ClassVar[str] = "github/repository.sync"


class AggressiveRequest(RepositoryEvent):
    """Everything of a repository is wanted: its data, embeddings, and the figures of its workspaces.

    With `days` only what was created in the last so many.  `backfill_id` goes on with one that was begun before, and
    with no other.
    """

    EVENT: ClassVar[str] = "repository/backfill.aggressive"

    days: int | None = Field(
        default=None, ge=1, validation_alias=AliasChoices("timeRange", "days"), serialization_alias="timeRange"
    )
    skip_embeddings: bool = Field(default=False, alias="skipEmbeddings")
    embeddings_only: bool = Field(default=False, alias="embeddingsOnly")
    skip_workspace: bool = Field(default=False, alias="skipWorkspace")
    backfill_id: RowId | None = Field(default=None, alias="backfillId")


class Cancelled(BaseModel):
    """Whatever runs for a repository is to end."""

    EVENT: ClassVar[str] = "backfill/cancelled"
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    repository_id: RowId = Field(alias="repositoryId")


class GoOn(BaseModel):
    """A run that has had as many steps as a run may have goes on as another one: this event is to be sent again."""

    EVENT: ClassVar[str] = "gh-backfill/run.goes_on"
    model_config = ConfigDict(extra="ignore", frozen=True)

    event: Text
    data: dict[str, str | int | bool | None]


AnyEvent = InitialBackfill | AggressiveRequest | PullRequestSync | RepositorySync | Cancelled | GoOn
