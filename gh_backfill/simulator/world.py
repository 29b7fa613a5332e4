"""The simulated world: repositories with what is in them, the accounts, and who is called what.

Changes come through the functions of `changes`, under `World.lock`; reading needs no lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from gh_backfill.simulator import crowd, derive
from gh_backfill.simulator.derive import NodeKey, NodeKind
from gh_backfill.simulator.discussion_rows import DiscussionCommentRow, DiscussionRow
from gh_backfill.simulator.rows import (
    AccountRow,
    Dispatched,
    IssueComment,
    IssueRow,
    PullRequestRow,
    RepositoryRow,
    ReviewCommentRow,
    ReviewRow,
    ThreadRow,
    WorkflowRow,
)
from gh_backfill.simulator.shelf import Shelf
from gh_backfill.simulator.threads import threads

Node = (
    RepositoryRow
    | PullRequestRow
    | ReviewRow
    | ReviewCommentRow
    | ThreadRow
    | IssueComment
    | IssueRow
    | DiscussionRow
    | DiscussionCommentRow
    | AccountRow
)


class World:
    """Everything the simulator knows.  Names are compared without case, as GitHub does."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.repositories: dict[int, RepositoryRow] = {}
        self.shelves: dict[int, Shelf] = {}
        self.accounts: dict[int, AccountRow] = {}
        self.runs: dict[tuple[int, int], dict[str, object]] = {}
        self.jobs: dict[tuple[int, int], list[dict[str, object]]] = {}
        self.workflows: dict[tuple[str, str], WorkflowRow] = {}
        self.dispatches: list[Dispatched] = []
        self.events = 0
        self.shown_stars: dict[int | None, bool] = {}
        self._names: dict[str, int] = {}
        self._former_names: dict[str, int] = {}
        self._logins: dict[str, int] = {}
        self._deleted: frozenset[int] = frozenset()
        self._nodes: dict[str, NodeKey] = {}

    def add_account(self, account: AccountRow) -> None:
        """Add an account, or put it in place of the one with its id."""
        old = self.accounts.get(account.id)
        if old is not None and self._logins.get(old.login.lower()) == account.id:
            del self._logins[old.login.lower()]
        self.accounts[account.id] = account
        self._deleted -= {account.id}
        self._logins[account.login.lower()] = account.id
        self.name_node(account.node_id, NodeKey(NodeKind.USER, 0, 0, account.id))

    def remove_account(self, identity: int) -> None:
        """Delete an account: its rows have no author any more."""
        account = self.accounts.pop(identity, None) or crowd.member(identity)
        if account is None:
            raise LookupError(f"nobody has the id {identity}")
        self._deleted |= {identity}
        if self._logins.get(account.login.lower()) == identity:
            del self._logins[account.login.lower()]

    def add_repository(self, repository: RepositoryRow, shelf: Shelf) -> None:
        """Add a repository with its items."""
        taken = self._names.get(repository.full_name.lower())
        if repository.id in self.repositories or taken is not None:
            raise ValueError(f"{repository.full_name} is in this world already, by its name or its id {repository.id}")
        slots = {
            derive.slot(other.full_name): other.full_name
            for other in self.repositories.values()
            if self.shelves[other.id].last_number
        }
        # Who is empty has no derived ids yet: what is opened there later gets ids of its own.
        if shelf.last_number and (other := slots.get(derive.slot(repository.full_name))) is not None:
            raise ValueError(
                f"derived ids of {repository.full_name} and {other} would be the same: load only one of them"
            )
        self.repositories[repository.id] = repository
        self.shelves[repository.id] = shelf
        self._names[repository.full_name.lower()] = repository.id
        self.name_node(repository.node_id, NodeKey(NodeKind.REPOSITORY, repository.id, 0, repository.id))

    def replace_repository(self, repository: RepositoryRow) -> None:
        """Put a changed repository in place; a former name goes on leading to it."""
        old = self.repositories[repository.id]
        if old.full_name.lower() != repository.full_name.lower():
            del self._names[old.full_name.lower()]
            self._former_names[old.full_name.lower()] = repository.id
            self._names[repository.full_name.lower()] = repository.id
        self.repositories[repository.id] = repository

    def remove_repository(self, identity: int) -> None:
        """Delete a repository with everything in it."""
        repository = self.repositories.pop(identity)
        del self.shelves[identity]
        del self._names[repository.full_name.lower()]

    def name_node(self, node_id: str, key: NodeKey) -> None:
        """Remember a real node id; derived ones say themselves what they name."""
        if derive.node_key(node_id) is None:
            self._nodes[node_id] = key

    def place_node(self, node_id: str, key: NodeKey) -> None:
        """Let a node id name what is elsewhere now."""
        self._nodes[node_id] = key

    def repository(self, owner: str, name: str, *, follow_renames: bool = True) -> RepositoryRow | None:
        """Return a repository by its name, or by one it had before."""
        full_name = f"{owner}/{name}".lower()
        identity = self._names.get(full_name)
        if identity is None and follow_renames:
            identity = self._former_names.get(full_name)
        return None if identity is None else self.repositories.get(identity)

    def account(self, identity: int | None) -> AccountRow | None:
        """Return an account; None where it is unknown, deleted or GitHub's stand-in for deleted ones."""
        if identity is None or identity in self._deleted:
            return None
        return self.accounts.get(identity) or crowd.member(identity)

    def account_by_login(self, login: str) -> AccountRow | None:
        """Return an account by its login."""
        found = self.account(self._logins.get(login.lower()) or crowd.named(login))
        return found if found is not None and found.login.lower() == login.lower() else None

    def pull(self, repository_id: int, number: int) -> PullRequestRow | None:
        """Return a pull request by its repository's id and its number."""
        shelf = self.shelves.get(repository_id)
        return None if shelf is None else shelf.pull(number)

    def issue(self, repository_id: int, number: int) -> IssueRow | None:
        """Return an issue by its repository's id and its number, also where it was transferred and is followed."""
        shelf = self.shelves.get(repository_id)
        if shelf is None or number not in shelf.moved:
            return None if shelf is None else shelf.issues.get(number)
        return self.issue(*shelf.moved[number])

    def discussion(self, repository_id: int, number: int) -> DiscussionRow | None:
        """Return a discussion by its repository's id and its number."""
        shelf = self.shelves.get(repository_id)
        return None if shelf is None else shelf.discussions.get(number)

    def node(self, node_id: str) -> Node | None:
        """Return what a node id names."""
        key = self._nodes.get(node_id) or derive.node_key(node_id)
        if key is None:
            return None
        if key.kind in (NodeKind.USER, NodeKind.BOT, NodeKind.MANNEQUIN, NodeKind.ORGANIZATION):
            return self.account(key.id)
        if key.kind is NodeKind.REPOSITORY:
            return self.repositories.get(key.repository_id)
        found: Node | None
        if key.kind in (NodeKind.DISCUSSION, NodeKind.DISCUSSION_COMMENT):
            found = self._discussed(key)
        else:
            found = self.issue(key.repository_id, key.number) if key.kind is NodeKind.ISSUE else self._item(key)
        # A made-up row tells its node id itself; a key that merely fits is not its name.
        return found if found is None or isinstance(found, ThreadRow) or found.node_id == node_id else None

    def _discussed(self, key: NodeKey) -> DiscussionRow | DiscussionCommentRow | None:
        row = self.discussion(key.repository_id, key.number)
        if row is None or key.kind is NodeKind.DISCUSSION:
            return row
        return next((each for each in row.comments if each.id == key.id), None)

    def _item(self, key: NodeKey) -> PullRequestRow | ReviewRow | ReviewCommentRow | ThreadRow | IssueComment | None:
        pull = self.pull(key.repository_id, key.number)
        if key.kind is NodeKind.PULL_REQUEST:
            return pull
        issue = self.issue(key.repository_id, key.number) if pull is None else None
        candidates: Iterable[ReviewRow | ReviewCommentRow | ThreadRow | IssueComment] = ()
        if issue is not None and key.kind is NodeKind.ISSUE_COMMENT:
            candidates = issue.comments
        elif pull is not None:
            candidates = _below(pull, key.kind)
        return next((row for row in candidates if row.id == key.id), None)


def _below(pull: PullRequestRow, kind: NodeKind) -> Iterable[ReviewRow | ReviewCommentRow | ThreadRow | IssueComment]:
    if kind is NodeKind.REVIEW:
        return pull.reviews
    if kind is NodeKind.REVIEW_COMMENT:
        return pull.review_comments
    return threads(pull) if kind is NodeKind.THREAD else pull.comments
