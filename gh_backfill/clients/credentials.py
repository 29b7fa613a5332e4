"""Credentials that we show GitHub, and the identity to whose budget each counts.

GitHub counts by identity, not by token: all tokens of a user share one budget, so do all jobs of a repository's
workflows though each has another token, and an App has one for each installation.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
An identity is a name that may be stored and shown; nothing of a token is in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from gh_backfill.errors import BadCredentials

log = logging.getLogger(__name__)

# The prefix of every installation's token, among them the one that a workflow run is given.
# https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
INSTALLATION_PREFIX = "ghs_"


class Credential:
    """One way to be let in.  `name` says where it comes from, for messages; the token is never shown."""

    def __init__(self, name: str, token: Callable[[], str], identity: Callable[[], str]) -> None:
        self.name = name
        self.token = token
        self._ask = identity
        self._identity: str | None = None

    @property
    def identity(self) -> str:
        """Return whose budget it is; GitHub may have to be asked once.  Raises what the asking raises."""
        if self._identity is None:
            self._identity = self._ask()
        return self._identity

    def __repr__(self) -> str:
        return f"Credential({self.name})"


class Credentials:
    """Those that are at hand; one that GitHub refuses is left out from then on."""

    def __init__(self, credentials: Sequence[Credential]) -> None:
        if not credentials:
            raise ValueError("no credential")
        self._usable = list(credentials)

    def __iter__(self) -> Iterator[Credential]:
        return iter(tuple(self._usable))

    def usable(self) -> list[Credential]:
        """Return those that GitHub has not refused, at least one."""
        return list(self._usable)

    def drop(self, refused: Credential) -> bool:
        """Leave one out that GitHub does not accept; False if it is the last one, which stays."""
        if self._usable == [refused] or refused not in self._usable:
            return False
        self._usable.remove(refused)
        log.warning("GitHub does not accept %s; going on with the others, replace it", refused.name)
        return True

    def by_identity(self) -> dict[str, Credential]:
        """Return one credential for each identity; raises Denied if GitHub accepts none."""
        found: dict[str, Credential] = {}
        for credential in self:
            try:
                found.setdefault(credential.identity, credential)
            except BadCredentials:
                if not self.drop(credential):
                    raise
        return found


def fixed(token: str) -> Credentials:
    """Return a token alone, whose identity nobody asks for."""
    return Credentials([Credential("GITHUB_TOKEN", lambda: token, lambda: "GITHUB_TOKEN")])


def of_token(name: str, token: str, *, api_url: str, workflow_of: str | None) -> Credential:
    """Return the credential of a token.

    `workflow_of` is the repository whose workflow runs us (None elsewhere).  A run's own token counts to it; so does an
    installation's token that the workflow made itself.  Any other token belongs to a user, whom GitHub has to name.
    """
    if token.startswith(INSTALLATION_PREFIX):
        owner = f"repository:{workflow_of.lower()}" if workflow_of else "installation:unnamed"
        return Credential(name, lambda: token, lambda: _at(owner, api_url))
    return Credential(name, lambda: token, lambda: _at(f"user:{_user_id(api_url, token, name)}", api_url))


def of_app(api_url: str, app_id: int, private_key: str, installation: int | None) -> Credential:
    """Return the credential of an App's installation; without its number, of the only one there is."""
    from gh_backfill.clients import app  # noqa: PLC0415  (PyGithub takes a third of a second to load)

    tokens = app.Tokens(api_url, app_id, private_key, installation)
    name = f"installation {installation or ''} of GITHUB_APP_ID".replace("  ", " ")
    return Credential(name, tokens.current, lambda: _at(f"installation:{tokens.installation()}", api_url))


def _user_id(api_url: str, token: str, name: str) -> int:
    from gh_backfill.clients import account  # noqa: PLC0415  (loads requests)

    return account.user_id(api_url, token, name)


def _at(identity: str, api_url: str) -> str:
    """Tell the identities of another server (or of a simulated GitHub) apart from those of github.com."""
    host = urlsplit(api_url).hostname or ""
    return identity if host == "api.github.com" else f"{identity}@{host}"
