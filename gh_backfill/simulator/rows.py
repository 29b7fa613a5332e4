"""The rows of the simulated world: what GitHub stores.

Rows never change; a changed thing is a new row put in place of the old one, so that readers need no lock.  They compare
by identity, as keys of caches do.  Accounts are referred to by id, deleted ones by None.  Times are ISO 8601, `Z`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gh_backfill.simulator.profiles import ProfileRow
from gh_backfill.simulator.request_rows import ReviewRequestRow


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AccountRow:
    """A user, bot, organisation or mannequin; `login` is REST's (`name[bot]` of a bot), a made-up profile is None."""

    id: int
    node_id: str
    login: str
    type: str
    name: str | None = None
    avatar_url: str
    profile: ProfileRow | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RepositoryRow:
    """What is known of a repository besides its items.  `size` is in KiB."""

    id: int
    node_id: str
    owner_id: int
    owner: str
    name: str
    description: str | None = None
    homepage: str | None = None
    private: bool = False
    fork: bool = False
    archived: bool = False
    disabled: bool = False
    template: bool = False
    has_issues: bool = True
    has_projects: bool = True
    has_wiki: bool = True
    has_discussions: bool = False
    stargazers: int = 0
    forks: int = 0
    size: int = 0
    language: str | None = None
    license_key: str | None = None
    license_name: str | None = None
    license_spdx: str | None = None
    default_branch: str = "main"
    created_at: str
    updated_at: str
    pushed_at: str | None = None

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LabelRow:
    """A label of a repository."""

    id: int
    node_id: str
    name: str
    color: str = "ededed"
    default: bool = False
    description: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MilestoneRow:
    """A milestone of a repository, as it was when the issue or pull request that has it was read."""

    repository_id: int
    id: int
    node_id: str
    number: int
    title: str
    description: str | None = None
    open: bool = True
    created_at: str
    updated_at: str
    closed_at: str | None = None
    due_on: str | None = None

    @property
    def state(self) -> str:
        """GraphQL's state: OPEN or CLOSED."""
        return "OPEN" if self.open else "CLOSED"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CommitRow:
    """A commit of a pull request."""

    oid: str
    message: str
    authored_at: str
    committed_at: str
    author: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReviewRow:
    """A review of a pull request."""

    repository_id: int
    number: int
    id: int
    node_id: str
    author: int | None
    association: str
    state: str
    body: str
    commit_id: str | None
    created_at: str
    updated_at: str
    submitted_at: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReviewCommentRow:
    """A comment on the difference; `review_id` is None for those made before there were reviews."""

    repository_id: int
    number: int
    id: int
    node_id: str
    author: int | None
    association: str
    body: str
    created_at: str
    updated_at: str
    review_id: int | None
    reply_to: int | None
    path: str
    diff_hunk: str
    position: int | None
    original_position: int
    line: int | None
    original_line: int | None
    start_line: int | None
    original_start_line: int | None
    commit_id: str | None
    original_commit_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class IssueComment:
    """A comment in the conversation of a pull request or an issue."""

    repository_id: int
    number: int
    id: int
    node_id: str
    author: int | None
    association: str
    body: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThreadRow:
    """The review comments that answer one another, by id; `id` is that of the first."""

    repository_id: int
    number: int
    id: int
    comments: tuple[ReviewCommentRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PullRequestRow:
    """A pull request with everything below it, each list by id."""

    repository_id: int
    number: int
    id: int
    node_id: str
    author: int | None
    association: str
    title: str
    body: str
    open: bool
    draft: bool
    locked: bool
    created_at: str
    updated_at: str
    closed_at: str | None
    merged_at: str | None
    merged_by: int | None
    merge_commit: str | None
    additions: int
    deletions: int
    changed_files: int
    commit_count: int
    commits: tuple[CommitRow, ...]
    base_ref: str
    base_oid: str
    head_ref: str
    head_oid: str
    labels: tuple[LabelRow, ...]
    reviews: tuple[ReviewRow, ...]
    review_comments: tuple[ReviewCommentRow, ...]
    comments: tuple[IssueComment, ...]
    assignees: tuple[int, ...] = ()
    milestone: MilestoneRow | None = None
    review_requests: tuple[ReviewRequestRow, ...] = ()

    @property
    def state(self) -> str:
        """GraphQL's state: OPEN, CLOSED or MERGED."""
        return "MERGED" if self.merged_at else ("OPEN" if self.open else "CLOSED")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class IssueRow:
    """An issue that is no pull request; labels and assignees in GitHub's order, comments by id."""

    repository_id: int
    number: int
    id: int
    node_id: str
    author: int | None
    association: str
    title: str
    body: str
    open: bool
    state_reason: str | None
    locked: bool
    created_at: str
    updated_at: str
    closed_at: str | None
    closed_by: int | None = None
    labels: tuple[LabelRow, ...]
    assignees: tuple[int, ...] = ()
    milestone: MilestoneRow | None = None
    comments: tuple[IssueComment, ...]

    @property
    def state(self) -> str:
        """GraphQL's state: OPEN or CLOSED."""
        return "OPEN" if self.open else "CLOSED"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Star:
    """Who gave a star, and when."""

    account: int
    starred_at: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Happening:
    """An event that is told by the events call alone, such as a push."""

    type: str
    id: int
    account: int
    created_at: str
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WorkflowRow:
    """A workflow file of a repository; `inputs` are those that it may be started with."""

    file: str
    inputs: tuple[str, ...] = ()
    state: str = "active"


@dataclass(frozen=True, kw_only=True)
class Dispatched:
    """A start of a workflow that somebody asked for."""

    repository: str
    file: str
    ref: str
    inputs: Mapping[str, str]
    by: str
