"""Embeddings as a person sees them in a terminal: what a run did or would do, and how far each type is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import money
from gh_backfill.policy.embedding import prices
from gh_backfill.policy.embedding.order import ItemType
from gh_backfill.policy.markdown import counted, percent
from gh_backfill.terminal import tables
from gh_backfill.terminal.console import say, show_table

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.policy.embedding.recipe import VectorRecipe
    from gh_backfill.store.embeddings import EmbeddingJob, NotEmbedded, TypeCoverage
    from gh_backfill.tasks.embedding.many import EmbeddedOne, EmbeddingPlan, EmbeddingStatus

STATUS = (
    tables.Column(title="repository"),
    tables.Column(title="type"),
    tables.Column(title="items", is_figure=True),
    tables.Column(title="embedded", is_figure=True),
    tables.Column(title="", is_figure=True),
    tables.Column(title="stale", is_figure=True),
    tables.Column(title="set aside", is_figure=True),
)
MOST_SET_ASIDE = 10


def show_embedded(done: Sequence[EmbeddedOne]) -> None:
    """Print what became of each run."""
    for each in done:
        told = each.told
        if not any((told.done, told.skipped, told.failed, told.empty, told.left)) and told.error is None:
            say(escape(f"{each.name}: everything has its embedding"))
            continue
        parts = [f"{counted(told.done, 'item')} embedded"]
        parts += [f"{counted(told.failed, 'item')} set aside"] if told.failed else []
        parts += [f"{counted(told.empty, 'item')} without text"] if told.empty else []
        parts += [f"{told.left:,} left"] if told.left else []
        parts.append(_paid(told.tokens, told.cost))
        reason = f"; {told.stopped_reason}" if told.stopped_reason and told.error is None else ""
        say(escape(f"{each.name}: {', '.join(parts)}{reason}"))


def show_plans(found: Sequence[EmbeddingPlan], recipe: VectorRecipe) -> None:
    """Print what a run would do."""
    say(escape(f"dry run: nothing is embedded and nobody is asked; provider {recipe.provider}, model {recipe.model}"))
    for each in found:
        types = ", ".join(
            counted(many, item_type.value.replace("_", " ")) for item_type, many in each.items.items() if many
        )
        guide = f"by the guide's figures {money.amount(prices.by_the_guide(each.total))}"
        told = f"{types}; about {_paid(each.tokens, each.cost)} ({guide})" if each.total else "nothing to embed"
        say(escape(f"{each.name}: {told}"))


def show_statuses(found: Sequence[EmbeddingStatus]) -> None:
    """Print how far each type of each repository is, the last run, and what was set aside."""
    rows = [
        _row(each.name if item_type is ItemType.ISSUE else "", item_type, coverage)
        for each in found
        for item_type, coverage in each.types.items()
    ]
    show_table(STATUS, rows)
    for each in found:
        if each.job is not None:
            say(escape(f"{each.name}: {_of_job(each.job)}"))
        for item in each.set_aside[:MOST_SET_ASIDE]:
            say(escape(_of_item(item)))


def _row(name: str, item_type: ItemType, found: TypeCoverage) -> tables.Row:
    share = "–" if found.percent is None else percent(found.percent)
    figures = (f"{found.total:,}", f"{found.embedded:,}", share, f"{found.stale:,}", f"{found.set_aside:,}")
    return tables.Row(cells=(name, item_type.plural, *figures))


def _of_job(job: EmbeddingJob) -> str:
    by = f" by {job.provider} ({job.model})" if job.provider else ""
    at = job.completed_at or job.updated_at
    when = f", {at:%Y-%m-%d %H:%M} UTC" if at is not None else ""
    paid = f", {_paid(job.tokens, job.cost)}" if job.tokens is not None else ""
    why = f": {job.error_message}" if job.error_message else ""
    done = f"{job.items_processed or 0:,} of {counted(job.items_total, 'item')}"
    return f"last run {job.status}: {done}{by}{when}{paid}{why}"


def _of_item(item: NotEmbedded) -> str:
    number = f" #{item.number}" if item.number is not None else ""
    return f"set aside: {item.full_name}{number} ({item.item_type.value.replace('_', ' ')}): {item.reason}"


def _paid(tokens: int, cost: float | None) -> str:
    price = "" if cost is None else ", nothing to pay" if not cost else f", {money.amount(cost)}"
    return f"{counted(tokens, 'token')}{price}"
