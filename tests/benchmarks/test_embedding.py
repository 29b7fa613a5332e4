"""Embedding takes the same statements and rows for each batch, and finds what belongs together, on a small scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.clients.embedders.local import LocalEmbedder
from tests import minilm
from tests.benchmarks import embedding, quality
from tests.benchmarks.rig import Rig
from tests.conftest import Server
from tests.corpus import folders
from tests.turns import WHOLE

# The fewest texts of those with enough pairs; a little below what was measured, as for the mean of all.
SMALL = "moq-wg__moq-transport"
RECALL, MRR = 0.70, 0.45


def test_each_batch_takes_as_many_statements_and_rows_as_the_one_before(server: Server, tmp_path: Path) -> None:
    rig = Rig(server=server, folder=tmp_path)
    few, more, most = (embedding.measure(rig, items) for items in (400, 800, 1_200))
    assert most.statements - more.statements == more.statements - few.statements <= 2 * 4
    # An item is taken in hand, saved and given back; the record of the run is written once a batch.
    assert most.rows - more.rows == more.rows - few.rows == 3 * 400 + 2
    assert embedding.not_linear([few, more, most]) == []


def test_what_grows_faster_than_the_items_is_told() -> None:
    figures = {"seconds": 1.0, "cpu": 1.0, "memory": 60.0}
    small = embedding.Embedding(items=1_000, statements=15, rows=3_000, **figures)
    large = embedding.Embedding(items=10_000, statements=1_500, rows=30_000, **figures)
    assert embedding.not_linear([large, small]) == ["statements of a thousand items: 15.00 of 1,000, 150.00 of 10,000"]


def test_an_issue_finds_the_pull_request_that_fixes_it_by_its_text_alone(tmp_path: Path) -> None:
    model = LocalEmbedder(minilm.directory(tmp_path))
    given = [
        each for folder in folders() if (WHOLE or folder.name == SMALL) and (each := quality.pairs(folder)).fixed_by
    ]
    found = {each.name: quality.quality(model, each) for each in given if len(each.fixed_by) >= quality.FEWEST_PAIRS}
    small = found[SMALL.replace("__", "/")]
    assert small.pairs >= quality.FEWEST_PAIRS
    assert (small.recall >= RECALL, small.mrr >= MRR) == (True, True), small
    hashed = quality.quality(HashEmbedder(), next(each for each in given if each.name == small.name))
    assert hashed.recall < small.recall
    if WHOLE:
        recall, mrr = quality.mean(list(found.values()))
        assert (recall >= quality.MEAN_RECALL, mrr >= quality.MEAN_MRR) == (True, True), (recall, mrr)


def test_what_names_the_issue_is_not_left_in_the_text_that_is_looked_through() -> None:
    (folder,) = [each for each in folders() if each.name == SMALL]
    given = quality.pairs(folder)
    for issue, fixing in given.fixed_by.items():
        for number in fixing:
            assert f"#{issue} " not in f"{given.pull_requests[number]} "


@pytest.mark.parametrize(
    ("text", "issues"),
    [
        ("Fixes #12 and closes octo/One#13", [12, 13]),
        ("resolved: https://github.com/octo/one/issues/14", [14]),
        ("fixes octo/other#12, see #15, prefix #16", []),
    ],
)
def test_an_issue_is_named_by_a_closing_word_alone(text: str, issues: list[int]) -> None:
    assert quality.named(text, "octo/one") == issues
