"""The arrows between the states of a life cycle, as the docstring of `policy/lifecycle.py` draws them."""

from __future__ import annotations

from collections.abc import Mapping

from gh_backfill.policy import lifecycle


def arrows(machine: str) -> Mapping[str, frozenset[str]]:
    """Return where each state of a machine may go: of `backfill and stream`, `chunk` or `job`."""
    text = lifecycle.__doc__ or ""
    block = text[text.index(f"\n{machine} ") + 1 :].split("\n\n")[0]
    lines = [line for line in block.splitlines() if "->" in line]
    found: dict[str, frozenset[str]] = {}
    for number, line in enumerate(lines):
        if number and not line.startswith(" "):
            break
        before, after = line.removeprefix(machine).split("->")
        found[before.strip()] = frozenset(word.strip() for word in after.split(","))
    return found
