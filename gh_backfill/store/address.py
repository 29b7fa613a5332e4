"""The address of the database as the store is given it: what can't be right is told before anything connects."""

from __future__ import annotations

from gh_backfill import database_address
from gh_backfill.database_address import Address
from gh_backfill.errors import ConfigurationError


def of(url: str) -> Address:
    """Return what a `postgresql://` URL says; raises ConfigurationError, whose message repeats nothing of it."""
    try:
        return database_address.understood(url)
    except ValueError as error:
        raise ConfigurationError(f"the database URL {error}") from None


def connection_arguments(url: str) -> dict[str, str]:
    """Return what libpq is to be told for a URL, with TLS required beyond this machine; raises what `of` raises."""
    return of(url).arguments
