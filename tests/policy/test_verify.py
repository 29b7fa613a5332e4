"""Scores, certificates, numbers and comparisons: pure decisions of a verification."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.verify import score as scoring
from gh_backfill.policy.verify.allowance import allowance
from gh_backfill.policy.verify.certificate import Certificate
from gh_backfill.policy.verify.compare import NOT_LISTED, Facts, StoredItem, Value, contradictions, differences
from gh_backfill.policy.verify.differences import Difference, End, What, after_repair, folded
from gh_backfill.policy.verify.numbers import KnownAs, NumberIs, to_ask
from gh_backfill.policy.verify.score import QualityScore, score

NOW = datetime(2026, 11, 25, 14, 2, tzinfo=UTC)
BEFORE = NOW - timedelta(days=100)
DOCS = Path(__file__).parents[2] / "docs" / "verify.md"
FACTS = Facts(
    updated_at=NOW,
    fields={
        "title": "A",
        "state": "merged",
        "merged": True,
        "created_at": BEFORE,
        "closed_at": NOW,
        "merged_at": NOW,
        "author": 7,
    },
    counts={"reviews": 2, "comments": 5, "threads": 1},
)
STORED = StoredItem(
    kind="pull_requests",
    github_id=1,
    number=12,
    node_id="PR_1",
    facts=replace(FACTS, counts={"reviews": 2, "comments": 5}),
    noted=FACTS.counts,
)


def difference(what: What, number: int | None = 7, end: End = End.OPEN) -> Difference:
    return Difference(kind="pull_requests", number=number, what=what, detail=f"{what}: it", end=end)


def of(found: list[Difference]) -> list[tuple[What, str, End]]:
    return [(each.what, each.detail, each.end) for each in found]


def certificate(*found: Difference, proven: int = 1503, proven_at: datetime | None = NOW) -> Certificate:
    return Certificate(
        full_name="octo/engine",
        highest=1503,
        numbers={NumberIs.PULL_REQUEST: 1500, NumberIs.ISSUE: 3},
        expected=1503,
        proven=proven,
        differences=found,
        score=score(found, expected=1503, proven=proven),
        proven_at=proven_at,
    )


def test_a_whole_repository_has_the_certificate_that_was_promised() -> None:
    assert certificate().line == (
        "1...1503: 1,500 pull requests, 3 issues, nothing missing; proven 2026-11-25 14:02 UTC by counts and numbers"
    )
    assert certificate().whole
    told = json.loads(json.dumps(certificate().as_json()))
    assert (told["whole"], told["open"], told["score"]["percent"], told["proven_by"]) == (
        True,
        0,
        100.0,
        ["counts", "numbers"],
    )


def test_what_is_open_stands_in_the_line_and_what_is_explained_does_not() -> None:
    found = certificate(difference(What.MISSING), difference(What.COUNT, 9, End.EXPLAINED), difference(What.STALE, 3))
    assert "1 missing (#7), 1 changed since (#3);" in found.line
    assert not found.whole
    assert "nothing missing" in certificate(difference(What.COUNT, 9, End.MENDED)).line


def test_what_is_not_proven_yet_is_no_certificate() -> None:
    found = certificate(proven=400, proven_at=None)
    assert not found.whole
    assert found.line.endswith("nothing wrong so far; 400 of 1,503 items proven so far")


def test_many_differences_are_named_by_their_first_numbers() -> None:
    assert "5 not whole (#1, #2, #3, …)" in certificate(*(difference(What.COUNT, n) for n in range(1, 6))).line


def test_the_score_is_the_formula_of_the_docs_and_never_100_with_something_open() -> None:
    (formula,) = re.findall(r"^    score = (.*)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    ours = f"{scoring.COMPLETE} complete + {scoring.WHOLE} whole + {scoring.SOUND} sound + {scoring.FRESH} fresh + "
    assert formula == f"{ours}{scoring.PROVEN} proven"
    weights = (scoring.COMPLETE, scoring.WHOLE, scoring.SOUND, scoring.FRESH, scoring.PROVEN)
    assert sum(weights) == 100
    assert score([difference(What.MISSING)], expected=1_000_000, proven=1_000_000).percent == 99.9
    halves = QualityScore(complete=0.5, whole=0.5, sound=0.5, fresh=0.5, proven=0.5)
    assert halves.percent == 50.0


@pytest.mark.parametrize("what", What)
def test_every_difference_lowers_the_score_unless_it_is_explained(what: What) -> None:
    assert score([difference(what)], expected=10, proven=10).percent < 100
    assert score([difference(what, end=End.EXPLAINED)], expected=10, proven=10).percent == 100


def test_an_item_counts_once_in_each_part_of_the_score() -> None:
    one = score([difference(What.COUNT)], expected=10, proven=10)
    assert score([difference(What.COUNT), difference(What.COUNT)], expected=10, proven=10) == one


def test_the_same_item_has_no_difference() -> None:
    assert differences(STORED, FACTS) == []


def test_what_github_changed_since_is_stale_and_nothing_else_is_said_of_it() -> None:
    shown = Facts(updated_at=NOW + timedelta(seconds=1), fields={**FACTS.fields, "title": "B"}, counts={"comments": 9})
    assert [each.what for each in differences(STORED, shown)] == [What.STALE]


def test_too_few_and_too_many_parts_are_told_with_both_counts() -> None:
    fewer = replace(STORED, facts=replace(STORED.facts, counts={"reviews": 1, "comments": 6}))
    assert of(differences(fewer, FACTS)) == [
        (What.COUNT, "reviews: 1 here, GitHub counts 2", End.OPEN),
        (What.COUNT, "comments: 6 here, GitHub counts 5", End.OPEN),
    ]


def test_a_gap_explains_exactly_the_counts_that_it_was_about() -> None:
    short = replace(
        STORED, gap="5 comments counted, 4 listed", facts=replace(STORED.facts, counts={"reviews": 2, "comments": 4})
    )
    assert [(each.end, each.why) for each in differences(short, FACTS)] == [(End.EXPLAINED, NOT_LISTED)]
    less = replace(short, facts=replace(STORED.facts, counts={"reviews": 2, "comments": 3}))
    assert [each.end for each in differences(less, FACTS)] == [End.OPEN]
    other = replace(short, facts=replace(STORED.facts, counts={"reviews": 1, "comments": 5}))
    assert [each.end for each in differences(other, FACTS)] == [End.OPEN], "a review is missing, and no comment"


def test_what_was_just_read_whole_explains_what_github_counts_beyond_its_list() -> None:
    short = replace(STORED, facts=replace(STORED.facts, counts={"reviews": 2, "comments": 4}))
    assert [each.end for each in differences(short, FACTS, {"reviews": 2, "comments": 4})] == [End.EXPLAINED]
    assert [each.end for each in differences(short, FACTS, {"reviews": 2, "comments": 5})] == [End.OPEN]
    known = replace(short, explained=frozenset({"comments: 4 here, GitHub counts 5"}))
    assert [each.end for each in differences(known, FACTS)] == [End.EXPLAINED], "an earlier look has explained it"


def test_what_waits_in_the_quarantine_is_open() -> None:
    short = replace(STORED, quarantined=1, facts=replace(STORED.facts, counts={"reviews": 2, "comments": 4}))
    (found,) = differences(short, FACTS)
    assert (found.open, "quarantine" in found.detail) == (True, True)


@pytest.mark.parametrize(
    "fields",
    [
        {"merged_at": None},
        {"merged": False},
        {"closed_at": None},
        {"state": "open", "merged": False, "merged_at": None},
        {"closed_at": BEFORE - timedelta(days=1)},
        {"merged_at": BEFORE - timedelta(days=1)},
        {"created_at": NOW + timedelta(days=1)},
    ],
)
def test_dates_that_cannot_be_are_found_and_explained_where_github_has_them_too(fields: dict[str, Value]) -> None:
    facts = replace(FACTS, fields={**FACTS.fields, **fields})
    assert contradictions(FACTS) == []
    assert contradictions(facts)
    ours = differences(replace(STORED, facts=replace(facts, counts=STORED.facts.counts)), FACTS)
    assert What.IMPOSSIBLE in [each.what for each in ours if each.open]
    theirs = differences(replace(STORED, facts=replace(facts, counts=STORED.facts.counts)), facts)
    assert {each.end for each in theirs} == {End.EXPLAINED}


def test_after_a_repair_each_difference_is_what_is_left_of_it() -> None:
    before = [difference(What.COUNT), difference(What.DAMAGED)]
    left = [difference(What.COUNT, end=End.EXPLAINED)]
    assert [(each.what, each.end) for each in after_repair(before, left)] == [
        (What.DAMAGED, End.MENDED),
        (What.COUNT, End.EXPLAINED),
    ]


def test_only_numbers_that_nobody_knows_are_asked_about() -> None:
    known = {
        2: KnownAs(what=NumberIs.ISSUE, asked_at=NOW),
        3: KnownAs(what=NumberIs.DELETED, asked_at=NOW),
        4: KnownAs(what=NumberIs.DELETED, asked_at=NOW, times=2),
        5: KnownAs(what=NumberIs.DISCUSSION, asked_at=NOW - timedelta(days=31)),
        6: KnownAs(what=NumberIs.UNREADABLE, asked_at=NOW),
        7: KnownAs(what=NumberIs.PULL_REQUEST, asked_at=NOW),
    }
    assert to_ask(8, known, {1}, {NumberIs.PULL_REQUEST}, NOW) == [3, 5, 6, 7, 8]


def test_what_is_said_again_counts_and_what_is_said_anew_begins_again() -> None:
    deleted = KnownAs(what=NumberIs.DELETED, asked_at=NOW)
    assert not deleted.believed
    assert deleted.after(deleted).believed
    assert deleted.after(KnownAs(what=NumberIs.ISSUE, asked_at=NOW)).times == 1


def test_proofs_take_a_twentieth_of_the_hour_and_never_the_reserve() -> None:
    def standing(left: int) -> BudgetState:
        return BudgetState(identity="a", limit=5_000, left=left, busy=0.0, reset_at=None, not_before=None, moment=NOW)

    assert allowance([standing(5_000)], 0) == 250
    assert allowance([standing(5_000)], 240) == 10
    assert allowance([standing(5_000)], 400) == 0
    assert allowance([standing(standing(5_000).limit // 10)], 0) <= 250
    assert allowance([standing(0)], 0) == 0


def test_what_is_so_of_several_items_is_said_once_with_their_numbers() -> None:
    missing = [
        Difference(kind="pull_requests", number=n, what=What.MISSING, detail="there is no row of it")
        for n in range(1, 11)
    ]
    other = Difference(kind="pull_requests", number=3, what=What.DAMAGED, detail="title differs", end=End.MENDED)
    whole = Difference(kind="issues", number=None, what=What.MISSING, detail="GitHub counts 3 more")
    assert folded([other, *missing, whole]) == [
        "pull request #3: title differs: mended",
        "10 pull requests: there is no row of it: open: #1, #2, #3, #4, #5, #6, #7, #8 and 2 more",
        "issues: GitHub counts 3 more: open",
    ]
