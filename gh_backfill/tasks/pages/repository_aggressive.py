"""The aggressive backfill on the page of a repository: its steps, and how many items have a vector."""

from __future__ import annotations

from dataclasses import dataclass

from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import MARKS, TITLES, AggressiveStatus, AggressiveStep, StepStatus
from gh_backfill.store import aggressive as store
from gh_backfill.store import embeddings, vectors
from gh_backfill.store.db import Database

_HELD = {True: ("✓", "holds"), False: ("✕", "does not hold"), None: ("○", "not asked for")}
_NEVER = "Brings all its data, then embeddings, then the figures of its workspaces."


@dataclass(frozen=True, kw_only=True, slots=True)
class StepShown:
    """A step on the page: its mark, its word, what was told of it, and how far it is."""

    title: str
    mark: str
    word: str
    told: str
    done: int | None
    total: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryAggressive:
    """The last aggressive backfill of a repository; None: there was none.

    `coverage` tells by kind how many items have a vector, of how many.
    """

    last: AggressiveBackfill | None
    coverage: tuple[tuple[str, int, int], ...]

    @property
    def open(self) -> bool:
        """Say whether one is not over."""
        return self.last is not None and not self.last.over

    @property
    def text(self) -> str:
        """Say how it stands."""
        last = self.last
        if last is None:
            return _NEVER
        if last.running:
            return "It is at work."
        if last.silent:
            return "Whoever worked on it fell silent: it goes on with the next run."
        told = f": {last.reason}" if last.reason and last.reason != "complete" else ""
        match last.status:
            case AggressiveStatus.PENDING:
                return f"It waits to go on{told}."
            case AggressiveStatus.COMPLETED:
                return "It is complete, and its checklist holds."
            case _:
                return f"It {'was cancelled' if last.status is AggressiveStatus.CANCELLED else 'failed'}{told}."

    @property
    def steps(self) -> list[StepShown]:
        """Return the three steps; one that was not asked for says so."""
        found = {} if self.last is None else self.last.steps
        shown: list[StepShown] = []
        for step in AggressiveStep:
            if step in found:
                each = found[step]
                running = each.status is StepStatus.PROCESSING and self.last is not None and not self.last.running
                status = StepStatus.PENDING if running else each.status
                shown.append(
                    StepShown(
                        title=TITLES[step],
                        mark=MARKS[status],
                        word={StepStatus.PENDING: "waits", StepStatus.PROCESSING: "running"}.get(status, status.value),
                        told=each.told or "",
                        done=each.done,
                        total=each.total,
                    )
                )
            else:
                word = "never run" if self.last is None else "left out"
                shown.append(StepShown(title=TITLES[step], mark="○", word=word, told="", done=None, total=None))
        return shown

    @property
    def checklist(self) -> list[tuple[str, str, str, str]]:
        """Return the lines of the checklist: mark, word, name and detail."""
        return [(*_HELD[each.holds], each.name, each.detail) for each in (self.last.checklist if self.last else ())]

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "last": None if self.last is None else self.last.as_json(),
            "embeddings": {kind: {"with_embedding": done, "total": total} for kind, done, total in self.coverage},
        }


def repository_aggressive(db: Database, repository_id: str) -> RepositoryAggressive:
    """Read the last aggressive backfill of a repository, and the coverage of its embeddings."""
    with db.reading() as tx:
        found = store.standing(tx, [repository_id])
        kept = vectors.standing(tx).obstacle is None
        types = embeddings.coverage(tx, repository_id) if kept else {}
    return RepositoryAggressive(
        last=found[0] if found else None,
        coverage=tuple((kind.plural, each.embedded, each.total) for kind, each in types.items() if each.total),
    )
