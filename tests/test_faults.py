"""Every fault is proven somewhere: the table of `faults.py` against the simulator, the storm and the tests."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from gh_backfill.simulator.effects import EFFECTS
from tests import faults
from tests.lessons import LESSONS, STORM
from tests.storm import weather
from tests.storm.fates import Point
from tests.tasks.test_diffs import QUERIES as OF_DIFFS
from tests.tasks.test_every_fault import OPERATIONS
from tests.tasks.test_every_fault_of_discussions import QUERIES as OF_DISCUSSIONS
from tests.tasks.test_every_fault_of_issues import QUERIES as OF_ISSUES
from tests.tasks.test_every_fault_of_marks import QUERIES as OF_MARKS

ROOT = Path(__file__).parents[1]
QUERIES = ROOT / "gh_backfill" / "clients" / "queries"
PROOFS = [
    (f"{table}: {fault}", proof)
    for table, rows in faults.TABLES.items()
    for fault, proofs in rows.items()
    for proof in proofs
]


def test_every_fault_that_github_can_have_here_is_in_the_table() -> None:
    assert set(faults.GITHUB) == set(EFFECTS)


def test_every_query_that_we_send_meets_every_fault() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in QUERIES.glob("*.graphql"))
    assert {*faults.AIMED, *OF_ISSUES, *OF_DISCUSSIONS, *OF_MARKS, *OF_DIFFS} == set(
        re.findall(r"^query (\w+)", text, re.MULTILINE)
    )
    assert set(faults.AIMED.values()) <= set(OPERATIONS)


def test_every_point_at_which_the_storm_strikes_is_in_the_table() -> None:
    assert {point.value for point in Point} <= set(faults.DEATHS)


def test_every_lesson_is_in_the_table() -> None:
    numbers = {"W": 14, "M": 7, "I": 13, "P": 14, "C": 7, "R": 7}
    assert set(LESSONS) == {f"{letter}{n}" for letter, most in numbers.items() for n in range(1, most + 1)}


def test_nothing_is_in_the_table_without_a_proof() -> None:
    assert [fault for rows in faults.TABLES.values() for fault, proofs in rows.items() if not proofs] == []


@pytest.mark.parametrize("proof", sorted({proof for _, proof in PROOFS}))
def test_the_proof_of_a_fault_exists(proof: str) -> None:
    path, _, name = proof.partition("::")
    assert name in _tests(path), f"{path} has no {name}: see {[fault for fault, found in PROOFS if found == proof]}"


@pytest.mark.parametrize(
    ("fault", "proof"), [(fault, each) for fault, found in faults.GITHUB.items() for each in found]
)
def test_the_proof_of_a_fault_meets_that_fault(fault: str, proof: str) -> None:
    # Only where faults are struck: elsewhere a test gives an answer as it was recorded.
    path, _, name = proof.partition("::")
    if proof == STORM or "Fault(" not in (ROOT / path).read_text(encoding="utf-8"):
        return
    text = _reach(path, name)
    assert f'"{fault}"' in text or "EFFECTS" in text, f"{name} never meets {fault}"


def test_the_storm_strikes_every_fault() -> None:
    assert {each.name for each in weather.faults(seed=1, rounds=1)} == set(EFFECTS)


@cache
def _reach(path: str, name: str) -> str:
    """Return the text of a test with all of its module that it names, its fixtures too."""
    text = (ROOT / path).read_text(encoding="utf-8")
    found = {names: node for node in ast.parse(text).body for names in _names(node)}
    seen: dict[str, str] = {}
    ahead = [name]
    while ahead:
        each = ahead.pop()
        if each in found and each not in seen:
            node = found[each]
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            seen[each] = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
            ahead += [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
            ahead += [part.arg for part in ast.walk(node) if isinstance(part, ast.arg)]
    return "\n".join(seen.values())


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


@cache
def _tests(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
