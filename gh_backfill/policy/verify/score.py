"""The quality score: five shares of what is here, each with its weight, in per cent.

docs/verify.md has the formula, and a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

from gh_backfill.policy.verify.differences import OF_THE_WHOLE, Difference, What

# A repository below is verified again by the next sweep.
ENOUGH = 95.0
COMPLETE, WHOLE, SOUND, FRESH, PROVEN = 40, 25, 20, 10, 5
_SOUND = frozenset({What.DAMAGED, What.IMPOSSIBLE, What.AUTHOR, What.UNREADABLE})


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityScore:
    """The parts of the score, each a share from 0 to 1.

    `complete`: items that are here; `whole`: those whose parts are as many as GitHub counts; `sound`: those whose
    fields are right; `fresh`: those that GitHub has not changed since; `proven`: those that were looked at in time.
    """

    complete: float
    whole: float
    sound: float
    fresh: float
    proven: float

    @property
    def percent(self) -> float:
        """Return the score; 100 only where every part is whole."""
        weighed = (
            COMPLETE * self.complete
            + WHOLE * self.whole
            + SOUND * self.sound
            + FRESH * self.fresh
            + PROVEN * self.proven
        )
        return floor(round(10 * weighed, 6)) / 10

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "percent": self.percent,
            "complete": self.complete,
            "whole": self.whole,
            "sound": self.sound,
            "fresh": self.fresh,
            "proven": self.proven,
        }


def score(differences: Iterable[Difference], *, expected: int, proven: int) -> QualityScore:
    """Return the score of a repository with so many items that should be here, of which so many are proven.

    Only what is open counts, and an item once in each part; what concerns no single item counts as one.
    """
    found = [each for each in differences if each.open]

    def share(whats: frozenset[What]) -> float:
        wrong = {(each.kind, each.number) for each in found if each.what in whats}
        return max(0.0, 1 - len(wrong) / max(1, expected)) if wrong else 1.0

    return QualityScore(
        complete=share(OF_THE_WHOLE),
        whole=share(frozenset({What.COUNT})),
        sound=share(_SOUND),
        fresh=share(frozenset({What.STALE})),
        proven=min(1.0, proven / expected) if expected else 1.0,
    )
