"""Names of items as people write them: `owner/name#5`, or the address of its page; and the words of filters."""

from __future__ import annotations

import re

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy import names
from gh_backfill.policy.embedding.order import ItemType

STATES = ("open", "closed", "merged")
_SHORT = re.compile(r"(\S+?)#0*(\d{1,9})")
_PAGE = re.compile(r"(\S+?)/(?:issues|pulls?|discussions)/0*(\d{1,9})(?:[/?#]\S*)?")
_PLACES = {ItemType.ISSUE: "issues", ItemType.PULL_REQUEST: "pull", ItemType.DISCUSSION: "discussions"}
_TYPES = {
    **{each.value: each for each in ItemType},
    **{f"{each.value}s": each for each in ItemType},
    "pr": ItemType.PULL_REQUEST,
    "prs": ItemType.PULL_REQUEST,
}


def item(text: str) -> tuple[str, int]:
    """Return the repository and the number that are meant; raises ConfigurationError for anything else."""
    found = _SHORT.fullmatch(text.strip()) or _PAGE.fullmatch(text.strip())
    pair = names.parse(found[1]) if found else None
    if found is None or pair is None:
        given = " ".join(text.split())[:60]
        raise ConfigurationError(f"an item is named owner/name#number, or by the address of its page, not {given!r}")
    return "/".join(pair), int(found[2])


def address(full_name: str, item_type: ItemType, number: int) -> str:
    """Return where an item is at GitHub."""
    return f"https://github.com/{full_name}/{_PLACES[item_type]}/{number}"


def types(given: str | None) -> tuple[ItemType, ...]:
    """Read types of items; none given means all.  Raises ConfigurationError for another word."""
    words = _words(given)
    wrong = [word for word in words if word.replace("-", "_") not in _TYPES]
    if wrong:
        raise ConfigurationError(f"a type is one of {', '.join(ItemType)}, not {wrong[0][:40]}")
    chosen = {_TYPES[word.replace("-", "_")] for word in words}
    return tuple(each for each in ItemType if each in chosen or not chosen)


def states(given: str | None) -> tuple[str, ...] | None:
    """Read states; None means any.  Raises ConfigurationError for another word."""
    words = _words(given)
    wrong = [word for word in words if word not in (*STATES, "all")]
    if wrong:
        raise ConfigurationError(f"a state is one of {', '.join(STATES)}, not {wrong[0][:40]}")
    chosen = tuple(each for each in STATES if each in words)
    return None if not chosen or "all" in words or len(chosen) == len(STATES) else chosen


def _words(given: str | None) -> list[str]:
    return [word for word in re.split(r"[\s,]+", (given or "").strip().lower()) if word]
