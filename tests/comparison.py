"""Compare what is stored, row by row, with what should be: nothing missing, doubled, different or surplus.

Rows are known by what identifies them, repository and number or GitHub's id, never by a login.  A field that the
expected world does not know is `UNKNOWN` and is not compared.  A text that is null counts as empty: GraphQL knows no
other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from gh_backfill.store.db import Transaction
from tests.expected import (
    UNKNOWN,
    Assignee,
    Comment,
    Issue,
    IssueComment,
    Label,
    Milestone,
    PullRequest,
    Repository,
    Review,
    ReviewComment,
    Reviewer,
)

Row = PullRequest | Review | ReviewComment | Comment | Repository | Issue | IssueComment
LISTS = ("pull_requests", "reviews", "review_comments", "comments")
LISTS_OF_ISSUES = ("issues", "issue_comments")
IDENTITY = {"number", *LISTS, *LISTS_OF_ISSUES}
LABELS = {
    "repositories": "repository",
    "pull_requests": "pull request",
    "reviews": "review",
    "review_comments": "review comment",
    "comments": "comment",
    "issues": "issue",
    "issue_comments": "issue comment",
}


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
    expected = tuple(expected)
    for repository in expected:
        stored = tx.rows(_REPOSITORY, github_id=repository.github_id)
        found += _rows(repository.full_name, "repositories", [repository], stored)
        compared["repositories"] += 1
        if len(stored) != 1:
            continue
        for name in LISTS:
            rows = getattr(repository, name)
            found += _rows(repository.full_name, name, rows, tx.rows(_STORED[name], repository_id=stored[0]["id"]))
            compared[name] += len(rows)
        found += _counters(tx, repository, stored[0]["id"], stood_still=stood_still)
    people = _people(expected)
    found += [Difference(kind="missing", row=f"person {person}") for person in sorted(people - _known_people(tx))]
    compared["people"] = len(people)
    return Differences(found=tuple(found), compared=compared)


def compare_issues(tx: Transaction, expected: Iterable[Repository]) -> Differences:
    """Compare the stored issues of repositories, and the comments on them, with the expected ones.

    What is wrong in a list of labels or assignees, or in a milestone, is named by its place: `labels[1].color`.
    Pull requests and backfills are `compare`'s; other repositories in the database are not looked at.
    """
    found: list[Difference] = []
    compared: Counter[str] = Counter()
    expected = tuple(expected)
    for repository in expected:
        stored = tx.row(_REPOSITORY, github_id=repository.github_id)
        compared["repositories"] += 1
        if stored is None:
            found.append(Difference(kind="missing", row=f"{repository.full_name} repository {repository.github_id}"))
            continue
        for name in LISTS_OF_ISSUES:
            rows = getattr(repository, name)
            found += _rows(repository.full_name, name, rows, tx.rows(_STORED[name], repository_id=stored["id"]))
            compared[name] += len(rows)
    people = _people(expected, LISTS_OF_ISSUES)
    found += [Difference(kind="missing", row=f"person {person}") for person in sorted(people - _known_people(tx))]
    compared["people"] = len(people)
    return Differences(found=tuple(found), compared=compared)


def _rows(repository: str, kind: str, expected: Sequence[Row], stored: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Compare the rows of one kind in one repository."""
    key = "number" if kind in ("pull_requests", "issues") else "github_id"
    by_key: dict[int, list[Mapping[str, Any]]] = {}
    for row in stored:
        by_key.setdefault(row[key], []).append(row)
    differences = []
    for wanted in expected:
        label = f"{repository} {LABELS[kind]} {getattr(wanted, key)}"
        rows = by_key.pop(getattr(wanted, key), [])
        if not rows:
            differences.append(Difference(kind="missing", row=label))
        if len(rows) > 1:
            differences.append(Difference(kind="doubled", row=label))
        differences += [different for row in rows for different in _fields(label, wanted, row)]
    surplus = [f"{repository} {LABELS[kind]} {identity}" for identity in by_key]
    return differences + [Difference(kind="surplus", row=label) for label in surplus]


def _fields(label: str, wanted: Row, row: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(kind="different", row=label, field=name, expected=value, found=found)
        for field in fields(wanted)
        if field.name not in IDENTITY and (expected := getattr(wanted, field.name)) is not UNKNOWN
        for name, value, found in _unlike(field.name, expected, row[field.name])
    ]


