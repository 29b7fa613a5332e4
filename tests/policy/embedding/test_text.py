"""What is embedded of an item tells what it is about, and nothing of templates, quotes and pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.embedding.text import KEPT_CODE, LONG_CODE, MOST_CHARACTERS, prepared

TEMPLATE = """\
<!-- Thanks for the report! Please fill in
all of the below. -->
### Describe the bug

The runner dies in the middle of a chunk.

### Expected behaviour

_No response_

### Version

N/A

### Checklist

- [ ] I have searched for duplicates
- [x] I run the newest version
* [ ] I would like to mend it

#### Logs
<!-- paste them here -->

"""


def of(body: str | None) -> str:
    """Return what is left of a body."""
    return prepared("title", body).removeprefix("title").strip()


def test_title_blank_line_body() -> None:
    assert prepared("  A   title ", "the body\n\n\n\nand more") == "A title\n\nthe body\n\nand more"
    assert prepared("A title", None) == "A title"
    assert prepared("", "the body") == "the body"
    assert prepared(" ", "<!-- nothing -->") == ""
    assert prepared("A title", "> all of it is a quote") == "A title"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("plain words", "plain words"),
        ("mine\n> of another\n> and more\nmine again", "mine\nmine again"),
        ("before <!-- a\ntemplate --> after", "before after"),
        ("- [ ] not done\n- [x] done\n* [ ] open", "- done"),
        ("## Steps\n\n## What happens\nIt fails", "## What happens\nIt fails"),
        ("## Part\none\n## Part\ntwo", "## Part\none\ntwo"),
        ("### Version\n_No response_\n### Logs\nthere", "### Logs\nthere"),
        ("Signed-off-by: A <a@b.c>\nwords", "words"),
        ("```\n# no heading\n```", "# no heading"),
        ("one\r\n\r\n\r\ntwo", "one\n\ntwo"),
    ],
)
def test_of_a_body_stays_what_tells_of_this_item(body: str, left: str) -> None:
    assert of(body) == left


@pytest.mark.parametrize("piece", ["[", "![", "<a ", "<!--", "# ", "> ", "```\n", "[x](", "https://", " " * 50 + "#"])
def test_a_body_of_nothing_but_marks_is_prepared_like_any_other(piece: str) -> None:
    body = piece * (70_000 // len(piece))
    assert len(prepared("t", body)) <= MOST_CHARACTERS + 10


@given(st.text(max_size=300), st.text(alphabet="ab #>-[]()`~!<x\n", max_size=400))
def test_any_text_can_be_prepared_and_the_same_one_always_alike(title: str, body: str) -> None:
    assert prepared(title, body) == prepared(title, body)


def test_of_a_template_stays_what_its_author_wrote() -> None:
    assert of(TEMPLATE) == (
        "### Describe the bug\n\nThe runner dies in the middle of a chunk.\n\n"
        "### Checklist\n\n- I run the newest version"
    )


def test_two_items_of_one_template_do_not_look_alike_for_it() -> None:
    bare = "### Steps\n\n<!-- tell us -->\n\n### Version\n\n_No response_\n"
    assert of(bare) == ""
    assert of(bare.replace("\n", "\r\n")) == ""


def test_a_heading_that_comes_again_stays_once_and_one_with_others_below_it_stays() -> None:
    assert of("# A\n\none\n\n# A\n\ntwo") == "# A\n\none\n\ntwo"
    assert of("# A\n## B\n\ntext") == "# A\n## B\n\ntext"
    assert of("# A\n## B\n# C\n\ntext") == "# C\n\ntext"


def test_quotes_of_others_are_left_out() -> None:
    assert of("> what somebody said\n> and more\n\nI agree, x > y") == "I agree, x > y"


def test_images_are_left_out_of_links_the_words_stay_and_of_addresses_nothing() -> None:
    assert of('see ![a shot](https://x.test/a.png) <img width="5" src="https://x.test/b.png"> here') == "see here"
    assert of("see [the guide](https://x.test/guide?a=1) for it") == "see the guide for it"
    assert of("see https://x.test/very/long?a=1 and <https://x.test> too") == "see and too"
    assert of("[![badge](https://x.test/b.svg)](https://x.test) works") == "works"


def test_tags_are_left_out_and_what_is_compared_is_not() -> None:
    assert of("<details><summary>Log</summary>\nkilled\n</details>") == "Log\nkilled"
    assert of("if a < b and c > d") == "if a < b and c > d"


@pytest.mark.parametrize("fence", ["```", "~~~~", "  ```"])
def test_of_long_code_the_first_lines_stay_and_short_code_as_it_is(fence: str) -> None:
    lines = [f"line {n} > of ![code](x)" for n in range(LONG_CODE + 1)]
    long = "\n".join([f"{fence}python", *lines, fence, "after it"])
    assert of(long).splitlines() == [*lines[:KEPT_CODE], "after it"]
    short = "\n".join([fence, *lines[:LONG_CODE], fence])
    assert of(short).splitlines() == lines[:LONG_CODE]


def test_a_fence_that_is_not_closed_reaches_to_the_end() -> None:
    assert len(of("```\n" + "line\n" * 100).splitlines()) == KEPT_CODE
    assert of("````\n```\n> inner\n```\n````\n> outer").splitlines() == ["```", "> inner", "```"]


def test_a_comment_that_never_ends_hides_what_follows_only_where_github_hides_it() -> None:
    assert of("before\n<!-- a template\nthat goes on") == "before"
    assert of("the parser stumbles over `<!--` in titles\nand dies") == (
        "the parser stumbles over `<!--` in titles\nand dies"
    )
    assert of("a <!-- b --> c\nd `<!--` e") == "a c\nd `<!--` e"


def test_who_signed_it_off_is_left_out() -> None:
    assert of("text\n\nSigned-off-by: A B <a@b.test>\nCo-authored-by: C <c@d.test>") == "text"
