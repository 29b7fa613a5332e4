"""What only REST can tell, through PyGithub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from github import Auth, Github, GithubException, RateLimitExceededException, UnknownObjectException

from gh_backfill import hidden
from gh_backfill.errors import BadCredentials, Denied, RateLimited, Unreachable


def full_name(api_url: str, token: str, github_id: int) -> str | None:
    """Return `owner/name` of a repository by GitHub's numeric id; None if it is not there or not for us.

    GraphQL finds a repository by name or node id only.  Costs one REST request.  Raises Denied, RateLimited or
    Unreachable.
    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    with own_errors(api_url, "GITHUB_TOKEN"), _client(api_url, token) as client:
        try:
            found = client.get_repo(github_id).full_name
        except UnknownObjectException:
            return None
    hidden.unknown(found, str(github_id))
    return found


def user_id(api_url: str, token: str, name: str) -> int:
    """Return GitHub's id of the user to whom a token belongs; `name` is where the token comes from, for messages.

    Costs one REST request and no points, so it can be asked when the points are used up.  Raises as `full_name` does.
    """
    with own_errors(api_url, name), _client(api_url, token) as client:
        return client.get_user().id


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
        raise Unreachable(f"GitHub can't be reached at {api_url}: no connection") from None
    except ValueError:
        raise Unreachable("GitHub's answer was cut off or is no JSON") from None


def _client(api_url: str, token: str) -> Github:
    return Github(auth=Auth.Token(token), base_url=api_url, retry=None, timeout=30, seconds_between_requests=None)


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
