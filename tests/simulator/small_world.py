"""A small corpus folder, written by hand, and a short way to ask the simulator about it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gh_backfill.simulator.app import Application
from gh_backfill.simulator.messages import Request, Response

ANN = {"login": "ann", "id": 11, "type": "User"}
BOT = {"login": "robot[bot]", "id": 12, "type": "Bot"}
GHOST = {"login": "ghost", "id": 10137, "type": "User"}
TIME = "2020-01-{day:02}T00:00:00Z"


def write_corpus(folder: Path) -> Path:
    """Write `here/full`, with all fields, and `there/bare`, with the fewest a source may have."""
    full, bare = folder / "here__full", folder / "there__bare"
    _write(full, "repository.json", _REPOSITORY)
    _lines(full, "pull_requests", [*_FULL_PULLS], packed=True)
    _lines(full, "issues", [_ISSUE])
    _lines(full, "users", [ANN | {"node_id": "MDQ6VXNlcjEx"}, BOT, GHOST, {"login": "zoe"}])
    _write(bare, "repository.json", {"full_name": "there/bare", "name": "bare", "owner": {"login": "there"}})
    _lines(bare, "pull_requests", [_BARE_PULL])
    _lines(bare, "stargazers", [{"starred_at": TIME.format(day=9), "user": {"login": "ANN"}}])
    return folder


def ask(application: Application, query: str, token: str | None = "t", **variables: Any) -> dict[str, Any]:
    """Send a GraphQL query and return the decoded answer."""
    answer: dict[str, Any] = json.loads(post(application, query, token, **variables).body)
    return answer


def post(application: Application, query: str, token: str | None = "t", **variables: Any) -> Response:
    """Send a GraphQL query."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    return application.answer(Request(method="POST", path="/graphql", headers=_headers(token), body=body))


def get(
    application: Application, path: str, token: str | None = "t", headers: Mapping[str, str] = {}, **query: str
) -> Response:
    """Get an address of the REST interface."""
    return application.answer(Request(method="GET", path=path, headers={**_headers(token), **headers}, query=query))


def send(application: Application, method: str, path: str, value: object) -> Response:
    """Send JSON to an address of the REST interface."""
    return application.answer(Request(method=method, path=path, headers=_headers("t"), body=json.dumps(value).encode()))


def errors(answer: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return (type, path) of each error of an answer."""
    return [(error.get("type"), error.get("path")) for error in answer.get("errors", [])]


def _headers(token: str | None) -> dict[str, str]:
    return {"user-agent": "tests"} | ({} if token is None else {"authorization": f"bearer {token}"})


def _write(folder: Path, name: str, value: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def _lines(folder: Path, name: str, rows: list[dict[str, Any]], *, packed: bool = False) -> None:
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    if packed:
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def _pull(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "number": number,
        "id": 5_000_000_000 + number,
        "node_id": f"PR_real{number}",
        "title": f"Number {number}",
        "body": None,
        "state": "open",
        "created_at": TIME.format(day=number),
        "updated_at": TIME.format(day=31 - number),
        "closed_at": None,
        "merged_at": None,
        "merged": False,
        "merged_by": None,
        "additions": 1,
        "deletions": 2,
        "changed_files": 3,
        "commits": 4,
        "user": ANN,
        "labels": [],
        "head": {"ref": "topic", "sha": "a" * 40},
        "base": {"ref": "main", "sha": "b" * 40},
        **fields,
    }


def _comment(identity: int, day: int, **fields: Any) -> dict[str, Any]:
    time = TIME.format(day=day)
    return {"id": identity, "user": ANN, "body": f"c{identity}", "created_at": time, "updated_at": time, **fields}


_REPOSITORY = {
    "id": 77,
    "node_id": "R_real",
    "name": "full",
    "full_name": "here/full",
    "owner": {"login": "here", "id": 10, "type": "Organization"},
    "private": False,
    "default_branch": "main",
    "stargazers_count": 5,
    "forks_count": 6,
    "size": 7,
    "language": "C",
    "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
    "created_at": TIME.format(day=1),
    "updated_at": TIME.format(day=2),
}
_DONE = {"state": "closed", "closed_at": TIME.format(day=20), "merged_at": TIME.format(day=20), "merged": True}
_FULL_PULLS = (
    _pull(
        1,
        **_DONE,
        merged_by=ANN,
        user=GHOST,
        _reviews=[
            {
                "id": 302,
                "user": None,
                "state": "APPROVED",
                "body": None,
                "commit_id": "c" * 40,
                "submitted_at": TIME.format(day=3),
            },
            {
                "id": 300,
                "user": ANN,
                "state": "COMMENTED",
                "body": "r",
                "commit_id": "c" * 40,
                "submitted_at": TIME.format(day=2),
            },
        ],
        _reviews_inferred=[
            {"id": 301, "user": BOT, "state": "COMMENTED", "body": "", "submitted_at": TIME.format(day=3)}
        ],
        _review_comments=[
            _comment(400, 2, pull_request_review_id=300, path="a.c", diff_hunk="@@", position=1, original_position=1),
            _comment(401, 3, pull_request_review_id=301, in_reply_to_id=400, path="a.c", diff_hunk="@@", user=BOT),
            _comment(402, 1, pull_request_review_id=None, path="b.c", diff_hunk="@@", user=None),
        ],
        _issue_comments=[_comment(500, 2, user=GHOST), _comment(501, 3, user={"login": "late", "id": 13})],
    ),
    _pull(2, state="closed", closed_at=TIME.format(day=9)),
    *(_pull(number) for number in range(3, 6)),
)
_ISSUE = {
    "number": 6,
    "id": 900,
    "title": "An issue",
    "body": "text",
    "state": "closed",
    "state_reason": "completed",
    "created_at": TIME.format(day=6),
    "updated_at": TIME.format(day=7),
    "closed_at": TIME.format(day=7),
    "user": ANN,
    "closed_by": BOT,
    "labels": [
        {"name": "bug"},
        {"id": 70, "node_id": "LA_real", "name": "Area", "color": "ffffff", "default": True, "description": "where"},
    ],
    "assignees": [BOT, ANN, {"login": "zoe"}, GHOST],
    "milestone": {
        "id": 80,
        "node_id": "MI_real",
        "number": 2,
        "title": "2.0",
        "state": "closed",
        "description": "the next one",
        "created_at": TIME.format(day=1),
        "due_on": TIME.format(day=30),
    },
    "_issue_comments": [_comment(511, 8, user=GHOST), _comment(510, 7)],
}
_BARE_PULL = {
    "number": 9,
    "title": "Bare",
    "state": "open",
    "created_at": TIME.format(day=1),
    "updated_at": TIME.format(day=2),
    "user": {"login": "zoe"},
    "_reviews": [
        {"id": 303, "user": {"login": "ann"}, "state": "COMMENTED", "body": "", "created_at": TIME.format(day=1)}
    ],
    "_review_comments": [
        {"pull_request_review_id": 303, "user": {"login": "ann"}, "body": "x", "created_at": TIME.format(day=1)},
        {"pull_request_review_id": 303, "user": {"login": "ann"}, "body": "y", "created_at": TIME.format(day=1)},
    ],
    "_issue_comments": [{"user": {"login": "zoe"}, "body": "z", "created_at": TIME.format(day=1)}],
}
