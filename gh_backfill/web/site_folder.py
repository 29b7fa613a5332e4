"""The folder of a written site: ours alone, each file replaced at once, and what is no longer written removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gh_backfill.errors import ConfigurationError

# It lies in the folder and lists what we wrote, a path a line, so that nothing of anybody else is replaced or removed.
MARKER = ".gh-backfill-site"
FIRST_LINE = "# written by gh-backfill site, which replaces and removes these files"


@dataclass(kw_only=True)
class SiteFolder:
    """A folder that is written anew: `before` are the files that we wrote into it earlier, by their paths in it."""

    path: Path
    before: frozenset[str]
    dry_run: bool = False
    written: set[str] = field(default_factory=set)
    bytes: int = 0
    removed: int = 0

    def write(self, name: str, text: str) -> None:
        """Write a file; who reads it meanwhile has the old one or the new one whole.  Raises ConfigurationError."""
        data = text.encode()
        self.written.add(name)
        self.bytes += len(data)
        if self.dry_run:
            return
        with _told(self.path):
            if name not in self.before:  # known as ours before it is there
                with (self.path / MARKER).open("a", encoding="utf-8") as marker:
                    marker.write(f"{name}\n")
            _replace(self.path / name, data)

    def close(self) -> None:
        """Remove what was written earlier and not now, and list what is here.  Raises ConfigurationError."""
        gone = sorted(self.before - self.written)
        self.removed = len(gone)
        if self.dry_run:
            return
        with _told(self.path):
            for name in gone:
                self._remove(name)
            _replace(self.path / MARKER, "\n".join([FIRST_LINE, *sorted(self.written), ""]).encode())

    def _remove(self, name: str) -> None:
        root, file = self.path.resolve(), self.path / name
        if not file.parent.resolve().is_relative_to(root):
            return
        file.unlink(missing_ok=True)
        _part_of(file).unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self.path or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


def opened(path: Path, *, dry_run: bool = False) -> SiteFolder:
    """Return a folder to write into: one that is new, empty, or that we wrote.

    Raises ConfigurationError for any other one, before anything is written.
    """
    with _told(path):
        if path.exists() and not path.is_dir():
            raise ConfigurationError(
                f"{path} is no folder: name one that is new, empty, or was written by this command"
            )
        marker = path / MARKER
        if not marker.exists():
            if path.is_dir() and any(path.iterdir()):
                raise ConfigurationError(
                    f"{path} has files that this command did not write: name a new or an empty one"
                )
            if not dry_run:
                _replace(marker, f"{FIRST_LINE}\n".encode())
            return SiteFolder(path=path, before=frozenset(), dry_run=dry_run)
        lines = marker.read_text(encoding="utf-8", errors="replace").splitlines()
        if lines[:1] != [FIRST_LINE]:
            raise ConfigurationError(f"{marker} does not list what was written here: name a new or an empty folder")
        return SiteFolder(path=path, before=frozenset(filter(None, lines[1:])), dry_run=dry_run)


def _replace(file: Path, data: bytes) -> None:
    part = _part_of(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(data)
    part.replace(file)


def _part_of(file: Path) -> Path:
    return file.with_name(f".{file.name.lstrip('.')}.part")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in a sentence what the file system refuses."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"the site can't be written to {path}: {error.filename or path}: {reason}") from error
