"""Hold a row with what belongs to it against what GitHub says of the item now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.discussions import CompleteDiscussion, Discussion
from gh_backfill.models.github import GHOST
from gh_backfill.models.issues import CompleteIssue, Issue
from gh_backfill.models.pull_requests import CompletePullRequest, PullRequest, PullRequestState
from gh_backfill.policy.items import CompleteItem
from gh_backfill.policy.open_lists import short_counts
from gh_backfill.policy.verify.differences import Difference, End, What

Value = str | int | bool | datetime | None
GITHUBS_OWN = "GitHub says so itself"
NOT_LISTED = "GitHub counts more than it lists, by two readings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is said of an item: its fields by their names, when it was changed last, and how many parts it has."""

    updated_at: datetime
    fields: Mapping[str, Value]
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredItem:
    """An item as it is here.

    `held` are the parts that have rows, `noted` what GitHub counted when the item was read, `authorless` the parts that
    nobody wrote, `quarantined` those that could not be stored, and `gap` is what was counted and not listed then.
    `explained` are the differences that an earlier proof has explained.
    """

    kind: str
    github_id: int
    number: int
    node_id: str | None
    facts: Facts
    noted: Mapping[str, int]
    authorless: int = 0
    quarantined: int = 0
    gap: str | None = None
    explained: frozenset[str] = frozenset()

    @property
    def held(self) -> Mapping[str, int]:
        """Return how many parts have rows, by their sorts."""
        return self.facts.counts


def facts_of_pull_request(shown: PullRequest) -> Facts:
    """Return what GitHub says of a pull request."""
    total = shown.total_comments
    parts = {} if total is None else {"review comments": max(0, total - shown.comments)}
    return Facts(
        updated_at=shown.updated_at,
        fields={
            "node_id": shown.node_id,
            "number": shown.number,
            "title": shown.title,
            "body": shown.body,
            "state": shown.state.value,
            "merged": shown.state is PullRequestState.MERGED,
            "draft": shown.draft,
            "created_at": shown.created_at,
            "closed_at": shown.closed_at,
            "merged_at": shown.merged_at,
            "additions": shown.additions,
            "deletions": shown.deletions,
            "changed_files": shown.changed_files,
            "commits": shown.commits,
            "base_branch": shown.base_branch,
            "head_branch": shown.head_branch,
            "author": shown.author.github_id,
            "merged_by": None if shown.merged_by is None else shown.merged_by.github_id,
            "milestone": None if shown.milestone is None else shown.milestone.number,
        },
        counts={
            "reviews": shown.reviews,
            "comments": shown.comments,
            "threads": shown.review_threads,
            "labels": shown.labels,
            "assignees": shown.assignees,
            "requested reviewers": shown.review_requests,
            **parts,
        },
    )


def facts_of_issue(shown: Issue) -> Facts:
    """Return what GitHub says of an issue."""
    return Facts(
        updated_at=shown.updated_at,
        fields={
            "node_id": shown.node_id,
            "number": shown.number,
            "title": shown.title,
            "body": shown.body,
            "state": shown.state.value,
            "state_reason": shown.state_reason,
            "created_at": shown.created_at,
            "closed_at": shown.closed_at,
            "author": shown.author.github_id,
            "milestone": None if shown.milestone is None else shown.milestone.number,
        },
        counts={"comments": shown.comments, "labels": shown.labels, "assignees": shown.assignees},
    )


def facts_of_discussion(shown: Discussion, replies: int | None) -> Facts:
    """Return what GitHub says of a discussion, and how many replies its comments have, where that is known."""
    return Facts(
        updated_at=shown.updated_at,
        fields={
            "node_id": shown.node_id,
            "number": shown.number,
            "title": shown.title,
            "body": shown.body,
            "state": shown.state.value,
            "state_reason": shown.state_reason,
            "created_at": shown.created_at,
            "closed_at": shown.closed_at,
            "author": shown.author.github_id,
            "category": shown.category.node_id,
            "answer": shown.answer_id,
        },
        counts={"comments": shown.comments, **({} if replies is None else {"replies": replies})},
    )


def differences(stored: StoredItem, shown: Facts, listed: Mapping[str, int] | None = None) -> list[Difference]:
    """Return what differs; nothing means that the item is proven.

    Where GitHub has changed it since, everything may differ, and the next reading tells.  `listed` is what GitHub
    listed where the item has just been read whole: what it counts beyond that, nobody can have.
    """
    if shown.updated_at > stored.facts.updated_at:
        return [_of(stored, What.STALE, f"changed: at {shown.updated_at:%Y-%m-%d %H:%M} UTC, and not read since")]
    return [*_contradictions(stored, shown), *_fields(stored, shown), *_counts(stored, shown, listed)]


