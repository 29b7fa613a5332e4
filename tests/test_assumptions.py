"""The page of assumptions is true: each line names places in the code that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gh_backfill"
LINES = [
    [cell.strip() for cell in line.strip("|\n ").split(" | ")]
    for line in (ROOT / "docs" / "assumptions.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| id", "| ---"))
]
SIMULATED = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (PACKAGE / "commands" / "look.py", *sorted(PACKAGE.joinpath("simulator").rglob("*.py")))
)


def text_of(place: str) -> str | None:
    """Return the text of a file of the package, whose folder may be one of the clients' queries, or of a workflow."""
    found = [path for path in (PACKAGE / place, PACKAGE / "clients" / place, ROOT / place) if path.is_file()]
    return found[0].read_text(encoding="utf-8") if found else None


@pytest.mark.parametrize("line", LINES, ids=[line[0] for line in LINES])
def test_an_assumption_says_where_it_rests_what_if_it_is_wrong_and_what_tests_it(line: list[str]) -> None:
    assert len(line) == 5
    assert all(line)
    assert not line[1][0].islower()
    text = ""
    for quoted in re.findall(r"`([^`]+)`", line[2]):
        if re.fullmatch(r"[\w./-]+\.(py|graphql|sql|yml)", quoted):
            found = text_of(quoted)
            assert found is not None, quoted
            text = found
        else:
            assert quoted in text, quoted


def test_no_assumption_stands_twice() -> None:
    assumptions = [line[1] for line in LINES]
    assert [each for each in assumptions if assumptions.count(each) > 1] == []


@pytest.mark.parametrize("line", LINES, ids=[line[0] for line in LINES])
def test_what_an_assumption_was_tested_with_is_there(line: list[str]) -> None:
    for quoted in re.findall(r"`([^`]+)`", line[4]):
        if "/" in quoted:
            assert (ROOT / quoted).is_file() or (PACKAGE / quoted).is_file(), quoted
        else:
            assert [word for word in re.findall(r"[\w-]+", quoted) if word not in SIMULATED] == [], quoted
