"""The captures of one repository, one after the other within the same limits: kinds of items, then its people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gh_backfill.engine.diffs import DiffReading
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.engine.profiles import ProfileReading
from gh_backfill.engine.worker import Worker
from gh_backfill.policy.ledger import ErrorType

Listen = Callable[[Progress], None]
# Whatever keeps GitHub or the hour from us keeps them from the next kind, too.
_SHARED = frozenset({ErrorType.RATE_LIMIT, ErrorType.NETWORK, ErrorType.GONE})


@dataclass(kw_only=True, slots=True)
class InTurn:
    """The captures of several kinds; `worker` returns who captures one of them, within limits, and tells of it.

    What comes `after` the items, each with its words, comes last, once nothing keeps us from these.
    """

    kinds: Sequence[Kind]
    limits: Limits
    worker: Callable[[Kind, Limits, Listen], Worker]
    listen: Listen
    after: Sequence[tuple[str, Callable[[Listen], ProfileReading | DiffReading]]] = ()
    _last: bool = False
    _before: Captured | None = None
    _working: Worker | ProfileReading | DiffReading | None = None

    @property
    def done(self) -> Captured | None:
        """Return what was done so far: all of it is committed, also where an error ended the work."""
        if self._working is None:
            return self._before
        return self._working.done if self._before is None else self._before.then(self._working.done)

    def run(self) -> Captured:
        """Capture one kind after the other; what fails for one of them alone does not stop the next."""
        for kind in self.kinds:
            captured = self._captured(kind.words, self.worker(kind, self._left(), self._tell))
            if captured.outcome is CaptureOutcome.INTERRUPTED or captured.error_type in _SHARED:
                break
        for number, (words, reading) in enumerate(self.after, start=1):
            self._last = number == len(self.after)
            if self._leads_on():
                self._captured(words, reading(self._tell))
        assert self._before is not None, "there is always something to capture"
        return self._before

    def _captured(self, words: str, working: Worker | ProfileReading | DiffReading) -> Captured:
        self._working = working
        captured = working.run()
        if len(self.kinds) + len(self.after) > 1:
            captured = replace(captured, reason=f"{words}: {captured.reason}")
        self._before, self._working = captured if self._before is None else self._before.then(captured), None
        return captured

    def _leads_on(self) -> bool:
        """Say whether the items are here, or fail for a cause of their own."""
        before = self._before
        return (
            before is None
            or before.outcome is CaptureOutcome.COMPLETED
            or (before.outcome is CaptureOutcome.FAILED and before.error_type not in _SHARED)
        )

    def _left(self) -> Limits:
        """Return what the kinds before left of the limits."""
        if self._before is None or self.limits.max_chunks is None:
            return self.limits
        return replace(self.limits, max_chunks=max(0, self.limits.max_chunks - self._before.chunks))

    def _tell(self, progress: Progress) -> None:
        before = self._before
        if before is not None:
            progress = replace(progress, chunks=progress.chunks + before.chunks, items=progress.items + before.items)
        if (self.after and not self._last) or (not self.after and progress.kind != self.kinds[-1].name):
            progress = replace(progress, over=False)
        self.listen(progress)
