"""All repositories of an account: which of them are to be tracked, and what their histories would take."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.owners import repositories_of
from gh_backfill.models import Repository
from gh_backfill.policy import governor
from gh_backfill.policy.estimate import Estimate, Work, estimate

_ACCOUNT = re.compile(r"@?([A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?)/\*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """Which repositories of an account are wanted: those with at least so many pull requests, forks and archives."""

    least: int = 0
    forks: bool = False
    archived: bool = False

    def refusal(self, repository: Repository) -> str | None:
        """Say why a repository is not wanted; None if it is."""
        if repository.is_fork and not self.forks:
            return "forks (--include-forks takes them)"
        if repository.is_archived and not self.archived:
            return "archived (--include-archived takes them)"
        if repository.pull_requests < self.least:
            return f"with fewer than {self.least} pull requests"
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The repositories of an account: those that are wanted, and how many are not, by the reason."""

    login: str
    chosen: tuple[Repository, ...]
    left_out: Mapping[str, int]

    def left(self, graphql: GraphQL) -> Estimate:
        """Estimate what the whole history of the wanted ones takes, by the price list and the budget."""
        total = sum(each.pull_requests for each in self.chosen)
        now = datetime.now(UTC)
        known = governor.unknown("", now) if graphql.budget is None else governor.standing(graphql.budget, now)
        return estimate(Work(left=total), known)


def login_of(name: str) -> str | None:
    """Return the account that `owner/*` or `@owner/*` means; None for anything else."""
    found = _ACCOUNT.fullmatch(name.strip())
    return None if found is None else found[1]


def look(graphql: GraphQL, login: str, filters: Filters) -> Account:
    """Ask GitHub for the repositories of an account; a point for a hundred.  Raises what `repositories_of` raises."""
    chosen: list[Repository] = []
    left_out: Counter[str] = Counter()
    for page in repositories_of(graphql, login):
        for repository in page:
            refusal = filters.refusal(repository)
            if refusal is None:
                chosen.append(repository)
            else:
                left_out[refusal] += 1
    return Account(login=login, chosen=tuple(chosen), left_out=dict(left_out))


def summary(accounts: Sequence[Account], graphql: GraphQL, *, backfill: bool) -> list[str]:
    """Say in lines what tracking these accounts means."""
    lines = []
    for account in accounts:
        total = sum(each.pull_requests for each in account.chosen)
        left_out = ", ".join(f"{many} {why}" for why, many in account.left_out.items())
        lines.append(
            f"{account.login}: {len(account.chosen)} repositories with {total:,} pull requests, "
            f"{account.left(graphql)} for all of it" + (f"; left out: {left_out}" if left_out else "")
        )
    lines.append(
        "their backfills begin with the next plan"
        if backfill
        else "they are only registered: plans take those that need it, --backfill opens the backfill of all"
    )
    return lines
