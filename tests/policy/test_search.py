"""What is typed is read as it was meant, names of items are read as people write them, and two orders become one."""

from __future__ import annotations

import re

import pytest

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.embedding.order import ItemType
from gh_backfill.policy.search import fusion, item_names, words


@pytest.mark.parametrize(
    ("typed", "every", "some"),
    [
        ("login fails", "login fails", "login or fails"),
        ("ERR_FOO_BAR", '"ERR FOO BAR"', ""),
        ("foo.bar() crash", '"foo bar" crash', '"foo bar" or crash'),
        ('"dead lock" -windows', '"dead lock" -windows', ""),
        ('-"on windows" lock', '-"on windows" lock', ""),
        ("git --verbose", "git verbose", "git or verbose"),
        ("one or two", "one or two", ""),
        ("#123", "123", ""),
        ('an open "phrase here', 'an open "phrase here"', 'an or open or "phrase here"'),
        ("x|or", '"x or"', ""),
        ("\u201cdead lock\u201d \u201elow\u201d", '"dead lock" low', '"dead lock" or low'),
    ],
)
def test_a_text_is_written_for_postgresql(typed: str, every: str, some: str) -> None:
    asked = words.asked(typed)
    assert (asked.every.as_asked, asked.some.as_asked if asked.some else "") == (every, some)


@pytest.mark.parametrize(
    ("typed", "loose", "phrased"),
    [
        ("login fails", "login fails", False),
        ("ERR_FOO_BAR crash", "ERR FOO BAR crash", True),
        ('"dead lock" -windows', "dead lock -windows", True),
        ('-"on windows" lock', "lock", True),
        ('"one or two" or three', "one two or three", True),
        ("x|or -y", "x -y", True),
        ('"or or" -y', '"or or" -y', False),
    ],
)
def test_for_an_index_a_phrase_is_its_words_and_one_to_leave_out_is_nothing(
    typed: str, loose: str, phrased: bool
) -> None:
    asked = words.asked(typed)
    assert (asked.every.loose, asked.every.phrased) == (loose, phrased)


@pytest.mark.parametrize(
    ("typed", "text", "fits"),
    [
        ("foo.bar", "see FOO::bar()", True),
        ("foo.bar", "foo bars, afoo.bar", False),
        ('"dead lock" ERR_X -"on windows"', "err-x is a dead lock", True),
        ('"dead lock" ERR_X', "err_x", False),
        ('"dead lock" -"on windows"', "dead lock on Windows", False),
        ('"dead lock" or connections', "it is connected", True),
        ('"dead lock" or connections', "dead connectors; lock", True),
        ('"dead lock" or connections', "the lock is dead", False),
    ],
)
def test_the_patterns_of_phrases_fit_them_whatever_signs_are_between_their_words(
    typed: str, text: str, *, fits: bool
) -> None:
    asked = words.asked(typed).every

    def has(pattern: str) -> bool:
        return re.search(pattern.replace("[^[:alnum:]]", r"[\W_]"), text, re.IGNORECASE) is not None

    wanted = (any if asked.either else all)(has(each) for each in asked.patterns)
    assert (wanted and not any(has(each) for each in asked.excluded)) == fits


def test_the_text_as_it_stands_is_without_the_quotes_around_it() -> None:
    assert [words.asked(text).literal for text in ('"dead lock"', "foo.bar()", 'an "open')] == [
        "dead lock", "foo.bar()", 'an "open',
    ]  # fmt: skip


def test_a_text_of_any_length_is_cut_and_a_number_is_known() -> None:
    assert len(words.asked("word " * 9999).text) <= words.LONGEST
    assert [words.asked(text).number for text in ("#123", "007", "12 34", "x1", "9999999999")] == [
        123,
        7,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("typed", ["", " \n", "\0", "&|!", '""', "-word", "- -", "or"])
def test_a_text_without_a_word_is_refused(typed: str) -> None:
    with pytest.raises(ConfigurationError, match="word"):
        words.asked(typed)


@pytest.mark.parametrize(
    "text",
    ["octo/one#12", " octo/one#012 ", "https://github.com/octo/one/issues/12",
     "github.com/octo/one/pull/12#issuecomment-1",
     "https://github.com/octo/one/discussions/12?sort=new", "https://github.com/octo/one/pull/12/files"],
)  # fmt: skip
def test_an_item_is_named_as_people_do(text: str) -> None:
    assert item_names.item(text) == ("octo/one", 12)


@pytest.mark.parametrize(
    "text", ["", "#12", "octo#12", "octo/one", "octo/one#", "octo/one#x", "a b/c#1", "octo/one/12"]
)
def test_what_is_no_item_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="an item is named owner/name#number"):
        item_names.item(text)


def test_words_of_filters() -> None:
    assert item_names.types(None) == tuple(ItemType)
    assert item_names.types("PRs, issue") == (ItemType.ISSUE, ItemType.PULL_REQUEST)
    assert item_names.states("merged,open") == ("open", "merged")
    assert item_names.states("all") is item_names.states("") is item_names.states("open closed merged") is None


def test_reciprocal_ranks_are_added_and_equal_ones_stand_by_their_words() -> None:
    found = fusion.fused(["a", "b", "c"], ["d", "b"])
    assert [(each.item, each.by_words, each.by_vector) for each in found] == [
        ("b", 2, 2), ("a", 1, None), ("d", None, 1), ("c", 3, None),
    ]  # fmt: skip
    assert found[0].score == pytest.approx(2 / 62)
    assert found[1].score == found[2].score == pytest.approx(1 / 61)
    assert (fusion.depth(10), fusion.depth(100)) == (50, 200)
