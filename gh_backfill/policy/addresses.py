"""Whether an address is on this machine, and whether a secret may travel to it."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def on_this_machine(url: str) -> bool:
    """Say whether the server of an address is this machine's own loopback."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def in_clear_text(url: str) -> bool:
    """Say whether whatever is sent to an address can be read on the way."""
    return urlsplit(url).scheme == "http" and not on_this_machine(url)
