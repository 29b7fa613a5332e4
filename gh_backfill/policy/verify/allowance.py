"""The points that the rolling sweep may still take of this hour."""

from __future__ import annotations

from collections.abc import Iterable

from gh_backfill.policy.governor import BudgetState

# The share of the hour's points that proofs may take; captures have the rest.
SHARE = 0.05


def allowance(standings: Iterable[BudgetState], spent: int) -> int:
    """Return the points that are left of the share of all identities, of which `spent` are gone this hour.

    Never more than there are above the reserve.
    """
    known = list(standings)
    share = int(SHARE * sum(each.limit for each in known))
    return max(0, min(share - spent, sum(max(0, each.spendable) for each in known)))
