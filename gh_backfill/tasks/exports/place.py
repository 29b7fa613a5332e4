"""The place of an export: it appears there whole or not at all, and nothing of anybody else is replaced."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.exported import ExportFormat, tables

# It lies in the folder of an export and says what that is: only such a folder is replaced.
MARKER, WRITTEN_BY = "export.json", "gh-backfill export"
_NAMES = {MARKER, *(f"{table.name}.{format_}" for table in tables(embeddings=True) for format_ in ExportFormat)}
# What SQLite keeps beside a file while a program writes to it, or after one that was killed.
_IN_USE = ("-wal", "-journal")


def refuse(out: Path, *, file: bool, force: bool) -> None:
    """Raise ConfigurationError where the export can't go there, before anything is read."""
    with told(out):
        if not out.absolute().parent.is_dir():
            raise ConfigurationError(f"{out.parent} is no folder: make it first, or name another place")
        if file:
            _refuse_in_use(out)
        if not os.path.lexists(out) or (not file and out.is_dir() and not any(out.iterdir())):
            return
        if not force:
            raise ConfigurationError(f"{out} is there already: name another place, or replace it with --force")
        _refuse_others(out, file=file)


def _refuse_others(out: Path, *, file: bool) -> None:
    """Raise ConfigurationError where what stands there has anything that no export wrote."""
    if file and (out.is_symlink() or not out.is_file()):
        raise ConfigurationError(f"{out} is no file: --force replaces only files, name another place")
    if file:
        return
    if out.is_symlink() or not out.is_dir() or not _is_ours(out / MARKER):
        raise ConfigurationError(f"{out} is no export: --force replaces only a folder whose {MARKER} says that it is")
    strangers = sorted(each.name for each in out.iterdir() if each.name not in _NAMES)
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        raise ConfigurationError(f"{out} holds what no export wrote ({strangers[0]}{more}): move it, or the export")


def _refuse_in_use(out: Path) -> None:
    """Raise ConfigurationError where SQLite would take what is beside a file for a part of the new one."""
    beside = next((each for each in (out.with_name(f"{out.name}{end}") for end in _IN_USE) if each.exists()), None)
    if beside is not None:
        raise ConfigurationError(f"{beside} has what a program writes to {out.name}: close it, or remove that file")


def _is_ours(marker: Path) -> bool:
    try:
        told = json.loads(marker.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError):
        return False
    return isinstance(told, dict) and str(told.get("written_by", "")).startswith(WRITTEN_BY)


@contextmanager
def unfinished(out: Path, *, private: bool) -> Iterator[Path]:
    """Yield an empty folder beside the place, which is gone after the block whatever happens in it.

    With `private` nobody but its owner may look into it.
    """
    folder = hidden_name(out, "partial")
    with told(out):
        folder.mkdir(mode=0o700 if private else 0o777)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def put(made: Path, out: Path, *, force: bool) -> None:
    """Move what was made, a file or a folder, to its place; what stands there is replaced only with `force`."""
    with told(out):
        for each in [made] if made.is_file() else [*made.iterdir(), made]:
            _sync(each)
        if made.is_file() and not force:
            os.link(made, out)  # unlike a rename it never replaces what came meanwhile
        elif made.is_file() or not force or not out.is_dir():
            made.replace(out)  # a folder replaces an empty one, and no other
        else:
            _refuse_others(out, file=False)
            _exchange(made, out)
        _sync(out.absolute().parent)


def _exchange(made: Path, out: Path) -> None:
    before = hidden_name(out, "before")
    out.rename(before)
    try:
        made.rename(out)
    except BaseException:
        before.rename(out)
        raise
    shutil.rmtree(before)


def hidden_name(out: Path, what: str) -> Path:
    """Return a hidden name of its own beside a place, for what is there for a moment."""
    return out.absolute().with_name(f".{out.absolute().name}.{secrets.token_hex(4)}.{what}")


def _sync(path: Path) -> None:
    """Let what is written survive a crash of the machine, where its file system can."""
    with suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def told(out: Path) -> Iterator[None]:
    """Raise ConfigurationError for what the file system says."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise ConfigurationError(f"{out} appeared meanwhile: nothing was replaced") from error
        raise ConfigurationError(f"{out} can't be written: {error.strerror or error}") from error
