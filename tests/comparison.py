"""Compare what is stored, row by row, with what should be: nothing missing, doubled, different or surplus.

Rows are known by what identifies them, repository and number or GitHub's id, never by a login.  A field that the expected
world does not know is `UNKNOWN` and is not compared.  Texts are compared with null as empty, which is how GraphQL sends them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, TypeVar, Union

from gh_backfill.store.db import Transaction

GHOST: Final = 10137


class Unknown(Enum):
    """The one value of a field that the source does not tell."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
Value = TypeVar("Value")
Known = Union[Value, Literal[Unknown.UNKNOWN]]  # noqa: UP007 (a generic alias needs it)


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """`state` is open, closed or merged; people are GitHub's ids, `GHOST` for a deleted account."""

    number: int
    github_id: Known[int] = UNKNOWN
    title: Known[str] = UNKNOWN
    body: Known[str | None] = UNKNOWN
    state: Known[str] = UNKNOWN
    draft: Known[bool] = UNKNOWN
    author: Known[int] = UNKNOWN
    merged_by: Known[int | None] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN
    closed_at: Known[datetime | None] = UNKNOWN
    merged_at: Known[datetime | None] = UNKNOWN
    additions: Known[int] = UNKNOWN
    deletions: Known[int] = UNKNOWN
    changed_files: Known[int] = UNKNOWN
    commits: Known[int] = UNKNOWN
    base_branch: Known[str] = UNKNOWN
    head_branch: Known[str] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """A submitted review; `pull_request` is its number."""

    github_id: int
    pull_request: int
    author: Known[int] = UNKNOWN
    state: Known[str] = UNKNOWN
    body: Known[str | None] = UNKNOWN
    submitted_at: Known[datetime] = UNKNOWN
    commit_id: Known[str | None] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewComment:
    """A comment on the diff; `review_github_id` is None for those from before there were reviews."""

    github_id: int
    pull_request: int
    review_github_id: Known[int | None] = UNKNOWN
    in_reply_to: Known[int | None] = UNKNOWN
    author: Known[int] = UNKNOWN
    body: Known[str] = UNKNOWN
    path: Known[str | None] = UNKNOWN
    position: Known[int | None] = UNKNOWN
    original_position: Known[int | None] = UNKNOWN
    diff_hunk: Known[str | None] = UNKNOWN
    commit_id: Known[str | None] = UNKNOWN
    original_commit_id: Known[str | None] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment in the conversation of a pull request."""

    github_id: int
    pull_request: int
    author: Known[int] = UNKNOWN
    body: Known[str] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository with all its pull requests; `github_pull_requests` is the total that GitHub tells."""

    github_id: int
    full_name: str
    owner: Known[str] = UNKNOWN
    name: Known[str] = UNKNOWN
    is_private: Known[bool] = UNKNOWN
    is_fork: Known[bool] = UNKNOWN
    is_archived: Known[bool] = UNKNOWN
    description: Known[str | None] = UNKNOWN
    default_branch: Known[str] = UNKNOWN
    github_pull_requests: Known[int] = UNKNOWN
    pull_requests: tuple[PullRequest, ...] = ()
    reviews: tuple[Review, ...] = ()
    review_comments: tuple[ReviewComment, ...] = ()
    comments: tuple[Comment, ...] = ()


