"""What others published, fetched once into pytest's cache, whichever of the test processes comes first."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest


def fetched(config: pytest.Config, name: str, fetch: Callable[[Path], None]) -> Path:
    """Return the folder in which an archive lies unpacked, fetching it if need be; skip where it can't be had."""
    place = config.cache.mkdir(f"gh_backfill_{name.replace('-', '_')}") / "unpacked"
    if not place.is_dir():
        with tempfile.TemporaryDirectory(dir=place.parent) as temporary:
            folder = Path(temporary)
            fetch(folder)
            (archive,) = folder.iterdir()
            with tarfile.open(archive) as packed:
                packed.extractall(folder / "unpacked", filter="data")
            with suppress(OSError):  # another test process was faster: its folder is as good
                (folder / "unpacked").rename(place)
    return place


def run(command: list[str], folder: Path) -> None:
    """Run what fetches something into a folder; skips the test where it can't."""
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    except FileNotFoundError:
        pytest.skip(f"{command[0]} is not installed: what GitHub published can't be fetched")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"`{' '.join(command)}` failed: no registry within reach? {error}")
