"""Issues with all that belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gh_backfill.models.github import NodeId, Person, Unreadable
from gh_backfill.models.labels import Label, Milestone
from gh_backfill.models.pull_requests import Comment


class IssueState(StrEnum):
    """GitHub's own two states, in the spelling of the database."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """The issue itself, with the counts GitHub gave beside it; `state_reason` is GitHub's word in lower case."""

    node_id: NodeId
    github_id: int
    number: int
    title: str
    body: str | None
    state: IssueState
    state_reason: str | None
    url: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    author: Person
    milestone: Milestone | None
    comments: int
    labels: int
    assignees: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteIssue:
    """An issue with everything that belongs to it, labels and assignees in GitHub's order.

    `gap` says what GitHub counts but does not list; None where the counts agree.  A list that is not `whole` has less
    than GitHub counts.
    """

    issue: Issue
    comments: tuple[Comment, ...]
    labels: tuple[Label, ...]
    assignees: tuple[Person, ...]
    labels_whole: bool = True
    assignees_whole: bool = True
    gap: str | None = None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def number(self) -> int:
        """Return its number."""
        return self.issue.number
