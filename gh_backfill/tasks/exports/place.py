"""The place of an export: it appears there whole or not at all, and nothing of anybody else is replaced."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gh_backfill.errors import ConfigurationError

# It lies in the folder of an export and says what that is: only such a folder is replaced.
MARKER = "export.json"


def refuse(out: Path, *, file: bool, force: bool) -> None:
    """Raise ConfigurationError where the export can't go there, before anything is read."""
    with told(out):
        if not out.absolute().parent.is_dir():
            raise ConfigurationError(f"{out.parent} is no folder: make it first, or name another place")
        if not os.path.lexists(out) or (not file and out.is_dir() and not any(out.iterdir())):
            return
        if not force:
            raise ConfigurationError(f"{out} is there already: name another place, or replace it with --force")
        if file and (out.is_symlink() or not out.is_file()):
            raise ConfigurationError(f"{out} is no file: --force replaces only files, name another place")
        if not file and (out.is_symlink() or not out.is_dir() or not (out / MARKER).is_file()):
            raise ConfigurationError(f"{out} is no export: --force replaces only a folder with {MARKER} in it")


@contextmanager
def unfinished(out: Path, *, private: bool) -> Iterator[Path]:
    """Yield an empty folder beside the place, which is gone after the block whatever happens in it.

    With `private` nobody but its owner may look into it.
    """
    folder = _beside(out, "partial")
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
            _exchange(made, out)
        _sync(out.absolute().parent)


def _exchange(made: Path, out: Path) -> None:
    before = _beside(out, "before")
    out.rename(before)
    try:
        made.rename(out)
    except BaseException:
        before.rename(out)
        raise
    shutil.rmtree(before)


def _beside(out: Path, what: str) -> Path:
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
