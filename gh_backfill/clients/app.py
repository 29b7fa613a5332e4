"""The tokens of a GitHub App's installation, renewed before they expire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

from github import Auth, GithubIntegration
from jwt import PyJWTError

from gh_backfill.clients.rest import SECONDS, own_errors
from gh_backfill.errors import ConfigurationError

# A token lives an hour; one that runs out soon might do so under way.
RENEW_BEFORE = timedelta(minutes=5)
# Which of them is meant has to be told in any case.
MOST_INSTALLATIONS = 100


class Tokens:
    """The current token of one installation."""

    def __init__(
        self,
        api_url: str,
        app_id: int,
        private_key: str,
        installation: int | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api_url = api_url
        self._app_id = app_id
        self._private_key = private_key
        self._installation = installation
        self._now = now
        self._token = ""
        self._expires = datetime.min.replace(tzinfo=UTC)

    def current(self) -> str:
        """Return a token that is good for some minutes; raises ConfigurationError and what `own_errors` makes."""
        if self._now() + RENEW_BEFORE >= self._expires:
            number = self.installation()
            with self._app() as app, own_errors(self._api_url, "GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY"):
                made = app.get_access_token(number)
                self._token, self._expires = made.token, made.expires_at
        return self._token

    def installation(self) -> int:
        """Return the number of the installation, which GitHub has to tell where it was not given."""
        if self._installation is None:
            with self._app() as app, own_errors(self._api_url, "GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY"):
                listed = islice(app.get_installations(), MOST_INSTALLATIONS)
                found = {each.id: each.raw_data["account"]["login"] for each in listed}
            if len(found) != 1:
                named = ", ".join(f"{number} ({login})" for number, login in found.items())
                raise ConfigurationError(
                    f"the App has {len(found)} installations: set GITHUB_APP_INSTALLATION_ID to one or more of {named}"
                    if found
                    else "the App is not installed anywhere: install it for the account whose repositories it reads"
                )
            (self._installation,) = found
        return self._installation

    def _app(self) -> GithubIntegration:
        key = Auth.AppAuth(self._app_id, self._private_key)
        try:
            key.create_jwt()
        except PyJWTError:
            raise ConfigurationError("GITHUB_APP_PRIVATE_KEY is no private key in PEM form") from None
        return GithubIntegration(
            auth=key, base_url=self._api_url, retry=None, timeout=SECONDS, seconds_between_requests=None
        )
