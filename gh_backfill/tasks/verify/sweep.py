"""The rolling sweep: whose turn it is, oldest proof first, within a small share of the budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Gone, NoConnection, PartlyFailed, RateLimited, Unreachable
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy.verify.allowance import allowance
from gh_backfill.store import jobs, repositories
from gh_backfill.store import verify as rows
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from gh_backfill.tasks.verify.verify import Verified, verify

# Every item is looked at at least every thirty days: the sweep begins with it ten days before that.
OLD = timedelta(days=20)
# What scores low is verified again the next night, not at once.
RESTED = timedelta(hours=20)
LEAST = 2


def named(db: Database, names: Sequence[str], kinds: Sequence[str] = (PULL_REQUESTS,)) -> list[TrackedRepository]:
    """Return repositories by their names, each once; raises ConfigurationError for one that is not here."""
    found = [capture.find(db, name, kinds) for name in names]
    return list({each.id: each for each in found}.values())


def due(db: Database, now: datetime, kinds: Sequence[str] = (PULL_REQUESTS,)) -> list[TrackedRepository]:
    """Return the repositories whose turn it is, the most urgent first."""
    with db.reading() as tx:
        ids = [each.id for each in rows.due(tx, now, old=OLD, rested=RESTED)]
        known = {each.id: each for each in repositories.candidates(tx, asked=ids, kinds=kinds)} if ids else {}
    return [known[each] for each in ids if each in known]


def verifications(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    names: Sequence[str],
    *,
    kinds: Sequence[str] = (PULL_REQUESTS,),
    repair: bool = False,
    writes: bool = True,
    until: datetime | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Verified]:
    """Verify what is named, whole, whatever that costs; without a name what is due, within its share.

    Nothing is asked from `until` on: what is left then comes another time.
    """
    if not names:
        yield from sweep(
            db, graphql, job_run, kinds=kinds, repair=repair, writes=writes, until=until, now=now, sleep=sleep
        )
        return
    for repository in named(db, names, kinds):
        yield verify(db, graphql, job_run, repository, repair=repair, writes=writes, until=until, now=now, sleep=sleep)


def sweep(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    *,
    kinds: Sequence[str] = (PULL_REQUESTS,),
    repair: bool = False,
    writes: bool = True,
    only: Collection[str] | None = None,
    until: datetime | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Verified]:
    """Verify what is due, one after the other, until the share of this hour is spent; yields what came of each.

    Of a large repository as many items are looked at as the share allows, and the next sweep goes on behind them.
    `only` these are taken, by our ids, and nothing is asked from `until` on.
    """
    with db.reading() as tx:
        spent = rows.spent_lately(tx, now())
    before = graphql.spent.points
    for repository in due(db, now(), kinds):
        left = allowance(graphql.attempts.standings(), spent + graphql.spent.points - before)
        if left < LEAST or (until is not None and now() >= until) or graphql.attempts.must_wait(1) is not None:
            return  # it is due as before
        if only is not None and repository.id not in only:
            continue
        done = verify(
            db,
            graphql,
            job_run,
            repository,
            repair=repair,
            writes=writes,
            points=left,
            as_old_as=OLD,
            until=until,
            now=now,
            sleep=sleep,
        )
        yield done
        if isinstance(done.error, RateLimited):
            return


def raise_failures(done: Sequence[Verified], *, named: bool) -> None:
    """Raise PartlyFailed where some repositories could not be looked at, Unreachable where there is no way to GitHub.

    That GitHub does not show one is told by every plan: it is no failure of a sweep that nobody `named` it to.
    """
    passing = (RateLimited,) if named else (RateLimited, Gone)
    failed = [each for each in done if each.error is not None and not isinstance(each.error, passing)]
    if failed and all(isinstance(each.error, NoConnection) for each in failed):
        raise Unreachable(f"{failed[0].repository.full_name}: {failed[0].reason}")
    if failed:
        raise PartlyFailed("; ".join(f"{each.repository.full_name}: {each.reason}" for each in failed))
