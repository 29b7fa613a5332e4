"""Text for places where others read: shown as it is there, and read back as it was at a terminal."""

from __future__ import annotations

import pytest

from gh_backfill.policy.markdown import plain, readable


@pytest.mark.parametrize(
    "text",
    ["a_b*c", r"back\slash", "[x](y) #1 (8 requests, 3 points)", "<b> & co.", "@octocat said `no`", "1. - + ! | ~ {}"],
)
def test_what_is_made_plain_is_read_back_as_it_was(text: str) -> None:
    assert readable(plain(text)) == text
