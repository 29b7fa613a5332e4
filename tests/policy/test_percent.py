"""Percentages look whole only where all is there, and begun as soon as anything is."""

import pytest

from gh_backfill.policy.markdown import counted, percent


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 1, "0.0 %"),
        (0.001, 0, "0.1 %"),
        (67.9, 1, "67.9 %"),
        (67.9, 0, "68 %"),
        (99.5, 0, "99.5 %"),
        (99.99, 1, "99.9 %"),
        (99.999, 0, "99.9 %"),
        (100, 1, "100 %"),
    ],
)
def test_a_percentage_is_never_rounded_to_the_whole_or_to_nothing(value: float, digits: int, text: str) -> None:
    assert percent(value, digits) == text


@pytest.mark.parametrize(
    ("number", "thing", "text"),
    [
        (1, "day", "1 day"),
        (2, "day", "2 days"),
        (0, "repository", "0 repositories"),
        (3, "key with a y", "3 keys with a y"),
    ],
)
def test_a_plural_ends_as_english_has_it(number: int, thing: str, text: str) -> None:
    assert counted(number, thing) == text
