"""A service that speaks OpenAI's embeddings, for as long as a block runs: it fails, limits and errs as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gh_backfill.clients.embedders.hashing import HashEmbedder

KEY = "sk-of-a-test-1234567890"
WORDS = 4


class Turn(StrEnum):
    """What the service does with one request."""

    GOOD = "good"
    SHUFFLED = "in another order, told by the index"
    FEWER = "one vector is missing"
    TWICE = "one index comes twice"
    SHORT = "one vector has 383 dimensions"
    NAN = "one number is none"
    ZERO = "one vector is zero"
    NO_JSON = "a page in place of an answer"
    BROKEN = "status 500"
    LIMITED = "status 429"
    NO_QUOTA = "status 429, nothing left to pay"
    DENIED = "status 401"
    CUT = "the answer ends in its middle"


@dataclass(kw_only=True)
class EmbeddingService:
    """What it was asked, and how it answers: `turns` first, then `poison`, then well; a preflight by itself."""

    url: str = ""
    turns: list[Turn] = field(default_factory=list)
    preflight: Turn = Turn.GOOD
    poison: str | None = None
    longest: int | None = None
    dimensions: int = 384
    shortens: bool = True
    refuses_as_good: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[list[str]], None] = lambda _: None
    asked: list[dict[str, Any]] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def settings(self, **more: str) -> dict[str, str]:
        """Return the settings that lead here."""
        return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": self.url, **more}

    def answer(self, wanted: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body."""
        texts: list[str] = wanted["input"]
        self.asked.append(wanted)
        self.before(texts)
        turn = self.preflight if texts == ["preflight"] else self.turns.pop(0) if self.turns else Turn.GOOD
        if turn in _REFUSALS:
            status, told = _REFUSALS[turn]
            return status, {"retry-after": "7"} if turn is Turn.LIMITED else {}, json.dumps({"error": told}).encode()
        if "dimensions" in wanted and not self.shortens:
            status, headers, body = _refused("This model does not support specifying dimensions.")
            return 200 if self.refuses_as_good else status, headers, body
        if self.poison is not None and (found := [text for text in texts if self.poison in text]):
            return _refused(f"'$.input' is invalid: {found[0]}")
        if self.longest is not None and any(len(text) > self.longest for text in texts):
            return _refused(f"This model's maximum context length is {self.longest} tokens.")
        vectors = [list(each)[: self.dimensions] for each in HashEmbedder().embed(texts).each]
        data = [{"object": "embedding", "index": n, "embedding": each} for n, each in enumerate(vectors)]
        if turn is Turn.NO_JSON:
            return 200, {}, b"<html>welcome</html>"
        if turn in _SPOIL:
            _SPOIL[turn](data)
        if turn in (Turn.GOOD, Turn.SHUFFLED) and texts != ["preflight"]:
            self.embedded += texts
        usage = {"prompt_tokens": WORDS * len(texts), "total_tokens": WORDS * len(texts)}
        body = json.dumps({"object": "list", "model": wanted["model"], "data": data, "usage": usage}).encode()
        return 200, self.headers, body[: len(body) // 2] if turn is Turn.CUT else body


_REFUSALS = {
    Turn.BROKEN: (500, {"message": "The server had an error", "type": "server_error"}),
    Turn.LIMITED: (429, {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}),
    Turn.NO_QUOTA: (429, {"message": f"You exceeded your quota {KEY}", "code": "insufficient_quota"}),
    Turn.DENIED: (401, {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}),
}
_SPOIL: Mapping[Turn, Callable[[list[dict[str, Any]]], object]] = {
    Turn.SHUFFLED: lambda data: data.reverse(),
    Turn.FEWER: lambda data: data.pop(),
    Turn.TWICE: lambda data: data[0].update(index=data[-1]["index"]) if len(data) > 1 else data.pop(),
    Turn.SHORT: lambda data: data[0]["embedding"].pop(),
    Turn.NAN: lambda data: data[0]["embedding"].__setitem__(0, float("nan")),
    Turn.ZERO: lambda data: data[0].update(embedding=[0.0] * len(data[0]["embedding"])),
}


def _refused(message: str) -> tuple[int, Mapping[str, str], bytes]:
    error = {"message": message, "type": "invalid_request_error", "code": None}
    return 400, {}, json.dumps({"error": error}).encode()


@contextmanager
def serving() -> Iterator[EmbeddingService]:
    """Serve beside the block."""
    service = EmbeddingService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            service.keys.append(self.headers.get("authorization"))
            found = service.answer(body) if self.path == "/embeddings" else (404, {}, b'{"error": "no such path"}')
            status, headers, content = found
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield service
        server.shutdown()
        thread.join()
