"""Reading real repositories from folders: one folder per repository, REST objects as lines of JSON.

`repository.json`, `labels.json`, and `.jsonl` or `.jsonl.gz` of pull_requests, issues, users, forks and stargazers.
Keys with a leading underscore are nested lists.  What is missing comes from `derive`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gh_backfill.simulator import derive
from gh_backfill.simulator.accounts import account
from gh_backfill.simulator.fork_list import ForkList
from gh_backfill.simulator.items import Reader
from gh_backfill.simulator.rows import IssueRow, LabelRow, PullRequestRow, RepositoryRow, Star
from gh_backfill.simulator.shelf import Shelf, shelf_of
from gh_backfill.simulator.star_list import StarList
from gh_backfill.simulator.world import World

_LONG_AGO = "2008-01-01T00:00:00Z"


def read(world: World, dirs: Iterable[Path]) -> None:
    """Put the repositories of some folders into a world.

    All accounts come first: a folder may know only the login of an account whose id another folder has.
    """
    folders = [folder for given in dirs for folder in _repositories(Path(given))]
    _read_accounts(world, folders)
    for folder in folders:
        _read_repository(world, folder)


def _repositories(given: Path) -> list[Path]:
    if (given / "repository.json").is_file():
        return [given]
    found = sorted(path.parent for path in given.glob("*/repository.json"))
    if not found:
        raise ValueError(f"{given} holds no repository: there is no repository.json in it or in a folder below")
    return found


def _read_accounts(world: World, folders: list[Path]) -> None:
    known: dict[int, dict[str, Any]] = {}
    bare: set[str] = set()
    for folder in folders:
        owner = json.loads((folder / "repository.json").read_text(encoding="utf-8"))["owner"]
        listed = list(_lines(folder, "users")) or _nested_users(folder)
        for given in ({"type": "Organization"} | owner, *listed):
            if given.get("id") is None:
                bare.add(given["login"])
            elif given["id"] != derive.GHOST_ID:
                known[given["id"]] = given | known.get(given["id"], {})
    for given in known.values():
        world.add_account(account(given))
    for login in sorted(bare):
        if world.account_by_login(login) is None and login != "ghost":
            world.add_account(account({"login": login}))


def _nested_users(folder: Path) -> Iterator[dict[str, Any]]:
    """The accounts of the rows of a folder without `users.jsonl`."""
    for name in ("pull_requests", "issues"):
        for row in _lines(folder, name):
            yield from (user for user in (row.get("user"), row.get("merged_by"), row.get("closed_by")) if user)
            yield from row.get("assignees") or ()
            for nested in ("_reviews", "_reviews_inferred", "_review_comments", "_issue_comments"):
                yield from (item["user"] for item in row.get(nested) or () if item.get("user"))
    yield from (star["user"] for star in _lines(folder, "stargazers") if star.get("user"))


def _read_repository(world: World, folder: Path) -> None:
    given = json.loads((folder / "repository.json").read_text(encoding="utf-8"))
    full_name = given["full_name"]
    identity = given.get("id") or derive.derived_repository_id(full_name)
    reader = Reader(
        world=world, full_name=full_name, repository_id=identity, default_branch=given.get("default_branch")
    )
    pulls = {row["number"]: reader.pull_request(row) for row in _lines(folder, "pull_requests")}
    issues = [reader.issue(row) for row in _lines(folder, "issues")]
    forks = [repository(world, row) for row in _lines(folder, "forks")]
    stars = [
        Star(account=reader.author(row["user"]), starred_at=row["starred_at"])  # type: ignore[arg-type]
        for row in _lines(folder, "stargazers")
        if reader.author(row.get("user")) is not None
    ]
    labels = folder / "labels.json"
    shelf = shelf_of(
        pulls,
        issues=issues,
        labels=_labels(reader, labels),
        stars=StarList.of(stars),
        forks=ForkList(fork.id for fork in forks),
    )
    items: list[PullRequestRow | IssueRow] = [*pulls.values(), *issues]
    defaults = {
        "created_at": min(
            (*(row.created_at for row in items), *(star.starred_at for star in stars)), default=_LONG_AGO
        ),
        "updated_at": max((row.updated_at for row in items), default=_LONG_AGO),
        "stargazers_count": len(stars),
    }
    world.add_repository(repository(world, {**defaults, **given, "id": identity}), shelf)
    for fork in forks:
        if fork.id not in world.repositories and world.repository(fork.owner, fork.name) is None:
            world.add_repository(fork, Shelf())


def _labels(reader: Reader, path: Path) -> list[LabelRow]:
    if not path.is_file():
        return []
    return [reader.label(given) for given in json.loads(path.read_text(encoding="utf-8"))]


def repository(world: World, given: dict[str, Any]) -> RepositoryRow:
    """Make a repository of a REST object, of which `full_name` and `owner.login` must be there."""
    owner = given["owner"]
    identity = given.get("id") or derive.derived_repository_id(given["full_name"])
    known = world.account_by_login(owner["login"])
    if known is None:
        known = account(owner)
        world.add_account(known)
    licence = given.get("license") or {}
    return RepositoryRow(
        id=identity,
        node_id=given.get("node_id") or derive.derived_node_id(derive.NodeKind.REPOSITORY, identity, 0, identity),
        owner_id=known.id,
        owner=owner["login"],
        name=given["name"],
        description=given.get("description"),
        homepage=given.get("homepage"),
        private=bool(given.get("private")),
        fork=bool(given.get("fork")),
        archived=bool(given.get("archived")),
        disabled=bool(given.get("disabled")),
        template=bool(given.get("is_template")),
        has_issues=given.get("has_issues", True),
        has_projects=given.get("has_projects", True),
        has_wiki=given.get("has_wiki", True),
        has_discussions=bool(given.get("has_discussions")),
        stargazers=given.get("stargazers_count") or 0,
        forks=given.get("forks_count") or 0,
        size=given.get("size") or 0,
        language=given.get("language"),
        license_key=licence.get("key"),
        license_name=licence.get("name"),
        license_spdx=licence.get("spdx_id"),
        default_branch=given.get("default_branch") or "main",
        created_at=given.get("created_at") or _LONG_AGO,
        updated_at=given.get("updated_at") or _LONG_AGO,
        pushed_at=given.get("pushed_at"),
    )


def _lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    plain, packed = folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"
    if plain.is_file():
        with plain.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())
    elif packed.is_file():
        with gzip.open(packed, "rt", encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())
