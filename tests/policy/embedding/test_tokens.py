"""Estimated tokens err on the high side, and no text is cut in the middle of a word unless it is one."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.embedding.text import prepared
from gh_backfill.policy.embedding.tokens import cut, estimated
from tests import minilm
from tests.corpus import folders, lines


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 1), ("word", 1), ("a longer one", 4), ("a.b", 3), ("日本語", 3), ("x" * 50, 17), ("deadbeef1234", 6)],
)
def test_words_count_by_their_bytes_and_other_characters_one_each(text: str, tokens: int) -> None:
    assert estimated(text) == tokens


@given(st.text(max_size=300), st.integers(1, 40))
def test_what_is_cut_is_a_beginning_and_no_longer_than_it_may_be(text: str, most: int) -> None:
    left = cut(text, most)
    assert text.startswith(left)
    assert estimated(left) <= most or (most == 1 and left == "")
    assert (left == text) or estimated(text) > most


def test_a_word_is_left_whole_and_one_that_is_too_long_alone_is_cut_itself() -> None:
    assert cut("one two three", 2) == "one two"
    assert 0 < len(cut("x" * 10_000, 128)) < 700


def test_of_real_texts_more_is_estimated_than_a_model_reads_and_not_twice_as_much(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    by = tokenizers.Tokenizer.from_file(str(minilm.directory(tmp_path) / "tokenizer.json"))
    by.no_truncation()
    by.no_padding()
    texts = [
        prepared(row["title"], row.get("body"))
        for folder in folders()
        for row in islice(lines(folder, "pull_requests"), 100)
    ]
    read = sum(len(each.ids) - 2 for each in by.encode_batch(texts))  # two stand for beginning and end
    assert read < sum(map(estimated, texts)) < 2 * read
