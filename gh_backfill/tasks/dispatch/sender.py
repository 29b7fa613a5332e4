"""Takers of jobs from a tick: a workflow of GitHub Actions, and Inngest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gh_backfill.store.routing import WaitingJob


class Sender(Protocol):
    """A processor that jobs can be handed to, all at once.

    It raises a BackfillError where it took none of them: then they go another way.
    """

    def send(self, jobs: Sequence[WaitingJob], run_key: str) -> None:
        """Hand over jobs; they are taken from the ledger by the key of their run."""
