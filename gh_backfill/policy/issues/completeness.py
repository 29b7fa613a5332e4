"""Complete means complete: the comments, labels and assignees of an issue, each as many as GitHub counts."""

from __future__ import annotations

from typing import assert_never

from gh_backfill.models.github import Listing, Named, NotFound, Person, Unknown
from gh_backfill.models.issues import CompleteIssue
from gh_backfill.models.labels import Label
from gh_backfill.models.pull_requests import Comment
from gh_backfill.policy.issues.follow_ups import (
    WORDS,
    AssigneesOfIssue,
    CommentsOfIssue,
    IssueFollowUp,
    LabelsOfIssue,
    PageIssue,
)
from gh_backfill.policy.items import FollowUp, only
from gh_backfill.policy.open_lists import OpenLists, short_counts


class IssueCollector:
    """One issue on its way to completeness; `follow_ups` and `take` move it along."""

    def __init__(self, item: PageIssue) -> None:
        self.issue = item.issue
        self._comments: dict[int, Comment] = {}
        self._labels: dict[str, Label] = {}
        self._assignees: dict[int, Person] = {}
        self._lists = OpenLists(number=item.number, words=WORDS)
        self._read_again = False
        for follow_up, many, _ in self._counted():
            if many:
                self._lists.ask(follow_up)

    def follow_ups(self) -> tuple[FollowUp, ...]:
        """Return what is to be asked next; nothing means that the issue is complete, or as far as it gets."""
        if not self._lists.follow_ups and not self._read_again and self._gap():
            self._read_again = True
            short = [follow_up for follow_up, many, held in self._counted() if held < many]
            self._lists.follow_ups += dict.fromkeys([*self._lists.short(), *short])
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
        answer = lists.taken(ours, answer)
        match ours:
            case CommentsOfIssue():
                lists.keep(self._comments, only(Comment, answer), ours)
            case LabelsOfIssue():
                lists.keep_by(lambda label: label.node_id, self._labels, only(Label, answer), ours)
            case AssigneesOfIssue():
                lists.keep(self._assignees, only(Person, answer), ours)
            case _:
                assert_never(ours)

    def shrink(self, follow_up: FollowUp) -> None:
        """Count a follow-up of ours that is too much by itself as unanswered."""
        self.take(follow_up, Unknown(reason="it is too much for GitHub by itself"))

    def complete(self) -> CompleteIssue:
        """Return the issue with all that was read, comments oldest first, and what remains unexplained."""
        return CompleteIssue(
            issue=self.issue,
            comments=tuple(sorted(self._comments.values(), key=lambda comment: comment.github_id)),
            labels=tuple(self._labels.values()),
            assignees=tuple(self._assignees.values()),
            labels_whole=len(self._labels) >= self.issue.labels,
            assignees_whole=len(self._assignees) >= self.issue.assignees,
            gap=self._gap(),
            unreadable=tuple(self._lists.unreadable),
        )

    def _counted(self) -> tuple[tuple[IssueFollowUp, int, int], ...]:
        """Return each list from its beginning, how many GitHub counted in it at the page, and how many are held."""
        issue = self.issue
        return (
            (CommentsOfIssue(node_id=issue.node_id, after=None), issue.comments, len(self._comments)),
            (LabelsOfIssue(node_id=issue.node_id, after=None), issue.labels, len(self._labels)),
            (AssigneesOfIssue(node_id=issue.node_id, after=None), issue.assignees, len(self._assignees)),
        )

    def _gap(self) -> str | None:
        """Say what is counted and not here.

        A label that went between the page and its list is one, too, until the catch-up reads the issue, which changed.
        """
        counts = [(WORDS[type(follow_up)].items, many, held) for follow_up, many, held in self._counted()]
        return "; ".join(short_counts(counts) or self._lists.short_words()) or None


def _ours(follow_up: FollowUp) -> IssueFollowUp:
    assert isinstance(follow_up, IssueFollowUp), "a follow-up of another kind of item"
    return follow_up
