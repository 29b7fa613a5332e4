"""The month's costs in words: why runners cost what they do, and whether the promised saving is kept."""

from __future__ import annotations

from collections.abc import Iterator

from gh_backfill.policy import markdown
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.money import price
from gh_backfill.policy.report.costs import Month

# What the migration to Actions was to save against Inngest alone, in percent.
PROMISED = (60, 85)


def explained(month: Month) -> list[str]:
    """Return sentences about a month; none before anything ran on GitHub's runners."""
    if not month.runner_minutes:
        return []
    return [_runners(month), *_compared(month), _estimated(month)]


def _runners(month: Month) -> str:
    minutes, prices = counted(month.runner_minutes, "runner minute"), month.prices
    if month.public:
        return f"{minutes} cost nothing: the repository whose workflows run is public."
    if not prices.actions_minute:
        return f"{minutes} cost nothing: GH_BACKFILL_PRICES says that a minute is free."
    if prices.included_minutes >= month.runner_minutes:
        return f"{minutes} cost nothing: they are among the {prices.included_minutes:,.0f} included ones."
    if prices.included_minutes:
        return (
            f"{minutes}, of which {prices.included_minutes:,.0f} are included; each of the others costs "
            f"{price(prices.actions_minute)}, and a job's begun minute counts whole."
        )
    return (
        f"{minutes} at {price(prices.actions_minute)} each; a job's begun minute counts whole. They cost nothing "
        "in a public repository, nor while the account's included minutes last (2,000 a month in GitHub Free, 3,000 in "
        "Pro and Team): GH_BACKFILL_PRICES='{\"included_minutes\": 2000}' counts them."
    )


def _compared(month: Month) -> Iterator[str]:
    low, high = PROMISED
    saved = month.saving_percent
    if saved is None:
        return
    if month.saving < 0:
        yield (
            f"Actions was dearer than Inngest alone would have been, by ${-month.saving:.4f}: it bills whole minutes "
            "of a runner, installation included, and Inngest runs, steps and the server's time."
        )
    if saved >= low:
        yield f"This keeps the guide's promise of {low} to {high} % less than with Inngest alone."
    else:
        free = 100 * month.runners / (month.inngest_only + month.embeddings) + saved
        yield (
            f"The guide's promise, {low} to {high} % less than with Inngest alone, holds where runners cost nothing: "
            f"without their ${month.runners:.4f} this month would have saved {markdown.percent(free, 0)}."
        )


def _estimated(month: Month) -> str:
    prices = month.prices
    return (
        f"Inngest's costs are an estimate: {price(prices.inngest_run)} for a job and {price(prices.inngest_step)} "
        f"for a chunk, {price(prices.inngest_hour)} for an hour of the server. GH_BACKFILL_PRICES replaces them."
    )
