"""Tell of a report outside GitHub: the webhook with the whole of it, notifications with a digest."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from gh_backfill.clients import notifier, webhook_out
from gh_backfill.clients.webhook_out import Delivered, NotDelivered
from gh_backfill.errors import BackfillError
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.report.digest import digest, due
from gh_backfill.settings import Settings
from gh_backfill.store import reports
from gh_backfill.store.db import Database
from gh_backfill.tasks.report.report import Report

log = logging.getLogger(__name__)

Notify = Callable[..., bool]


def aside(what: str, step: Callable[[], list[str]]) -> list[str]:
    """Return the notes of a step that tells somebody; one that breaks is a note itself, and the next one is taken."""
    try:
        return step()
    except Exception as error:  # whatever a library throws, the report stands
        log.debug("%s failed", what, exc_info=True)
        return [f"{what} failed: {error if isinstance(error, BackfillError) else type(error).__name__}"]


def deliver(
    db: Database, settings: Settings, made: Report, *, sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """Post the report to REPORT_WEBHOOK_URL, if there is one and it was not delivered yet; returns what went wrong."""
    if settings.report_webhook_url is None or made.kept is None:
        return []
    if settings.webhook_key is None:
        return ["the report was not posted to REPORT_WEBHOOK_URL: it would not be signed; set WEBHOOK_SECRET"]
    body = json_text(made.as_json()).encode()
    result = webhook_out.deliver(
        settings.report_webhook_url.get_secret_value(),
        settings.webhook_key.get_secret_value(),
        body,
        event="backfill_report",
        delivery_id=made.kept.delivery_id,
        sleep=sleep,
    )
    match result:
        case Delivered():
            with db.transaction() as tx:
                reports.delivered(tx, made.run_key)
            return []
        case NotDelivered(reason=reason):
            return [f"the report did not arrive at REPORT_WEBHOOK_URL: {reason}"]


def notify(
    db: Database, settings: Settings, now: datetime, address: str | None, *, send: Notify = notifier.notify
) -> list[str]:
    """Send one digest of all runs since the last one to NOTIFY_URLS, if it is time; returns what went wrong."""
    if settings.notify_urls is None:
        return []
    with db.reading() as tx:
        told, last = reports.undigested(tx)
    alerts = [alert for each in told for alert in each.alerts]
    silence = timedelta(minutes=settings.notify_minutes)
    if not told or not due(last.at, now, silence, alerts=alerts, told=last.alerts or ()):
        return []
    message = digest([each.report for each in told], alerts, address)
    if message is not None and not send(
        settings.notify_urls.get_secret_value(), message.title, message.text, failure=message.failure
    ):
        return ["not all of NOTIFY_URLS took the notification: check their addresses"]
    if message is not None:
        with db.transaction() as tx:
            reports.notified(tx, [each.run_key for each in told], now)
    return []
