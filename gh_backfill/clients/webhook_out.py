"""Post a report to whoever wants to know, signed as GitHub signs its webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from gh_backfill import __version__
from gh_backfill.clients import reasons, transport

TRIES = 4
SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """The receiver took it."""

    tries: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NotDelivered:
    """It did not arrive; the reason has no address in it."""

    reason: str


def signature(secret: str, body: bytes) -> str:
    """Return the value of `X-Hub-Signature-256`.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def deliver(
    url: str,
    secret: str,
    body: bytes,
    *,
    event: str,
    delivery_id: str,
    sleep: Callable[[float], None],
    tries: int = TRIES,
) -> Delivered | NotDelivered:
    """Post JSON; network trouble, 429 and 5xx are tried again, with the same id, so that nobody counts it twice.

    Only the status of the answer is looked at: whatever else a receiver sends is not read.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"gh-backfill/{__version__}",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id,
        "X-Hub-Signature-256": signature(secret, body),
    }
    reason = ""
    with transport.session(accept="*/*", deadline=SECONDS, reading=False) as session:
        for attempt in range(tries):
            if attempt:
                sleep(2.0**attempt)
            try:
                answer = session.post(url, data=body, headers=headers, timeout=SECONDS, allow_redirects=False)
            except Exception as error:  # noqa: BLE001  (one boundary for all that a library may throw)
                reason = reasons.in_words(error, url, setting="check REPORT_WEBHOOK_URL")
                continue
            if answer.status_code < 300:
                return Delivered(tries=attempt + 1)
            reason = f"the receiver answered with status {answer.status_code}"
            if answer.status_code != 429 and answer.status_code < 500:
                return NotDelivered(reason=reason)
    return NotDelivered(reason=f"{reason}, {tries} times" if tries > 1 else reason)
