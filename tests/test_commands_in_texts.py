"""Every command that a text of ours names exists, with the options that the text gives it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import gh_backfill
from gh_backfill.cli import app

ROOT = Path(gh_backfill.__file__).parents[1]
# Hidden marks in issues begin like a command.
_NAMED = re.compile(r"(?<!<!-- )\bgh-backfill +([a-z][a-z-]*)((?: +(?:--[a-z-]+|-[a-z]|<[^>]+>|[\w./'\"\[\]…@*:-]+))*)")
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
# What follows the program's name in a sentence about it.
_SENTENCES = {"alert", "at", "is", "needs", "of", "opens", "program", "refuses", "s", "works"}


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text that somebody may read, with the place where it stands."""
    for path in sorted(ROOT.joinpath("gh_backfill").rglob("*.py")):
        if "simulator" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "gh-backfill " in node.value:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value
    for folder, pattern in ((".", "*.md"), ("docs", "*"), (".github/workflows", "*.yml"), ("supabase", "**/*.sql")):
        for path in sorted(ROOT.joinpath(folder).glob(pattern)):
            if path.is_file() and path.suffix in {".md", ".sql", ".yml"}:
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                    yield f"{path.relative_to(ROOT)}:{number}", line


def named() -> list[tuple[str, str, str]]:
    return [
        (place, found[1], found[2])
        for place, text in texts()
        for found in _NAMED.finditer(text)
        if found[1] not in _SENTENCES
    ]


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    return dict(getattr(get_command(app), "commands"))  # noqa: B009  (not every command has some)


@pytest.mark.parametrize(("place", "name", "rest"), named(), ids=lambda value: str(value)[:60])
def test_a_command_that_a_text_names_exists_with_these_options(
    commands: dict[str, Any], place: str, name: str, rest: str
) -> None:
    assert name in commands, f"{place} names gh-backfill {name}"
    command = commands[name]
    if group := getattr(command, "commands", None):  # of several commands under one name
        words = [word for word in rest.split() if not word.startswith("-")]
        assert not words or words[0] in group or not words[0].isalpha(), f"{place} names gh-backfill {name} {words[0]}"
        command = group.get(words[0], command) if words else command
    options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    unknown = set(_OPTION.findall(rest.partition(" -- ")[0])) - options - {"--help"}
    assert unknown == set(), f"{place} gives gh-backfill {name} options that it has not"
