"""The check at the end of an aggressive backfill: what is here against what GitHub counts, and the ledger of jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.clients import created, lookups
from gh_backfill.errors import BadCredentials, Denied, TooBig, Unexpected
from gh_backfill.models.github import NodeId, Repository
from gh_backfill.models.work import CONTRIBUTORS, PULL_REQUESTS
from gh_backfill.policy.aggressive.checklist import CheckLine, ChecklistFacts, KindFacts, lines
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import AggressiveStep
from gh_backfill.store import aggressive as store
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from gh_backfill.tasks.aggressive.sync_step import CaptureWays

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryEmbeddings:
    """How the embeddings of a repository stand: by kind the items, those with a vector, and those set aside."""

    by_kind: Sequence[tuple[str, int, int, int]] = ()
    off: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Checks:
    """What a checklist asks of others: embeddings, people and of how many the profile is known, and workspaces.

    Workspaces are told by how many there are, and how many of them were not aggregated since the data changed.
    """

    embedded: Callable[[Database, str], RepositoryEmbeddings]
    profiles: Callable[[Database, str], tuple[int, int]]
    workspaces: Callable[[Database, str], tuple[int, int]]


def check(ways: CaptureWays, backfill: AggressiveBackfill, checks: Checks) -> tuple[CheckLine, ...]:
    """Return the guide's eight lines.  Raises what asking GitHub raises."""
    return lines(_facts(ways, backfill, checks))


def _facts(ways: CaptureWays, backfill: AggressiveBackfill, checks: Checks) -> ChecklistFacts:
    found = capture.find(ways.db, backfill.repository_id)
    with ways.db.reading() as tx:
        checked = store.checked_kinds(tx, backfill.repository_id, backfill.since)
    told = _told(ways, found.node_id, checked) if AggressiveStep.SYNC in backfill.steps else {}
    kinds = {
        each.kind: KindFacts(
            kind=each.kind,
            here=each.rows,
            known=each.known,
            told=told.get(each.kind),
            since=each.since,
            over=each.over,
        )
        for each in checked
    }
    with ways.db.reading() as tx:
        unnamed = store.unnamed(tx, backfill.repository_id)
        inngest, database = store.checked_errors(tx, backfill.repository_id, backfill.created_at)
    embedded = checks.embedded(ways.db, backfill.repository_id)
    people, known = checks.profiles(ways.db, backfill.repository_id)
    workspaces, stale = checks.workspaces(ways.db, backfill.repository_id)
    return ChecklistFacts(
        steps=frozenset(backfill.steps),
        asked=frozenset(backfill.kinds),
        tracked=found.tracked_at is not None,
        kinds={kind: kinds[kind] for kind in (PULL_REQUESTS, *sorted(kinds)) if kind in kinds},
        people=people,
        unnamed=unnamed,
        profiles=known if CONTRIBUTORS in backfill.kinds else None,
        embeddings=tuple(embedded.by_kind),
        embeddings_off=embedded.off,
        workspaces=workspaces,
        stale=stale,
        inngest_errors=inngest,
        database_errors=database,
    )


def _told(ways: CaptureWays, node_id: NodeId | None, checked: Sequence[store.CheckedKind]) -> dict[str, int]:
    """Return how many items of each kind GitHub counts now, of a time range by its search; of none it did not say."""
    if node_id is None:
        return {}
    match lookups.repositories_by_id(ways.graphql, [node_id])[0]:
        case Repository() as found:
            ranges = {each.kind: each.since for each in checked if each.since is not None}
            whole = {PULL_REQUESTS: found.pull_requests, **found.others}
            return {kind: n for kind, n in whole.items() if kind not in ranges} | _since(ways, found.full_name, ranges)
        case _:
            return {}


def _since(ways: CaptureWays, full_name: str, ranges: Mapping[str, datetime]) -> dict[str, int]:
    """Ask GitHub's search; a token that may read and not search leaves the lines to what was read."""
    try:
        return created.created_since(ways.graphql, full_name, ranges)
    except BadCredentials:
        raise
    except (Denied, TooBig, Unexpected) as error:
        log.warning("%s: GitHub does not count what was created since a day: %s", full_name, error)
        return {}
