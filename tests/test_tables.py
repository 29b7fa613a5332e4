"""Tables on narrow terminals: no figure is cut, lesser columns go first, notes stand under their row."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from gh_backfill.terminal import results
from gh_backfill.terminal.tables import Row, lines, shortened

LONG = "an-organisation-with-a-long-name/a-repository-with-a-name-that-is-even-longer-than-that"
ROWS = (
    Row(
        cells=(
            LONG,
            "1234567",
            "9876543",
            "12.5",
            "paused",
            "about 1,234,567 points, 9 h 12 min",
            "98765",
            "123 failed",
        ),
        notes=("GitHub's points are used up, goes on 2026-11-26 12:00:00 UTC", "12 in quarantine"),
    ),
    Row(cells=("octo/small", "5", "5", "100.0", "completed", "", "1", "1 completed 11-26 05:00")),
)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_figures_are_whole_at_every_width(width: int) -> None:
    table = lines(results.STATUS, ROWS, width=width)
    assert max(cell_len(line) for line in table) <= max(width, 44)
    for figure in ("1234567", "9876543", "12.5", "100.0"):
        assert any(figure in line.split() for line in table)
    assert "…" in table[1] if width < 150 else LONG in table[1]


def test_columns_go_by_importance() -> None:
    heads = {width: lines(results.STATUS, ROWS, width=width)[0].split() for width in (44, 60, 90, 100, 200)}
    assert heads[44] == ["repository", "captured", "total", "%"]
    assert heads[60] == ["repository", "captured", "total", "%", "status"]
    assert heads[90][-1] == "left"
    assert heads[100][-1] == "points"
    assert heads[200][-2:] == ["last", "chunk"]


def test_notes_stand_under_their_row_and_are_wrapped_not_cut() -> None:
    table = lines(results.STATUS, ROWS, width=60)
    assert table[2].startswith("  GitHub's points are used up")
    assert [line.strip() for line in table[2:5]][-1] == "12 in quarantine"
    assert table[5].startswith("octo/small")


def test_without_a_terminal_nothing_is_cut() -> None:
    table = lines(results.STATUS, ROWS, width=None)
    assert LONG in table[1]
    assert len(table) == 5


def test_a_name_keeps_its_beginning_and_its_end() -> None:
    assert shortened("octo/engine", 11) == "octo/engine"
    assert shortened("organisation/repository-2", 12) == "organi…ory-2"


def test_a_table_of_nothing_has_its_titles() -> None:
    assert len(lines(results.STATUS, (), width=80)) == 1
