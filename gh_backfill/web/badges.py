"""Badges: one figure of a repository as a small picture that may stand anywhere, `history 98.2 %` or `fresh 14 min`."""

from __future__ import annotations

from datetime import datetime
from html import escape

from gh_backfill.policy import markdown
from gh_backfill.web.written import TIGHT, duration

# In pixels of the picture: the font of the reader is not known, so each text is fitted into its width.
PER_CHARACTER, PADDING, HEIGHT = 6.6, 8, 20
GOOD, FAIR, POOR, PLAIN = "#1a7f4b", "#8a6116", "#b3261e", "#57606a"
STALE_HOURS = 24.0
FIGURES = ("history", "fresh", "proof")


def history(percent: float | None) -> str:
    """Return the badge of how much of a history is here; None: nobody knows yet how much there is."""
    if percent is None:
        return badge("history", "unknown", PLAIN)
    colour = GOOD if percent >= 95 else FAIR if percent >= 50 else POOR
    return badge("history", markdown.percent(percent).replace(".0 %", " %"), colour)


def fresh(fresh_at: datetime | None, now: datetime) -> str:
    """Return the badge of how old the newest look at GitHub is; None: there was none yet."""
    if fresh_at is None:
        return badge("fresh", "never", PLAIN)
    age = max(0.0, (now - fresh_at).total_seconds())
    colour = GOOD if age < STALE_HOURS * 3600 else FAIR if age < 7 * STALE_HOURS * 3600 else POOR
    return badge("fresh", duration(age).replace(TIGHT, " "), colour)


def proof(wrong: int | None, *, proven: bool) -> str:
    """Return the badge of the last verification: `wrong` differences are open; None: there was none yet."""
    if wrong is None:
        return badge("proof", "none yet", PLAIN)
    if proven:
        return badge("proof", "nothing missing", GOOD)
    return badge("proof", f"{wrong:,} open", POOR) if wrong else badge("proof", "under way", FAIR)


def badge(label: str, value: str, colour: str) -> str:
    """Return a picture (SVG) of a label and its value; both are text, whatever is in them."""
    left, right = _width(label), _width(value)
    whole = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(label)}: {escape(value)}"><title>{escape(label)}: {escape(value)}</title>'
        f'<clipPath id="c"><rect width="{whole}" height="{HEIGHT}" rx="3"/></clipPath><g clip-path="url(#c)">'
        f'<rect width="{left}" height="{HEIGHT}" fill="#3d444d"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{colour}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f"{_text(label, left / 2, left)}{_text(value, left + right / 2, right)}</g></svg>"
    )


def _width(text: str) -> int:
    return round(len(text) * PER_CHARACTER) + 2 * PADDING


def _text(text: str, middle: float, width: int) -> str:
    return f'<text x="{middle:g}" y="14" textLength="{width - 2 * PADDING}">{escape(text)}</text>'
