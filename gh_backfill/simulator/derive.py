"""Values that a corpus folder lacks, derived by fixed rules: the same input gives the same value for ever.

Derived numeric ids of pull requests, reviews, comments and issues are

    kind * 10^15 + slot(repository) * 10^11 + number * 10^4 + index

where kind is 1 to 5, slot is a hash of the repository's name below 10^4, number is the pull request's or issue's and
index is the position of the row in its list.  They lie above every id GitHub has given (about 5 * 10^9), each kind in a
range of its own, and below 2^53, so that they fit a bigint and a JSON number.  Derived ids of accounts and repositories
lie between 1.6 and 2.1 * 10^9, since GraphQL gives them as 32 bit integers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from enum import StrEnum
from typing import NamedTuple

GHOST_ID = 10137
_KIND = 10**15
_SLOT = 10**11
_NUMBER = 10**4
_SLOTS = 10**4
_SMALL = 1_600_000_000
_SMALL_RANGE = 500_000_000
_NODE = struct.Struct(">QIQ")
# REST calls both of these bots "Copilot"; GraphQL knows them by the names of their apps.
_APP_LOGINS = {175728472: "copilot-pull-request-reviewer", 198982749: "copilot-swe-agent"}


class NodeKind(StrEnum):
    """The prefix of a node id, which tells what it names."""

    REPOSITORY = "R"
    PULL_REQUEST = "PR"
    REVIEW = "PRR"
    REVIEW_COMMENT = "PRRC"
    THREAD = "PRRT"
    ISSUE = "I"
    ISSUE_COMMENT = "IC"
    DISCUSSION = "D"
    DISCUSSION_COMMENT = "DC"
    USER = "U"
    BOT = "BOT"
    MANNEQUIN = "M"
    ORGANIZATION = "O"


class NodeKey(NamedTuple):
    """Where a node lives: its kind, repository id, number of its pull request or issue, and its own id."""

    kind: NodeKind
    repository_id: int
    number: int
    id: int


_KINDS = {
    NodeKind.PULL_REQUEST: 1,
    NodeKind.REVIEW: 2,
    NodeKind.ISSUE_COMMENT: 3,
    NodeKind.REVIEW_COMMENT: 4,
    NodeKind.ISSUE: 5,
}
_ACCOUNTS = {
    "User": NodeKind.USER,
    "Bot": NodeKind.BOT,
    "Mannequin": NodeKind.MANNEQUIN,
    "Organization": NodeKind.ORGANIZATION,
}


def derived_user_id(login: str) -> int:
    """Return the id of an account of which only the login is known (compared without case)."""
    return _SMALL + _hash("user", login) % _SMALL_RANGE


def derived_repository_id(full_name: str) -> int:
    """Return the id of a repository of which only `owner/name` is known (compared without case)."""
    return _SMALL + _hash("repository", full_name) % _SMALL_RANGE


def derived_pull_request_id(full_name: str, number: int) -> int:
    """Return the id of a pull request whose row has none."""
    return _derived(NodeKind.PULL_REQUEST, full_name, number, 0)


def derived_issue_id(full_name: str, number: int) -> int:
    """Return the id of an issue whose row has none."""
    return _derived(NodeKind.ISSUE, full_name, number, 0)


def derived_review_id(full_name: str, number: int, index: int) -> int:
    """Return the id of the review at position `index` (from 0) of its pull request's list."""
    return _derived(NodeKind.REVIEW, full_name, number, index)


def derived_comment_id(kind: NodeKind, full_name: str, number: int, index: int) -> int:
    """Return the id of a comment of a review or of a conversation, at position `index` of its list."""
    if kind not in (NodeKind.REVIEW_COMMENT, NodeKind.ISSUE_COMMENT):
        raise ValueError(f"{kind} is no kind of comment")
    return _derived(kind, full_name, number, index)


def derived_node_id(kind: NodeKind, repository_id: int, number: int, identity: int) -> str:
    """Return a node id from which `node_key` reads its parts again."""
    return f"{kind}_{base64.urlsafe_b64encode(_NODE.pack(repository_id, number, identity)).decode().rstrip('=')}"


def account_node_id(account_type: str, identity: int) -> str:
    """Return the node id of an account of this type."""
    return derived_node_id(_ACCOUNTS.get(account_type, NodeKind.USER), 0, 0, identity)


def label_node_id(full_name: str, name: str) -> str:
    """Return the node id of a label that has none; the names of a repository's labels are unique."""
    return f"LA_{derived_oid(full_name, name)[:16]}"


def node_key(node_id: str) -> NodeKey | None:
    """Read a derived node id; None for anything else."""
    prefix, _, rest = node_id.partition("_")
    try:
        packed = base64.b64decode(rest + "=" * (-len(rest) % 4), altchars=b"-_", validate=True)
        return NodeKey(NodeKind(prefix), *_NODE.unpack(packed))
    except (ValueError, binascii.Error, struct.error):
        return None


def account_type(login: str, given: str | None) -> str:
    """Return the type of an account: as given, else `Bot` for `name[bot]`, else `User`."""
    return given or ("Bot" if login.endswith("[bot]") else "User")


def graphql_login(identity: int, login: str) -> str:
    """Return the login GraphQL gives: a bot's REST login `name[bot]` is `name` there."""
    return _APP_LOGINS.get(identity) or login.removesuffix("[bot]")


def head_ref(number: int) -> str:
    """Return the head branch of a pull request whose row has none."""
    return f"patch-{number}"


def derived_oid(*parts: object) -> str:
    """Return a commit id of 40 hexadecimal digits."""
    return hashlib.sha1("\0".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def whole(text: str) -> int:
    """Return the number that a text always stands for (compared without case)."""
    return _hash("number", text)


def slot(full_name: str) -> int:
    """Return a repository's share of the derived ids; two repositories of one world must not have the same."""
    return _hash("slot", full_name) % _SLOTS


def _derived(kind: NodeKind, full_name: str, number: int, index: int) -> int:
    if not (0 <= number < _SLOT // _NUMBER and 0 <= index < _NUMBER):
        raise ValueError(f"{full_name} #{number}, row {index}: out of the range of derived ids")
    return _KINDS[kind] * _KIND + slot(full_name) * _SLOT + number * _NUMBER + index


def _hash(*parts: str) -> int:
    text = "\0".join(part.lower() for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
