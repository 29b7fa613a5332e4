"""The parts into which a walk is split, and the numbers that each of them reads."""

from __future__ import annotations

from itertools import pairwise

# The workflow runs at most this many jobs at a time (its `max-parallel`).
MOST_PARTS = 5
PER_PART = 10_000
# A query asks about 300 numbers beside some 70 pull requests.  If fewer numbers are pull requests, the list is faster.
SPARSEST = 20


def parts(pull_requests: int, *, identities: int, per_part: int) -> int:
    """Return how many parts a walk over so many pull requests is worth; 1 leaves it whole.

    One identity reads no faster in several jobs: it is GitHub's time for it that binds.
    """
    return max(1, min(identities, MOST_PARTS, -(-pull_requests // per_part)))


def worth_splitting(highest: int, pull_requests: int) -> bool:
    """Say whether a walk by numbers up to the highest is worth it; no number below the count can be the highest."""
    return pull_requests <= highest <= SPARSEST * pull_requests


def ranges(highest: int, parts: int) -> list[tuple[int, int]]:
    """Return the lowest and the highest number of each part, the newest first; together 1 to `highest`, each once."""
    edges = [highest * part // parts for part in range(parts, -1, -1)]
    return [(low + 1, high) for high, low in pairwise(edges) if low < high]
