"""The follow-ups that complete discussions: the comments of one, and the replies to each comment that has some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from gh_backfill.models.discussions import Discussion
from gh_backfill.models.github import NodeId, Unreadable
from gh_backfill.policy.items import AN_ALIAS, FollowUp
from gh_backfill.policy.open_lists import ListWords
from gh_backfill.policy.query_prices import LARGEST_FIRST, PagePrice
from gh_backfill.policy.surcharges import Counted

# A page has no list but its own: how many comments a discussion has is told for nothing.
DISCUSSIONS = PagePrice(once=Counted(units=1), each=Counted(counts=1))
# Each of the two lists of ids stands in a query under a name of its own.
_IDS = Counted(ids=1, aliases=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfDiscussion:
    """The comments of a discussion after `after`; of each there may be, its replies are counted."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = Counted(aliases=1, counts=LARGEST_FIRST)

    @property
    def by_ids(self) -> Counted | None:
        """Return the list of ids in which its first page may stand."""
        return _IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepliesOfComment:
    """The replies to a comment, which has this `parent` number at GitHub, after `after`."""

    node_id: NodeId
    parent: int
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


DiscussionFollowUp = CommentsOfDiscussion | RepliesOfComment

WORDS: Mapping[type[FollowUp], ListWords] = {
    CommentsOfDiscussion: ListWords(item="discussion_comment", items="comments"),
    RepliesOfComment: ListWords(item="discussion_comment", items="replies"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageDiscussion:
    """A discussion as a page brings it: without its comments."""

    discussion: Discussion

    @property
    def number(self) -> int:
        """Return its number."""
        return self.discussion.number

    @property
    def created_at(self) -> datetime:
        """Return when it was created."""
        return self.discussion.created_at

    @property
    def updated_at(self) -> datetime:
        """Return when it was changed last."""
        return self.discussion.updated_at

    @property
    def state(self) -> str:
        """Return the state it is in."""
        return self.discussion.state

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """Return nothing: a page has no part of a discussion."""
        return ()
