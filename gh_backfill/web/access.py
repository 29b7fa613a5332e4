"""The rights on the pages: tokens, sessions signed into a cookie, and what proves that a form is ours."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import socket
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import ip_address

from itsdangerous import BadSignature, URLSafeTimedSerializer

from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings

SESSION_SECONDS = 14 * 24 * 3600
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Role(IntEnum):
    """What somebody may do; each may do what those before may."""

    NOBODY = 0
    READER = 1
    EDITOR = 2
    ADMIN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Who asks: the role, and the session where a cookie says so.  One with a token in the request has none."""

    role: Role
    session: str | None = None

    @property
    def signed_in(self) -> bool:
        """Say whether a cookie came with the request: then it may be somebody else's page that sent it."""
        return self.session is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class WebAccess:
    """The rules of one server.

    `token` lets somebody change things, and add and cancel as well where there is no `admin_token`.  With
    `open_reading` nobody needs one to look.  `hosts` are the names by which the server may be called.  With `changes`
    off nobody changes anything.
    """

    token: str | None
    admin_token: str | None
    made: bool
    open_reading: bool
    changes: bool
    hosts: frozenset[str]
    key: bytes = field(repr=False)

    def role_of(self, token: str) -> Role:
        """Return what a token lets somebody do; how long that takes says nothing about the right one."""
        is_admin = _same(token, self.admin_token)
        is_editor = _same(token, self.token)
        if is_admin:
            return Role.ADMIN
        if not is_editor:
            return Role.NOBODY
        return Role.EDITOR if self.admin_token is not None else Role.ADMIN

    def session(self, role: Role) -> str:
        """Return a new session, signed, for the cookie."""
        return self._signer.dumps([int(role), secrets.token_urlsafe(12)])

    def viewer(self, cookie: str | None) -> Viewer:
        """Return who shows a cookie; one that is not ours, or too old, is nobody's."""
        anybody = Viewer(role=Role.READER if self.open_reading else Role.NOBODY)
        if not cookie:
            return anybody
        try:
            role, session = self._signer.loads(cookie, max_age=SESSION_SECONDS)
            return Viewer(role=Role(role), session=str(session))
        except (BadSignature, ValueError, TypeError):
            return anybody

    def csrf(self, viewer: Viewer) -> str | None:
        """Return what the forms of a session carry; None where nothing can be changed."""
        if viewer.session is None or viewer.role < Role.EDITOR or not self.changes:
            return None
        return hmac.new(self.key, b"form " + viewer.session.encode(), hashlib.sha256).hexdigest()

    def is_csrf(self, viewer: Viewer, given: str) -> bool:
        """Say whether a form is one that we gave to this session."""
        wanted = self.csrf(viewer)
        return wanted is not None and _same(given, wanted)

    @property
    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.key, salt="session", signer_kwargs={"digest_method": hashlib.sha256})


def of(settings: Settings, host: str) -> WebAccess:
    """Return the rules of a server that listens at `host`.

    On this machine a token is made where none is set.  Raises ConfigurationError where others could reach a server
    without one.
    """
    token = settings.web_token.get_secret_value() if settings.web_token else None
    admin_token = settings.web_admin_token.get_secret_value() if settings.web_admin_token else None
    local = on_loopback(host) and not settings.host_names - _LOCAL_NAMES
    if not local and token is None and admin_token is None:
        what = f"--host {host}" if not on_loopback(host) else "GH_BACKFILL_WEB_HOSTS"
        raise ConfigurationError(
            f"{what} lets others reach the pages: set GH_BACKFILL_WEB_TOKEN first (openssl rand -hex 24 makes one)"
        )
    # Who listens for others is also called by the machine's own name: it stands in the address that is printed.
    own = frozenset({socket.gethostname().lower()}) if not on_loopback(host) else frozenset()
    made = token is None and admin_token is None
    if made:
        token = secrets.token_hex(24)  # nothing in it looks like a token of somebody else's, which would be hidden
    return WebAccess(
        token=token,
        admin_token=admin_token,
        made=made,
        open_reading=local,
        changes=settings.web_changes,
        hosts=_LOCAL_NAMES | settings.host_names | own | {literal(host)},
        key=_key(token, admin_token),
    )


def on_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address; a name that is not `localhost` may be anything."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def literal(host: str) -> str:
    """Return a host as it stands in an address: that of IPv6 in brackets."""
    bare = host.strip("[]").lower()
    return f"[{bare}]" if ":" in bare else bare


def _key(token: str | None, admin_token: str | None) -> bytes:
    """Return the key that signs sessions: they last as long as the tokens do, and end where one is changed.

    It is slow to compute, so that nobody who has a cookie finds a short token by trying.
    """
    return hashlib.scrypt(f"{token}\n{admin_token}".encode(), salt=b"gh_backfill web", n=2**14, r=8, p=1, dklen=32)


def _same(given: str, wanted: str | None) -> bool:
    """Compare in a time that tells nothing; where nothing is wanted, nothing is right."""
    ours = (wanted or "").encode()
    return hmac.compare_digest(given.encode("utf-8", "replace"), ours) and wanted is not None