def listed_of(item: CompleteItem) -> Mapping[str, int]:
    """Return how many parts of each sort GitHub listed of an item that was read whole, but for drafts of reviews."""
    match item:
        case CompletePullRequest():
            reviews = sum(each.state != "PENDING" for each in item.reviews)
            return {
                "reviews": reviews,
                "comments": len(item.comments),
                "review comments": len(item.review_comments),
                "labels": len(item.labels),
                "assignees": len(item.assignees),
                "requested reviewers": len(item.review_requests),
            }
        case CompleteIssue():
            return {"comments": len(item.comments), "labels": len(item.labels), "assignees": len(item.assignees)}
        case CompleteDiscussion():
            replies = sum(each.parent is not None for each in item.comments)
            return {"comments": len(item.comments) - replies, "replies": replies}
        case _:
            return {}


def facts_of(item: CompleteItem) -> Facts | None:
    """Return what GitHub said of an item that was read whole; None of a kind that has no proof."""
    match item:
        case CompletePullRequest():
            return facts_of_pull_request(item.pull_request)
        case CompleteIssue():
            return facts_of_issue(item.issue)
        case CompleteDiscussion():
            return facts_of_discussion(item.discussion, sum(each.replies for each in item.comments))
        case _:
            return None


def _of(stored: StoredItem, what: What, detail: str) -> Difference:
    return Difference(kind=stored.kind, number=stored.number, what=what, detail=detail)


def _fields(stored: StoredItem, shown: Facts) -> list[Difference]:
    found = []
    if stored.facts.updated_at > shown.updated_at:
        found.append(_of(stored, What.DAMAGED, "updated_at: is later than GitHub's"))
    for name, value in shown.fields.items():
        ours = stored.facts.fields.get(name)
        if ours == value:
            continue
        if name == "author":
            what = "there is none" if ours is None else "is another one" if value != GHOST.github_id else "is deleted"
            found.append(_of(stored, What.AUTHOR, f"author: {what}"))
        else:
            found.append(_of(stored, What.DAMAGED, f"{name}: {'is empty' if ours is None else 'differs'}"))
    if stored.authorless:
        found.append(_of(stored, What.AUTHOR, f"authors: {stored.authorless} of its parts have none"))
    return found


def _contradictions(stored: StoredItem, shown: Facts) -> list[Difference]:
    """Return what can't be; where GitHub says the same it is no fault of ours."""
    theirs = set(contradictions(shown))
    found = []
    for text in contradictions(stored.facts):
        difference = _of(stored, What.IMPOSSIBLE, text)
        found.append(difference.ended(End.EXPLAINED, GITHUBS_OWN) if text in theirs else difference)
    return found


def contradictions(facts: Facts) -> list[str]:
    """Return in words which fields contradict each other."""
    fields = facts.fields
    merged_at, closed_at, created_at = (fields.get(name) for name in ("merged_at", "closed_at", "created_at"))
    state, merged = fields.get("state"), fields.get("merged")
    tests = {
        "merged: without merged_at": merged is True and merged_at is None,
        "merged_at: though it is not merged": merged is False and merged_at is not None,
        "state: merged, and yet not": state == "merged" and merged is False,
        "closed_at: missing of what is closed": state in ("closed", "merged") and closed_at is None,
        "closed_at: though it is open": state == "open" and closed_at is not None,
        "closed_at: before created_at": _before(closed_at, created_at),
        "merged_at: before created_at": _before(merged_at, created_at),
        "updated_at: before created_at": _before(facts.updated_at, created_at),
    }
    return [text for text, wrong in tests.items() if wrong]


def _before(one: Value, other: Value) -> bool:
    return isinstance(one, datetime) and isinstance(other, datetime) and one < other


def _counts(stored: StoredItem, shown: Facts, listed: Mapping[str, int] | None) -> list[Difference]:
    found = []
    for name, counted in shown.counts.items():
        held, noted = stored.held.get(name), stored.noted.get(name)
        if held is not None and held != counted:
            found.append(_judged(stored, name, held, counted, listed))
        if noted is not None and noted != counted and (name != "review comments" or noted != held):
            found.append(_of(stored, What.COUNT, f"noted {name}: {noted} by our note, GitHub counts {counted}"))
    return found


def _judged(stored: StoredItem, name: str, held: int, counted: int, listed: Mapping[str, int] | None) -> Difference:
    difference = _of(stored, What.COUNT, f"{name}: {held} here, GitHub counts {counted}")
    if listed is not None:
        explained = held == listed.get(name)
    else:
        noted = short_counts([(name, counted, held)])
        explained = difference.detail in stored.explained or set(noted) <= set((stored.gap or "").split("; "))
    if explained and held < counted:
        return difference.ended(End.EXPLAINED, NOT_LISTED)
    if held < counted <= held + stored.quarantined:
        return _of(stored, What.COUNT, f"{difference.detail}, the rest is in quarantine")
    return difference
