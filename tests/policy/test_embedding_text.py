"""What is embedded of a text: what tells of this item, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.embedding import limits, prices
from gh_backfill.policy.embedding.families import Pooling, family
from gh_backfill.policy.embedding.text import MOST_CHARACTERS, prepared
from gh_backfill.policy.embedding.tokens import cut, estimated

LONG = "\n".join(f"line {number}" for number in range(30))
SHORT = "\n".join(f"line {number}" for number in range(4))


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("plain words", "plain words"),
        ("mine\n> of another\n> and more\nmine again", "mine\nmine again"),
        ("before <!-- a\ntemplate --> after", "before after"),
        ("before\n<!-- never closed", "before"),
        ("- [ ] not done\n- [x] done\n* [ ] open", "- done"),
        ("## Steps\n\n## What happens\nIt fails", "## What happens\nIt fails"),
        ("## Part\none\n## Part\ntwo", "## Part\none\ntwo"),
        ("# Top\n## Sub\ntext", "# Top\n## Sub\ntext"),
        ("![shot](https://example.test/a.png) see", "see"),
        ('<img src="a.png" width="3"> see', "see"),
        ("see [the page](https://example.test/a) or https://example.test/b now", "see the page or now"),
        ("### Version\n_No response_\n### Logs\nthere", "### Logs\nthere"),
        ("Signed-off-by: A <a@b.c>\nwords", "words"),
        (f"```\n{SHORT}\n```", SHORT),
        (f"before\n```py\n{LONG}\n```\nafter", "before\n" + "\n".join(LONG.split("\n")[:5]) + "\nafter"),
        (f"~~~\n{LONG}", "\n".join(LONG.split("\n")[:5])),
        ("```\n# no heading\n```", "# no heading"),
        ("one\r\n\r\n\r\ntwo", "one\n\ntwo"),
    ],
)
def test_of_a_body_stays_what_tells_of_this_item(body: str, left: str) -> None:
    assert prepared("A title", body) == f"A title\n\n{left}"


def test_a_title_stands_alone_where_nothing_is_left_of_the_body() -> None:
    assert prepared(" A \n title ", None) == "A title"
    assert prepared("A title", "> all of it is a quote") == "A title"
    assert prepared(" ", "<!-- nothing -->") == ""


@pytest.mark.parametrize("piece", ["[", "![", "<a ", "<!--", "# ", "> ", "```\n", "[x](", "https://", " " * 50 + "#"])
def test_a_body_of_nothing_but_marks_is_prepared_like_any_other(piece: str) -> None:
    body = piece * (70_000 // len(piece))
    assert len(prepared("t", body)) <= MOST_CHARACTERS + 10


@given(st.text(max_size=300), st.text(alphabet="ab #>-[]()`~!<x\n", max_size=400))
def test_any_text_can_be_prepared_and_the_same_one_always_alike(title: str, body: str) -> None:
    assert prepared(title, body) == prepared(title, body)


@given(st.text(max_size=300), st.integers(1, 200))
def test_a_text_is_cut_at_the_tokens_that_are_wanted_and_never_in_another_place_than_its_beginning(
    text: str, most: int
) -> None:
    short = cut(text, most)
    assert text.startswith(short)
    assert estimated(short) <= max(1, most)
    assert short == text or estimated(text) > most


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("120ms", 0.12), ("1h2m3s", 3723), ("", 0), ("soon", 0), ("-1s", 0), ("1d", 86400)],
)
def test_times_of_limits_are_read_as_they_are_told(text: str, seconds: float) -> None:
    assert limits.seconds(text) == pytest.approx(seconds)


def test_prices_are_known_for_models_that_are_known_and_overruled_by_what_is_given() -> None:
    assert prices.price("openai", "text-embedding-3-small") == 0.02
    assert prices.price("openai", "text-embedding-3-small", 0.5) == 0.5
    assert (prices.price("local", "any"), prices.price("openai", "unknown")) == (0.0, None)
    assert (prices.cost(2_000_000, 0.02), prices.cost(5, None)) == (0.04, None)
    assert round(prices.by_the_guide(2_500), 2) == 0.20


def test_a_directory_that_says_how_its_model_is_used_is_believed_before_its_name() -> None:
    by_name = family("multilingual-e5-small", {}, {})
    assert (by_name.pooling, by_name.query, by_name.passage) == (Pooling.MEAN, "query: ", "passage: ")
    assert family("bge-small-en-v1.5", {}, {}).pooling is Pooling.FIRST
    told = family("bge-x", {"pooling_mode_mean_tokens": True}, {"query": "find: ", "document": "text: "})
    assert (told.pooling, told.query, told.passage) == (Pooling.MEAN, "find: ", "text: ")
