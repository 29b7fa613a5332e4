"""Costs of runs in US dollars, the forecast of the month, and the budget that says stop."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from gh_backfill.policy.ledger import JobType, Processor

ALERT_SHARE = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class CostRates:
    """US dollars: a minute of a Linux runner in a private repository (public ones are free), a run and a step of
    Inngest, and an hour of the server that executes Inngest's steps.

    `included_minutes` are those that the account has for nothing each month and nothing else uses.
    """

    actions_minute: float = 0.006
    inngest_run: float = 0.00005
    inngest_step: float = 0.00005
    inngest_hour: float = 0.06
    included_minutes: float = 0.0

    @classmethod
    def of(cls, given: Mapping[str, float]) -> CostRates:
        """Return the table with some prices replaced; ValueError names what is no price."""
        known = {each.name for each in fields(cls)}
        wrong = [name for name, price in given.items() if name not in known or price < 0]
        if wrong:
            raise ValueError(f"no prices: {', '.join(wrong)}; there are {', '.join(sorted(known))}, none below 0")
        return cls(**given)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessorUsage:
    """What one processor did in a month: its jobs, their chunks, and their minutes, each job's rounded up."""

    processor: str
    jobs: int = 0
    chunks: int = 0
    minutes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    """The costs of a month so far; `inngest_only` is what the same work would have cost there."""

    since: datetime
    at: datetime
    works: tuple[ProcessorUsage, ...]
    overhead_minutes: int
    by_processor: Mapping[str, float]
    embeddings: float
    inngest_only: float
    budget: float | None
    prices: CostRates = field(default_factory=CostRates)
    public: bool = False

    @property
    def runner_minutes(self) -> int:
        """Return the minutes of GitHub's runners, those of plans and reports among them."""
        return self.overhead_minutes + sum(
            work.minutes for work in self.works if work.processor == Processor.GITHUB_ACTIONS
        )

    @property
    def runners(self) -> float:
        """Return what GitHub's runners cost."""
        return self.by_processor.get(Processor.GITHUB_ACTIONS, 0.0)

    @property
    def total(self) -> float:
        """Return what was spent so far."""
        return round(sum(self.by_processor.values()) + self.embeddings, 4)

    @property
    def projected(self) -> float:
        """Return what the whole month will come to at this pace."""
        return project(self.total, self.since, self.at)

    @property
    def saving(self) -> float:
        """Return what was saved against Inngest only; negative where it would have been cheaper."""
        return round(self.inngest_only + self.embeddings - self.total, 4)

    @property
    def saving_percent(self) -> float | None:
        """Return the saving as a share of what Inngest only would have cost; None before anything ran."""
        alone = self.inngest_only + self.embeddings
        return round(100 * self.saving / alone, 1) if alone else None

    @property
    def used_percent(self) -> float | None:
        """Return how much of the budget is spent; None without one."""
        if self.budget is None:
            return None
        return round(100 * self.total / self.budget, 1) if self.budget else 100.0

    @property
    def exhausted(self) -> bool:
        """Say whether scheduled work has to wait for the next month."""
        return self.used_percent is not None and self.used_percent >= 100

    @property
    def near(self) -> bool:
        """Say whether so much is spent that somebody should know."""
        return self.used_percent is not None and self.used_percent >= 100 * ALERT_SHARE


def billed_minutes(seconds: float) -> int:
    """Return the minutes that GitHub bills for a job: begun ones count whole.

    https://docs.github.com/en/billing/concepts/product-billing/github-actions
    """
    return -int(-seconds // 60)


def job_cost(
    prices: CostRates, *, job_type: str, processor: str, seconds: float, chunks: int, spent: float | None
) -> float:
    """Return what one job cost; an embedding job knows it itself."""
    if job_type == JobType.EMBEDDING:
        return spent or 0.0
    match processor:
        case Processor.GITHUB_ACTIONS:
            return round(billed_minutes(seconds) * prices.actions_minute, 6)
        case Processor.INNGEST:
            return round(_inngest(prices, jobs=1, chunks=chunks, minutes=seconds / 60), 6)
        case _:
            return 0.0


def month(
    prices: CostRates,
    works: Sequence[ProcessorUsage],
    *,
    overhead_minutes: int,
    embeddings: float,
    since: datetime,
    at: datetime,
    budget: float | None,
    public: bool = False,
) -> Month:
    """Price a month of work; `public`: the repository whose workflows run is, and its runners cost nothing."""
    if public:
        prices = replace(prices, actions_minute=0.0)
    by_processor = {
        work.processor: _price(prices, work, overhead_minutes if work.processor == Processor.GITHUB_ACTIONS else 0)
        for work in works
    }
    if overhead_minutes and Processor.GITHUB_ACTIONS not in by_processor:
        by_processor[Processor.GITHUB_ACTIONS] = _runners(prices, overhead_minutes)
    paid = [work for work in works if work.processor != Processor.LOCAL]
    alone = sum(_inngest(prices, jobs=work.jobs, chunks=work.chunks, minutes=work.minutes) for work in paid)
    return Month(
        since=since,
        at=at,
        works=tuple(works),
        overhead_minutes=overhead_minutes,
        by_processor=by_processor,
        embeddings=embeddings,
        inngest_only=round(alone, 4),
        budget=budget,
        prices=prices,
        public=public,
    )


def first_of_month(now: datetime) -> datetime:
    """Return the moment at which the month began, in the time zone of `now`."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(since: datetime) -> datetime:
    """Return the moment at which the month after this one begins."""
    return first_of_month(since + timedelta(days=calendar.monthrange(since.year, since.month)[1]))


def project(total: float, since: datetime, at: datetime) -> float:
    """Return what a month comes to when it goes on as it began; its first day counts whole, so that no hour scares."""
    past = max((at - since).total_seconds(), 86_400.0)
    return round(total * (next_month(since) - since).total_seconds() / past, 4)


def _price(prices: CostRates, work: ProcessorUsage, overhead_minutes: int) -> float:
    match work.processor:
        case Processor.GITHUB_ACTIONS:
            return _runners(prices, work.minutes + overhead_minutes)
        case Processor.INNGEST:
            return round(_inngest(prices, jobs=work.jobs, chunks=work.chunks, minutes=work.minutes), 4)
        case _:
            return 0.0


def _runners(prices: CostRates, minutes: int) -> float:
    return round(max(0.0, minutes - prices.included_minutes) * prices.actions_minute, 4)


def _inngest(prices: CostRates, *, jobs: int, chunks: int, minutes: float) -> float:
    return jobs * prices.inngest_run + chunks * prices.inngest_step + minutes / 60 * prices.inngest_hour
