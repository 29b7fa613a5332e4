"""Answers about what a pull request changes: its files, of which the source knows only how many, and its commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gh_backfill.simulator.connections import ConnectionPage, by_position
from gh_backfill.simulator.fields import page
from gh_backfill.simulator.rows import CommitRow, PullRequestRow

# GitHub lists no more files and commits of a pull request than these, and counts all.
# https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
MOST_FILES, MOST_COMMITS = 3_000, 250
_KINDS = ("MODIFIED", "ADDED", "DELETED", "RENAMED", "CHANGED")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FileRow:
    """A file that a pull request changes."""

    path: str
    change: str
    additions: int
    deletions: int


def files_of(row: PullRequestRow) -> list[FileRow]:
    """Return the files that are listed: made up, but the same each time."""
    return [
        FileRow(
            path=f"src/part_{index % 7}/file_{row.number}_{index}.py",
            change=_KINDS[index % len(_KINDS)],
            additions=(row.number * 7 + index) % 90,
            deletions=(row.number + index * 3) % 40,
        )
        for index in range(min(row.changed_files, MOST_FILES))
    ]


def files(row: PullRequestRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The files, in GitHub's order."""
    return page(info, by_position(files_of(row)), arguments, count=row.changed_files)


def commits(row: PullRequestRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The list may be missing from the source; GitHub's own number is known all the same."""
    listed = [each if each.author else replace(each, author=row.author) for each in row.commits[:MOST_COMMITS]]
    return page(info, by_position(listed), arguments, count=row.commit_count)


def _time(name: str) -> Callable[..., Any]:
    return lambda commit, info: getattr(commit["row"], name, None) or commit["row"].created_at


def _author(commit: dict[str, Any], info: Any) -> dict[str, Any] | None:
    """Who wrote it: by name, and as a user where the address is one's; an account that is gone is none."""
    person = info.context.person(commit["row"].author) if isinstance(commit["row"], CommitRow) else None
    return {"name": "nobody" if person is None else person.login, "user": person}


COMMIT: dict[str, Callable[..., Any]] = {
    "oid": lambda commit, info: commit["oid"],
    "abbreviatedOid": lambda commit, info: commit["oid"][:7],
    "id": lambda commit, info: f"C_{commit['oid']}",
    "message": lambda commit, info: getattr(commit["row"], "message", ""),
    "messageHeadline": lambda commit, info: getattr(commit["row"], "message", "").partition("\n")[0],
    "authoredDate": _time("authored_at"),
    "committedDate": _time("committed_at"),
    "author": _author,
}
ACTOR: dict[str, Callable[..., Any]] = {
    "name": lambda actor, info: actor["name"],
    "user": lambda actor, info: actor["user"] if getattr(actor["user"], "type", "") == "User" else None,
}
FILE: dict[str, Callable[..., Any]] = {
    "path": lambda row, info: row.path,
    "changeType": lambda row, info: row.change,
    "additions": lambda row, info: row.additions,
    "deletions": lambda row, info: row.deletions,
}
