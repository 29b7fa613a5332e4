"""Names of repositories as they are given: owner/name, an address, or GitHub's id."""

from __future__ import annotations

from collections.abc import Callable

from gh_backfill.errors import BadCredentials, GitHubError, Unreachable
from gh_backfill.models.github import Named, NotFound, Unknown
from gh_backfill.policy.names import parse

MOST_DIGITS = 18
LOOK_UPS = 3
NameOf = Callable[[int], Named[str]]
Resolved = tuple[str, str] | NotFound | Unknown | None


def resolve(given: str, name_of: NameOf) -> Resolved:
    """Return owner and name of what was given, or why there are none; None for what can't be a name."""
    text = given.strip()
    if not (text.isdecimal() and len(text) <= MOST_DIGITS):
        return parse(text)
    name = _look_up(int(text), name_of)
    return parse(name) if isinstance(name, str) else name


def key(pair: tuple[str, str]) -> str:
    """Return what two names of one repository have in common: case does not matter."""
    return "/".join(pair).lower()


def _look_up(github_id: int, name_of: NameOf) -> Named[str]:
    """Ask for a name by id, again where GitHub does not say; raises only where the credential is refused."""
    said: Named[str] = Unknown(reason="")
    for _ in range(LOOK_UPS):
        try:
            said = name_of(github_id)
        except BadCredentials:
            raise
        except GitHubError as error:
            said = Unknown(reason=str(error))
            if not isinstance(error, Unreachable):
                break  # it says the same at once
        else:
            break
    return said
