"""The limits of what the receiver takes at once, so that nobody who is not GitHub can stop it or fill its memory."""

from __future__ import annotations

import resource
from dataclasses import dataclass

# Beside connections: the database, the embedded server's log, GitHub, and what the system accepts before we look.
OTHER_FILES = 100
BACKLOG = 256
FEWEST_CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class DoorLimits:
    """Connections, seconds and bytes; whoever came less than `grace_seconds` ago is not yet slow.

    From so many `connections` on, the slow are cut; as many again may come at once where nobody is slow.
    GitHub waits ten seconds for an answer, so whoever needs longer to send is not GitHub:
    https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks
    It sends at most 25 MB: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
    """

    connections: int = 512
    grace_seconds: float = 1.0
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    largest_head: int = 16 * 1024
    largest_body: int = 25 * 1024 * 1024
    all_bodies: int = 64 * 1024 * 1024
    database_connections: int = 4
    database_seconds: float = 8.0
    linger_seconds: float = 2.0
    stop_seconds: int = 10

    @property
    def most_connections(self) -> int:
        """Return how many connections there may be at all, if the system gives so many files."""
        return 2 * self.connections


def connections(wanted: int) -> int:
    """Return how many connections this process can hold without running out of files; asks the system for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + BACKLOG + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    files = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if files > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(FEWEST_CONNECTIONS, files - BACKLOG - OTHER_FILES)
