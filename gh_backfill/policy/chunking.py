"""The size of a page: how many items one query asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gh_backfill.models.github import Budget
from gh_backfill.models.work import Stream

FIRST_PAGE = 25
SMALLEST_FIRST_PAGE = 5
LOW_BUDGET = 0.2
COMPLEX = 100
QUICK_SECONDS = 3.0
LONGEST_SECONDS = 6.0
GROWTH = 3
# A size that failed is tried again after this many clean pages, so that trying costs at most one point in a hundred.
PAGES_UNTIL_PROBE = 100
# A size between one that worked and one that failed may fail, too: it is tried only if it would save this many points.
WORTH_TRYING = 1.0


def is_low(budget: Budget) -> bool:
    """Say whether so little of the hour is left that the customer's table wants smaller pages."""
    return budget.remaining < budget.limit * LOW_BUDGET


def first_page(
    total: int, *, complexity: float | None = None, low_budget: bool = False, usual: int | None = None
) -> int:
    """Choose the first page of a repository by the customer's table (PRD 2.2).

    `total` counts its pull requests, `complexity` is their mean size where it is known.  Where enough repositories of
    its size were captured, the page that is `usual` among them stands in place of the table's.  Later pages follow
    `PageSize`; this only decides how carefully to begin.
    """
    size = FIRST_PAGE
    for above, smaller in ((10_000, 10), (5_000, 15), (1_000, 20)):
        if total > above:
            size = smaller
            break
    size = usual or size
    if low_budget:
        size = max(SMALLEST_FIRST_PAGE, size // 2)
    if complexity is not None and complexity > COMPLEX:
        size = max(SMALLEST_FIRST_PAGE, int(size * 0.7))
    return size


@dataclass(frozen=True, kw_only=True, slots=True)
class PageSize:
    """The size of the next page, and what is known of those before it.

    `worked` is the largest size that came clean, `too_big` the smallest that failed since, with `clean` pages after
    it.  All of it is kept with the stream, so that the next job begins where this one ended.
    """

    size: int
    worked: int = 0
    too_big: int | None = None
    clean: int = 0

    @classmethod
    def remembered(cls, stream: Stream, *, first: int) -> PageSize:
        """Return what a stream knows of its pages; `first` where it has none yet."""
        if stream.page_size is None:
            return cls(size=first)
        return cls(
            size=stream.page_size,
            worked=stream.page_worked,
            too_big=stream.page_too_big,
            clean=stream.pages_clean,
        )

    def after_clean(self, asked: int, *, read: int, seconds: float, largest: int, left: int) -> PageSize:
        """Follow a page of `asked` pull requests that came clean in `seconds`, with `read` of them, and `left` to read.

        The page grows towards `largest`, the cheapest one, as long as answers are quick, and never past a time that
        GitHub's limit of 10 seconds makes risky.  It closes in on a size that failed as long as that pays for what is
        left, and tries that size again when `PAGES_UNTIL_PROBE` pages were clean.
        """
        passed = self.too_big is not None and asked >= self.too_big
        known = PageSize(
            size=min(self.size, largest),
            worked=max(self.worked, min(asked, read)),
            too_big=None if passed else self.too_big,
            clean=self.clean + 1,
        )
        if asked < self.size or read < asked or seconds > QUICK_SECONDS:
            return known
        affordable = int(asked * LONGEST_SECONDS / seconds) if seconds > 0 else largest
        wanted = max(min(asked, largest), min(largest, asked * GROWTH, affordable))
        return replace(known, size=known._below_what_failed(wanted, left))

    def after_too_big(self, asked: int) -> PageSize:
        """Follow a page that timed out or met a resource limit: back to what worked, or else to half of it.

        One pull request is the least.
        """
        worked = self.worked if self.worked < asked else 0
        return PageSize(size=worked or max(1, asked // 2), worked=worked, too_big=asked)

    def _below_what_failed(self, wanted: int, left: int) -> int:
        if self.too_big is None:
            return wanted
        if self.clean > PAGES_UNTIL_PROBE:
            return self.too_big
        between = max(self.worked + 1, int((self.worked * self.too_big) ** 0.5))
        saved = left / self.worked - left / between
        worth = between < self.too_big and saved >= WORTH_TRYING
        return min(wanted, between) if worth else self.worked
