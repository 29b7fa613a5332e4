"""The outlook of an aggressive backfill: its time by the guide's table and by our own estimate, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gh_backfill.policy import money
from gh_backfill.policy.embedding import prices
from gh_backfill.policy.estimate import duration
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.query_prices import LARGEST_FIRST
from gh_backfill.policy.report.costs import CostRates

# Points a page of a hundred items: the page itself, and what completes it; as measured (docs/performance.md).
POINTS_A_PAGE = 1.7
# At the end of each list, however short it is, what changed meanwhile is read.
POINTS_AT_THE_END = 1
SECONDS_A_POINT = 2.0
# In repositories that were looked at, so many people occur for an item.
PEOPLE_AN_ITEM = 0.25
# In seconds: so long a step of Inngest's function works.
INNGEST_STEP = 50.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeClass:
    """A row of the guide's table: minutes, at least and at most, for repositories up to so many pull requests."""

    name: str
    most: int | None
    sync: tuple[int, int]
    embeddings: tuple[int, int]
    total: tuple[int, int]

    @property
    def text(self) -> str:
        """Return it as one line."""
        parts = [("data sync", self.sync), ("embeddings", self.embeddings), ("in all", self.total)]
        return f"{self.name}: {', '.join(f'{word} {least}-{most} min' for word, (least, most) in parts)}"


SIZES = (
    SizeClass(name="Small (<100 PRs)", most=99, sync=(2, 5), embeddings=(5, 10), total=(7, 15)),
    SizeClass(name="Medium (100-1K PRs)", most=1000, sync=(5, 10), embeddings=(15, 25), total=(20, 35)),
    SizeClass(name="Large (1K-5K PRs)", most=5000, sync=(10, 15), embeddings=(30, 50), total=(40, 65)),
    SizeClass(name="Very Large (>5K PRs)", most=None, sync=(15, 30), embeddings=(60, 120), total=(75, 150)),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """What is still to be read of a kind: GitHub counts `total`, so many are here.

    With a time range nobody knows before how many are in it: then it is the most there can be.
    """

    words: str
    total: int | None
    here: int
    complete: bool = False

    @property
    def left(self) -> int:
        """Return how many are to be read at most."""
        return 0 if self.complete or self.total is None else max(0, self.total - self.here)

    @property
    def text(self) -> str:
        """Return it in words."""
        total = "an unknown number of" if self.total is None else f"{self.total:,}"
        return f"{total} {self.words} ({self.here:,} here)"


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingsOutlook:
    """What embeddings would take: so many items and tokens at a price a million, None where nobody knows it.

    `off` says why none come.
    """

    items: int = 0
    tokens: int = 0
    provider: str = ""
    price: float | None = 0.0
    seconds: float = 0.0
    off: str | None = None

    @property
    def dollars(self) -> float | None:
        """Return what the tokens cost; None where nobody knows."""
        return prices.cost(self.tokens, self.price)


@dataclass(frozen=True, kw_only=True, slots=True)
class CostLine:
    """A line of the guide's cost breakdown, in US dollars, None where nobody knows.

    `why` says where the figure is from.
    """

    name: str
    dollars: float | None
    why: str

    @property
    def rounded(self) -> float | None:
        """Return it to a hundredth of a cent."""
        return None if self.dollars is None else round(self.dollars, 4)

    @property
    def text(self) -> str:
        """Return it in words; what costs nothing at all is free, and no cost is shown as nothing."""
        if self.dollars == 0.0:
            return f"{self.name}: free ({self.why})"
        return f"{self.name}: {money.amount(self.dollars)} ({self.why})"


def size_class(pull_requests: int) -> SizeClass:
    """Return the row of the guide's table for a repository."""
    return next(each for each in SIZES if each.most is None or pull_requests <= each.most)


def points_of(left: int) -> int:
    """Estimate the points for so many items of a list whose pages are as long as GitHub allows."""
    return math.ceil(left / LARGEST_FIRST * POINTS_A_PAGE)


def points_of_people(items: int) -> int:
    """Estimate the points for the profiles of those who occur in so many new items."""
    return math.ceil(items * PEOPLE_AN_ITEM / LARGEST_FIRST)


def through_inngest(rates: CostRates, seconds: float) -> str:
    """Say what the same work would take and cost as a run of Inngest: a first step asks, each other one works."""
    steps = 1 + max(1, math.ceil(seconds / INNGEST_STEP))
    dollars = rates.inngest_run + steps * rates.inngest_step + seconds / 3600 * rates.inngest_hour
    return f"{counted(steps, 'step')}, {money.amount(dollars)}"


def costs(
    *, points: int, limit: int, embeddings: EmbeddingsOutlook | None, rates: CostRates, seconds: float
) -> tuple[CostLine, ...]:
    """Return the guide's four lines, from real counts; the work takes so many `seconds`."""
    if embeddings is None:
        told = CostLine(name="OpenAI Embeddings", dollars=0.0, why="left out, as asked")
    elif embeddings.off is not None:
        told = CostLine(name="OpenAI Embeddings", dollars=0.0, why="none are made, as said above")
    else:
        guide = money.amount(prices.by_the_guide(embeddings.items))
        a_million = "at a price that GH_BACKFILL_EMBEDDING_PRICE may tell"
        if embeddings.price is not None:
            a_million = f"at {money.price(embeddings.price)} a million"
        told = CostLine(
            name="OpenAI Embeddings",
            dollars=embeddings.dollars,
            why=(
                f"{counted(embeddings.items, 'item')}, about {embeddings.tokens:,} tokens by {embeddings.provider} "
                f"{a_million}; the guide's figures would be {guide}"
            ),
        )
    return (
        CostLine(name="GitHub API", dollars=0.0, why=f"about {counted(points, 'point')} of {limit:,} an hour"),
        CostLine(
            name="Inngest",
            dollars=0.0,
            why=f"not used: this process does the work; by its event: {through_inngest(rates, seconds)}",
        ),
        CostLine(name="Supabase", dollars=0.0, why="no function is invoked: rows go straight to the database"),
        told,
    )


def total(lines: Sequence[CostLine]) -> str:
    """Say what all lines come to, also where nobody knows what one of them costs."""
    known = money.amount(sum(each.dollars for each in lines if each.dollars is not None))
    return f"{known} and what is unknown" if any(each.dollars is None for each in lines) else known


def own_time(sync_seconds: float, embeddings: EmbeddingsOutlook | None) -> str:
    """Say how long it takes by our own estimate."""
    vectors = 0.0 if embeddings is None else embeddings.seconds
    parts = f"data sync {duration(sync_seconds)}, embeddings {duration(vectors)}" if vectors else "data sync alone"
    return f"about {duration(sync_seconds + vectors)} ({parts})"
