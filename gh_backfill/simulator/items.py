"""Making rows of the REST objects of one repository, deriving what they lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import Any, TypeVar

from gh_backfill.simulator import derive
from gh_backfill.simulator.accounts import account
from gh_backfill.simulator.derive import NodeKey, NodeKind
from gh_backfill.simulator.new_rows import new_review_request
from gh_backfill.simulator.request_rows import ReviewRequestRow, TeamRow
from gh_backfill.simulator.rows import (
    CommitRow,
    IssueComment,
    IssueRow,
    LabelRow,
    MilestoneRow,
    PullRequestRow,
    ReviewCommentRow,
    ReviewRow,
)
from gh_backfill.simulator.world import World

Given = dict[str, Any]
_Row = TypeVar("_Row", ReviewRow, ReviewCommentRow, IssueComment)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Makes the rows of one repository and tells the world the node ids they bring."""

    world: World
    full_name: str
    repository_id: int
    default_branch: str | None

    def pull_request(self, given: Given) -> PullRequestRow:
        """Make a pull request with everything below it."""
        number = given["number"]
        identity = given.get("id") or derive.derived_pull_request_id(self.full_name, number)
        head, base = given.get("head") or {}, given.get("base") or {}
        commits = [self._commit(commit) for commit in given.get("_commits") or ()]
        reviews = [*(given.get("_reviews") or ()), *(given.get("_reviews_inferred") or ())]
        return PullRequestRow(
            repository_id=self.repository_id,
            number=number,
            id=identity,
            node_id=self._node_id(given, NodeKind.PULL_REQUEST, number, identity),
            author=self.author(given.get("user")),
            association=intern(given.get("author_association") or "NONE"),
            title=given["title"],
            body=given.get("body") or "",
            open=given["state"] == "open",
            draft=bool(given.get("draft")),
            locked=bool(given.get("locked")),
            created_at=given["created_at"],
            updated_at=given["updated_at"],
            closed_at=given.get("closed_at"),
            merged_at=given.get("merged_at"),
            merged_by=self.author(given.get("merged_by")),
            merge_commit=given.get("merge_commit_sha"),
            additions=given.get("additions") or 0,
            deletions=given.get("deletions") or 0,
            changed_files=given.get("changed_files") or 0,
            commit_count=given.get("commits", len(commits)),
            commits=tuple(commits),
            base_ref=intern(base.get("ref") or self.default_branch or "main"),
            base_oid=base.get("sha") or derive.derived_oid(self.full_name, number, "base"),
            head_ref=head.get("ref") or derive.head_ref(number),
            head_oid=head.get("sha") or derive.derived_oid(self.full_name, number, "head"),
            labels=tuple(self.label(label) for label in given.get("labels") or ()),
            assignees=self._assignees(given),
            milestone=self._milestone(given),
            review_requests=tuple(self._review_requests(given)),
            reviews=_by_id(map(partial(self._review, number), range(len(reviews)), reviews)),
            review_comments=_by_id(map(partial(self._review_comment, number), *_numbered(given, "_review_comments"))),
            comments=_by_id(map(partial(self._issue_comment, number), *_numbered(given, "_issue_comments"))),
        )

    def issue(self, given: Given) -> IssueRow:
        """Make an issue with its comments."""
        number = given["number"]
        identity = given.get("id") or derive.derived_issue_id(self.full_name, number)
        return IssueRow(
            repository_id=self.repository_id,
            number=number,
            id=identity,
            node_id=self._node_id(given, NodeKind.ISSUE, number, identity),
            author=self.author(given.get("user")),
            association=intern(given.get("author_association") or "NONE"),
            title=given["title"],
            body=given.get("body") or "",
            open=given["state"] == "open",
            state_reason=given.get("state_reason"),
            locked=bool(given.get("locked")),
            created_at=given["created_at"],
            updated_at=given["updated_at"],
            closed_at=given.get("closed_at"),
            closed_by=self.author(given.get("closed_by")),
            labels=tuple(self.label(label) for label in given.get("labels") or ()),
            assignees=self._assignees(given),
            milestone=self._milestone(given),
            comments=_by_id(map(partial(self._issue_comment, number), *_numbered(given, "_issue_comments"))),
        )

    def author(self, user: Given | None) -> int | None:
        """Return the id of a REST user; None for a deleted one, be it null or GitHub's stand-in `ghost`."""
        if user is None or user["login"] == "ghost":
            return None
        identity = user.get("id")
        known = self.world.account(identity) if identity else self.world.account_by_login(user["login"])
        if known is None:
            known = account(user)
            self.world.add_account(known)
        return known.id

    def label(self, given: Given) -> LabelRow:
        """Make a label; older objects of the REST interface give its name alone."""
        identity = given.get("id") or derive.derived_user_id(f"{self.full_name} {given['name']}")
        return LabelRow(
            id=identity,
            node_id=given.get("node_id") or derive.label_node_id(self.full_name, given["name"]),
            name=intern(given["name"]),
            color=intern(given.get("color") or "ededed"),
            default=bool(given.get("default")),
            description=given.get("description"),
        )

    def _assignees(self, given: Given) -> tuple[int, ...]:
        people = (self.author(user) for user in given.get("assignees") or ())
        return tuple(person for person in people if person is not None)

    def _review_requests(self, given: Given) -> Iterator[ReviewRequestRow]:
        """Make what REST has as people and teams, of which nobody has an id of the request."""
        people = [(self.author(user), None) for user in given.get("requested_reviewers") or ()]
        teams = [(None, self._team(team)) for team in given.get("requested_teams") or ()]
        for index, (person, team) in enumerate([*people, *teams]):
            yield new_review_request(self.repository_id, given["number"], index, account=person, team=team)

    def _team(self, given: Given) -> TeamRow:
        name = given["name"]
        node_id = given.get("node_id") or f"T_{derive.derived_oid(self.full_name, 'team', name)[:16]}"
        return TeamRow(id=given.get("id") or derive.derived_user_id(f"team {name}"), node_id=node_id, name=name)

    def _milestone(self, given: Given) -> MilestoneRow | None:
        milestone = given.get("milestone")
        if milestone is None:
            return None
        created = milestone.get("created_at") or given["created_at"]
        name = f"{self.full_name} milestone {milestone['number']}"
        return MilestoneRow(
            repository_id=self.repository_id,
            id=milestone.get("id") or derive.derived_user_id(name),
            node_id=milestone.get("node_id") or f"MI_{derive.derived_oid(name)[:16]}",
            number=milestone["number"],
            title=milestone["title"],
            description=milestone.get("description"),
            open=milestone.get("state", "open") == "open",
            created_at=created,
            updated_at=milestone.get("updated_at") or created,
            closed_at=milestone.get("closed_at"),
            due_on=milestone.get("due_on"),
        )

    def _review(self, number: int, index: int, given: Given) -> ReviewRow:
        identity = given.get("id") or derive.derived_review_id(self.full_name, number, index)
        created = given.get("created_at") or given["submitted_at"]
        return ReviewRow(
            repository_id=self.repository_id,
            number=number,
            id=identity,
            node_id=self._node_id(given, NodeKind.REVIEW, number, identity),
            author=self.author(given.get("user")),
            association=intern(given.get("author_association") or "NONE"),
            state=intern(given["state"]),
            body=given.get("body") or "",
            commit_id=given.get("commit_id"),
            created_at=created,
            updated_at=given.get("updated_at") or created,
            submitted_at=given.get("submitted_at") or created,
        )

    def _review_comment(self, number: int, index: int, given: Given) -> ReviewCommentRow:
        identity = given.get("id") or derive.derived_comment_id(NodeKind.REVIEW_COMMENT, self.full_name, number, index)
        return ReviewCommentRow(
            repository_id=self.repository_id,
            number=number,
            id=identity,
            node_id=self._node_id(given, NodeKind.REVIEW_COMMENT, number, identity),
            author=self.author(given.get("user")),
            association=intern(given.get("author_association") or "NONE"),
            body=given.get("body") or "",
            created_at=given["created_at"],
            updated_at=given.get("updated_at") or given["created_at"],
            review_id=given.get("pull_request_review_id"),
            reply_to=given.get("in_reply_to_id"),
            path=intern(given.get("path") or ""),
            diff_hunk=given.get("diff_hunk") or "",
            position=given.get("position"),
            original_position=given.get("original_position") or 0,
            line=given.get("line"),
            original_line=given.get("original_line"),
            start_line=given.get("start_line"),
            original_start_line=given.get("original_start_line"),
            commit_id=given.get("commit_id"),
            original_commit_id=given.get("original_commit_id"),
        )

    def _issue_comment(self, number: int, index: int, given: Given) -> IssueComment:
        identity = given.get("id") or derive.derived_comment_id(NodeKind.ISSUE_COMMENT, self.full_name, number, index)
        return IssueComment(
            repository_id=self.repository_id,
            number=number,
            id=identity,
            node_id=self._node_id(given, NodeKind.ISSUE_COMMENT, number, identity),
            author=self.author(given.get("user")),
            association=intern(given.get("author_association") or "NONE"),
            body=given.get("body") or "",
            created_at=given["created_at"],
            updated_at=given.get("updated_at") or given["created_at"],
        )

    def _commit(self, given: Given) -> CommitRow:
        return CommitRow(
            oid=given["sha"],
            message=given.get("message") or "",
            authored_at=given["authored_at"],
            committed_at=given["committed_at"],
        )

    def _node_id(self, given: Given, kind: NodeKind, number: int, identity: int) -> str:
        node_id = given.get("node_id")
        if node_id is None:
            return derive.derived_node_id(kind, self.repository_id, number, identity)
        self.world.name_node(node_id, NodeKey(kind, self.repository_id, number, identity))
        return str(node_id)


def _numbered(given: Given, name: str) -> tuple[range, list[Given]]:
    rows = given.get(name) or []
    return range(len(rows)), rows


def _by_id(rows: Iterable[_Row]) -> tuple[_Row, ...]:
    return tuple(sorted(rows, key=lambda row: row.id))
