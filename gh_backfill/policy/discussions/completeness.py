"""Complete means complete: the comments of a discussion and the replies to each, as many as GitHub counts."""

from __future__ import annotations

from typing import assert_never

from gh_backfill.models.discussions import CompleteDiscussion, DiscussionComment
from gh_backfill.models.github import Listing, Named, NotFound, Unknown
from gh_backfill.policy.discussions.follow_ups import (
    WORDS,
    CommentsOfDiscussion,
    DiscussionFollowUp,
    PageDiscussion,
    RepliesOfComment,
)
from gh_backfill.policy.items import FollowUp, only
from gh_backfill.policy.open_lists import OpenLists, short_counts


class DiscussionCollector:
    """One discussion on its way to completeness; `follow_ups` and `take` move it along."""

    def __init__(self, item: PageDiscussion) -> None:
        self.discussion = item.discussion
        self._comments: dict[int, DiscussionComment] = {}
        self._replies: dict[int, dict[int, DiscussionComment]] = {}
        self._lists = OpenLists(number=item.number, words=WORDS)
        self._asked: set[int] = set()
        self._read_again = False
        if item.discussion.comments:
            self._lists.ask(self._all_comments())

    def follow_ups(self) -> tuple[FollowUp, ...]:
        """Return what is to be asked next; nothing means that the discussion is complete, or as far as it gets."""
        if not self._lists.follow_ups and not self._read_again and self._gap():
            self._read_again = True
            self._lists.follow_ups += dict.fromkeys([*self._lists.short(), *self._short()])
        return tuple(self._lists.follow_ups)

    def take(self, follow_up: FollowUp, answer: Named[Listing[object]]) -> None:
        """Take the answer to a follow-up of ours.

        What can't be read is asked for again, at most `TRIES` times in all; then it is given up and reported.
        """
        lists, ours = self._lists, _ours(follow_up)
        lists.follow_ups.remove(ours)
        if isinstance(answer, NotFound | Unknown):
            lists.unanswered(ours, answer)
            return
        comments = only(DiscussionComment, lists.taken(ours, answer))
        match ours:
            case CommentsOfDiscussion():
                lists.keep(self._comments, comments, ours)
                self._ask_for_replies(comments)
            case RepliesOfComment():
                lists.keep(self._replies.setdefault(ours.parent, {}), comments, ours)
            case _:
                assert_never(ours)

    def shrink(self, follow_up: FollowUp) -> None:
        """Count a follow-up of ours that is too much by itself as unanswered."""
        self.take(follow_up, Unknown(reason="it is too much for GitHub by itself"))

    def complete(self) -> CompleteDiscussion:
        """Return the discussion with all that was read: each comment, oldest first, before the replies to it."""
        comments: list[DiscussionComment] = []
        for _, comment in sorted(self._comments.items()):
            comments += (comment, *(reply for _, reply in sorted(self._replies.get(comment.github_id, {}).items())))
        return CompleteDiscussion(
            discussion=self.discussion,
            comments=tuple(comments),
            gap=self._gap(),
            unreadable=tuple(self._lists.unreadable),
        )

    def _ask_for_replies(self, comments: Listing[DiscussionComment]) -> None:
        for comment in comments.items:
            if comment.replies and comment.github_id not in self._asked:
                self._asked.add(comment.github_id)
                self._lists.ask(_all_replies(comment))

    def _short(self) -> list[DiscussionFollowUp]:
        """Return what asks once more for each list of which less is here than was counted at its parent."""
        found: list[DiscussionFollowUp] = []
        if len(self._comments) < self.discussion.comments:
            found.append(self._all_comments())
        found += (_all_replies(each) for each in self._comments.values() if self._held(each) < each.replies)
        return found

    def _gap(self) -> str | None:
        """Say what is counted and not here.

        A reply that went between its comment and its list is one, too, until something reads the discussion again.
        """
        comments = self._comments.values()
        counts = [
            (WORDS[CommentsOfDiscussion].items, self.discussion.comments, len(comments)),
            (
                WORDS[RepliesOfComment].items,
                sum(each.replies for each in comments),
                sum(min(self._held(each), each.replies) for each in comments),
            ),
        ]
        return "; ".join(short_counts(counts) or self._lists.short_words()) or None

    def _held(self, comment: DiscussionComment) -> int:
        return len(self._replies.get(comment.github_id, {}))

    def _all_comments(self) -> CommentsOfDiscussion:
        return CommentsOfDiscussion(node_id=self.discussion.node_id, after=None)


def _all_replies(comment: DiscussionComment) -> RepliesOfComment:
    return RepliesOfComment(node_id=comment.node_id, parent=comment.github_id, after=None)


def _ours(follow_up: FollowUp) -> DiscussionFollowUp:
    assert isinstance(follow_up, DiscussionFollowUp), "a follow-up of another kind of item"
    return follow_up
