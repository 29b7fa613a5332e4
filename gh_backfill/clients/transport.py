"""Requests over the network, for every library that asks GitHub: bounded in time and size, and with our token only.

- An answer has to be here as a whole within `DEADLINE` seconds and must not be larger than `LARGEST` bytes.
- The token is shown by an `auth` object of its own, so that no `~/.netrc` takes its place; proxies and certificates of
  the environment hold all the same.  What is on this machine is asked without a proxy.
- What the library asks for again and again goes with its ETag: where nothing changed, the answer costs nothing.
- No redirect is followed to another server, which would be shown the token.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from io import BytesIO
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gh_backfill import __version__
from gh_backfill.clients import reasons
from gh_backfill.clients.remembered import Remembered
from gh_backfill.errors import BackfillError, BadCredentials, Misrouted
from gh_backfill.policy.addresses import on_this_machine

DEADLINE = 60.0
LARGEST = 64 * 2**20
# A renamed repository leads on once; so may what it leads to.
MOST_REDIRECTS = 3
_STEP = 2**16
_REMEMBERED = Remembered()
Authorise = Callable[[requests.PreparedRequest], requests.PreparedRequest]


class Bounded(HTTPAdapter):
    """Sends a request and reads the whole answer within bounds; where `reading` is off, its body is left unread.

    What it `remembers` is asked for with its ETag.  A list that is walked, and asked for again because it can't be
    right, must be told anew each time.
    """

    def __init__(
        self, *, deadline: float = DEADLINE, largest: int = LARGEST, reading: bool = True, remembers: bool = False
    ) -> None:
        self._deadline, self._largest, self._reading = deadline, largest, reading
        self._remembered = _REMEMBERED if remembers else None
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let every connection be known to the deadline of its request."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Do so for connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the answer with its whole body; raises what requests raises, `TooLarge` and `TooSlow` besides."""
        proxies = {} if on_this_machine(_server(request.url or "")[1]) else proxies
        if self._remembered is not None:
            self._remembered.ask_for_change(request)
        with _Deadline(self._deadline) as deadline:
            try:
                response = super().send(request, True, timeout, verify, cert, proxies)
                body = self._whole(response)
            except Exception as error:
                if deadline.over:
                    raise reasons.TooSlow(f"no whole answer within {self._deadline:.0f} s") from error
                raise
        if deadline.over and self._reading:  # an answer without a length ends where the connection was cut
            raise reasons.TooSlow(f"no whole answer within {self._deadline:.0f} s")
        response.raw = BytesIO(body if self._remembered is None else self._remembered.whole(request, response, body))
        return response

    def _whole(self, response: requests.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            for part in response.raw.stream(_STEP, decode_content=True) if self._reading else ():
                size += len(part)
                if size > self._largest:
                    raise reasons.TooLarge(f"an answer of more than {self._largest // 2**20} MB")  # noqa: TRY301
                parts.append(part)
        except urllib3.exceptions.ReadTimeoutError as error:
            response.close()
            raise requests.ReadTimeout(error) from error
        except urllib3.exceptions.HTTPError as error:
            response.close()
            raise exceptions.ChunkedEncodingError(error) from error
        except BaseException:
            response.close()
            raise
        if not self._reading:
            response.close()
        return b"".join(parts)


def session(
    *, accept: str = "application/json", deadline: float = DEADLINE, largest: int = LARGEST, reading: bool = True
) -> requests.Session:
    """Return a session that reads within bounds and takes no password from `~/.netrc`."""
    made = requests.Session()
    made.auth = _as_it_is
    made.headers.update({"User-Agent": f"gh-backfill/{__version__}", "Accept": accept})
    for scheme in ("https://", "http://"):
        made.mount(scheme, Bounded(deadline=deadline, largest=largest, reading=reading))
    return made


def send(
    over: requests.Session,
    method: str,
    url: str,
    *,
    token: str,
    timeout: tuple[float, float],
    params: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> requests.Response:
    """Return the answer to one request; what may be read is looked for where the same server has moved it to.

    Raises Unreachable, TooBig where the answer is too large, and Misrouted where a setting leads astray; whatever the
    library raises becomes one of these.
    """
    headers = {} if body is None else {"Content-Type": "application/json"}
    authorise = _bearer(token)
    address = url
    for _ in range(MOST_REDIRECTS + 1):
        try:
            response = over.request(
                method,
                address,
                params=params if address is url else None,
                data=body,
                headers=headers,
                auth=authorise,
                timeout=timeout,
                allow_redirects=False,
            )
        except BackfillError:
            raise
        except Exception as error:  # noqa: BLE001  (one boundary for all that a library may throw)
            raise reasons.of(error, url) from None
        if not response.is_redirect:
            return response
        address = _moved(response, method)
    raise Misrouted(f"{url} leads from one address to the next: {reasons.ADDRESS}")


def _moved(response: requests.Response, method: str) -> str:
    """Return where the same server has moved something that may be read; raises Misrouted for other redirects."""
    there = urljoin(response.url, response.headers["location"])
    if method != "GET" or _server(there) != _server(response.url):
        raise Misrouted(
            f"{response.url.partition('?')[0]} answers with status {response.status_code} and leads to "
            f"{urlsplit(there).hostname or 'nowhere'}, which is not shown the token: {reasons.ADDRESS}"
        )
    return there


def _server(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request alone; requests looks into `~/.netrc` only where there is no `auth` at all."""
    return request


def _bearer(token: str) -> Authorise:
    """Return an `auth` that shows a token; raises BadCredentials for a text that no header can hold."""
    if not token.isascii() or not token.isprintable() or not token.strip():
        raise BadCredentials("the token has characters that no token has: check GITHUB_TOKEN")

    def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"bearer {token}"
        return request

    return authorise


class _Deadline:
    """Cuts the connection of a request when its time is over: a byte now and then would keep any time-out waiting."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._outer = _CURRENT.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._connection = self._socket = None
        _CURRENT.reset(self._outer)

    def hold(self, connection: HTTPConnection) -> None:
        """Know the connection to cut, and its socket: of an answer without a length the connection lets go of it."""
        if self.over:
            raise TimeoutError
        self._connection = connection
        self._socket = connection.sock or self._socket

    def _cut(self) -> None:
        self.over = True
        open_one = getattr(self._connection, "sock", None) or self._socket
        if open_one is not None:
            with suppress(OSError):  # not SSLSocket's own shutdown, which would let plain bytes through to the reader
                socket.socket.shutdown(open_one, socket.SHUT_RDWR)


_CURRENT: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


def _hold(connection: HTTPConnection) -> None:
    deadline = _CURRENT.get()
    if deadline is not None:
        deadline.hold(connection)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        _hold(self)
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        _hold(self)
        super().request(*args, **kwargs)
        _hold(self)


class _Encrypted(HTTPSConnection):
    def connect(self) -> None:
        _hold(self)
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        _hold(self)
        super().request(*args, **kwargs)
        _hold(self)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _PlainPool, "https": _EncryptedPool}
