"""Aggressive backfills as they stand: everything of one repository, in three steps.  Times are UTC, ids are ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.policy.aggressive.checklist import CheckLine
from gh_backfill.policy.aggressive.steps import OVER, AggressiveStatus, AggressiveStep, StepStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class StepStanding:
    """How a step stands: `done` of `total` where it counts what it does, and what was told of it last."""

    step: AggressiveStep
    status: StepStatus
    told: str | None = None
    done: int | None = None
    total: int | None = None

    @property
    def over(self) -> bool:
        """Say whether it is not to be done again."""
        return self.status in (StepStatus.COMPLETED, StepStatus.SKIPPED)


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveBackfill:
    """The last aggressive backfill of a repository; `since` begins its time range, None: the whole history.

    `version` counts how often more was wanted of it, and `silent` says that whoever worked on it told nothing for
    minutes: another one may go on with it.
    """

    id: str
    repository_id: str
    full_name: str
    is_private: bool
    status: AggressiveStatus
    kinds: tuple[str, ...]
    since: datetime | None
    asked_by: str | None
    version: int
    worker: str | None
    points: int
    checklist: tuple[CheckLine, ...]
    reason: str | None
    not_before: datetime | None
    created_at: datetime
    started_at: datetime | None
    beat_at: datetime | None
    completed_at: datetime | None
    silent: bool
    steps: Mapping[AggressiveStep, StepStanding]

    @property
    def over(self) -> bool:
        """Say whether it has come to its end."""
        return self.status in OVER

    @property
    def running(self) -> bool:
        """Say whether somebody works on it now."""
        return self.status is AggressiveStatus.PROCESSING and not self.silent

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "repository": self.full_name,
            "repository_id": self.repository_id,
            "id": self.id,
            "status": self.status,
            "silent": self.silent,
            "kinds": list(self.kinds),
            "since": self.since,
            "steps": [
                {"step": each.step, "status": each.status, "told": each.told, "done": each.done, "total": each.total}
                for each in self.steps.values()
            ],
            "checklist": [{"name": each.name, "holds": each.holds, "detail": each.detail} for each in self.checklist],
            "points": self.points,
            "reason": self.reason,
            "resume_at": self.not_before,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
        }
