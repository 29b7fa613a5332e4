"""Samples of the queries we send, for GitHub to price: which one to ask about next, and when it was enough."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from gh_backfill.policy.query_prices import PULL_REQUESTS, Prices
from gh_backfill.policy.surcharges import Counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A query of a shape that we send: a page, reviews by id, lists of threads, and further comments by alias."""

    name: str
    page: int = 0
    ids: int = 0
    threads: tuple[int, ...] = ()
    comments: int = 0

    @property
    def counted(self) -> Counted:
        """Return what of it may have a price."""
        aliases = len(self.threads) + self.comments
        units = self.ids + sum(1 + first for first in self.threads) + self.comments
        follow_ups = Counted(units=units, ids=min(1, self.ids), aliases=aliases, listed=self.ids)
        return follow_ups + PULL_REQUESTS.of(self.page)


# By the price list each sample is 149 units: one more would cost a second point.  The first has everything that
# may have a price.
SAMPLES = (
    Sample(name="page, reviews, threads and comments", page=30, ids=77, threads=(3, 3), comments=3),
    Sample(name="page", page=74),
    Sample(name="page and reviews", page=24, ids=100),
    Sample(name="page and threads", page=24, threads=(9,) * 10),
)
# A page that is one too large for a point, and lists of a hundred units: where these cost two points, GitHub charges
# beyond its list.
ABOVE = (
    Sample(name="page, one larger", page=75),
    Sample(name="many comments", comments=100),
    Sample(name="many threads", threads=(100,) * 40),
)
MOST_ASKED = 12


def next_sample(prices: Prices, asked: Collection[Sample]) -> Sample | None:
    """Return what to ask about next: of each shape the largest query that is believed to cost no more than it should.

    None as soon as the first of them, which has everything, costs what the list says; or when all are as believed.
    """
    first = SAMPLES[0]
    if len(asked) >= MOST_ASKED or (first in asked and prices.fits(first.counted)):
        return None
    largest = (_largest(sample, prices) for sample in SAMPLES)
    return next((sample for sample in largest if sample not in asked), None)


def _largest(sample: Sample, prices: Prices) -> Sample:
    """Return a sample with the largest page that still fits; with the smallest where none does."""
    follow_ups = replace(sample, page=0)
    return replace(sample, page=max(1, prices.page_beside(follow_ups.counted, sample.page)))
