"""The way to GitHub from a page: somebody waits for the answer, and asks again after each word that they type."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gh_backfill.clients import lookups
from gh_backfill.clients.credentials import Credential
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Unreachable
from gh_backfill.models.github import Named, Repository, Unknown
from gh_backfill.settings import Settings
from gh_backfill.tasks import accounts, connect, track
from gh_backfill.tasks.accounts import AccountRepositories, Filters
from gh_backfill.web.recent import Recent

_Pair = tuple[str, str]
# So long one look-up by id may take; after one that took longer no other one is tried for so long.
SECONDS, AWAY = 5, 10.0


class Way:
    """What pages ask GitHub; answers of the last minute are used again by whatever asks for `recent` ones."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._away = clock()
        self._settings = settings
        self._credentials: list[Credential] = []
        self._named = Recent[_Pair, Named[Repository]](keeps=_said)
        self._names = Recent[int, Named[str]](keeps=_said)
        self._accounts = Recent[str, AccountRepositories](keeps=lambda told: told.trouble is None)

    def open(self) -> GraphQL:
        """Return a connection that gives up soon, to be closed.  Raises ConfigurationError without a credential."""
        self._credentials = self._credentials or connect.credentials_of(self._settings)
        return connect.quick_github(self._settings, self._credentials)

    def recent_name_of(self, github_id: int) -> Named[str]:
        """Return the name of a repository by GitHub's id; raises BadCredentials, RateLimited or ConfigurationError.

        Where GitHub does not answer, it is not asked about another one for a while.
        """
        if self._clock() < self._away:
            return Unknown(reason="GitHub does not answer", passing=True)
        name_of = connect.name_of(self._settings, seconds=SECONDS)
        try:
            (name,) = self._names.answers([github_id], lambda ids: [name_of(each) for each in ids])
        except Unreachable as error:
            self._away = self._clock() + AWAY
            return Unknown(reason=str(error), passing=True)
        return name

    def recent(self, graphql: GraphQL, names: Sequence[_Pair]) -> lookups.Told:
        """Return what GitHub says of (owner, name) pairs, as `track.named` does."""
        keys = [(owner.lower(), name.lower()) for owner, name in names]
        return self._named.answers(keys, lambda new: track.named(graphql, new))

    def recent_account(self, graphql: GraphQL, login: str) -> AccountRepositories:
        """Return the repositories of an account; raises where the credential is refused."""
        (found,) = self._accounts.answers([login.lower()], lambda new: accounts.ask(graphql, new, Filters()))
        return found


def _said(told: Named[Repository] | Named[str]) -> bool:
    """Say whether an answer is one for a while; what GitHub refuses it refuses a moment later, too."""
    return not (isinstance(told, Unknown) and told.passing)
