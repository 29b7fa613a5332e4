"""What only REST can tell, through PyGithub."""

from __future__ import annotations

from github import Auth, Github, GithubException, UnknownObjectException

from gh_backfill.errors import Denied, Unreachable


def full_name(api_url: str, token: str, github_id: int) -> str | None:
    """Return `owner/name` of a repository by GitHub's numeric id; None if it is not there or not for us.

    GraphQL finds a repository by name or node id only.  Costs one REST request.  Raises Denied or Unreachable.
    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    try:
        with Github(auth=Auth.Token(token), base_url=api_url, retry=None, timeout=30) as client:
            return client.get_repo(github_id).full_name
    except UnknownObjectException:
        return None
    except GithubException as error:
        if error.status in (401, 403):
            raise Denied(f"GitHub refuses (status {error.status}): check GITHUB_TOKEN") from None
        raise Unreachable(f"GitHub has trouble (status {error.status})") from None
    except OSError:
        raise Unreachable(f"GitHub can't be reached at {api_url}: no connection") from None
