"""The outlook of each history: how far it has come, what is left of it, and what limits the rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from gh_backfill.policy import bottleneck
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.estimate import Estimate
from gh_backfill.store import bottlenecks, readings, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.readings import ReadingStanding
from gh_backfill.store.repositories import Status
from gh_backfill.tasks.estimate import estimates

if TYPE_CHECKING:
    from gh_backfill.policy.report.figures import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """The state of repositories; by our id what is left of those that are not complete, and the last day's times.

    `readings` are profiles, files and commits, of those where they are read.
    """

    states: Sequence[Status]
    left: Mapping[str, Estimate]
    times: Mapping[str, Times]
    readings: Mapping[str, Sequence[ReadingStanding]] = field(default_factory=dict)

    @property
    def limited_by(self) -> str | None:
        """Say what limits the rate of all of them together; None where nothing was measured in the last day."""
        return bottleneck.line(sum(self.times.values(), Times()))

    def as_json(self) -> list[Json]:
        """Return a row for each repository as JSON-ready values, but for its times.

        `points` and `requests` are what its jobs spent, `page_points` and `page_requests` those of its stored pages.
        """
        return [
            {
                **_figures(state),
                "percent": state.percent,
                "wanted": state.wanted,
                "aim": state.aim.words,
                "left": asdict(self.left[state.id]) if state.id in self.left else None,
                "readings": {each.name: _reading(each) for each in self.readings.get(state.id, ())},
                "limited_by": bottleneck.line(self.times.get(state.id, Times())),
            }
            for state in self.states
        ]


def _reading(found: ReadingStanding) -> Json:
    return {"total": found.total, "known": found.known, "counted_at": found.counted_at}


def _figures(state: Status) -> dict[str, Json]:
    figures = asdict(state)
    spent = {"points": figures.pop("spent_points"), "requests": figures.pop("spent_requests")}
    return {**figures, "page_points": state.points, "page_requests": state.requests, **spent}


def outlook(db: Database, repository_ids: Sequence[str] | None = None) -> Outlook:
    """Return the outlook of these repositories, or of all that are tracked or were ever backfilled."""
    with db.reading() as tx:
        states = repositories.status(tx, repository_ids, spent=True)
        ran, beside = tx.together(bottlenecks.question(repository_ids), readings.question(repository_ids))
    left = estimates(db, [state.id for state in states])
    return Outlook(states=states, left=left, times=bottlenecks.times(ran), readings=readings.standings(beside))