Row = PullRequest | Review | ReviewComment | Comment | Repository
_LISTS = ("pull_requests", "reviews", "review_comments", "comments")
_NO_FIELDS = {"number", *_LISTS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing that is not as it should be; `field`, `expected` and `found` where one value is different."""

    kind: Literal["missing", "doubled", "different", "surplus", "miscounted"]
    row: str
    field: str = ""
    expected: object = None
    found: object = None

    def __str__(self) -> str:
        values = f": {self.field} is {self.found!r:.200}, not {self.expected!r:.200}" if self.field else ""
        return f"{self.kind} {self.row}{values}"


@dataclass(frozen=True, kw_only=True)
class Differences:
    """All that was found, and how many rows of each kind were looked at.  True where something is wrong."""

    found: tuple[Difference, ...]
    compared: Mapping[str, int]

    def __bool__(self) -> bool:
        return bool(self.found)

    def __repr__(self) -> str:
        kinds = Counter(difference.kind for difference in self.found)
        summary = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "no differences"
        return "\n".join([f"{summary} in {dict(self.compared)}", *map(str, self.found[:30])])


def compare(tx: Transaction, expected: Iterable[Repository], *, stood_still: bool = True) -> Differences:
    """Compare the stored repositories with the expected ones, and the counters of their backfills with the rows.

    A world that changed while it was captured has not `stood_still`: then a stream may have done more or fewer pull
    requests than there are.  Other repositories in the database are not looked at.
    """
    found: list[Difference] = []
    compared: Counter[str] = Counter()
    for repository in expected:
        stored = tx.rows(_REPOSITORY, github_id=repository.github_id)
        found += _rows(repository.full_name, "repository", [repository], stored)
        compared["repositories"] += 1
        if len(stored) != 1:
            continue
        for name in _LISTS:
            rows = getattr(repository, name)
            found += _rows(repository.full_name, name, rows, tx.rows(_STORED[name], repository_id=stored[0]["id"]))
            compared[name] += len(rows)
        found += _counters(tx, repository, stored[0]["id"], stood_still=stood_still)
    people = _people(expected := tuple(expected))
    found += [Difference(kind="missing", row=f"person {person}") for person in sorted(people - _known_people(tx))]
    compared["people"] = len(people)
    return Differences(found=tuple(found), compared=compared)


def _rows(repository: str, kind: str, expected: Sequence[Row], stored: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Compare the rows of one kind in one repository."""
    key = "number" if kind == "pull_requests" else "github_id"
    names = {"pull_requests": "#", "repository": "repository "}
    by_key: dict[int, list[Mapping[str, Any]]] = {}
    for row in stored:
        by_key.setdefault(row[key], []).append(row)
    differences = []
    for wanted in expected:
        rows = by_key.pop(getattr(wanted, key), [])
        label = f"{repository} {names.get(kind, kind[:-1] + ' ')}{getattr(wanted, key)}"
        if not rows:
            differences.append(Difference(kind="missing", row=label))
        if len(rows) > 1:
            differences.append(Difference(kind="doubled", row=label))
        differences += [different for row in rows for different in _fields(label, wanted, row)]
    for identity in by_key:
        label = f"{repository} {names.get(kind, kind[:-1] + ' ')}{identity}"
        differences.append(Difference(kind="surplus", row=label))
    return differences


def _fields(label: str, wanted: Row, row: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(kind="different", row=label, field=field.name, expected=value, found=row[field.name])
        for field in fields(wanted)
        if field.name not in _NO_FIELDS
        and (value := getattr(wanted, field.name)) is not UNKNOWN
        and (value or None if isinstance(value, str) else value)
        != (row[field.name] or None if isinstance(row[field.name], str) else row[field.name])
    ]


def _counters(tx: Transaction, repository: Repository, repository_id: str, *, stood_still: bool) -> list[Difference]:
    row = tx.row(_COUNTERS, repository_id=repository_id)
    assert row is not None
    label = f"backfill of {repository.full_name}"
    if row["processed_prs"] is None:
        return [Difference(kind="missing", row=label)] if repository.pull_requests else []
    wanted = {"processed_prs": row["stored"], "open_chunks": 0, "percentage_over_100": 0}
    if stood_still:
        wanted |= {"items_done": len(repository.pull_requests), "total_prs": len(repository.pull_requests)}
    return [
        Difference(kind="miscounted", row=label, field=name, expected=value, found=row[name])
        for name, value in wanted.items()
        if row[name] != value
    ]


def _people(expected: Iterable[Repository]) -> set[int]:
    people = set()
    for repository in expected:
        for name in _LISTS:
            people |= {row.author for row in getattr(repository, name)}
        people |= {pull_request.merged_by for pull_request in repository.pull_requests}
    return {person for person in people if isinstance(person, int)}


def _known_people(tx: Transaction) -> set[int]:
    return {row["github_id"] for row in tx.rows("select github_id from contributors")}


_REPOSITORY = "select * from repositories where github_id = %(github_id)s"

_STORED = {
    # Merged is a state of its own where the database admits it; elsewhere it is closed, and merged beside it.
    "pull_requests": """
        select p.*, a.github_id as author, m.github_id as merged_by,
               case when p.merged is not true then p.state
                    when p.state = case when check_.admits then 'merged' else 'closed' end then 'merged'
                    else p.state || ' and merged' end as state
        from pull_requests p
        left join contributors a on a.id = p.author_id
        left join contributors m on m.id = p.merged_by_id
        cross join (select coalesce(bool_and(pg_get_constraintdef(oid) like '%%merged%%'), true) as admits
                    from pg_constraint where conname = 'pull_requests_state_check') check_
        where p.repository_id = %(repository_id)s""",
    "reviews": """
        select r.*, p.number as pull_request, a.github_id as author
        from reviews r
        join pull_requests p on p.id = r.pull_request_id
        left join contributors a on a.id = r.author_id
        where r.repository_id = %(repository_id)s""",
    "review_comments": """
        select c.*, p.number as pull_request, a.github_id as author, o.github_id as in_reply_to
        from comments c
        join pull_requests p on p.id = c.pull_request_id
        left join contributors a on a.id = c.commenter_id
        left join comments o on o.id = c.in_reply_to_id
        where c.repository_id = %(repository_id)s and c.comment_type = 'review_comment'""",
    "comments": """
        select c.*, p.number as pull_request, a.github_id as author
        from comments c
        join pull_requests p on p.id = c.pull_request_id
        left join contributors a on a.id = c.commenter_id
        where c.repository_id = %(repository_id)s and c.comment_type = 'issue_comment'""",
}

_COUNTERS = """
    select s.total_prs, s.processed_prs, (select count(*) from pull_requests p where p.repository_id = r.id) as stored,
           (select coalesce(sum(items_done), 0) from backfill_streams t
            where t.backfill_state_id = s.id and t.stream = 'history') as items_done,
           (select count(*) from backfill_chunks c
            where c.backfill_state_id = s.id and c.stream_id is not null
              and c.status in ('pending', 'processing')) as open_chunks,
           (s.processed_prs > s.total_prs)::integer as percentage_over_100
    from repositories r
    left join progressive_backfill_state s on s.repository_id = r.id
    where r.id = %(repository_id)s"""
