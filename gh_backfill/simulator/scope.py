"""The scope that the resolvers of one request share."""

from __future__ import annotations

from dataclasses import dataclass

from gh_backfill.simulator.cursors import Cursors
from gh_backfill.simulator.limits import LimitState
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.pricing import Price
from gh_backfill.simulator.rows import AccountRow, RepositoryRow
from gh_backfill.simulator.world import World


@dataclass(kw_only=True)
class Scope:
    """What a request's resolvers share.

    `nodes` counts the rows that were given out; where the answer `may_repeat`, parts of it are those of earlier ones,
    and must not be changed.
    """

    world: World
    options: Options
    cursors: Cursors
    identity: str
    price: Price
    standing: LimitState
    reset_at: str
    may_repeat: bool = True
    nodes: int = 0

    def sees(self, repository: RepositoryRow) -> bool:
        """Tell whether whoever asks may see a repository."""
        return not repository.private or self.identity in self.options.private_readers

    def person(self, identity: int | None) -> AccountRow | None:
        """Return an account; None for a deleted one."""
        return self.world.account(identity)
