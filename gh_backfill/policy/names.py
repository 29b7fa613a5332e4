"""Names of repositories as people give them: `owner/name`, or an address as a browser, git or an editor shows it."""

from __future__ import annotations

import re

# https://docs.github.com/en/enterprise-cloud@latest/admin/identity-and-access-management/iam-configuration-reference/username-considerations-for-external-authentication
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_SCHEME = re.compile(r"(?:git\+)?(?:https?|ssh|git)://", re.IGNORECASE)
_USER = re.compile(r"[^/@]*(?:@[^/@]*)*@")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?|localhost(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?")
# `owner/name` on these sites is another repository than the one of that name at GitHub.
_COMMENT = re.compile(r"(?:^|\s)#")
_ELSEWHERE = re.compile(r"(?:.*\.)?(?:gitlab\.com|bitbucket\.org|codeberg\.org|gist\.github\.com)", re.IGNORECASE)


def parse(text: str) -> tuple[str, str] | None:
    """Read `owner/name` or an address of a repository or of one of its pages; None for anything else."""
    text = text.strip().strip("<>\"'")
    host, path = _host_and_path(text)
    if host is not None and _ELSEWHERE.fullmatch(host):
        return None
    parts = [part for part in re.split(r"[?#]", path)[0].split("/") if part]
    if host is not None and parts[:1] == ["repos"]:
        parts = parts[1:]
    if len(parts) < 2 or (len(parts) > 2 and host is None):
        return None
    owner, name = parts[0], parts[1].removesuffix(".git")
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name) or name in {".", ".."}:
        return None
    return owner, name


def names_in(text: str) -> list[str]:
    """Return the names in a list as people paste it: one or several a line; what follows a `#` is a comment.

    A `#` within a word belongs to an address.
    """
    lines = (_COMMENT.split(line, maxsplit=1)[0] for line in text.splitlines())
    return [name for line in lines for name in re.split(r"[\s,;]+", line) if name]


def key(text: str) -> str | None:
    """Return the name in lower case, as names are compared; None for what is no name."""
    pair = parse(text)
    return None if pair is None else "/".join(pair).lower()


def without_credentials(text: str) -> str:
    """Return an address without the user and password in it; anything else as it is."""
    scheme = _SCHEME.match(text.strip())
    if scheme is None:
        return text
    rest = text.strip()[scheme.end() :]
    user = _USER.match(rest)
    return text if user is None or user[0] == "git@" else scheme[0] + rest[user.end() :]


def _host_and_path(text: str) -> tuple[str | None, str]:
    """Split an address into host and path.  No owner has a dot in its name, so a first part with one is a host."""
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    user = _USER.match(rest)
    rest = rest[user.end() :] if user else rest
    first, _, path = rest.partition("/")
    if scheme is None and user is not None and ":" in rest:  # git@github.com:owner/name.git
        host, _, path = rest.partition(":")
        return host, path
    if scheme is not None or _HOST.fullmatch(first):
        return first.partition(":")[0], path
    return None, rest
