"""Yesterday's world is backfilled, today's is synced once: then every row is as it is today, for what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_backfill.store.db import Database
from tests import corpus
from tests.benchmarks.sync import costs
from tests.comparison import Difference, compare, compare_issues
from tests.turns import WHOLE

# The source of these rows has their heads under other names than it had them earlier.
EXCUSED = {("tlswg/draft-ietf-tls-esni", number) for number in range(504, 512)}
# A list that is complete does not have it any more; that it is gone is for `verify` to find out.
DELETED_SINCE = {"bitcoin-core/gui comment 4702406240"}


def states() -> list[Path]:
    """Return the latest state of each repository, or with GH_BACKFILL_TESTS=whole all."""
    if not corpus.CORPUS.is_dir():
        return []
    every = corpus.earlier_states()
    latest = {state.parents[1]: state for state in every}
    return every if WHOLE else list(latest.values())


@pytest.mark.parametrize("state", states(), ids=lambda state: f"{state.parents[1].name}-{state.name}")
def test_after_one_sync_every_row_is_as_it_is_today_for_what_changed(db: Database, tmp_path: Path, state: Path) -> None:
    for cost in costs(db, state, tmp_path):
        assert cost.changed, "nothing changed since, so that nothing would be shown"
        assert cost.rows_changed <= cost.rows_read
        assert cost.points <= cost.bound, cost
        assert cost.again == 1
    wanted = corpus.expected([state.parents[1]])
    with db.reading() as tx:
        found = [*compare(tx, wanted, stood_still=False).found, *compare_issues(tx, wanted).found]
    assert [each for each in found if not is_excused(wanted[0].full_name, each)] == []


def is_excused(name: str, difference: Difference) -> bool:
    deleted = difference.kind == "surplus" and difference.row in DELETED_SINCE
    return deleted or any(f"pull request {name}#{number}" in difference.row for of, number in EXCUSED if of == name)
