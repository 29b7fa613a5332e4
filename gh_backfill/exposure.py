"""The rule for a token on its way: never in clear text, never to a server that a file of the folder chose for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.addresses import in_clear_text, on_this_machine

# What a server that is chosen by a file must not be shown, and what chooses the server.
CREDENTIALS = (
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITHUB_TOKENS",
    "GITHUB_APP_PRIVATE_KEY",
    "GH_BACKFILL_ALERT_TOKEN",
)
INSIST = "GH_BACKFILL_ALLOW_INSECURE"
API_URLS = ("GH_BACKFILL_GITHUB_API_URL", "GITHUB_API_URL")
GRAPHQL_URLS = ("GH_BACKFILL_GITHUB_GRAPHQL_URL", "GITHUB_GRAPHQL_URL")
# Services with a key of their own, and what chooses their server.
SERVICES = (("GH_DATPIPE_KEY", "GH_DATPIPE_API_URL"), ("OPENAI_API_KEY", "OPENAI_BASE_URL"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """The addresses that tokens go to; `own_graphql` says that the one of GraphQL was given by itself."""

    rest: str
    graphql: str
    own_graphql: bool
    allowed: bool


def refuse(servers: Servers, values: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raise ConfigurationError where a token would travel in clear text, or where a file that lies about sends it.

    `values` is all that was given, `environment` what of it the process was started with.  A `.env` belongs to the
    folder, which may be anybody's; what the shell has is its user's.  So the file may choose the server only for a
    credential of its own.
    """
    insist = f"set {INSIST}=1 if you mean it"
    given = [name for name in CREDENTIALS if environment.get(name, "").strip()]
    insisted = servers.allowed and bool(environment.get(INSIST, "").strip())
    graphql = GRAPHQL_URLS if servers.own_graphql else API_URLS
    for names, url in ((API_URLS, servers.rest), (graphql, servers.graphql)):
        parts = urlsplit(url)
        name = next((name for name in names if values.get(name, "").strip()), names[-1])
        readable = in_clear_text(parts.scheme, parts.hostname) and not servers.allowed
        if readable and any(values.get(each) for each in CREDENTIALS):
            raise ConfigurationError(f"{name} {url} would show the token to all on the way: use https ({insist})")
        known = parts.hostname == "api.github.com" or on_this_machine(parts.hostname)
        if given and not known and not environment.get(name, "").strip() and not insisted:
            raise ConfigurationError(
                f"{name} of the .env here would send {given[0]} of your environment to {parts.hostname}: "
                f"give both in the same place ({insist}, in the environment)"
            )
    if not insisted:
        for key, address in SERVICES:
            _refuse_for_service(key, address, values, environment, insist)


def _refuse_for_service(
    key: str, address: str, values: Mapping[str, str], environment: Mapping[str, str], insist: str
) -> None:
    """Refuse a file that sends the environment's key of a service somewhere; that it travels unread, its type says."""
    host = urlsplit(values.get(address, "")).hostname
    of_the_file = host is not None and not environment.get(address, "").strip()
    if of_the_file and environment.get(key, "").strip() and not on_this_machine(host):
        raise ConfigurationError(
            f"{address} of the .env here would send {key} of your environment to {host}: "
            f"give both in the same place ({insist}, in the environment)"
        )
