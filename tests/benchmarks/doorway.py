"""A doorway to the simulated GitHub for tools that expect an Enterprise Server: other paths, TLS, a token of its own.

It counts what comes through, so that a tool is measured by what it asked, whoever answered.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.github import GitHub

_DROPPED = frozenset({"host", "connection", "accept-encoding", "content-length", "transfer-encoding"})
_ACCOUNT = re.compile(r"/users/(?P<login>[^/]+)")
# What the simulated GitHub does not know, empty, for tools that can't do without; each is counted as a request.
_EMPTY: tuple[tuple[re.Pattern[str], object], ...] = (
    (re.compile(r"/users/[^/]+/orgs"), []),
    (re.compile(r"/repos/[^/]+/[^/]+/pulls/\d+/commits"), []),
    (re.compile(r"/repos/[^/]+/[^/]+/pulls/\d+/requested_reviewers"), {"users": [], "teams": []}),
    (re.compile(r"/repos/[^/]+/[^/]+/.*/reactions"), []),
)
# The one field of a tool's GraphQL query that the simulated schema lacks.
_UNKNOWN_FIELD = b"site_admin: isSiteAdmin"
_NO_REACTIONS = {"total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0, "heart": 0}
_ALWAYS_THERE: dict[str, object] = {"assignee": None, "assignees": [], "requested_reviewers": [], "type": None}


@dataclass(kw_only=True, slots=True)
class Doorway:
    """An open doorway; `statuses` counts the answers by status, `rest` the requests beside GraphQL."""

    url: str
    certificate: Path | None = None
    rest: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    not_found: Counter[str] = field(default_factory=Counter)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    doorway: Doorway
    upstream: str


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        path = self.path.removeprefix("/api/v3")
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).replace(_UNKNOWN_FIELD, b"")
        doorway = self.server.doorway
        doorway.rest += not path.startswith(("/graphql", "/api/graphql"))
        bare = path.partition("?")[0]
        value = next((empty for pattern, empty in _EMPTY if pattern.fullmatch(bare)), None)
        if found := _ACCOUNT.fullmatch(bare):
            value = {"login": found["login"], "id": 1, "type": "User"}
        if value is not None:
            self._answer(200, {"Content-Type": "application/json"}, json.dumps(value).encode())
            return
        status, headers, answer = self._ask(path, body)
        if status == 200 and bare.startswith(("/repos/", "/repositories/")):
            answer = _completed(answer)
        if status == 404:
            doorway.not_found[re.sub(r"\d+", "N", path.partition("?")[0])] += 1
        self._answer(status, headers, answer)

    do_GET = do_POST = do_HEAD = _handle  # noqa: N815

    def _ask(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection(urlsplit(self.server.upstream).netloc, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
        headers["Authorization"] = "bearer bench"
        try:
            upstream.request(self.command, path, body=body or None, headers=headers)
            response = upstream.getresponse()
            told = {name: value for name, value in response.getheaders() if name.lower() not in _DROPPED}
            if "Link" in told:
                told["Link"] = told["Link"].replace(self.server.upstream, self.server.doorway.url + self._prefix())
            return response.status, told, response.read()
        finally:
            upstream.close()

    def _prefix(self) -> str:
        return "/api/v3" if self.path.startswith("/api/v3") else ""

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.server.doorway.statuses[status] += 1
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def doorway(github: GitHub, folder: Path, *, secure: bool = False) -> Iterator[Doorway]:
    """Open a doorway on this machine as long as the block lasts; `secure` speaks TLS with a certificate made for it."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream = github.url
    scheme, certificate = "http", None
    if secure:
        scheme, certificate = "https", folder / "certificate.pem"
        _make_certificate(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.doorway = Doorway(url=f"{scheme}://127.0.0.1:{server.server_address[1]}", certificate=certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.doorway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _completed(body: bytes) -> bytes:
    """Add the fields that GitHub always gives and the simulated one leaves out."""
    value = json.loads(body)
    for row in value if isinstance(value, list) else [value]:
        if "number" in row:
            row.update({name: empty for name, empty in _ALWAYS_THERE.items() if name not in row})
        if "body" in row:
            row.setdefault("reactions", _NO_REACTIONS)
            row.update({name: "" for name in ("url", "html_url") if name not in row})
    return json.dumps(value).encode()


def _make_certificate(target: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-", "-out", "-"]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    target.write_bytes(made.stdout)
