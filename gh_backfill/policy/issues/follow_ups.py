"""The follow-ups that complete issues: three lists, of which most issues have one or two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from gh_backfill.models.github import NodeId, Unreadable
from gh_backfill.models.issues import Issue
from gh_backfill.policy.items import AN_ALIAS, FollowUp
from gh_backfill.policy.open_lists import ListWords
from gh_backfill.policy.query_prices import PagePrice
from gh_backfill.policy.surcharges import Counted

# A page has no list but its own: how many comments, labels and assignees an issue has is told for nothing.
ISSUES = PagePrice(once=Counted(units=1), each=Counted(counts=3))
# Each of the three lists of ids stands in a query under a name of its own.
_IDS = Counted(ids=1, aliases=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfIssue:
    """The comments of an issue after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def by_ids(self) -> Counted | None:
        """Return the list of ids in which its first page may stand."""
        return _IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelsOfIssue:
    """The labels of an issue after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def by_ids(self) -> Counted | None:
        """Return the list of ids in which its first page may stand."""
        return _IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class AssigneesOfIssue:
    """The assignees of an issue after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def by_ids(self) -> Counted | None:
        """Return the list of ids in which its first page may stand."""
        return _IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


IssueFollowUp = CommentsOfIssue | LabelsOfIssue | AssigneesOfIssue

WORDS: Mapping[type[FollowUp], ListWords] = {
    CommentsOfIssue: ListWords(item="issue_comment", items="comments"),
    LabelsOfIssue: ListWords(item="label", items="labels", shared=True),
    AssigneesOfIssue: ListWords(item="assignee", items="assignees", shared=True),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageIssue:
    """An issue as a page brings it: without its lists."""

    issue: Issue

    @property
    def number(self) -> int:
        """Return its number."""
        return self.issue.number

    @property
    def created_at(self) -> datetime:
        """Return when it was created."""
        return self.issue.created_at

    @property
    def updated_at(self) -> datetime:
        """Return when it was changed last."""
        return self.issue.updated_at

    @property
    def state(self) -> str:
        """Return the state it is in."""
        return self.issue.state

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """Return nothing: a page has no part of an issue."""
        return ()
