"""What the corpus says, as expected rows: read straight from its files, so that the simulator cannot agree with itself.

Only the rules for what a folder lacks (ids of rows and accounts, names of head branches) come from `simulator.derive`.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.simulator import derive
from tests.conftest import SHARED
from tests.expected import (
    GHOST,
    UNKNOWN,
    Assignee,
    Comment,
    Issue,
    IssueComment,
    Known,
    Label,
    Milestone,
    PullRequest,
    Repository,
    Review,
    ReviewComment,
    Reviewer,
)
from tests.turns import WHOLE, some

CORPUS = SHARED / "corpus"
Given = Mapping[str, Any]


def folders() -> list[Path]:
    """Return the folders of all repositories that have pull requests; skips the test where there is no corpus."""
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus is not at {CORPUS}")
    return sorted(path.parent for path in CORPUS.glob("*/repository.json") if _file(path.parent, "pull_requests"))


def smaller() -> list[Path]:
    """Return today's half of the eight smallest, or all in a run of the whole: three have four fifths of everything."""
    every = folders()
    return every if WHOLE else sorted(some(sorted(every, key=_size)[:8], step=2))


def earlier_states() -> list[Path]:
    """Return the folders of all real earlier states; skips the test where there is no corpus."""
    return sorted(path.parent for folder in folders() for path in folder.glob("earlier/*/README.json"))


def earlier(state: Path, into: Path) -> datetime:
    """Write a repository as it was at an earlier state into an empty folder; returns when that was."""
    told = json.loads((state / "README.json").read_text(encoding="utf-8"))
    folder = state.parents[1]
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith(("pull_requests.", "issues.")):
            shutil.copy(path, into)
    for name in ("pull_requests", "issues"):
        rows = {row["number"]: row for given in (folder, state) for row in lines(given, name)}
        absent = set(told[f"absent_{name}"])
        text = "".join(json.dumps(row) + "\n" for number, row in rows.items() if number not in absent)
        (into / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return datetime.fromisoformat(told["as_of"]).astimezone(UTC)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("pull_requests*"))


def expected(given: Iterable[Path]) -> list[Repository]:
    """Return the repositories of some folders, as they are captured from a simulator that serves these folders."""
    given = list(given)
    accounts = _accounts(given)
    return [_repository(folder, accounts) for folder in given]


def _repository(folder: Path, accounts: Mapping[str, int]) -> Repository:
    given = json.loads((folder / "repository.json").read_text(encoding="utf-8"))
    full_name = given["full_name"]
    rows = list(lines(folder, "pull_requests"))
    issues = list(lines(folder, "issues"))
    people = {user["login"].lower(): user for user in lines(folder, "users")}
    return Repository(
        github_id=given.get("id") or derive.derived_repository_id(full_name),
        full_name=full_name,
        owner=given["owner"]["login"],
        name=given["name"],
        is_private=given.get("private", UNKNOWN),
        is_fork=given.get("fork", UNKNOWN),
        is_archived=given.get("archived", UNKNOWN),
        description=given.get("description", UNKNOWN),
        default_branch=given.get("default_branch", UNKNOWN),
        github_pull_requests=len(rows),
        pull_requests=tuple(_pull_request(full_name, row, accounts, people) for row in rows),
        reviews=tuple(review for row in rows for review in _reviews(full_name, row, accounts)),
        review_comments=tuple(comment for row in rows for comment in _review_comments(full_name, row, accounts)),
        comments=tuple(comment for row in rows for comment in _comments(full_name, row, accounts)),
        issues=tuple(_issue(full_name, row, accounts, people) for row in issues),
        issue_comments=tuple(comment for row in issues for comment in _issue_comments(full_name, row, accounts)),
    )


def _pull_request(full_name: str, row: Given, accounts: Mapping[str, int], people: Mapping[str, Given]) -> PullRequest:
    number = row["number"]
    merger = row.get("merged_by", UNKNOWN)
    return PullRequest(
        number=number,
        github_id=row.get("id") or derive.derived_pull_request_id(full_name, number),
        title=row["title"],
        body=row.get("body", UNKNOWN),
        state="merged" if row["merged_at"] else row["state"],
        draft=row.get("draft", UNKNOWN),
        author=_person(row["user"], accounts),
        merged_by=_person(merger, accounts) if isinstance(merger, dict) else merger,
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
        closed_at=_time(row["closed_at"]) if row["closed_at"] else None,
        merged_at=_time(row["merged_at"]) if row["merged_at"] else None,
        additions=row.get("additions", UNKNOWN),
        deletions=row.get("deletions", UNKNOWN),
        changed_files=row.get("changed_files", UNKNOWN),
        commits=row.get("commits", UNKNOWN),
        base_branch=(row.get("base") or {}).get("ref", UNKNOWN),
        head_branch=(row.get("head") or {}).get("ref") or derive.head_ref(number),
        labels=tuple(_label(full_name, label) for label in row["labels"]),
        # What a source does not tell of, the simulator has none of.
        assignees=tuple(
            _assignee(user, accounts, people) for user in row.get("assignees") or () if _type(user, people) == "User"
        ),
        requested_reviewers=tuple(_reviewer(user, accounts, people) for user in row.get("requested_reviewers") or ()),
        milestone=_milestone(row["milestone"]) if row.get("milestone") else None,
    )


