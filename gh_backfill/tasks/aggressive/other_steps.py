"""The second and the third step of an aggressive backfill: embeddings, and the figures of workspaces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy import money
from gh_backfill.policy.aggressive.outlook import EmbeddingsOutlook
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import StepStatus
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.policy.markdown import counted
from gh_backfill.settings import Settings
from gh_backfill.store import aggregation, embeddings, profiles
from gh_backfill.store.db import Database
from gh_backfill.tasks import aggregate
from gh_backfill.tasks.aggressive.checking import RepositoryEmbeddings
from gh_backfill.tasks.aggressive.sync_step import StepEnd, ended_by
from gh_backfill.tasks.embedding import choosing
from gh_backfill.tasks.embedding import run as embedding
from gh_backfill.tasks.embedding.run import Embedded, EmbeddingProgress, EmbeddingWish

# What an item that is still to come takes: the mean of real ones, cut as they are.
TOKENS_AN_ITEM = 90
# In seconds: a batch of 200 by a service, with its way to the database.
SECONDS_A_BATCH = 3.0


def embeddings_step(
    settings: Settings,
    db: Database,
    backfill: AggressiveBackfill,
    until: datetime | None,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    listen: Callable[[EmbeddingProgress], None],
) -> StepEnd:
    """Give every item of the repository its vector; where nobody can, the step is skipped and says what would help.

    Raises what the database raises, and EmbedderError where a key or a model is wrong.
    """
    if (reason := _off(settings, db)) is not None:
        return StepEnd(status=StepStatus.SKIPPED, told=reason)
    embedder = choosing.embedder(settings, sleep=choosing.in_time(until, sleep, now))
    wish = EmbeddingWish(repository_id=backfill.repository_id, deadline=until, batch=settings.embedding_batch)
    done = embedding.run(
        db, embedder, wish, price=choosing.price(settings, embedder), now=now, listen=listen, sleep=sleep
    )
    told = _told(done)
    if done.error is not None:
        end = ended_by(done.error, now())
        return StepEnd(status=end.status, told=f"{told}; {end.told}", resume_at=end.resume_at, error=end.error)
    if done.left:
        why = done.stopped_reason or "they changed meanwhile, or another model made their vectors"
        return StepEnd(status=StepStatus.PENDING, told=f"{told}; {done.left:,} are left: {why}")
    return StepEnd(status=StepStatus.COMPLETED, told=told)


def workspace_step(db: Database, backfill: AggressiveBackfill, *, sleep: Callable[[float], None]) -> StepEnd:
    """Compute the figures of every workspace that the repository is in."""
    done = aggregate.run(db, repository_id=backfill.repository_id, sleep=sleep)
    if not done.workspaces:
        return StepEnd(status=StepStatus.COMPLETED, told="it is in no workspace")
    told = f"{len(done.done):,} of {counted(len(done.workspaces), 'workspace')} aggregated"
    if done.failed:
        why = "; ".join(each.error or "it failed" for each in done.failed)
        return StepEnd(status=StepStatus.FAILED, told=f"{told}: {why}", error=PartlyFailed(f"{told}: {why}"))
    return StepEnd(status=StepStatus.COMPLETED, told=told)


def embeddings_of(settings: Settings, db: Database, repository_id: str) -> RepositoryEmbeddings:
    """Return how far the embeddings of a repository are; none where they are off."""
    if (reason := _off(settings, db)) is not None:
        return RepositoryEmbeddings(off=reason)
    with db.reading() as tx:
        found = embeddings.coverage(tx, repository_id, _recipe(settings))
    return RepositoryEmbeddings(
        by_kind=tuple(
            (kind.plural, each.total, each.embedded - each.stale, each.set_aside) for kind, each in found.items()
        )
    )


def profiles_of(settings: Settings, db: Database, repository_id: str) -> tuple[int, int]:
    """Return how many people occur in a repository, and of how many the profile is known."""
    with db.reading() as tx:
        found = profiles.standing(tx, repository_id, older_than=settings.profiles_old)
    return found.people, found.known


def workspaces_of(db: Database, repository_id: str) -> tuple[int, int]:
    """Return in how many workspaces a repository is, and of how many the figures are older than their data."""
    with db.reading() as tx:
        every = aggregation.to_aggregate(tx, repository_id=repository_id)
        stale = aggregation.to_aggregate(tx, repository_id=repository_id, only_due=True)
    return len(every), len(stale)


def embeddings_outlook(
    settings: Settings, db: Database | None, repository_id: str | None, more: int
) -> EmbeddingsOutlook:
    """Say what the embeddings of a repository would take, with so many items that are still to come."""
    if (reason := _off(settings, db)) is not None:
        return EmbeddingsOutlook(off=reason)
    embedder = choosing.embedder(settings)
    items, tokens = more, more * TOKENS_AN_ITEM
    if db is not None and repository_id is not None:
        with db.reading() as tx:
            known = embeddings.estimate(tx, repository_id, embedder.recipe)
        items += sum(many for many, _ in known.values())
        tokens += sum(each for _, each in known.values())
    return EmbeddingsOutlook(
        items=items,
        tokens=tokens,
        provider=f"{embedder.recipe.provider} {embedder.recipe.model}",
        price=choosing.price(settings, embedder),
        seconds=-(-items // settings.embedding_batch) * SECONDS_A_BATCH,
    )


def _off(settings: Settings, db: Database | None) -> str | None:
    """Say why nothing is embedded here; None where it is."""
    if db is not None and (reason := embedding.obstacle(db)) is not None:
        return reason
    try:
        choosing.embedder(settings)
    except ConfigurationError as error:
        return str(error)
    return None


def _recipe(settings: Settings) -> VectorRecipe:
    return choosing.embedder(settings).recipe


def _told(done: Embedded) -> str:
    cost = f", {money.amount(done.cost)}" if done.cost else ""
    aside = f", {done.failed:,} set aside: gh-backfill embed --status says why" if done.failed else ""
    return f"{counted(done.done, 'vector')} made, {done.tokens:,} tokens{cost}{aside}"
