"""The comparison can fail: everything it looks at is spoilt once, and reported as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gh_backfill.store.db import Database, Transaction
from tests.comparison import IDENTITY, LISTS, Difference, compare
from tests.expected import (
    GHOST,
    UNKNOWN,
    Assignee,
    Comment,
    Label,
    Milestone,
    PullRequest,
    Repository,
    Review,
    ReviewComment,
    Reviewer,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WORLD = Repository(
    github_id=1,
    full_name="o/r",
    owner="o",
    name="r",
    is_private=False,
    is_fork=False,
    is_archived=False,
    description=None,
    default_branch="main",
    github_pull_requests=2,
    pull_requests=(
        PullRequest(
            number=7, github_id=70, title="Seven", body="Why", state="merged", draft=False, author=11, merged_by=12,
            created_at=NOON, updated_at=NOON, closed_at=NOON, merged_at=NOON, additions=1, deletions=2,
            changed_files=3, commits=4, base_branch="main", head_branch="topic",
            labels=(Label(id="LA_1", name="bug", color="ff0000", description=None, default=True),),
            assignees=(Assignee(id=12, login="bob", avatar_url="https://a/12"),),
            requested_reviewers=(
                Reviewer(type="User", id=11, login="ann", avatar_url=None),
                Reviewer(type="Team", id=None, login=None, avatar_url=None),
            ),
            milestone=Milestone(number=2, title="2.0", state="open", description=None, due_on=None),
        ),
        PullRequest(number=8, github_id=80, title="Eight", body="", state="open", author=GHOST, merged_by=None),
    ),
    reviews=(
        Review(
            github_id=71, pull_request=7, author=12, state="APPROVED", body=None, submitted_at=NOON, commit_id="c1"
        ),
    ),
    review_comments=(
        ReviewComment(
            github_id=72, pull_request=7, review_github_id=71, in_reply_to=None, author=12, body="Hm", path="a.py",
            position=None, original_position=5, diff_hunk="@@", commit_id="c1", original_commit_id="c0",
            created_at=NOON, updated_at=NOON,
        ),
        ReviewComment(github_id=73, pull_request=7, review_github_id=None, in_reply_to=72, author=GHOST, body="Ah"),
    ),
    comments=(
        Comment(github_id=72, pull_request=7, author=11, body="Hello", created_at=NOON, updated_at=NOON),
        Comment(github_id=75, pull_request=8, author=11, body="World", created_at=NOON, updated_at=NOON),
    ),
)  # fmt: skip

# The same, as the capture should have stored it.
STORED = """
insert into contributors (github_id, username) values (11, 'ann'), (12, 'bob'), (10137, 'ghost');
insert into repositories (github_id, full_name, owner, name, github_pull_requests, description)
values (1, 'o/r', 'o', 'r', 2, ''), (2, 'o/other', 'o', 'other', 9, null);
create function pg_temp.person(bigint) returns uuid language sql as 'select id from contributors where github_id = $1';
create function pg_temp.pull(bigint) returns uuid language sql as 'select id from pull_requests where github_id = $1';
insert into pull_requests (github_id, number, title, body, state, merged, draft, author_id, merged_by_id, created_at,
    updated_at, closed_at, merged_at, additions, deletions, changed_files, commits, base_branch, head_branch,
    repository_id, repository_full_name)
select v.*, r.id, 'o/r' from repositories r, (values
    (70, 7, 'Seven', 'Why', 'merged', true, false, pg_temp.person(11), pg_temp.person(12),
     timestamptz '2026-01-02 12:00Z', timestamptz '2026-01-02 12:00Z', timestamptz '2026-01-02 12:00Z',
     timestamptz '2026-01-02 12:00Z', 1, 2, 3, 4, 'main', 'topic'),
    (80, 8, 'Eight', null, 'open', false, false, pg_temp.person(10137), null, now(), now(), null, null, 0, 0, 0, 0,
     'main', 'other')) v
where r.github_id = 1;
update pull_requests
set labels = '[{"id": "LA_1", "name": "bug", "color": "ff0000", "description": null, "default": true}]',
    assignees = '[{"id": 12, "login": "bob", "avatar_url": "https://a/12"}]',
    requested_reviewers = '[{"type": "User", "id": 11, "login": "ann", "avatar_url": null},
                            {"type": "Team", "id": null, "login": null, "avatar_url": null}]',
    milestone = '{"number": 2, "title": "2.0", "state": "open", "description": null, "due_on": null}'
