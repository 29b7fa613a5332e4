"""The processor of a job: GitHub Actions or Inngest, by the customer's rules, or the other one while it is down.

| job                                                  | goes to                                    |
| ---------------------------------------------------- | ------------------------------------------ |
| a progressive backfill                               | GitHub Actions                             |
| of more than 1,000 pull requests and more than a week | GitHub Actions                             |
| of a repository that is being backfilled             | Inngest, for a day at most; else skipped   |
| any other                                            | a share of 25 % GitHub Actions, else Inngest |

The share is decided by a hash of the job's id: the same job always goes the same way, and nothing has to be remembered.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from gh_backfill.policy import markdown
from gh_backfill.policy.ledger import JobType, Processor
from gh_backfill.policy.syncing import DAYS_BESIDE_A_BACKFILL

# The share is told of so many days: of one tick's jobs it says little.
SHARED_OVER = timedelta(days=7)
ACTIONS_PERCENT = 25
LARGE = 1_000
LONG_DAYS = 7


class RoutingRule(StrEnum):
    """The rule that decided where a job goes."""

    PROGRESSIVE = "progressive backfill"
    LARGE = "large and long"
    BACKFILLING = "being backfilled"
    SHARE = "share"


@dataclass(frozen=True, kw_only=True, slots=True)
class Routable:
    """What is to be known of a job: how many pull requests its repository has, and how many days it reads."""

    id: str
    job_type: JobType
    pull_requests: int
    days: int
    backfilling: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where a job goes (None: nowhere), by which rule, and why in words; `fallback` says that its own way was down."""

    processor: Processor | None
    rule: RoutingRule
    reason: str
    fallback: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """How many jobs each rule sent to each processor; the share counts among those that the hash decided."""

    by_rule: Mapping[tuple[RoutingRule, Processor | None], int]

    @property
    def decided(self) -> int:
        """Return how many the hash decided."""
        return sum(count for (rule, _), count in self.by_rule.items() if rule is RoutingRule.SHARE)

    @property
    def actions_percent(self) -> float | None:
        """Return how many per cent of them went to GitHub Actions; None where there were none."""
        if not self.decided:
            return None
        return 100 * self.by_rule.get((RoutingRule.SHARE, Processor.GITHUB_ACTIONS), 0) / self.decided

    @property
    def text(self) -> str:
        """Say it in a line: the share first, then what each rule did."""
        rules = [
            f"{count} to {processor or 'nobody'} ({rule})"
            for (rule, processor), count in sorted(self.by_rule.items(), key=lambda each: (each[0][0], str(each[0][1])))
        ]
        share = self.actions_percent
        told = (
            []
            if share is None
            else [f"GitHub Actions got {markdown.percent(share, 0)} of {self.decided} that the share decided"]
        )
        return "; ".join([*told, *([", ".join(rules)] if rules else [])])


def decide(job: Routable, *, percent: int = ACTIONS_PERCENT) -> Route:
    """Return where a job goes while everything is up."""
    if job.job_type is JobType.BACKFILL:
        return Route(
            processor=Processor.GITHUB_ACTIONS,
            rule=RoutingRule.PROGRESSIVE,
            reason="a progressive backfill always goes to GitHub Actions",
        )
    if job.pull_requests > LARGE and job.days > LONG_DAYS:
        return Route(
            processor=Processor.GITHUB_ACTIONS,
            rule=RoutingRule.LARGE,
            reason=f"more than {LARGE:,} pull requests, and {job.days} days",
        )
    if job.backfilling:
        return _beside_a_backfill(job)
    place = bucket(job.id)
    return Route(
        processor=Processor.GITHUB_ACTIONS if place < percent else Processor.INNGEST,
        rule=RoutingRule.SHARE,
        reason=f"share of {percent} % for GitHub Actions, its hash is {place}",
    )


def bucket(job_id: str) -> int:
    """Return the place of a job among a hundred, the same every time."""
    return int.from_bytes(hashlib.sha256(job_id.lower().encode()).digest()[:8]) % 100


def among(route: Route, up: Collection[Processor], why_down: Mapping[Processor, str]) -> Route | None:
    """Return the way that a job goes when only some processors are up; None where it has to wait for one."""
    if route.processor is None or route.processor in up:
        return route
    (other,) = {Processor.GITHUB_ACTIONS, Processor.INNGEST} - {route.processor}
    if other not in up:
        return None
    why = why_down.get(route.processor, f"{route.processor} is down")
    return replace(route, processor=other, reason=f"{route.reason}; but {why}", fallback=True)


def shares(routes: Iterable[Route]) -> Shares:
    """Count what became of jobs."""
    return Shares(by_rule=Counter((each.rule, each.processor) for each in routes))


def _beside_a_backfill(job: Routable) -> Route:
    if job.days <= DAYS_BESIDE_A_BACKFILL:
        return Route(
            processor=Processor.INNGEST,
            rule=RoutingRule.BACKFILLING,
            reason="its repository is being backfilled: only the last day is read beside that",
        )
    return Route(
        processor=None,
        rule=RoutingRule.BACKFILLING,
        reason=f"its repository is being backfilled, which brings all of the {job.days} days",
    )
