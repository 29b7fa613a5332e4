"""Inngest's part in a run: signs what it sends, keeps what steps return, and calls again until the function is done."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as mac
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

KEY = "signkey-test-0123456789abcdef0123456789abcdef"
EVENT_KEY = "event-key-of-a-test"
APP = "gh-backfill"
TOO_MANY = 60


@dataclass(kw_only=True)
class Answered:
    """The end of a run: the status and body of the last answer, and whether the step is to be tried again."""

    status: int
    body: Any
    again: bool

    @property
    def error(self) -> str:
        """Return what Inngest shows of an error."""
        assert self.status == 500, self.body
        assert self.body["stack"] is None
        return str(self.body["message"])


@dataclass(kw_only=True)
class Run:
    """One run of a function, as Inngest's server drives it."""

    url: str
    function: str
    event: str
    data: dict[str, object]
    run_id: str
    steps: dict[str, Any] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)

    def call(self, *, key: str | None = KEY, attempt: int = 0) -> httpx.Response:
        """Call the function once, as for its next step; nothing is kept of the answer."""
        event = {"name": self.event, "data": self.data, "id": "e", "ts": 1}
        stack = {"stack": list(self.steps), "current": len(self.steps)}
        ctx = {"run_id": self.run_id, "attempt": attempt, "max_attempts": 5, "disable_immediate_execution": False}
        request = {"ctx": {**ctx, "stack": stack}, "event": event, "events": [event], "steps": self.steps}
        body = canonical({**request, "use_api": False})
        headers = {} if key is None else {"x-inngest-signature": signature(body, key)}
        address = f"{self.url}/api/inngest?fnId={APP}-{self.function}&stepId=step"
        return httpx.post(address, content=body, headers={"content-type": "application/json", **headers}, timeout=60)

    def step(self) -> Answered | None:
        """Let the next step be made, and keep what it returned; None where the run goes on."""
        answer = self.call()
        if answer.status_code != 206:
            again = answer.headers.get("x-inngest-no-retry") != "true"
            return Answered(status=answer.status_code, body=answer.json(), again=again)
        (op,) = answer.json()
        self.done.append(op["displayName"])
        if op["op"] == "Sleep":
            self.waits.append(op["name"])
            self.steps[op["id"]] = None
        else:
            assert "error" not in op, op
            self.outputs.append(op["data"])
            self.steps[op["id"]] = {"data": op["data"]}
        return None

    def to_the_end(self) -> Answered:
        """Make all steps."""
        for _ in range(TOO_MANY):
            ended = self.step()
            if ended is not None:
                return ended
        raise AssertionError(f"{self.done} and no end")


def canonical(value: object) -> bytes:
    """Return JSON as it is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signature(body: bytes, key: str, at: int = 1_800_000_000) -> str:
    """Return the header that Inngest signs a body with."""
    secret = key.rpartition("-")[2].encode()
    return f"t={at}&s={mac(secret, body + str(at).encode(), sha256).hexdigest()}"


@dataclass(kw_only=True)
class Events:
    """A server that takes events, as Inngest does; `answers` are those that it gives in place of its own."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)


@contextmanager
def taking_events() -> Iterator[Events]:
    """Take events beside the block."""
    events = Events()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            events.keys.append(self.path.rpartition("/")[2])
            status, text = (events.answers or [(200, b"")]).pop(0)
            if status == 200:
                events.taken += body
                text = json.dumps({"ids": [str(n) for n, _ in enumerate(body)], "status": 200}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        events.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield events
        server.shutdown()
        thread.join()