where number = 7;
insert into reviews (github_id, pull_request_id, repository_id, author_id, state, body, submitted_at, commit_id)
select 71, id, repository_id, pg_temp.person(12), 'APPROVED', '', timestamptz '2026-01-02 12:00Z', 'c1'
from pull_requests where number = 7;
insert into comments (github_id, comment_type, pull_request_id, repository_id, commenter_id, body, review_github_id,
    path, position, original_position, diff_hunk, commit_id, original_commit_id, created_at, updated_at)
select v.github_id, v.kind, p.id, p.repository_id, pg_temp.person(v.author), v.body, v.review, v.path, null, v.place,
       v.hunk, v.c1, v.c0, '2026-01-02 12:00Z', '2026-01-02 12:00Z'
from pull_requests p join (values
    (72, 7, 'review_comment', 12, 'Hm', 71, 'a.py', 5, '@@', 'c1', 'c0'),
    (73, 7, 'review_comment', 10137, 'Ah', null, null, null, null, null, null),
    (72, 7, 'issue_comment', 11, 'Hello', null, null, null, null, null, null),
    (75, 8, 'issue_comment', 11, 'World', null, null, null, null, null, null)
) v (github_id, number, kind, author, body, review, path, place, hunk, c1, c0) on v.number = p.number;
update comments set in_reply_to_id = (select id from comments where github_id = 72 and comment_type = 'review_comment')
where github_id = 73;
insert into progressive_backfill_state (repository_id, total_prs, processed_prs, status)
select id, 2, 2, 'completed' from repositories where github_id = 1;
insert into backfill_streams (repository_id, backfill_id, backfill_state_id, stream, ordering, items_done, status)
select repository_id, id, id, 'history', 'CREATED_AT', 2, 'completed' from progressive_backfill_state;
insert into backfill_chunks (repository_id, backfill_state_id, stream_id, chunk_number, status, pr_numbers)
select repository_id, backfill_state_id, id, 1, 'completed', '{8,7}' from backfill_streams
"""

# One change for every field that is compared, in the table and for the row given first.
SPOIL = {
    "pull_requests": (
        "pull_requests where number = 7",
        {
            "github_id": "github_id = 79",
            "title": "title = 'seven'",
            "body": "body = null",
            "state": "merged = false, state = 'closed'",
            "draft": "draft = true",
            "author": "author_id = null",
            "merged_by": "merged_by_id = author_id",
            "created_at": "created_at = created_at + interval '1 microsecond'",
            "updated_at": "updated_at = updated_at - interval '1 second'",
            "closed_at": "closed_at = null",
            "merged_at": "merged_at = null",
            "additions": "additions = 0",
            "deletions": "deletions = null",
            "changed_files": "changed_files = 4",
            "commits": "commits = 5",
            "base_branch": "base_branch = 'Main'",
            "head_branch": "head_branch = 'topics'",
            "labels": "labels = '[]'",
            "assignees": "assignees = null",
            "requested_reviewers": "requested_reviewers = requested_reviewers - 1",
            "milestone": "milestone = null",
        },
    ),
    "reviews": (
        "reviews where github_id = 71",
        {
            "pull_request": "pull_request_id = (select id from pull_requests where number = 8)",
            "author": "author_id = (select id from contributors where github_id = 11)",
            "state": "state = 'COMMENTED'",
            "body": "body = ' '",
            "submitted_at": "submitted_at = submitted_at + interval '1 hour'",
            "commit_id": "commit_id = null",
        },
    ),
    "review_comments": (
        "comments where github_id = 72 and comment_type = 'review_comment'",
        {
            "pull_request": "pull_request_id = (select id from pull_requests where number = 8)",
            "review_github_id": "review_github_id = null",
            "in_reply_to": "in_reply_to_id = id",
            "author": "commenter_id = null",
            "body": "body = ''",
            "path": "path = 'b.py'",
            "position": "position = 5",
            "original_position": "original_position = null",
            "diff_hunk": "diff_hunk = '@'",
            "commit_id": "commit_id = 'c2'",
            "original_commit_id": "original_commit_id = null",
            "created_at": "created_at = created_at + interval '1 second'",
            "updated_at": "updated_at = updated_at + interval '1 second'",
        },
    ),
    "comments": (
        "comments where github_id = 75",
        {
            "pull_request": "pull_request_id = (select id from pull_requests where number = 7)",
            "author": "commenter_id = (select id from contributors where github_id = 10137)",
            "body": "body = 'world'",
            "created_at": "created_at = now()",
            "updated_at": "updated_at = now()",
        },
    ),
    "repositories": (
        "repositories where github_id = 1",
        {
            "full_name": "full_name = 'o/R'",
            "owner": "owner = 'O'",
            "name": "name = 'R'",
            "is_private": "is_private = null",
            "is_fork": "is_fork = true",
            "is_archived": "is_archived = true",
            "description": "description = 'new'",
            "default_branch": "default_branch = 'master'",
            "github_pull_requests": "github_pull_requests = 3",
        },
    ),
}
SPOILS = [(kind, field, where, change) for kind, (where, each) in SPOIL.items() for field, change in each.items()]


@pytest.fixture
def tx(db: Database) -> Iterator[Transaction]:
    """Give a transaction in which the world is stored as it should be."""
    with db.transaction() as tx:
        tx.run(STORED)
        yield tx


def found(tx: Transaction, world: Repository = WORLD, *, stood_still: bool = True) -> list[tuple[str, str]]:
    return [(each.kind, each.row) for each in compare(tx, [world], stood_still=stood_still).found]


def test_a_world_that_is_stored_as_it_should_be_has_no_differences(tx: Transaction) -> None:
    differences = compare(tx, [WORLD])
    assert not differences, differences
    assert differences.compared == {
        "repositories": 1, "pull_requests": 2, "reviews": 1, "review_comments": 2, "comments": 2, "people": 3
    }  # fmt: skip


def test_every_field_that_can_be_told_is_spoilt_once_below() -> None:
    rows = {"repositories": Repository, "pull_requests": PullRequest, "reviews": Review,
            "review_comments": ReviewComment, "comments": Comment}  # fmt: skip
    for kind, row in rows.items():
        identity = IDENTITY if kind == "pull_requests" else {*IDENTITY, "github_id"}
        assert set(SPOIL[kind][1]) == {field.name for field in fields(row)} - identity


@pytest.mark.parametrize(("kind", "field", "where", "change"), SPOILS, ids=[f"{kind}-{f}" for kind, f, _, _ in SPOILS])
def test_a_different_value_is_reported_by_its_field(
    tx: Transaction, kind: str, field: str, where: str, change: str
) -> None:
    table, _, condition = where.partition(" where ")
    assert tx.run(f"update {table} set {change} where {condition}") == 1  # noqa: S608 (the table above)
    differences = compare(tx, [WORLD])
    assert [(each.kind, each.field) for each in differences.found] == [("different", field)]
    assert field in repr(differences)


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("delete from reviews where github_id = 71", ["o/r review 71"]),
        ("delete from comments where github_id = 73", ["o/r review comment 73"]),
        ("delete from comments where github_id = 75", ["o/r comment 75"]),
        ("delete from comments where github_id = 72 and comment_type = 'issue_comment'", ["o/r comment 72"]),
    ],
)
def test_a_missing_row_is_reported(tx: Transaction, statement: str, rows: list[str]) -> None:
    tx.run(statement)
    assert found(tx) == [("missing", row) for row in rows]


def test_a_missing_pull_request_is_reported_with_what_belongs_to_it(tx: Transaction) -> None:
    tx.run("delete from pull_requests where number = 8")
    assert found(tx) == [
        ("missing", "o/r pull request 8"),
        ("missing", "o/r comment 75"),
        ("miscounted", "backfill of o/r"),
    ]


def test_a_missing_repository_is_reported_once(tx: Transaction) -> None:
    assert found(tx, replace(WORLD, github_id=3)) == [("missing", "o/r repository 3")]


def test_a_missing_person_is_reported_also_where_only_a_name_is_known(tx: Transaction) -> None:
    stranger = replace(WORLD.pull_requests[1], author=13)
    assert found(tx, replace(WORLD, pull_requests=(WORLD.pull_requests[0], stranger))) == [
        ("different", "o/r pull request 8"),
        ("missing", "person 13"),
    ]


@pytest.mark.parametrize(
    ("table", "key", "copied", "row"),
    [
        ("pull_requests", "pull_requests_repo_number_key", "number = 8", "pull request 8"),
        ("reviews", "reviews_github_id_key", "github_id = 71", "review 71"),
        ("comments", "comments_type_github_id_key", "github_id = 73", "review comment 73"),
        ("comments", "comments_type_github_id_key", "github_id = 75", "comment 75"),
    ],
)
def test_a_doubled_row_is_reported(tx: Transaction, table: str, key: str, copied: str, row: str) -> None:
    new = {"id": str(uuid4())} | ({"github_id": 89} if table == "pull_requests" else {})
    tx.run(f"alter table {table} drop constraint {key}")
    copy = f"select (jsonb_populate_record(t, %(new)s)).* from {table} t where {copied}"  # noqa: S608 (the table above)
    tx.run(f"insert into {table} {copy}", new=new)
    assert ("doubled", f"o/r {row}") in found(tx)


@pytest.mark.parametrize("name", LISTS)
def test_a_surplus_row_is_reported(tx: Transaction, name: str) -> None:
    rows = getattr(WORLD, name)
    labels = {"pull_requests": "pull request 8", "reviews": "review 71", "review_comments": "review comment 73",
              "comments": "comment 75"}  # fmt: skip
    assert ("surplus", f"o/r {labels[name]}") in found(tx, replace(WORLD, **{name: rows[:-1]}))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("progressive_backfill_state set processed_prs = 1", "processed_prs"),
        ("progressive_backfill_state set total_prs = 3", "total_prs"),
        ("backfill_streams set items_done = 1", "items_done"),
        ("backfill_chunks set status = 'processing'", "open_chunks"),
        ("backfill_chunks set status = 'pending'", "open_chunks"),
    ],
)
def test_counters_that_are_not_the_number_of_rows_are_reported(tx: Transaction, change: str, field: str) -> None:
    tx.run(f"update {change}")
    assert [(each.kind, each.field) for each in compare(tx, [WORLD]).found] == [("miscounted", field)]


def test_the_streams_of_a_world_that_changed_may_have_done_more(tx: Transaction) -> None:
    tx.run("update backfill_streams set items_done = 3")
    assert found(tx, stood_still=False) == []
    tx.run("update progressive_backfill_state set processed_prs = 3")
    assert found(tx, stood_still=False) != []


def test_a_backfill_that_was_never_opened_is_reported_where_there_was_something_to_do(tx: Transaction) -> None:
    tx.run("delete from progressive_backfill_state")
    assert found(tx) == [("missing", "backfill of o/r")]
    assert found(tx, Repository(github_id=2, full_name="o/other")) == []


def test_what_is_not_known_is_not_compared(tx: Transaction) -> None:
    vague = replace(WORLD.pull_requests[0], title=UNKNOWN, additions=UNKNOWN)
    tx.run("update pull_requests set title = 'x', additions = 9 where number = 7")
    assert found(tx, replace(WORLD, pull_requests=(vague, WORLD.pull_requests[1]))) == []


def test_merged_must_be_marked(tx: Transaction) -> None:
    tx.run("update pull_requests set merged = false where number = 7")
    assert [each.found for each in compare(tx, [WORLD]).found] == ["merged without a mark"]


@pytest.mark.parametrize(("states", "state", "differences"), [
    ("'open', 'closed'", "closed", []),
    ("'open', 'closed', 'merged'", "closed", ["closed with a mark"]),
])  # fmt: skip
def test_merged_is_closed_with_a_mark_only_where_the_database_knows_no_better(
    tx: Transaction, states: str, state: str, differences: list[str]
) -> None:
    tx.run("alter table pull_requests drop constraint pull_requests_state_check")
    tx.run("update pull_requests set state = %(state)s where number = 7", state=state)
    tx.run(f"alter table pull_requests add constraint pull_requests_state_check check (state in ({states}))")
    assert [each.found for each in compare(tx, [WORLD]).found] == differences


def test_a_difference_reads_as_a_sentence() -> None:
    difference = Difference(kind="different", row="o/r review 71", field="state", expected="APPROVED", found="x")
    assert str(difference) == "different o/r review 71: state is 'x', not 'APPROVED'"
