"""What the page of a repository says of its numbers."""

from __future__ import annotations

import pytest

from gh_backfill.store.pages_repository import CoverageCell
from gh_backfill.tasks.pages.coverage import of_cells


def cell(number: int, *, here: bool, walked: bool) -> CoverageCell:
    return CoverageCell(
        n=number, first=10 * number, last=10 * number + 9, here=here, walked=walked, quarantined=0, short=0
    )


@pytest.mark.parametrize(
    ("walked", "said"),
    [(True, "Numbers between them are issues."), (False, "Other numbers are issues, or not read yet.")],
)
def test_numbers_that_were_not_read_are_not_called_issues(walked: bool, said: str) -> None:
    found = of_cells([cell(0, here=False, walked=walked), cell(1, here=True, walked=True)], captured=7)
    assert found.text == f"7 pull requests. {said}"
