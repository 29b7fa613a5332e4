"""The look: small, of our own, readable in light and dark; whatever a page is given is text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from gh_backfill import resources
from gh_backfill.web import templating
from gh_backfill.web.templating import Shell

NOW = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)
STYLE = resources.text("web/static/style.css")
SCRIPT = resources.text("web/static/page.js")
TEMPLATES = sorted((resources.PACKAGE / "web" / "templates").rglob("*.html"))
# Text and marks of each colour stand on these; 4.5 is what WCAG asks of text, 3 of shapes.
TEXT = ("text", "dim", "accent", "bad", "good", "wait")


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: int) -> None:
    roots = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    known = colours(roots[scheme])
    for ground in ("ground", "soft", "field"):
        assert {
            name: contrast(known[name], known[ground]) for name in TEXT if contrast(known[name], known[ground]) < 4.5
        } == {}
    assert contrast(known["on-accent"], known["accent"]) >= 4.5
    assert contrast(known["edge"], known["field"]) >= 3
    assert contrast(known["accent"], known["track"]) >= 3
    for series in ("accent", "s2", "s3", "s4", "s5"):
        assert contrast(known[series], known["ground"]) >= 3, series


def test_style_and_script_stay_small() -> None:
    assert len(STYLE.splitlines()) <= 400
    assert len(SCRIPT.encode()) < 5_000


def test_nothing_comes_from_other_hosts() -> None:
    for text in (STYLE, SCRIPT, *(each.read_text() for each in TEMPLATES)):
        assert re.findall(r"(?:src|href|url|import|fetch|EventSource)\W{1,3}(?:https?:)?//", text) == []


def test_no_template_has_a_style_or_a_script_inside() -> None:
    assert TEMPLATES
    for each in TEMPLATES:
        text = each.read_text()
        assert re.findall(r"\sstyle\s*=|<style|\son\w+\s*=|<script(?! type=\"module\" src)|javascript:", text) == [], (
            each
        )


def test_motion_print_and_forced_colours_are_thought_of() -> None:
    for query in ("prefers-reduced-motion: reduce", "print", "forced-colors: active", "prefers-color-scheme: dark"):
        assert f"@media {query}" in STYLE or f"@media ({query})" in STYLE


class Outline(HTMLParser):
    """What stands in a page: its elements with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def page(body: str, **data: object) -> str:
    start = '{% import "parts.html" as parts with context %}{% import "charts.html" as charts %}'
    template = templating.environment().from_string(start + body)
    return template.render(shell=Shell(now=NOW, csrf="token"), **data)


HOSTILE = """<script>alert(1)</script>"'&<img src=x onerror=alert(1)>"""


@pytest.mark.parametrize(
    "body",
    [
        "{{ parts.figure(bad, bad, bad) }}",
        "{{ parts.bar(1, 2, bad) }}",
        '{{ parts.state({"mark": "▸", "word": bad}) }}',
        "{{ parts.button(bad, bad, {bad: bad}, about=bad) }}",
        "{{ parts.filters(bad, [(bad, bad, true)]) }}",
        "{{ parts.more_link(bad, bad) }}",
        "{{ charts.bars(bad, [(bad, 1), (bad, 2)], bad, bad) }}",
        "{{ charts.line(bad, [bad, bad], {bad: [1, none]}, bad, bad) }}",
        "{{ charts.stacked(bad, [bad, bad], {bad: [1, 2], 'x': [1, 2]}, bad, bad) }}",
        "{{ charts.heat_map(bad, [bad], [(bad, [1])], bad, bad) }}",
        "{{ charts.strip(bad, [('here', 100, bad)], bad, bad, bad) }}",
        "{{ charts.sparkline([1, 2, none, 3], bad) }}",
    ],
)
def test_whatever_is_shown_is_text(body: str) -> None:
    outline = Outline(page(body, bad=HOSTILE))
    assert outline.elements
    assert not {"script", "img"} & {tag for tag, _ in outline.elements}
    assert not any(name.startswith("on") for _, attributes in outline.elements for name in attributes)


@pytest.mark.parametrize(
    ("sign", "tone"),
    [("▸", "moving"), ("✓", "good"), ("‖", "waiting"), ("✕", "bad"), ("◇", "held"), ("○", "never")],
)
def test_a_state_is_a_shape_and_a_word(sign: str, tone: str) -> None:
    html = page("{{ parts.state({'mark': sign, 'word': 'this'}) }}", sign=sign)
    assert f'class="mark {tone}"' in html
    assert 'aria-hidden="true"' in html
    assert html.endswith(" this</span>")


def test_a_chart_has_a_title_and_its_figures_as_a_table() -> None:
    html = page("{{ charts.bars('An hour', [('13:00', 1200), ('14:00', none)], 'pull requests', 'Quiet.') }}")
    assert "<title>An hour</title>" in html
    assert "<title>13:00: 1,200 pull requests</title>" in html
    assert '<th scope="row">13:00</th>' in html
    assert '<td class="n">1,200</td>' in html
    assert '<td class="n">–</td>' in html
    assert "<figcaption>Quiet.</figcaption>" in html


def test_a_moment_is_absolute_with_the_relative_form_beside() -> None:
    html = page("{{ parts.when(moment) }}", moment=datetime(2026, 11, 27, 14, 22, tzinfo=UTC))
    times = [attributes for tag, attributes in Outline(html).elements if tag == "time"]
    assert [each["datetime"] for each in times] == ["2026-11-27T14:22:00Z"] * 2
    assert ">14:22 UTC</time>" in html
    assert ">in 52\N{NARROW NO-BREAK SPACE}min</time>" in html


def test_a_bar_of_an_unknown_whole_is_empty() -> None:
    ((_, known), (_, unknown)) = Outline(page("{{ parts.bar(250, 200, 'a') }}{{ parts.bar(5, none, 'b') }}")).elements
    assert (known["value"], known["max"]) == ("200", "200")
    assert (unknown["value"], unknown["max"]) == ("0", "1")


def test_a_page_begins_with_a_way_past_its_navigation() -> None:
    html = templating.environment().get_template("base.html").render(shell=Shell(now=NOW, place="/monitor"))
    outline = Outline(html)
    links = [attributes for tag, attributes in outline.elements if tag == "a"]
    assert links[0]["href"] == "#main"
    assert ("main", {"id": "main", "tabindex": "-1"}) in outline.elements
    assert [each["href"] for each in links if each.get("aria-current") == "page"] == ["/monitor"]
