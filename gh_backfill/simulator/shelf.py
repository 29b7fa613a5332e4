"""The items of one repository, in the orders in which they can be read."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gh_backfill.simulator.discussion_rows import DiscussionRow
from gh_backfill.simulator.fork_list import ForkList
from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.rows import Happening, IssueRow, LabelRow, PullRequestRow
from gh_backfill.simulator.star_list import StarList


class CommentKey(NamedTuple):
    """Where a comment on the difference stands in the list of all of them; the first fields are its place."""

    value: str
    id: int
    number: int
    updated_at: str


class Outline(NamedTuple):
    """What the orders need to know of a pull request, known without making its row."""

    number: int
    id: int
    created_at: str
    updated_at: str
    state: str


class Shelf:
    """The pull requests, issues, discussions, labels, stars and forks of a repository.

    `moved` says to which (repository, number) an issue went.  Rows of
    pull requests are asked for one by one, so that they may be made on demand.  Writers hold the world's lock;
    readers hold none, since every change puts a new list in the place of the old one.
    """

    def __init__(
        self,
        outlines: Iterable[Outline] = (),
        row: Callable[[int], PullRequestRow] | None = None,
        *,
        issues: Iterable[IssueRow] = (),
        discussions: Iterable[DiscussionRow] = (),
        labels: Sequence[LabelRow] = (),
        stars: StarList | None = None,
        forks: ForkList | None = None,
    ) -> None:
        self._outlines = {outline.number: outline for outline in outlines}
        self._row = row
        self._changed: dict[int, PullRequestRow] = {}
        self._orders: dict[str, list[Key]] = {}
        self._version = 0
        self._comments: dict[str, tuple[int, list[CommentKey]]] = {}
        self._issue_orders: dict[str, tuple[dict[int, IssueRow], list[Key]]] = {}
        self._highest_removed = 0
        self.removed_issues: frozenset[int] = frozenset()
        self.issues = {issue.number: issue for issue in issues}
        self.discussions = {row.number: row for row in discussions}
        self._discussion_orders: dict[str, tuple[dict[int, DiscussionRow], list[Key]]] = {}
        self.moved: dict[int, tuple[int, int]] = {}
        self.labels = tuple(labels)
        self.stars = StarList.of(()) if stars is None else stars
        self.forks = ForkList() if forks is None else forks
        self.happenings: tuple[Happening, ...] = ()

    def __len__(self) -> int:
        return len(self._outlines)

    @property
    def last_number(self) -> int:
        """The highest number given so far; that of something deleted is not given again."""
        return max(
            *(max(each, default=0) for each in (self._outlines, self.issues, self.discussions)), self._highest_removed
        )

    def pull(self, number: int) -> PullRequestRow | None:
        """Return a pull request by its number."""
        if number in self._changed:
            return self._changed[number]
        if number not in self._outlines or self._row is None:
            return None
        return self._row(number)

    def outlines(self) -> list[Outline]:
        """Return an outline of every pull request, by number."""
        return [self._outlines[number] for number in sorted(self._outlines)]

    def ordered(self, field: str, states: Sequence[str] | None = None) -> list[Key]:
        """Return the keys of the pull requests by CREATED_AT, UPDATED_AT or ID, ascending; they end in the number."""
        order = self._orders.get(field)
        if order is None:
            order = sorted(_key(outline, field) for outline in self._outlines.values())
            self._orders[field] = order
        if states is None:
            return order
        return [key for key in order if self._outlines[key[2]].state in states]

    def review_comments(self, field: str) -> list[CommentKey]:
        """Return the keys of all review comments by `created_at` or `updated_at`, ascending."""
        version = self._version
        known, keys = self._comments.get(field, (None, []))
        if known != version:
            pulls = filter(None, map(self.pull, sorted(self._outlines)))
            keys = sorted(
                CommentKey(getattr(row, field), row.id, pull.number, row.updated_at)
                for pull in pulls
                for row in pull.review_comments
            )
            self._comments[field] = version, keys
        return keys

    def put(self, pull: PullRequestRow) -> None:
        """Add a pull request, or put it in place of the one with its number."""
        old = self._outlines.get(pull.number)
        new = outline_of(pull)
        self._changed[pull.number] = pull
        self._outlines = {**self._outlines, pull.number: new}
        self._version += 1
        self._reorder(old, new)

    def remove(self, number: int) -> None:
        """Take a pull request away."""
        old = self._outlines[number]
        self._changed.pop(number, None)
        self._highest_removed = max(self._highest_removed, number)
        self._outlines = {key: value for key, value in self._outlines.items() if key != number}
        self._version += 1
        self._reorder(old, None)

    def put_issue(self, issue: IssueRow) -> None:
        """Add an issue, or put it in place of the one with its number."""
        self.issues = {**self.issues, issue.number: issue}

    def remove_issue(self, number: int) -> None:
        """Take an issue away."""
        self.issues = {key: value for key, value in self.issues.items() if key != number}
        self.removed_issues |= {number}
        self._highest_removed = max(self._highest_removed, number)

    def ordered_issues(self, field: str) -> list[Key]:
        """Return the keys of the issues by CREATED_AT, UPDATED_AT or COMMENTS, ascending; they end in the number."""
        issues = self.issues
        known, order = self._issue_orders.get(field, (None, []))
        if known is not issues or len(order) != len(issues):  # tests clear the issues in place
            order = sorted((_issue_value(issue, field), issue.id, issue.number) for issue in issues.values())
            self._issue_orders[field] = issues, order
        return order

    def put_discussion(self, row: DiscussionRow) -> None:
        """Add a discussion, or put it in place of the one with its number."""
        self.discussions = {**self.discussions, row.number: row}

    def remove_discussion(self, number: int) -> None:
        """Take a discussion away."""
        self.discussions = {key: value for key, value in self.discussions.items() if key != number}
        self._highest_removed = max(self._highest_removed, number)

    def ordered_discussions(self, field: str) -> list[Key]:
        """Return the keys of the discussions by CREATED_AT or UPDATED_AT, ascending; they end in the number."""
        rows, name = self.discussions, field.lower()
        known, order = self._discussion_orders.get(name, (None, []))
        if known is not rows:
            order = sorted((getattr(row, name), row.id, row.number) for row in rows.values())
            self._discussion_orders[name] = rows, order
        return order

    def _reorder(self, old: Outline | None, new: Outline | None) -> None:
        for field, order in list(self._orders.items()):
            changed = order.copy()
            if old is not None:
                del changed[bisect_left(changed, _key(old, field))]
            if new is not None:
                insort(changed, _key(new, field))
            self._orders[field] = changed


def outline_of(pull: PullRequestRow) -> Outline:
    """Return what the orders need to know of a pull request."""
    return Outline(pull.number, pull.id, pull.created_at, pull.updated_at, pull.state)


def shelf_of(rows: Mapping[int, PullRequestRow], **others: object) -> Shelf:
    """Return a shelf of rows that are all there."""
    return Shelf((outline_of(row) for row in rows.values()), rows.__getitem__, **others)  # type: ignore[arg-type]


def _key(outline: Outline, field: str) -> Key:
    value = {"CREATED_AT": outline.created_at, "UPDATED_AT": outline.updated_at, "ID": ""}[field]
    return (value, outline.id, outline.number)


def _issue_value(issue: IssueRow, field: str) -> str:
    if field == "COMMENTS":
        return f"{len(issue.comments):09}"
    return issue.updated_at if field == "UPDATED_AT" else issue.created_at
