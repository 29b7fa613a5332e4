"""The way to GitHub from a page: somebody waits for the answer, and asks again after each word that they type."""

from __future__ import annotations

from collections.abc import Sequence

from gh_backfill.clients import lookups
from gh_backfill.clients.credentials import Credential
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.github import Named, Repository, Unknown
from gh_backfill.settings import Settings
from gh_backfill.tasks import accounts, connect
from gh_backfill.tasks.accounts import AccountRepositories, Filters
from gh_backfill.web.recent import Recent

_Pair = tuple[str, str]


class Way:
    """What pages ask GitHub; answers of the last minute are used again by whatever asks for `recent` ones."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credentials: list[Credential] = []
        self._named = Recent[_Pair, Named[Repository]](keeps=_said)
        self._names = Recent[int, Named[str]](keeps=_said)
        self._accounts = Recent[str, AccountRepositories](keeps=lambda told: told.trouble is None)

    def open(self) -> GraphQL:
        """Return a connection that gives up soon, to be closed.  Raises ConfigurationError without a credential."""
        self._credentials = self._credentials or connect.credentials_of(self._settings)
        return connect.quick_github(self._settings, self._credentials)

    def name_of(self, github_id: int) -> Named[str]:
        """Return the name of a repository by GitHub's id; raises as `rest.full_name` does."""
        return connect.name_of(self._settings)(github_id)

    def recent_name_of(self, github_id: int) -> Named[str]:
        """Return it as `name_of` does."""
        (name,) = self._names.answers([github_id], lambda ids: [self.name_of(each) for each in ids])
        return name

    def recent(self, graphql: GraphQL, names: Sequence[_Pair]) -> lookups.Told:
        """Return what GitHub says of (owner, name) pairs, as `lookups.repositories_by_name` does."""
        keys = [(owner.lower(), name.lower()) for owner, name in names]
        return self._named.answers(keys, lambda new: lookups.repositories_by_name(graphql, new))

    def recent_account(self, graphql: GraphQL, login: str) -> AccountRepositories:
        """Return the repositories of an account; raises where the credential is refused."""
        (found,) = self._accounts.answers([login.lower()], lambda new: accounts.ask(graphql, new, Filters()))
        return found


def _said(told: Named[Repository] | Named[str]) -> bool:
    return not isinstance(told, Unknown)