def _unlike(name: str, wanted: object, found: object) -> Iterator[tuple[str, object, object]]:
    """Return what is unlike, each by its name, as it should be and as it is; JSON is looked into."""
    if isinstance(wanted, tuple):
        if not isinstance(found, list) or len(found) != len(wanted):
            yield name, _plain(wanted), found
            return
        for index, (each, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _unlike(f"{name}[{index}]", each, other)
    elif isinstance(wanted, Label | Assignee | Reviewer | Milestone):
        names = {field.name for field in fields(wanted)}
        if not isinstance(found, dict) or found.keys() != names:
            yield name, _plain(wanted), found
            return
        for key in sorted(names):
            yield from _unlike(f"{name}.{key}", getattr(wanted, key), found[key])
    elif wanted is not UNKNOWN and _comparable(wanted) != _comparable(found):
        yield name, wanted, found


def _plain(wanted: object) -> object:
    """Write what should be there as the JSON that it is stored as; what is not known is left out."""
    if isinstance(wanted, tuple):
        return [_plain(each) for each in wanted]
    if isinstance(wanted, Label | Assignee | Reviewer | Milestone):
        named = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
        return {name: value for name, value in named.items() if value is not UNKNOWN}
    return wanted


def _comparable(value: object) -> object:
    return None if value == "" else value


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


def _people(expected: Iterable[Repository], lists: Iterable[str] = LISTS) -> set[int]:
    people = {row.author for repository in expected for name in lists for row in getattr(repository, name)}
    if "pull_requests" in lists:
        people |= {pull_request.merged_by for repository in expected for pull_request in repository.pull_requests}
    return {person for person in people if isinstance(person, int)}


def _known_people(tx: Transaction) -> set[int]:
    return {row["github_id"] for row in tx.rows("select github_id from contributors")}


_REPOSITORY = "select * from repositories where github_id = %(github_id)s"

_STORED = {
    # A row with a tombstone is no row any more.
    # The last column named state counts: merged is a state where the database admits it, else closed with a mark.
    "pull_requests": """
        select p.*, a.github_id as author, m.github_id as merged_by,
               case when p.merged is not true then replace(p.state, 'merged', 'merged without a mark')
                    when p.state = case when known.admits then 'merged' else 'closed' end then 'merged'
                    else p.state || ' with a mark' end as state
        from pull_requests p
        left join contributors a on a.id = p.author_id
        left join contributors m on m.id = p.merged_by_id
        cross join (select coalesce(bool_and(pg_get_constraintdef(oid) like '%%merged%%'), true) as admits
                    from pg_constraint where conname = 'pull_requests_state_check') known
        where p.repository_id = %(repository_id)s and p.gone_at is null""",
    "reviews": """
        select r.*, p.number as pull_request, a.github_id as author
        from reviews r
        join pull_requests p on p.id = r.pull_request_id
        left join contributors a on a.id = r.author_id
        where r.repository_id = %(repository_id)s and r.gone_at is null""",
    "review_comments": """
        select c.*, p.number as pull_request, a.github_id as author, o.github_id as in_reply_to
        from comments c
        join pull_requests p on p.id = c.pull_request_id
        left join contributors a on a.id = c.commenter_id
        left join comments o on o.id = c.in_reply_to_id
        where c.repository_id = %(repository_id)s and c.gone_at is null and c.comment_type = 'review_comment'""",
    "comments": """
        select c.*, p.number as pull_request, a.github_id as author
        from comments c
        join pull_requests p on p.id = c.pull_request_id
        left join contributors a on a.id = c.commenter_id
        where c.repository_id = %(repository_id)s and c.gone_at is null and c.comment_type = 'issue_comment'""",
    "issues": """
        select i.*, a.github_id as author
        from issues i
        left join contributors a on a.id = i.author_id
        where i.repository_id = %(repository_id)s and i.gone_at is null""",
    # One that belongs to an issue of another repository belongs to none of this one.
    "issue_comments": """
        select c.*, i.number as issue, a.github_id as author
        from comments c
        left join issues i on i.id = c.issue_id and i.repository_id = c.repository_id
        left join contributors a on a.id = c.commenter_id
        where c.repository_id = %(repository_id)s and c.gone_at is null and c.comment_type = 'issue_comment'
          and c.pull_request_id is null""",
}

_COUNTERS = """
    select s.total_prs, s.processed_prs,
           (select count(*) from pull_requests p where p.repository_id = r.id and p.gone_at is null) as stored,
           (select coalesce(sum(items_done), 0) from backfill_streams t
            where t.backfill_state_id = s.id and t.stream = 'history') as items_done,
           (select count(*) from backfill_chunks c
            where c.backfill_state_id = s.id and c.stream_id is not null
              and c.status in ('pending', 'processing')) as open_chunks,
           (s.processed_prs > s.total_prs)::integer as percentage_over_100
    from repositories r
    left join progressive_backfill_state s on s.repository_id = r.id
    where r.id = %(repository_id)s"""