def _reviews(full_name: str, row: Given, accounts: Mapping[str, int]) -> Iterator[Review]:
    """Return both lists: the source of the first leaves out the reviews that hold nothing but replies."""
    listed = [*(row.get("_reviews") or []), *(row.get("_reviews_inferred") or [])]
    for index, review in enumerate(listed):
        yield Review(
            github_id=review.get("id") or derive.derived_review_id(full_name, row["number"], index),
            pull_request=row["number"],
            author=_person(review["user"], accounts),
            state=review["state"],
            body=review["body"],
            submitted_at=_time(review.get("submitted_at") or review["created_at"]),
            commit_id=review.get("commit_id", UNKNOWN),
        )


def _review_comments(full_name: str, row: Given, accounts: Mapping[str, int]) -> Iterator[ReviewComment]:
    kind, number = derive.NodeKind.REVIEW_COMMENT, row["number"]
    for index, comment in enumerate(row.get("_review_comments") or []):
        # REST leaves in_reply_to_id out of a comment that answers none; the sets without ids do not know it at all.
        no_answer: Known[None] = None if "id" in comment else UNKNOWN
        yield ReviewComment(
            github_id=comment.get("id") or derive.derived_comment_id(kind, full_name, number, index),
            pull_request=number,
            review_github_id=comment["pull_request_review_id"],
            in_reply_to=comment.get("in_reply_to_id", no_answer),
            author=_person(comment["user"], accounts),
            body=comment["body"],
            path=comment.get("path", UNKNOWN),
            position=comment.get("position", UNKNOWN),
            original_position=comment.get("original_position", UNKNOWN),
            diff_hunk=comment.get("diff_hunk", UNKNOWN),
            commit_id=comment.get("commit_id", UNKNOWN),
            original_commit_id=comment.get("original_commit_id", UNKNOWN),
            created_at=_time(comment["created_at"]),
            updated_at=_time(comment["updated_at"]),
        )


def _comments(full_name: str, row: Given, accounts: Mapping[str, int]) -> Iterator[Comment]:
    kind, number = derive.NodeKind.ISSUE_COMMENT, row["number"]
    for index, comment in enumerate(row.get("_issue_comments") or []):
        yield Comment(
            github_id=comment.get("id") or derive.derived_comment_id(kind, full_name, number, index),
            pull_request=number,
            author=_person(comment["user"], accounts),
            body=comment["body"],
            created_at=_time(comment["created_at"]),
            updated_at=_time(comment["updated_at"]),
        )


def _issue(full_name: str, row: Given, accounts: Mapping[str, int], people: Mapping[str, Given]) -> Issue:
    return Issue(
        number=row["number"],
        github_id=row.get("id") or derive.derived_issue_id(full_name, row["number"]),
        title=row["title"],
        body=row.get("body", UNKNOWN),
        state=row["state"],
        author=_person(row["user"], accounts),
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
        closed_at=_time(row["closed_at"]) if row["closed_at"] else None,
        labels=tuple(_label(full_name, label) for label in row["labels"]),
        assignees=tuple(
            _assignee(user, accounts, people) for user in row["assignees"] if _type(user, people) == "User"
        ),
        # The sets that came by GraphQL have none, and say so nowhere: the simulator gives none then.
        milestone=_milestone(row["milestone"]) if row.get("milestone") else None,
        comments_count=len(row.get("_issue_comments") or ()),
    )


def _label(full_name: str, label: Given) -> Label:
    return Label(
        name=label["name"],
        id=label.get("node_id") or derive.label_node_id(full_name, label["name"]),
        color=label.get("color", UNKNOWN),
        description=label.get("description"),
        default=label.get("default", UNKNOWN),
    )


def _assignee(user: Given, accounts: Mapping[str, int], people: Mapping[str, Given]) -> Assignee:
    known = people.get(user["login"].lower(), {})
    return Assignee(id=_person(user, accounts), login=user["login"], avatar_url=known.get("avatar_url", UNKNOWN))


def _reviewer(user: Given, accounts: Mapping[str, int], people: Mapping[str, Given]) -> Reviewer:
    known = people.get(user["login"].lower(), {})
    avatar_url = known.get("avatar_url", UNKNOWN)
    return Reviewer(type=_type(user, people), id=_person(user, accounts), login=user["login"], avatar_url=avatar_url)


def _type(user: Given, people: Mapping[str, Given]) -> str:
    """Return the type of an account: GraphQL's assignees are users, and nobody else."""
    return str(user.get("type") or people.get(user["login"].lower(), {}).get("type") or "User")


def _milestone(given: Given) -> Milestone:
    return Milestone(
        number=given["number"],
        title=given["title"],
        state=given["state"],
        description=given.get("description"),
        due_on=given.get("due_on"),
    )


def _issue_comments(full_name: str, row: Given, accounts: Mapping[str, int]) -> Iterator[IssueComment]:
    kind, number = derive.NodeKind.ISSUE_COMMENT, row["number"]
    for index, comment in enumerate(row.get("_issue_comments") or []):
        yield IssueComment(
            github_id=comment.get("id") or derive.derived_comment_id(kind, full_name, number, index),
            issue=number,
            author=_person(comment["user"], accounts),
            body=comment["body"],
            created_at=_time(comment["created_at"]),
            updated_at=_time(comment["updated_at"]),
        )


def _person(user: Given | None, accounts: Mapping[str, int]) -> int:
    if user is None or user["login"] == "ghost":
        return GHOST
    return int(user.get("id") or accounts.get(user["login"].lower()) or derive.derived_user_id(user["login"]))


def _accounts(given: Iterable[Path]) -> dict[str, int]:
    """Return the known ids by login: a set without ids may name an account whose id another set has."""
    return {user["login"].lower(): user["id"] for folder in given for user in lines(folder, "users") if user.get("id")}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file of a folder; none where the file is not there."""
    path = _file(folder, name)
    if path is None:
        return
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz") if path.is_file()), None)
