"""What only REST can tell, through PyGithub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from github import Auth, Github, GithubException, RateLimitExceededException, UnknownObjectException

from gh_backfill.errors import BadCredentials, Denied, NoConnection, RateLimited, Unreachable
from gh_backfill.models import Named, NotFound, Unknown

TIMEOUT = 30
# https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api and, for 451,
# https://docs.github.com/en/site-policy/content-removal-policies/dmca-takedown-policy
_OF_ONE = {403: "the token may not see it", 410: "it was removed", 451: "blocked for legal reasons"}


def full_name(api_url: str, token: str, github_id: int, *, timeout: int = TIMEOUT) -> Named[str]:
    """Return `owner/name` of a repository by GitHub's numeric id.

    GraphQL finds a repository by name or node id only.  Costs one REST request.  What GitHub refuses of this repository
    alone, as it does with what a law blocks, is unknown.  Raises BadCredentials, RateLimited or Unreachable.
    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    with own_errors(api_url, "GITHUB_TOKEN"), _client(api_url, token, timeout) as client:
        try:
            name: object = client.get_repo(github_id).full_name
            return name if isinstance(name, str) else Unknown(reason="GitHub's answer has no name in it")
        except UnknownObjectException:
            return NotFound()
        except RateLimitExceededException:
            raise
        except GithubException as error:
            if error.status not in _OF_ONE:
                raise
            return Unknown(reason=f"GitHub refuses it (status {error.status}: {_OF_ONE[error.status]})")


def user_id(api_url: str, token: str, name: str) -> int:
    """Return GitHub's id of the user to whom a token belongs; `name` is where the token comes from, for messages.

    Costs one REST request and no points, so it can be asked when the points are used up.  Raises as `full_name` does.
    """
    with own_errors(api_url, name), _client(api_url, token) as client:
        found = client.get_user().id
        if not isinstance(found, int):
            raise Unreachable(f"GitHub does not say whose token {name} is: try again")
        return found


@contextmanager
def own_errors(api_url: str, credential: str) -> Iterator[None]:
    """Turn PyGithub's errors into ours; `credential` names the setting to check when GitHub refuses."""
    try:
        yield
    except GithubException as error:
        if isinstance(error, RateLimitExceededException) or error.status == 429:
            raise RateLimited("GitHub allows no REST request now", resume_at=_reset(error)) from None
        if error.status == 401:
            raise BadCredentials(f"GitHub does not accept the token: check {credential}") from None
        if error.status in (403, 404):
            raise Denied(f"GitHub refuses (status {error.status}): check {credential}") from None
        raise Unreachable(f"GitHub has trouble (status {error.status})") from None
    except OSError:
        raise NoConnection(f"GitHub can't be reached at {api_url}: no connection") from None
    except ValueError:
        raise Unreachable("GitHub's answer was cut off or is no JSON") from None


def _client(api_url: str, token: str, timeout: int = TIMEOUT) -> Github:
    return Github(auth=Auth.Token(token), base_url=api_url, retry=None, timeout=timeout, seconds_between_requests=None)


def _reset(error: GithubException) -> datetime:
    """Return when GitHub lets us in again: as the headers say, after a minute where they say nothing."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    soon = datetime.now(UTC) + timedelta(minutes=1)
    try:
        if "retry-after" in headers:
            return datetime.now(UTC) + timedelta(seconds=int(headers["retry-after"]))
        return max(soon, datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC))
    except (KeyError, ValueError):
        return soon
