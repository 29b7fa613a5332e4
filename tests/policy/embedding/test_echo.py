"""What a service repeats of texts is not told again."""

from __future__ import annotations

import pytest

from gh_backfill.policy.embedding.echo import without_texts

TEXTS = ["Merger\n\nWe buy Acme in spring for a lot of money", "Plan B"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("nothing of them", "nothing of them"),
        ("invalid: Merger", "invalid: <text>"),
        ("invalid: 'Plan B'.", "invalid: '<text>'."),
        ("at We buy Acme in spr", "at <text>"),
        ("[Merger We buy Acme in spring for a lot of money]", "[<text>]"),
        ("Merger, in spring for a lo...", "<text>,<text>..."),
        ("", ""),
    ],
)
def test_lines_and_longer_stretches_of_texts_are_hidden(words: str, shown: str) -> None:
    assert without_texts(words, TEXTS) == shown


def test_a_mark_is_never_marked_again() -> None:
    assert without_texts("invalid: Merger plan", ["Merger plan\ntext\n<text>"]) == "invalid: <text>"
    assert without_texts("a text <text> here", ["text"]) == "a <text> <<text>> here"


def test_words_without_any_text_stay() -> None:
    assert without_texts("as it was", []) == "as it was"
