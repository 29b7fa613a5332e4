"""Reasons why a request did not get through, in one line that names the setting to look at."""

from __future__ import annotations

import os
from collections.abc import Iterable
from urllib.parse import urlsplit

import requests
from requests import exceptions
from urllib3.exceptions import MaxRetryError

from gh_backfill.errors import GitHubError, Misrouted, NoConnection, TooBig, Unreachable

ADDRESS = "check GITHUB_API_URL and GITHUB_GRAPHQL_URL"
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_INVALID = (exceptions.InvalidURL, exceptions.MissingSchema, exceptions.InvalidSchema)


class TooSlow(exceptions.ReadTimeout):
    """The whole answer took longer than it may."""


class TooLarge(requests.RequestException):
    """The answer is larger than it may be."""


def of(error: Exception, url: str) -> GitHubError:
    """Return our error for what a library raised when it sent a request to an address."""
    if isinstance(error, TooLarge):
        return TooBig(f"GitHub sent {error}")
    wrong = _setting_at_fault(error, url)
    if wrong is not None:
        return Misrouted(f"GitHub can't be reached at {url}: {wrong}")
    kind = NoConnection if _is_the_way(error) else Unreachable
    return kind(f"GitHub can't be reached at {url}: {in_words(error, url)}")


def _is_the_way(error: Exception) -> bool:
    """Say whether there was no connection at all; one that broke later may have been cut because of the request."""
    ways = requests.ConnectTimeout | exceptions.ProxyError | exceptions.SSLError
    first = error.args[0] if error.args else None
    return isinstance(error, ways) or (isinstance(error, requests.ConnectionError) and isinstance(first, MaxRetryError))


def in_words(error: Exception, url: str, *, setting: str = ADDRESS) -> str:  # noqa: PLR0911  (one for each cause)
    """Say in a few words what went wrong with a request; `setting` says what to check where the address is none."""
    match error:
        case TooSlow():
            return str(error)
        case requests.Timeout():
            return "no answer in time"
        case exceptions.ProxyError():
            return f"the proxy{_from(_proxies(url))} can't be reached or lets nobody through"
        case exceptions.SSLError():
            return f"the TLS connection failed{_of_certificates()}"
        case exceptions.ChunkedEncodingError() | exceptions.ContentDecodingError():
            return "the answer was cut off"
        case requests.ConnectionError():
            return "no connection (is the network up, and the address right?)"
    return _setting_at_fault(error, url, setting) or type(error).__name__


def _setting_at_fault(error: Exception, url: str, setting: str = ADDRESS) -> str | None:
    """Say which setting has to be another one; None where trying again might help."""
    if isinstance(error, exceptions.InvalidSchema) and "SOCKS" in str(error):
        return f"the SOCKS proxy{_from(_proxies(url))} needs the package PySocks: pip install 'requests[socks]'"
    if isinstance(error, exceptions.InvalidProxyURL):
        return f"the address of the proxy{_from(_proxies(url))} is none"
    if isinstance(error, _INVALID):
        return f"that is no address: {setting}"
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException) and "certificate" in str(error):
        return f"the file of certificates{_from(_set(_CERTIFICATES))} is not there"
    return None


def _of_certificates() -> str:
    names = _set(_CERTIFICATES)
    return f" (the certificates to trust come from {names[0]})" if names else ""


def _proxies(url: str) -> list[str]:
    """Return the variables that may name the proxy for an address, in the order in which they count."""
    scheme = urlsplit(url).scheme
    return _set(each for name in (f"{scheme}_proxy", "all_proxy") for each in (name, name.upper()))


def _set(names: Iterable[str]) -> list[str]:
    return [name for name in names if os.environ.get(name)]


def _from(names: list[str]) -> str:
    return f" of {names[0]}" if names else ""
