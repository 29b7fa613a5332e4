"""All repositories of an account: which of them are to be tracked, and what their histories would take."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.owners import repositories_of
from gh_backfill.errors import BadCredentials, GitHubError, Gone
from gh_backfill.models.github import Repository, Unknown
from gh_backfill.policy import governor
from gh_backfill.policy.estimate import Estimate, RemainingWork, estimate
from gh_backfill.policy.markdown import counted
from gh_backfill.tasks.track import Result, Tracked

FORK, ARCHIVE = "fork", "archive"
_TAKES = {FORK: " (--include-forks takes them)", ARCHIVE: " (--include-archived takes them)"}
_ACCOUNT = re.compile(r"@?([A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?)/\*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """Which repositories of an account are wanted: those with at least so many pull requests, forks and archives."""

    least: int = 0
    forks: bool = False
    archived: bool = False

    def refusal(self, repository: Repository) -> str | None:
        """Say in a word that may be counted why a repository is not wanted; None if it is."""
        if repository.is_fork and not self.forks:
            return FORK
        if repository.is_archived and not self.archived:
            return ARCHIVE
        return f"repository with fewer than {self.least:,}" if repository.pull_requests < self.least else None


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRepositories:
    """The repositories of an account: those that are wanted, and how many are not, by the reason.

    `untold` are the reasons why GitHub does not tell of some of them, and `trouble` is why it told of none.
    """

    login: str
    chosen: tuple[Repository, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    untold: tuple[str, ...] = ()
    trouble: GitHubError | None = None

    def left(self, graphql: GraphQL) -> Estimate:
        """Estimate what the whole history of the wanted ones takes, by the price list and the budget."""
        total = sum(each.pull_requests for each in self.chosen)
        now = datetime.now(UTC)
        known = governor.unknown("", now) if graphql.budget is None else governor.standing(graphql.budget, now)
        return estimate(RemainingWork(left=total), known)


def login_of(name: str) -> str | None:
    """Return the account that `owner/*` or `@owner/*` means; None for anything else."""
    found = _ACCOUNT.fullmatch(name.strip())
    return None if found is None else found[1]


def ask(graphql: GraphQL, logins: Iterable[str], filters: Filters) -> list[AccountRepositories]:
    """Look at accounts; what fails for one of them is told of that one.  Raises where the credential is refused."""
    found = []
    for login in {login.lower(): login for login in logins}.values():
        try:
            found.append(look(graphql, login, filters))
        except BadCredentials:
            raise
        except GitHubError as error:
            found.append(AccountRepositories(login=login, trouble=error))
    return found


def look(graphql: GraphQL, login: str, filters: Filters) -> AccountRepositories:
    """Ask GitHub for the repositories of an account; a point for a hundred.  Raises what `repositories_of` raises."""
    chosen: dict[int, Repository] = {}  # by GitHub's id: one that is renamed meanwhile may come twice
    left_out: Counter[str] = Counter()
    untold: list[str] = []
    for page in repositories_of(graphql, login):
        for each in page:
            if isinstance(each, Unknown):
                untold.append(each.reason)
            elif refusal := filters.refusal(each):
                left_out[refusal] += 1
            else:
                chosen[each.github_id] = each
    return AccountRepositories(
        login=login, chosen=tuple(chosen.values()), left_out=dict(left_out), untold=tuple(untold)
    )


def tracked(accounts: Sequence[AccountRepositories], beside: Sequence[Tracked]) -> list[Tracked]:
    """Return what is to be registered of accounts, `beside` what was named itself, and what GitHub does not tell."""
    seen = {each.repository.github_id for each in beside if each.repository}
    return [each for account in accounts for each in _tracked(account, seen)]


def summary(accounts: Sequence[AccountRepositories], graphql: GraphQL, *, backfill: bool, more_than: int) -> list[str]:
    """Say in lines what tracking these accounts means; plans take histories of `more_than` so many pull requests."""
    lines = [_line(account, graphql) for account in accounts if account.trouble is None]
    if not any(account.chosen for account in accounts):
        return lines
    what = (
        "their backfills begin with the next plan"
        if backfill
        else f"they are only registered: plans take those with more than {counted(more_than, 'pull request')}, "
        "--backfill brings the newest of all"
    )
    return [*lines, what]


def _line(account: AccountRepositories, graphql: GraphQL) -> str:
    total = sum(each.pull_requests for each in account.chosen)
    left_out = ", ".join(f"{counted(many, why)}{_TAKES.get(why, '')}" for why, many in account.left_out.items())
    here = f"{counted(len(account.chosen), 'repository')} with {counted(total, 'pull request')}"
    takes = f", {account.left(graphql)} for all of it" if account.chosen else ""
    return f"{account.login}: {here}{takes}" + (f"; left out: {left_out}" if left_out else "")


def _tracked(account: AccountRepositories, seen: set[int]) -> Iterator[Tracked]:
    given = f"{account.login}/*"
    if isinstance(account.trouble, Gone):
        yield Tracked(given=given, result=Result.NO_ACCOUNT)
    elif account.trouble is not None:
        yield Tracked(given=given, result=Result.UNKNOWN, reason=str(account.trouble))
    for repository in account.chosen:
        result = Result.DUPLICATE if repository.github_id in seen else Result.ADDED
        seen.add(repository.github_id)
        yield Tracked(given=repository.full_name, result=result, repository=repository)
    for reason, many in Counter(account.untold).items():
        which = f"{counted(many, 'repository')} of {account.login}"
        yield Tracked(given=which, result=Result.UNKNOWN, reason=reason)
