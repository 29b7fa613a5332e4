"""Addresses of servers: is one on this machine, and may a secret travel to it?"""

from __future__ import annotations

from ipaddress import ip_address


def on_this_machine(host: str | None) -> bool:
    """Say whether the name or number of a server means this machine's own loopback."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def in_clear_text(scheme: str, host: str | None) -> bool:
    """Say whether whatever is sent to a server can be read on the way."""
    return scheme == "http" and not on_this_machine(host)


def in_a_private_network(host: str | None) -> bool:
    """Say whether a server is known by a number that means nothing on the internet."""
    try:
        return ip_address((host or "").strip("[]")).is_private
    except ValueError:
        return False
