"""An installation in somebody's repository: what is known of it, its files, and the secret that its workflows read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from gh_backfill import database_address, resources
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy import addresses, installation, names
from gh_backfill.policy.installation import Trigger
from gh_backfill.settings import Settings
from gh_backfill.store import migrations, preflight
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.exports.place import hidden_name

ENV_EXAMPLE = ".env.example"
DATABASE_SECRET = "DATABASE_URL"  # noqa: S105  (the name of a secret)
# In seconds: how long git and gh may take.
PATIENCE = 60
_DIRECT = re.compile(r"db\.[a-z0-9]+\.supabase\.co")
_POOLER = (
    "is Supabase's direct host, which needs IPv6, and GitHub's runners have none: take the address of the pooler "
    "(project, Connect, Session pooler), unless the project has the IPv4 add-on"
)

_NEAR = (
    "is reached from here alone, not by GitHub's runners: the secret takes an address that they reach, or the workflow "
    "a runner of your own"
)


class FileState(StrEnum):
    """What becomes of a file of an installation."""

    NEW = "written"
    SAME = "unchanged"
    OTHER = "replaced"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledFile:
    """A file of an installation by its path in the repository, and what becomes of it."""

    path: str
    text: str
    state: FileState


def files(
    folder: Path, *, tool: str, version: str, repository: str, trigger: Trigger, whole: bool
) -> Sequence[InstalledFile]:
    """Return the files of an installation, and how each compares with what is there.  Raises ConfigurationError."""
    texts = installation.installation(
        tool=tool, version=version, repository=repository, trigger=trigger, whole=whole, branch=_branch(folder)
    )
    every = {**texts, ENV_EXAMPLE: resources.text("installation/env.example")}
    return [InstalledFile(path=path, text=text, state=_state(folder / path, text)) for path, text in every.items()]


def refuse_others(wanted: Sequence[InstalledFile], *, force: bool) -> None:
    """Raise ConfigurationError where a file would be replaced that nobody said to replace."""
    other = [each.path for each in wanted if each.state is FileState.OTHER]
    if other and not force:
        raise ConfigurationError(f"nothing was written, for these differ: {', '.join(other)}; --force replaces them")


def write(folder: Path, wanted: Sequence[InstalledFile]) -> None:
    """Write what is new or other, each file whole, and none before all are; a link is replaced, not what it leads to.

    Raises ConfigurationError where the folder can't be written.
    """
    beside: dict[Path, Path] = {}
    try:
        for each in wanted:
            if each.state is not FileState.SAME:
                path = folder / each.path
                path.parent.mkdir(parents=True, exist_ok=True)
                beside[path] = hidden_name(path, "partial")
                beside[path].write_text(each.text, encoding="utf-8")
        for path, written in beside.items():
            written.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{_said_of(error, beside) or folder} can't be written: {error.strerror}") from error
    finally:
        for written in beside.values():
            written.unlink(missing_ok=True)


def repository_of(folder: Path) -> str | None:
    """Return the repository that a folder is a clone of, as owner/name; None where git knows of none at GitHub."""
    address = _told(["git", "-C", str(folder), "remote", "get-url", "origin"])
    pair = names.parse(address) if address else None
    return None if pair is None else "/".join(pair)


def installed_from() -> str | None:
    """Return the repository at GitHub that pip or pipx fetched this program from; None where it came by another way.

    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    try:
        told = metadata.distribution("gh-backfill").read_text("direct_url.json")
        source = json.loads(told) if told else {}
    except (metadata.PackageNotFoundError, ValueError):
        return None
    pair = names.parse(source.get("url", "")) if "vcs_info" in source else None
    return None if pair is None else "/".join(pair)


def answers(settings: Settings) -> tuple[int, str | None]:
    """Ask the database how many migrations it lacks; returns that, and what to think of besides.

    Raises what is in the way, in one line: ConfigurationError where it is too old, or of an encoding that is unfit.
    """
    with connect.database_url(settings) as url, Database(url) as db, db.reading() as tx:
        place = preflight.place(tx)
        for obstacle in filter(None, (place.too_old, place.unfit)):
            raise ConfigurationError(obstacle)
        lacking = len(migrations.pending(tx))
    return lacking, out_of_reach(database_address.understood(url))


def out_of_reach(address: database_address.Address) -> str | None:
    """Say why GitHub's runners may not reach a database that answers here; None where nothing speaks against it."""
    host = address.given.get("host", "")
    if _DIRECT.fullmatch(host):
        return f"{host} {_POOLER}"
    if address.is_local or addresses.in_a_private_network(host):
        return f"{host or 'a socket'} {_NEAR}"
    return None


def has_gh() -> bool:
    """Say whether GitHub's program `gh` is here."""
    return shutil.which("gh") is not None


def set_secret(repository: str, name: str, value: str) -> None:
    """Let `gh` keep a secret in the repository; the value travels by its standard input.  Raises PartlyFailed."""
    command = ["gh", "secret", "set", name, "--repo", repository]
    try:
        done = subprocess.run(  # noqa: S603  (a program that the user chose)
            command, input=value, check=False, capture_output=True, text=True, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PartlyFailed(f"gh could not set the secret {name}: {error}") from error
    if done.returncode:
        lines = done.stderr.replace(value, "***").split("\n") if value else []
        said = next((line.strip() for line in lines if line.strip()), f"exit code {done.returncode}")
        raise PartlyFailed(f"gh could not set the secret {name}: {said}")


def _said_of(error: OSError, beside: Mapping[Path, Path]) -> Path | str | None:
    """Return the path that an error means, by the name that it was to have in the end."""
    return next((path for path, written in beside.items() if str(written) == error.filename), error.filename)


def _state(path: Path, text: str) -> FileState:
    try:
        return FileState.SAME if path.read_text(encoding="utf-8") == text else FileState.OTHER
    except FileNotFoundError:
        return FileState.OTHER if path.is_symlink() else FileState.NEW
    except (OSError, UnicodeDecodeError):
        return FileState.OTHER


def _branch(folder: Path) -> str:
    """Return the name of the branch on which workflows start."""
    head = _told(["git", "-C", str(folder), "symbolic-ref", "--short", "refs/remotes/origin/HEAD"])
    return head.partition("/")[2] if head and "/" in head else "main"


def _told(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  (git, with words of ours)
            command, check=False, capture_output=True, text=True, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
