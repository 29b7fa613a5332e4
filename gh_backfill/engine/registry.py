"""The kinds of items that can be captured, by name: the only place of the engine that knows them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gh_backfill.engine.issues.kind import Issues
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.errors import ConfigurationError

_KINDS: tuple[Kind, ...] = (PullRequests(), Issues())
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}


def chosen(text: str | None, *, given_as: str = "--kinds") -> tuple[str, ...] | None:
    """Read names of kinds with commas or spaces between them, each once, in the order in which they are captured.

    None where none is given; raises ConfigurationError for a name that is none, and tells those there are.
    """
    names = {name.lower().replace("-", "_") for name in re.split(r"[\s,]+", text or "") if name}
    if not names and not (text or "").strip():
        return None
    if not names:
        raise ConfigurationError(f"{given_as}: no kind is named: name some of {', '.join(KINDS)}")
    if unknown := sorted(names - KINDS.keys()):
        raise ConfigurationError(f"{given_as}: {', '.join(unknown)[:80]}: name some of {', '.join(KINDS)}")
    return tuple(name for name in KINDS if name in names)
