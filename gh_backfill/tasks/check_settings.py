"""Prove what settings say beside token and database: names, prices, where reports and notifications go."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterator

from gh_backfill.clients import notifier, webhook_out
from gh_backfill.clients.webhook_out import Delivered, NotDelivered
from gh_backfill.engine import registry
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy import money
from gh_backfill.policy.json_text import json_text
from gh_backfill.settings import OURS, Settings, names
from gh_backfill.tasks.finding import Finding
from gh_backfill.tasks.report import costs

_SUPABASE = frozenset(
    {"SUPABASE_URL", "VITE_SUPABASE_URL", "SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "VITE_SUPABASE_ANON_KEY"}
)


def settings_findings(settings: Settings) -> Iterator[Finding]:
    """Check every setting that needs neither GitHub nor the database; what is not set is not mentioned."""
    yield from _unknown_names(settings)
    yield from _of_the_guide(settings)
    yield from _kinds(settings)
    if settings.inngest_serves or settings.inngest_sends:
        yield _inngest(settings)
    if settings.datpipe_key is not None:
        text = f"events --via datpipe hands over to {settings.datpipe_api_url} (nothing was sent)"
        yield Finding(name="datpipe", ok=True, text=text)
    if settings.prices:
        yield _prices(settings)
    if settings.notify_urls is not None:
        yield _notifications(settings.notify_urls.get_secret_value())
    if settings.report_webhook_url is not None:
        yield _webhook(settings)


def _unknown_names(settings: Settings) -> Iterator[Finding]:
    """Find names of ours that are none: a typing error would else be obeyed by nobody and noticed by nobody."""
    known = sorted(each.removeprefix(OURS) for each in names() if each.startswith(OURS))
    for name in sorted(settings.given):
        if name.startswith(OURS) and name.removeprefix(OURS) not in known:
            near = difflib.get_close_matches(name.removeprefix(OURS), known, n=1)
            advice = f"did you mean {OURS}{near[0]}?" if near else "docs/reference.md lists the settings"
            yield Finding(name="names", ok=False, text=f"{name} is no setting: {advice}")


def _kinds(settings: Settings) -> Iterator[Finding]:
    """Say which names of kinds are none."""
    try:
        registry.chosen(settings.kinds, given_as="GH_BACKFILL_KINDS")
    except ConfigurationError as error:
        yield Finding(name="kinds", ok=False, text=str(error))


def _of_the_guide(settings: Settings) -> Iterator[Finding]:
    """Say what the names of existing installations are for here, and what has to stand beside them."""
    there = sorted(settings.given & _SUPABASE)
    if there:
        have = settings.database_url is not None
        what = "DATABASE_URL is what is used" if have else "DATABASE_URL is missing: copy it from Connect, pooler"
        text = f"{', '.join(there)}: recognised, but data goes through PostgreSQL alone, never through the API; {what}"
        yield Finding(name="guide", ok=have or not settings.in_actions, text=text)


def _inngest(settings: Settings) -> Finding:
    """Say what can be done with Inngest; nothing is sent."""
    serves = "serve lets Inngest call its functions at /api/inngest"
    sends = "events can be sent"
    missing = [] if settings.inngest_serves else ["without INNGEST_SIGNING_KEY serve has no functions for it"]
    missing += [] if settings.inngest_sends else ["without INNGEST_EVENT_KEY no event can be sent"]
    said = [*([serves] if settings.inngest_serves else []), *([sends] if settings.inngest_sends else []), *missing]
    return Finding(name="inngest", ok=settings.inngest_sends or not settings.inngest_serves, text="; ".join(said))


def _prices(settings: Settings) -> Finding:
    try:
        costs.prices(settings)
    except ConfigurationError as error:
        return Finding(name="prices", ok=False, text=str(error))
    given = ", ".join(
        f"{name} {money.price(price)}" for name, price in sorted(settings.prices.items()) if name != "included_minutes"
    )
    minutes = settings.prices.get("included_minutes")
    parts = [given] if given else []
    parts += [f"{minutes:,.0f} minutes included"] if minutes is not None else []
    return Finding(name="prices", ok=True, text=f"GH_BACKFILL_PRICES: {'; '.join(parts)}")


def _notifications(urls: str) -> Finding:
    told = notifier.understood(urls)
    wrong = [place for place, service in enumerate(told, 1) if service is None]
    if wrong or not told:
        which = f"address {', '.join(map(str, wrong))} of {len(told)}" if told else "its text"
        text = f"NOTIFY_URLS: {which} is none that apprise knows: it begins with a service, such as slack or mailto"
        return Finding(name="notify", ok=False, text=text)
    return Finding(name="notify", ok=True, text=f"NOTIFY_URLS: {', '.join(filter(None, told))} (nothing was sent)")


def _webhook(settings: Settings) -> Finding:
    """Send a signed ping, as GitHub does when a webhook is made: receivers know it and do nothing with it."""
    assert settings.report_webhook_url is not None
    if settings.webhook_key is None:
        text = "REPORT_WEBHOOK_URL: nothing is posted without WEBHOOK_SECRET, which signs it"
        return Finding(name="webhook", ok=False, text=text)
    result = webhook_out.deliver(
        settings.report_webhook_url.get_secret_value(),
        settings.webhook_key.get_secret_value(),
        json_text({"zen": "a ping of gh-backfill check"}).encode(),
        event="ping",
        delivery_id=str(uuid.uuid4()),
        tries=1,
        sleep=lambda seconds: None,
    )
    match result:
        case Delivered():
            return Finding(name="webhook", ok=True, text="REPORT_WEBHOOK_URL: took a signed ping")
        case NotDelivered(reason=reason):
            return Finding(name="webhook", ok=False, text=f"REPORT_WEBHOOK_URL: {reason}")
