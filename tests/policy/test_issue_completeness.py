"""An issue is complete when its lists have what GitHub counted; what they lack is told, each thing by its issue."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.models.github import GHOST, Listing, NodeId, Unknown, Unreadable
from gh_backfill.models.issues import CompleteIssue, Issue, IssueState
from gh_backfill.models.labels import Label
from gh_backfill.policy.issues.completeness import IssueCollector
from gh_backfill.policy.issues.follow_ups import PageIssue

AT = datetime(2026, 3, 1, tzinfo=UTC)
BUG = Label(node_id=NodeId("LA_1"), name="bug", color="f00", description=None, default=True)


def issue(number: int = 5, labels: int = 0, assignees: int = 0) -> PageIssue:
    return PageIssue(
        issue=Issue(
            node_id=NodeId(f"I_{number}"),
            github_id=number,
            number=number,
            title="It breaks",
            body=None,
            state=IssueState.OPEN,
            state_reason=None,
            url="https://github.com/o/r/issues/5",
            created_at=AT,
            updated_at=AT,
            closed_at=None,
            author=GHOST,
            milestone=None,
            comments=0,
            labels=labels,
            assignees=assignees,
        )
    )


def completed(item: PageIssue, answer: Listing[object] | Unknown, most: int = 9) -> tuple[CompleteIssue, int]:
    """Give every follow-up the same answer, and say how many there were."""
    collector = IssueCollector(item)
    asked = 0
    while (follow_ups := collector.follow_ups()) and asked < most:
        collector.take(follow_ups[0], answer)
        asked += 1
    return collector.complete(), asked


def test_an_issue_without_lists_asks_for_nothing() -> None:
    assert completed(issue(), Unknown(reason="never asked")) == (IssueCollector(issue()).complete(), 0)


def test_labels_that_twice_are_fewer_than_the_page_counts_are_a_gap_whatever_their_own_list_says() -> None:
    found, asked = completed(issue(labels=2), Listing(items=(BUG,), total=1, next=None))
    assert (found.gap, found.labels, found.labels_whole, asked) == ("2 labels counted, 1 listed", (BUG,), False, 2)


def test_assignees_of_whom_nothing_is_answered_are_given_up_after_three_tries() -> None:
    found, asked = completed(issue(assignees=1), Unknown(reason="cut off"))
    assert (found.gap, found.assignees_whole) == ("1 assignees counted, 0 listed", False)
    assert {each.kind for each in found.unreadable} == {"assignee"}
    assert asked == 4  # the list is asked for once more, for it is short


@pytest.mark.parametrize(
    ("kind", "identity", "known_as"),
    [
        ("label", "LA_1", "LA_1 of #5"),  # other issues have it, too
        ("label", "label", "label of #5"),
        ("assignee", "assignee", "assignee of #5"),
        ("issue_comment", "issue_comment", "issue_comment of #5"),
        ("issue_comment", "IC_1", "IC_1"),
    ],
)
def test_what_is_lost_is_known_by_its_issue_where_it_has_no_id_of_its_own(
    kind: str, identity: str, known_as: str
) -> None:
    lost = Unreadable(kind=kind, identity=identity, reason="id is missing")
    found, _ = completed(issue(labels=1), Listing(items=(), total=1, next=None, unreadable=(lost,)))
    assert {(each.identity, each.number) for each in found.unreadable} == {(known_as, 5)}
