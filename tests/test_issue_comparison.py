"""The comparison of issues can fail: everything it looks at is spoilt once, and reported as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from gh_backfill.store.db import Database, Transaction
from tests.comparison import IDENTITY, compare_issues
from tests.expected import GHOST, UNKNOWN, Assignee, Issue, IssueComment, Label, Milestone, Repository

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WORLD = Repository(
    github_id=1,
    full_name="o/r",
    issues=(
        Issue(
            number=7,
            github_id=70,
            title="Seven",
            body="Why",
            state="closed",
            author=11,
            created_at=NOON,
            updated_at=NOON,
            closed_at=NOON,
            labels=(
                Label(id="LA_1", name="bug", color="ff0000", description="Broken", default=True),
                Label(id="LA_2", name="area", color="00ff00", description=None, default=False),
            ),
            assignees=(
                Assignee(id=12, login="bob", avatar_url="https://a/12"),
                Assignee(id=11, login="ann", avatar_url="https://a/11"),
            ),
            milestone=Milestone(number=2, title="2.0", state="open", description=None, due_on="2026-06-30T07:00:00Z"),
            comments_count=2,
        ),
        Issue(number=8, github_id=80, title="Eight", body="", state="open", author=GHOST, labels=(), assignees=(),
              milestone=None, comments_count=1),
    ),
    issue_comments=(
        IssueComment(github_id=72, issue=7, author=12, body="Hello", created_at=NOON, updated_at=NOON),
        IssueComment(github_id=73, issue=7, author=GHOST, body="Again"),
        IssueComment(github_id=75, issue=8, author=11, body="World"),
    ),
)  # fmt: skip

# The same, as the capture should have stored it.
STORED = """
insert into contributors (github_id, username) values (11, 'ann'), (12, 'bob'), (10137, 'ghost');
insert into repositories (github_id, full_name, owner, name) values (1, 'o/r', 'o', 'r'), (2, 'o/other', 'o', 'other');
create function pg_temp.person(bigint) returns uuid language sql as 'select id from contributors where github_id = $1';
insert into issues (github_id, number, title, body, state, author_id, created_at, updated_at, closed_at, labels,
    assignees, milestone, comments_count, repository_id)
select v.*, r.id from repositories r, (values
    (70, 7, 'Seven', 'Why', 'closed', pg_temp.person(11), timestamptz '2026-01-02 12:00Z',
     timestamptz '2026-01-02 12:00Z', timestamptz '2026-01-02 12:00Z',
     '[{"id": "LA_1", "name": "bug", "color": "ff0000", "description": "Broken", "default": true},
       {"id": "LA_2", "name": "area", "color": "00ff00", "description": null, "default": false}]'::jsonb,
     '[{"id": 12, "login": "bob", "avatar_url": "https://a/12"},
       {"id": 11, "login": "ann", "avatar_url": "https://a/11"}]'::jsonb,
     '{"number": 2, "title": "2.0", "state": "open", "description": "",
       "due_on": "2026-06-30T07:00:00Z"}'::jsonb, 2),
    (80, 8, 'Eight', null, 'open', pg_temp.person(10137), now(), now(), null, '[]', '[]', null, 1)) v
where r.github_id = 1;
insert into comments (github_id, comment_type, issue_id, repository_id, commenter_id, body, created_at, updated_at)
select v.github_id, 'issue_comment', i.id, i.repository_id, pg_temp.person(v.author), v.body, '2026-01-02 12:00Z',
       '2026-01-02 12:00Z'
from issues i join (values (72, 7, 12, 'Hello'), (73, 7, 10137, 'Again'), (75, 8, 11, 'World'))
    v (github_id, number, author, body) on v.number = i.number;
insert into pull_requests (github_id, number, title, state, author_id, created_at, updated_at, base_branch,
    head_branch, repository_id, repository_full_name)
select 90, 9, 'Nine', 'open', pg_temp.person(11), now(), now(), 'main', 'topic', id, 'o/r'
from repositories where github_id = 1;
insert into comments (github_id, comment_type, pull_request_id, repository_id, commenter_id, body, created_at,
    updated_at)
