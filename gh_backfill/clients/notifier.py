"""Chat, mail and whatever else `apprise` speaks to."""

from __future__ import annotations

import logging

# Its own lines tell addresses that have tokens in them.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


def notify(urls: str, title: str, text: str, *, failure: bool) -> bool:
    """Send a message to all addresses; False if any of them did not take it.  Text is shown as it is."""
    import apprise  # noqa: PLC0415  (it loads slowly, and few commands need it)

    kind = apprise.NotifyType.FAILURE if failure else apprise.NotifyType.SUCCESS
    receivers = apprise.Apprise()
    if not receivers.add(urls):
        return False
    return bool(receivers.notify(body=text, title=title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT))


def understood(urls: str) -> list[str | None]:
    """Return the service of each address, by apprise's name for it; None for one that it does not know."""
    import apprise  # noqa: PLC0415  (as above)
    from apprise.utils.parse import parse_urls  # noqa: PLC0415

    services: list[str | None] = []
    for url in parse_urls(urls):  # type: ignore[no-untyped-call]
        found = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        services.append(None if found is None else str(found.service_name))
    return services
