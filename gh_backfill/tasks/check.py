"""Prove before any work that settings, token, budget and database are fit for it: one finding each, with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from gh_backfill.clients import account
from gh_backfill.errors import BackfillError, ConfigurationError, StoreReadOnly
from gh_backfill.models.github import Budget
from gh_backfill.policy import governor
from gh_backfill.required import require
from gh_backfill.settings import Settings
from gh_backfill.store import access, dues, migrations, preflight, readers, vectors, webhooks
from gh_backfill.store.db import Database
from gh_backfill.store.needs import TO_WRITE
from gh_backfill.tasks import check_embedding, check_schedule, connect
from gh_backfill.tasks.check_settings import settings_findings
from gh_backfill.tasks.finding import Finding

# A page of pull requests and what completes it.
POINTS_OF_A_START = 3
ROLE_GUIDE = "docs/writer_role.sql grants what is needed"


def check(settings: Settings, now: datetime, *, token: bool = True) -> list[Finding]:
    """Check everything that can be; what depends on something that failed is left out.

    Without `token` it is no fault that there is none: whoever reads from GitHub runs somewhere else.
    """
    github = _github(settings, now) if token or settings.has_credential else ()
    return [*_settings(settings, token=token), *settings_findings(settings), *github, *_rest(settings, now)]


def _rest(settings: Settings, now: datetime) -> Iterator[Finding]:
    yield from check_embedding.maker(settings)
    yield from check_schedule.workflows(settings)
    yield from _database(settings, now)


def _settings(settings: Settings, *, token: bool) -> Iterator[Finding]:
    where = "the embedded database" if settings.database_url is None else "the configured database"
    simulated = " (simulated)" if settings.simulated else ""
    yield _tried(
        "settings",
        lambda: require(settings, token=token, database=True),
        f"{settings.graphql_url}{simulated} into {where}",
    )


def _github(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Use each token once; what is left of its budget comes with the answer."""
    try:
        ways = connect.each_github(settings)
    except ConfigurationError:
        return  # the settings' finding says so
    for name, graphql in ways:
        try:
            with graphql:
                text = f"{name}: GitHub knows it as {account.login(graphql)}"
        except BackfillError as error:
            yield Finding(name="token", ok=False, text=f"{name}: {error}")
            continue
        yield Finding(name="token", ok=True, text=text)
        if graphql.budget is not None:
            yield _budget(graphql.budget, now)


def _budget(budget: Budget, now: datetime) -> Finding:
    """Describe the budget; an exhausted one is no fault, for it comes back by itself."""
    text = f"{budget.remaining} of {budget.limit} points an hour are left"
    wait = governor.verdict(governor.standing(budget, now), POINTS_OF_A_START)
    if wait is not None:
        text += f"; captures wait until {wait.until:%Y-%m-%d %H:%M:%S} UTC"
    return Finding(name="budget", ok=True, text=text)


def _database(settings: Settings, now: datetime) -> Iterator[Finding]:
    try:
        require(settings, database=True)
    except ConfigurationError:
        return  # the settings' finding says so
    if settings.database_url is None and not connect.embedded_exists(settings):
        folder = connect.embedded_folder(settings)
        yield Finding(name="database", ok=True, text=f"none yet: the first command that writes makes one in {folder}")
        return
    try:
        with connect.database_url(settings) as url, Database(url) as db:
            found = list(_database_at(db, now, embedded=settings.database_url is None))
            if any(each.name == "columns" for each in found):
                with db.reading() as tx:
                    found += check_embedding.room(settings, vectors.standing(tx))
            if any(each.name == "rights" and each.ok for each in found):
                connect.correct_budgets(settings, db)
            yield from found
    except BackfillError as error:
        yield Finding(name="database", ok=False, text=str(error))


def _database_at(db: Database, now: datetime, *, embedded: bool) -> Iterator[Finding]:
    with db.reading() as tx:
        place = preflight.place(tx)
        waiting = [f"{each.version}_{each.name}" for each in migrations.pending(tx)]
        lacking = access.Lacking() if waiting else access.lacking(tx)
    schema = db.schema or place.schema
    where = "" if schema in ("public", None) else f"; schema {schema}"
    if place.too_old is not None:
        yield Finding(name="database", ok=False, text=place.too_old)
        return
    yield Finding(name="database", ok=True, text=f"PostgreSQL {place.version} answers{where}")
    if place.unfit is not None:
        yield Finding(name="encoding", ok=False, text=place.unfit)
    if waiting:
        todo = "the next command that writes applies them" if embedded else "run gh-backfill migrate"
        some = ", ".join(waiting[:3]) + ("…" if len(waiting) > 3 else "")
        yield Finding(name="migrations", ok=embedded, text=f"{len(waiting)} are pending ({some}): {todo}")
        yield _tried("migrate", lambda: migrations.rehearse(db), "was tried and rolled back: it would succeed")
        return
    yield Finding(name="migrations", ok=True, text="the database is up to date")
    columns = "; ".join(lacking.columns)
    yield Finding(name="columns", ok=not columns, text=columns or "all columns that are written are there")
    rights = _rights(db, lacking.rights)
    yield rights
    yield from _readers(db)
    if rights.ok and not columns:
        with db.reading() as tx:
            yield from _announced(webhooks.waiting(tx))
            yield from _unusable(webhooks.unusable(tx))
            yield from check_schedule.late(dues.backlog(tx, now=now), now)


def _readers(db: Database) -> Iterator[Finding]:
    """Name the roles that read nothing and do not know it: no fault of ours, and nothing that keeps us from working."""
    with db.reading() as tx:
        blind = readers.blind(tx)
    for role, tables in blind.items():
        some = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if len(tables) > 3 else "")
        text = f"role {role} may select from {some}, and sees no row there: gh-backfill grant-reader {role}"
        yield Finding(name="readers", ok=True, text=text)


def _announced(waiting: webhooks.Waiting) -> Iterator[Finding]:
    """Say what webhooks announced and nobody fetched yet; it is no fault of the settings, so it is never one."""
    if waiting.since is None:
        return
    text = f"{waiting.announced} announced, not fetched yet (since {waiting.since:%Y-%m-%d %H:%M:%S} UTC)"
    if waiting.failing:
        text += f"; {waiting.failing} could not be fetched and are tried again: {waiting.reason}"
    yield Finding(name="webhooks", ok=True, text=f"{text}; gh-backfill webhooks fetches them while it runs")


def _unusable(unusable: webhooks.UnusableRows) -> Iterator[Finding]:
    """Say of how much that webhooks told no event could be made: GitHub's doing, and no fault of the settings."""
    if unusable.many:
        text = f"of {unusable.many} no event could be made, the last: {unusable.reason}; each is kept for 30 days"
        yield Finding(name="webhook events", ok=True, text=text)


def _rights(db: Database, missing: Sequence[str]) -> Finding:
    """Write to every table in a transaction that is rolled back, unless the catalog already says that we may not."""
    try:
        failed = missing or [f"{table}: {reason}" for table, reason in access.prove(db)]
    except StoreReadOnly as error:
        return Finding(name="rights", ok=False, text=str(error))
    if failed:
        return Finding(name="rights", ok=False, text=f"{'; '.join(failed)} ({ROLE_GUIDE})")
    return Finding(name="rights", ok=True, text=f"{len(TO_WRITE)} tables can be written, changed and read")


def _tried(name: str, do: Callable[[], None], text: str) -> Finding:
    try:
        do()
    except BackfillError as error:
        return Finding(name=name, ok=False, text=str(error))
    return Finding(name=name, ok=True, text=text)