select 91, 'issue_comment', id, repository_id, author_id, 'Mine', now(), now() from pull_requests
"""

# One change for every field that is compared, and for every part of the JSON.
SPOIL = {
    "issues": (
        "issues",
        "number = 7",
        {
            "github_id": "github_id = 79",
            "title": "title = 'seven'",
            "body": "body = null",
            "state": "state = 'open'",
            "author": "author_id = null",
            "created_at": "created_at = created_at + interval '1 microsecond'",
            "updated_at": "updated_at = updated_at - interval '1 second'",
            "closed_at": "closed_at = null",
            "labels": "labels = labels - 0",
            "labels[0].id": "labels = jsonb_set(labels, '{0,id}', '\"LA_3\"')",
            "labels[1].name": "labels = jsonb_set(labels, '{1,name}', '\"Area\"')",
            "labels[1].color": "labels = jsonb_set(labels, '{1,color}', '\"000000\"')",
            "labels[0].description": "labels = jsonb_set(labels, '{0,description}', 'null')",
            "labels[0].default": "labels = jsonb_set(labels, '{0,default}', 'false')",
            "labels[0]": "labels = labels #- '{0,color}'",
            "assignees": "assignees = null",
            "assignees[0].id": "assignees = jsonb_set(assignees, '{0,id}', '11')",
            "assignees[1].login": "assignees = jsonb_set(assignees, '{1,login}', '\"anna\"')",
            "assignees[1].avatar_url": "assignees = jsonb_set(assignees, '{1,avatar_url}', '\"\"')",
            "milestone": "milestone = null",
            "milestone.number": "milestone = jsonb_set(milestone, '{number}', '3')",
            "milestone.title": "milestone = jsonb_set(milestone, '{title}', '\"3.0\"')",
            "milestone.state": "milestone = jsonb_set(milestone, '{state}', '\"OPEN\"')",
            "milestone.description": "milestone = jsonb_set(milestone, '{description}', '\"x\"')",
            "milestone.due_on": "milestone = jsonb_set(milestone, '{due_on}', 'null')",
            "comments_count": "comments_count = 3",
            "is_pull_request": "is_pull_request = true",
        },
    ),
    "issue_comments": (
        "comments",
        "github_id = 72",
        {
            "issue": "issue_id = (select id from issues where number = 8)",
            "author": "commenter_id = null",
            "body": "body = ''",
            "created_at": "created_at = created_at + interval '1 second'",
            "updated_at": "updated_at = updated_at + interval '1 second'",
        },
    ),
}
SPOILS = [(kind, field) for kind, (_, _, each) in SPOIL.items() for field in each]


@pytest.fixture
def tx(db: Database) -> Iterator[Transaction]:
    """Give a transaction in which the world is stored as it should be, beside a pull request with a comment."""
    with db.transaction() as tx:
        tx.run(STORED)
        yield tx


def found(tx: Transaction, world: Repository = WORLD) -> list[tuple[str, str]]:
    return [(each.kind, each.row) for each in compare_issues(tx, [world]).found]


def test_issues_that_are_stored_as_they_should_be_have_no_differences(tx: Transaction) -> None:
    differences = compare_issues(tx, [WORLD])
    assert not differences, differences
    assert differences.compared == {"repositories": 1, "issues": 2, "issue_comments": 3, "people": 3}


def test_every_field_and_every_part_of_the_json_is_spoilt_once_below() -> None:
    spoilt = {
        kind: {field.partition("[")[0].partition(".")[0] for field in each} for kind, (_, _, each) in SPOIL.items()
    }
    assert spoilt["issues"] == {field.name for field in fields(Issue)} - IDENTITY
    assert spoilt["issue_comments"] == {field.name for field in fields(IssueComment)} - {*IDENTITY, "github_id"}
    for name, kind in {"labels": Label, "assignees": Assignee, "milestone": Milestone}.items():
        parts = {field.rpartition(".")[2] for field in SPOIL["issues"][2] if field.startswith(name) and "." in field}
        assert parts == {field.name for field in fields(kind)}


@pytest.mark.parametrize(("kind", "field"), SPOILS)
def test_a_different_value_is_reported_by_its_field(tx: Transaction, kind: str, field: str) -> None:
    table, condition, changes = SPOIL[kind]
    assert tx.run(f"update {table} set {changes[field]} where {condition}") == 1  # noqa: S608 (the table above)
    differences = compare_issues(tx, [WORLD])
    assert [(each.kind, each.field) for each in differences.found] == [("different", field)]
    assert field in repr(differences)


def test_what_is_different_in_the_json_is_told_with_its_values(tx: Transaction) -> None:
    tx.run("update issues set labels = jsonb_set(labels, '{1,name}', '\"Area\"') where number = 7")
    (difference,) = compare_issues(tx, [WORLD]).found
    assert str(difference) == "different o/r issue 7: labels[1].name is 'Area', not 'area'"


def test_labels_and_assignees_in_another_order_are_different(tx: Transaction) -> None:
    tx.run("update issues set assignees = jsonb_build_array(assignees -> 1, assignees -> 0) where number = 7")
    fields = [each.field for each in compare_issues(tx, [WORLD]).found]
    assert fields == [f"assignees[{place}].{name}" for place in (0, 1) for name in ("avatar_url", "id", "login")]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("delete from issues where number = 8", ["o/r issue 8", "o/r issue comment 75"]),
        ("delete from comments where github_id = 73", ["o/r issue comment 73"]),
        (
            "update comments c set issue_id = null, pull_request_id = p.id from pull_requests p where c.github_id = 73",
            ["o/r issue comment 73"],
        ),
        ("update repositories set github_id = 3 where github_id = 1", ["o/r repository 1"]),
    ],
)
def test_a_missing_row_is_reported(tx: Transaction, statement: str, rows: list[str]) -> None:
    tx.run(statement)
    assert found(tx) == [("missing", row) for row in rows]


@pytest.mark.parametrize(("name", "row"), [("issues", "issue 8"), ("issue_comments", "issue comment 75")])
def test_a_surplus_row_is_reported(tx: Transaction, name: str, row: str) -> None:
    assert found(tx, replace(WORLD, **{name: getattr(WORLD, name)[:-1]})) == [("surplus", f"o/r {row}")]


@pytest.mark.parametrize(
    ("table", "keys", "key", "row"),
    [
        ("issues", ["issues_github_id_key", "unique_issue_per_repo"], "number = 8", "issue 8"),
        ("comments", ["comments_type_github_id_key"], "github_id = 75", "issue comment 75"),
    ],
)
def test_a_doubled_row_is_reported(tx: Transaction, table: str, keys: list[str], key: str, row: str) -> None:
    tx.run("set constraints all immediate")
    for name in keys:
        tx.run(f"alter table {table} drop constraint {name}")
    again = "jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))"
    tx.run(f"insert into {table} select ({again}).* from {table} t where {key}")  # noqa: S608 (the table above)
    assert found(tx) == [("doubled", f"o/r {row}")]


def test_a_missing_person_is_reported_also_where_only_a_name_is_known(tx: Transaction) -> None:
    comments = (*WORLD.issue_comments[:-1], replace(WORLD.issue_comments[-1], author=13))
    assert found(tx, replace(WORLD, issue_comments=comments)) == [
        ("different", "o/r issue comment 75"),
        ("missing", "person 13"),
    ]


def test_what_is_not_known_is_not_compared(tx: Transaction) -> None:
    vague = replace(
        WORLD.issues[0],
        labels=(Label(name="bug"), Label(name="area")),
        assignees=(Assignee(id=12), Assignee(id=11)),
        milestone=Milestone(number=2),
        comments_count=UNKNOWN,
    )
    tx.run("update issues set labels = jsonb_set(labels, '{0,id}', '\"LA_3\"'), comments_count = 9 where number = 7")
    tx.run("update issues set assignees = jsonb_set(assignees, '{0,login}', '\"x\"') where number = 7")
    tx.run("update issues set milestone = jsonb_set(milestone, '{title}', '\"x\"') where number = 7")
    assert found(tx, replace(WORLD, issues=(vague, WORLD.issues[1]))) == []
