"""A gh-datpipe of its own for as long as a block runs: it keeps jobs, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "datpipe-key-of-a-test"


@dataclass(kw_only=True)
class Answer:
    """An answer in place of the service's own; `cut` ends it in its middle, `slow` sends a byte now and then."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    slow: bool = False


@dataclass(kw_only=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    key: str | None
    body: Any


@dataclass(kw_only=True)
class Service:
    """What it was asked, the jobs that it keeps, and answers that it gives first."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: list[Answer | None] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def settings(self, **more: str) -> dict[str, str]:
        """Return the settings that lead here."""
        return {"GH_DATPIPE_KEY": KEY, "GH_DATPIPE_API_URL": self.url, **more}

    def fail(self, status: int, body: object = b"", *, times: int = 1, **headers: str) -> None:
        """Let the next requests be answered with a status, JSON or bytes, and headers (`Retry_After`)."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers += [Answer(status=status, body=content, headers=named)] * times

    def handed(self) -> list[str]:
        """Return which repositories it was asked to fetch, in their order."""
        return [each.body["repository"] for each in self.asked if each.path == "/api/backfill/trigger"]

    def answer(self, asked: Asked) -> Answer:
        """Return what it says of itself."""
        if asked.key != KEY:
            return _said(401, {"error": "Unauthorized", "message": "Invalid API key"})
        if asked.path == "/api/backfill/trigger":
            id_ = f"job-{len(self.jobs) + 1}"
            told = {"job_id": id_, "status": "queued", **asked.body, "estimated_completion": "2026-11-28T01:00:00Z"}
            self.jobs[id_] = {"id": id_, "status": "queued", "progress": 0, "message": "", "data": asked.body}
            return _said(202, {**told, "status_url": f"/api/backfill/status/{id_}"})
        id_ = asked.path.rpartition("/")[2]
        if id_ not in self.jobs:
            return _said(404, {"error": "Not found", "message": f"Job {id_} not found"})
        if asked.method == "POST":
            self.jobs[id_]["status"] = "cancelled"
            return _said(200, {"job_id": id_, "status": "cancelled", "message": "Job cancelled"})
        return _said(200, self.jobs[id_])


def _said(status: int, body: object) -> Answer:
    return Answer(status=status, body=json.dumps(body).encode(), headers={"content-type": "application/json"})


@contextmanager
def serving() -> Iterator[Service]:
    """Serve beside the block."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(method=self.command, path=self.path, key=self.headers.get("X-API-Key"), body=body)
            service.asked.append(asked)
            planned = service.answers.pop(0) if service.answers else None
            self.say(planned or service.answer(asked))

        def do_POST(self) -> None:
            self.do_GET()

        def say(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            if answer.slow:
                for _ in range(100):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    if service.over.wait(0.1):
                        return
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
            if answer.cut:
                self.close_connection = True

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
        service.over.set()
        server.shutdown()
        thread.join()
