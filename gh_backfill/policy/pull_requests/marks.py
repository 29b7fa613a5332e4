"""The marks of a pull request on their way to completeness: its labels, its assignees, and whose review was asked for.

A page counts them for nothing; only those that a pull request has some of are asked for.
"""

from __future__ import annotations

from typing import assert_never

from gh_backfill.models.github import Listing, Person
from gh_backfill.models.labels import Label, ReviewRequest
from gh_backfill.models.pull_requests import PullRequest
from gh_backfill.policy.items import only
from gh_backfill.policy.open_lists import OpenLists
from gh_backfill.policy.pull_requests.follow_ups import (
    WORDS,
    AssigneesOfPullRequest,
    LabelsOfPullRequest,
    MarkFollowUp,
    ReviewRequestsOfPullRequest,
)


class PullRequestMarks:
    """What was read of the three lists of one pull request; `lists` says what of them is still to be asked."""

    def __init__(self, pull_request: PullRequest, lists: OpenLists) -> None:
        self._pull_request = pull_request
        self._lists = lists
        self._labels: dict[str, Label] = {}
        self._assignees: dict[int, Person] = {}
        self._requests: dict[str, ReviewRequest] = {}
        for follow_up, many, _ in self._counted():
            if many:
                lists.ask(follow_up)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Return the labels in GitHub's order."""
        return tuple(self._labels.values())

    @property
    def assignees(self) -> tuple[Person, ...]:
        """Return the assignees in GitHub's order."""
        return tuple(self._assignees.values())

    @property
    def requests(self) -> tuple[ReviewRequest, ...]:
        """Return the requests for a review in GitHub's order."""
        return tuple(self._requests.values())

    def take(self, asked: MarkFollowUp, answer: Listing[object]) -> None:
        """Take a page of one of the lists."""
        match asked:
            case LabelsOfPullRequest():
                self._lists.keep_by(lambda label: label.node_id, self._labels, only(Label, answer), asked)
            case AssigneesOfPullRequest():
                self._lists.keep(self._assignees, only(Person, answer), asked)
            case ReviewRequestsOfPullRequest():
                self._lists.keep_by(lambda request: request.node_id, self._requests, only(ReviewRequest, answer), asked)
            case _:
                assert_never(asked)

    def short(self) -> list[MarkFollowUp]:
        """Return what asks once more for the lists of which less is here than GitHub counted."""
        return [follow_up for follow_up, many, held in self._counted() if held < many]

    def counts(self) -> list[tuple[str, int, int]]:
        """Return what each list has, how many GitHub counted in it at the page, and how many are held."""
        return [(WORDS[type(follow_up)].items, many, held) for follow_up, many, held in self._counted()]

    def _counted(self) -> tuple[tuple[MarkFollowUp, int, int], ...]:
        shown = self._pull_request
        node_id = shown.node_id
        return (
            (LabelsOfPullRequest(node_id=node_id, after=None), shown.labels, len(self._labels)),
            (AssigneesOfPullRequest(node_id=node_id, after=None), shown.assignees, len(self._assignees)),
            (ReviewRequestsOfPullRequest(node_id=node_id, after=None), shown.review_requests, len(self._requests)),
        )
