"""The receiver of GitHub's webhooks: verifies before it reads, answers at once, captures a minute later."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from gh_backfill.errors import BackfillError
from gh_backfill.settings import Settings
from gh_backfill.store import webhooks
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.freshen import freshen
from gh_backfill.tasks.receive import receive

log = logging.getLogger(__name__)

# GitHub sends at most 25 MB.  https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
LARGEST = 25 * 1024 * 1024
LOOK_EVERY = 15.0


def signed(secret: str, body: bytes, header: str | None) -> bool:
    """Say whether a body bears its sender's signature, in a time that tells nothing about it.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (header or "").encode("utf-8", "replace"))


def application(secret: str, database_url: str) -> FastAPI:
    """Return the application with its one address, /webhooks/github."""
    app = FastAPI(title="gh-backfill webhooks", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/webhooks/github")
    async def github(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _answer(413, "the body is larger than GitHub's can be")
        if not signed(secret, body, request.headers.get("x-hub-signature-256")):
            return _answer(401, "the signature is missing or wrong")
        delivery, event = request.headers.get("x-github-delivery"), request.headers.get("x-github-event")
        if not delivery or not event:
            return _answer(400, "X-GitHub-Delivery and X-GitHub-Event are needed")
        return await run_in_threadpool(_receive, database_url, delivery, event, body, request.headers)

    @app.get("/webhooks/health")
    def health() -> dict[str, str]:
        return {"status": "listening"}

    return app


def serve(settings: Settings, database_url: str, *, host: str, port: int) -> None:
    """Listen until interrupted; with a token, what moved is captured a minute later."""
    assert settings.webhook_key is not None
    with Database(database_url) as db:
        connect.prepare(db, settings)
    stopping = threading.Event()
    if settings.has_credential:
        threading.Thread(target=_work, args=(settings, database_url, stopping), daemon=True).start()
    else:
        log.warning("without GITHUB_TOKEN what moves is noted, and captured by nobody")
    try:
        uvicorn.run(
            application(settings.webhook_key.get_secret_value(), database_url),
            host=host,
            port=port,
            log_config=None,  # its lines come out as all others do
            log_level="warning",
            access_log=False,
        )
    finally:
        stopping.set()


def _work(settings: Settings, database_url: str, stopping: threading.Event) -> None:
    """Capture what moved, again and again; a failure is told and the next round tries anew."""
    while not stopping.wait(LOOK_EVERY):
        try:
            with Database(database_url) as db:
                freshen(db, lambda: connect.github(settings), connect.this_run(settings), lambda: datetime.now(UTC))
                with db.transaction() as tx:
                    webhooks.forget(tx)
        except Exception:
            log.exception("what moved waits for the next round")


async def _body(request: Request) -> bytes | None:
    """Return the raw body, or None once it is too large; nothing is parsed here."""
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > LARGEST:
            return None
    return bytes(read)


def _receive(database_url: str, delivery: str, event: str, body: bytes, headers: Any) -> Response:
    started = time.monotonic()
    try:
        payload = _payload(body, headers.get("content-type", ""))
        with Database(database_url) as db:
            said = receive(db, delivery, event, payload)
    except ValueError as error:
        return _answer(400, str(error))
    except BackfillError as error:
        log.warning("delivery %s failed: %s", delivery, error)
        return _answer(503, "not now: deliver it again")
    log.info("%s %s: %s (%.3f s)", event, delivery, said, time.monotonic() - started)
    return _answer(202 if said == "noted" else 200, said)


def _payload(body: bytes, content_type: str) -> dict[str, Any]:
    """Read JSON, or the form with JSON in it that GitHub sends by default."""
    text = body.decode("utf-8")
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = parse_qs(text).get("payload", [""])[0]
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("the payload is no object")
    return value


def _answer(status: int, said: str) -> JSONResponse:
    return JSONResponse({"result": said}, status_code=status)
