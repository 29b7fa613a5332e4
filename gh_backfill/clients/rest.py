"""Ask what only REST can tell, through PyGithub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from github import Auth, Github, GithubException, RateLimitExceededException, UnknownObjectException
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester, RequestsResponse

from gh_backfill import hidden
from gh_backfill.clients import reasons, sense, transport
from gh_backfill.errors import BackfillError, BadCredentials, Denied, GitHubError, Misrouted, RateLimited, Unreachable
from gh_backfill.models.github import Named, NotFound, Unknown
from gh_backfill.policy import waits

SECONDS = 30
# https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api and, for 451,
# https://docs.github.com/en/site-policy/content-removal-policies/dmca-takedown-policy
_OF_ONE = {403: "the token may not see it", 410: "it was removed", 451: "blocked for legal reasons"}


def full_name(api_url: str, token: str, github_id: int, *, seconds: int = SECONDS) -> Named[str]:
    """Return `owner/name` of a repository by GitHub's numeric id.

    GraphQL finds a repository by name or node id only.  Costs one REST request.  What GitHub refuses of this repository
    alone, as it does with what a law blocks, is unknown.  Raises BadCredentials, RateLimited or Unreachable.
    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    with own_errors(api_url, "GITHUB_TOKEN"), client(api_url, token, seconds=seconds) as asking:
        try:
            name: object = asking.get_repo(github_id).full_name
        except UnknownObjectException:
            return NotFound()
        except RateLimitExceededException:
            raise
        except GithubException as error:
            if error.status not in _OF_ONE:
                raise
            return Unknown(reason=f"GitHub refuses it (status {error.status}: {_OF_ONE[error.status]})")
    if not isinstance(name, str):
        return Unknown(reason="GitHub's answer has no name in it")
    hidden.unknown(name, str(github_id))
    return name


def client(api_url: str, token: str, *, between_writes: float | None = None, seconds: int = SECONDS) -> Github:
    """Return PyGithub's client, which goes the way of all our requests; to be closed."""
    return Github(
        auth=Auth.Token(token),
        base_url=api_url,
        retry=None,
        timeout=seconds,
        per_page=100,
        seconds_between_requests=None,
        seconds_between_writes=between_writes,
    )


@contextmanager
def own_errors(api_url: str, credential: str) -> Iterator[None]:
    """Turn whatever PyGithub throws into our errors; `credential` names the setting to check when GitHub refuses.

    Put nothing but calls of PyGithub in the block: what is wrong with our own code is not GitHub's fault.
    """
    try:
        yield
    except BackfillError:
        raise
    except GithubException as error:
        raise _refused(error, credential) from None
    except OSError as error:
        raise reasons.of(error, api_url) from None
    except RuntimeError as error:
        if "redirected" in str(error):
            raise Misrouted(
                f"{api_url} leads to another server, which is not shown the token: {reasons.ADDRESS}"
            ) from None
        raise sense.not_understood(error) from None
    except Exception as error:  # noqa: BLE001  (one boundary for all that a library may throw)
        raise sense.not_understood(error) from None


def _refused(error: GithubException, credential: str) -> GitHubError:
    if isinstance(error, RateLimitExceededException) or error.status == 429:
        now = datetime.now(UTC)
        asked = waits.after_refusal(_headers(error), now, secondary="secondary" in str(error).lower())
        return RateLimited("GitHub allows no REST request now", resume_at=asked.until, guessed=asked.guessed)
    if error.status == 401:
        return BadCredentials(f"GitHub does not accept the token: check {credential}")
    if error.status in (403, 404):
        return Denied(f"GitHub refuses (status {error.status}): check {credential}")
    if error.status < 400:  # a value of a type that PyGithub does not expect
        return sense.not_understood(error)
    return Unreachable(f"GitHub has trouble (status {error.status})")


def _headers(error: GithubException) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in (error.headers or {}).items()}


class _Plain(HTTPRequestsConnectionClass):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session.mount("http://", transport.Bounded(remembers=True))

    def getresponse(self) -> RequestsResponse:
        with self.session:  # the whole answer is read: whoever forgets to close the client leaves nothing open
            return _ready(super().getresponse())


class _Encrypted(HTTPSRequestsConnectionClass):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session.mount("https://", transport.Bounded(remembers=True))

    def getresponse(self) -> RequestsResponse:
        with self.session:
            return _ready(super().getresponse())


def _ready(response: RequestsResponse) -> RequestsResponse:
    """Return an answer that is one.

    PyGithub asks without end while GitHub is still working on it, and takes a redirect that it does not know for data.
    """
    if 302 <= response.status < 400:
        raise Misrouted(f"GitHub's address answers with status {response.status} and leads away: {reasons.ADDRESS}")
    if response.status == 202:
        raise Unreachable("GitHub is still working on the answer")
    return response


# PyGithub keeps these for all its clients; it has no way to give them to one.
Requester.injectConnectionClasses(_Plain, _Encrypted)
