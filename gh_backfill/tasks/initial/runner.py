"""The captures of initial backfills on this machine: a process beside us, with the database as its queue."""

from __future__ import annotations

from gh_backfill.settings import Settings


class Runner:
    """Keeps one process at work while initial backfills are pending; it ends with us, however we end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def running(self) -> bool:
        """Say whether the process is at work."""
        raise NotImplementedError

    def wake(self) -> None:
        """Start the process where something is pending and none is at work.  Never raises."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the process in good order: what it holds is given back."""
        raise NotImplementedError
