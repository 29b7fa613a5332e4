"""The receiver of GitHub's webhooks: looks at the head first, verifies while it reads, and answers at once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from gh_backfill.errors import RowRefused, StoreError
from gh_backfill.policy.webhooks import concerns
from gh_backfill.store.pool import Pool
from gh_backfill.tasks.webhooks.receive import receive as take
from gh_backfill.web.bodies import Bodies, Incoming, Unfinished, lingering
from gh_backfill.web.limits import DoorLimits
from gh_backfill.web.refusals import Refusals

log = logging.getLogger(__name__)

ADDRESS = "/webhooks/github"
HEALTH = "/webhooks/health"
RETRY_AFTER = {"Retry-After": "10"}
UNSIGNED = "a signature that is missing or wrong (is the webhook's secret on GitHub the one of WEBHOOK_SECRET?)"
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_NAME = re.compile(r"[!-~]{1,100}")


class Receiver:
    """The application.  It never raises: whatever happens is an answer, and at most a line in the log."""

    def __init__(self, secret: str, database_url: str, *, limits: DoorLimits | None = None) -> None:
        self.limits = limits or DoorLimits()
        self.refusals = Refusals()
        self._secret = secret.encode()
        self._bodies = Bodies(self.limits.all_bodies)
        most, seconds = self.limits.database_connections, self.limits.database_seconds
        self._pool = Pool(database_url, most=most, seconds=seconds)
        # Who waits for a connection waits here, where it holds no thread.
        self._turns = asyncio.Semaphore(most)

    def close(self) -> None:
        """Close the connections to the database."""
        self._pool.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.  Every connection ends with it: none can die between two deliveries."""
        if scope["type"] != "http":
            return
        incoming = Incoming(receive)
        try:
            answer = await self._answer(scope, incoming)
        except Unfinished as error:
            self.refusals.note(str(error))
            answer = _says(error.status, str(error))
        except Exception as error:
            self.refusals.note(f"a request that we failed at: {type(error).__name__}")
            log.debug("a request failed", exc_info=True)
            answer = _says(500, "something went wrong here", RETRY_AFTER)
        answer.headers["Connection"] = "close"
        await answer(scope, incoming, lingering(send, incoming, self.limits.linger_seconds))

    async def _answer(self, scope: Scope, receive: Receive) -> JSONResponse:
        method, path = scope["method"], scope["path"]
        if path == HEALTH and method in ("GET", "HEAD"):
            return JSONResponse({"status": "listening"})
        if path != ADDRESS:
            return _says(404, "not here")
        if method != "POST":
            return _says(405, "POST is expected", {"Allow": "POST"})
        headers = Headers(scope=scope)
        signature = self._by_its_head(headers)
        mac = hmac.new(self._secret, digestmod=hashlib.sha256)
        with self._bodies.one() as body:
            await self._bodies.read(
                body, receive, mac, largest=self.limits.largest_body, seconds=self.limits.body_seconds
            )
            if not verified(mac, signature):
                raise Unfinished(401, UNSIGNED)
            return await self._stored(headers, body.data)

    def _by_its_head(self, headers: Headers) -> str:
        """Return the signature of a delivery that is worth reading; raises Unfinished for any other."""
        if int(headers.get("content-length", "0")) > self.limits.largest_body:
            raise Unfinished(413, "a body larger than GitHub's can be")
        signature = headers.get("x-hub-signature-256", "")
        if not _SIGNATURE.fullmatch(signature):
            raise Unfinished(401, UNSIGNED)
        if not all(_NAME.fullmatch(headers.get(each, "")) for each in ("x-github-delivery", "x-github-event")):
            raise Unfinished(400, "a delivery without X-GitHub-Delivery and X-GitHub-Event")
        return signature

    async def _stored(self, headers: Headers, body: bytearray) -> JSONResponse:
        """Wait for a connection to the database, for some seconds, and store what was delivered."""
        try:
            async with asyncio.timeout(self.limits.database_seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise Unfinished(503, "a delivery for which no connection to the database was free") from None
        try:
            return await run_in_threadpool(self._store, headers, body)
        finally:
            self._turns.release()

    def _store(self, headers: Headers, body: bytearray) -> JSONResponse:
        delivery, event = headers["x-github-delivery"], headers["x-github-event"]
        try:
            payload = _payload(body, headers.get("content-type", "")) if concerns(event) else {}
            with self._pool.connection() as db:
                said = take(db, delivery, event, payload)
        except (ValueError, RowRefused) as error:
            self.refusals.note("a delivery that can never be stored")
            return _says(400, str(error))
        except StoreError as error:
            log.warning("delivery %s is lost unless it is delivered again: %s", delivery, error)
            return _says(503, "not now: deliver it again", RETRY_AFTER)
        log.info("%s %s: %s", event, delivery, said)
        return _says(202 if said == "noted" else 200, said)


def verified(mac: hmac.HMAC, signature: str) -> bool:
    """Say whether a body bears its sender's signature, in a time that tells nothing about it.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    return hmac.compare_digest(f"sha256={mac.hexdigest()}".encode(), signature.encode("utf-8", "replace"))


def _payload(body: bytearray, content_type: str) -> dict[str, Any]:
    """Read JSON, or the form with JSON in it that GitHub sends by default; ValueError where it is neither."""
    text = body.decode("utf-8")
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = parse_qs(text, max_num_fields=10).get("payload", [""])[0]
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("the payload is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("the payload is no object")
    return value


def _says(status: int, said: str, headers: dict[str, str] | None = None) -> JSONResponse:
    more = RETRY_AFTER if status == 503 and headers is None else headers
    return JSONResponse({"result": said}, status_code=status, headers=more)
