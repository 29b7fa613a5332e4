"""The kinds of items that can be captured, by name: the only place of the engine that knows them."""

from __future__ import annotations

from collections.abc import Mapping

from gh_backfill.engine.issues.kind import Issues
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.pull_requests.kind import PullRequests

_KINDS: tuple[Kind, ...] = (PullRequests(), Issues())
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
