"""docs/architecture.md is of this code: what its tree names is there, and nothing of the top is left out."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gh_backfill"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TREE = TEXT.split("## The tree", 1)[1].split("```")[1]
_NAME = re.compile(r"[\w./-]+(?:\.py|/)")


def line_names(line: str) -> list[str]:
    """Return the names with which a line of the tree begins; what is said of them comes after two blanks or more."""
    words = re.split(r"\s{2,}", line.strip())
    return list(itertools.takewhile(_NAME.fullmatch, words))


NAMED = [(len(line) - len(line.lstrip()), line_names(line)) for line in TREE.splitlines()]


def named() -> set[Path]:
    """Return the paths that the tree names, each below the folder that it is indented under."""
    found: set[Path] = set()
    above: dict[int, Path] = {}
    for indent, names in NAMED:
        base = next((above[each] for each in sorted(above, reverse=True) if each < indent), ROOT)
        for name in names:
            found.add(base / name)
        if len(names) == 1 and names[0].endswith("/"):
            above = {each: path for each, path in above.items() if each < indent} | {indent: base / names[0]}
    return found


def test_what_the_tree_names_is_there() -> None:
    assert len(named()) > 40
    assert [str(path.relative_to(ROOT)) for path in sorted(named()) if not path.exists()] == []


def test_every_folder_and_module_of_the_top_is_in_the_tree() -> None:
    top = {path for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    there = {path for path in top if not path.name.startswith(("__", "."))}
    assert sorted(path.name for path in there - named()) == []


@pytest.mark.parametrize("folder", ["engine"])
def test_every_module_of_the_engine_is_in_the_tree(folder: str) -> None:
    own = {path for path in (PACKAGE / folder).iterdir() if path.suffix == ".py" or path.is_dir()}
    there = {path for path in own if not path.name.startswith(("__", "."))}
    assert sorted(path.name for path in there - named()) == []


def test_what_other_lines_name_in_backquotes_is_there() -> None:
    paths = re.findall(r"`((?:tests|scripts|docs|gh_backfill|supabase|\.github)/[\w./-]+\.\w+)`", TEXT)
    modules = re.findall(r"`((?:policy|engine|store|clients|tasks|web|simulator|commands)/[\w./]+\.\w+)`", TEXT)
    assert paths
    assert modules
    missing = [name for name in paths if not (ROOT / name).exists()]
    assert missing + [name for name in modules if not (PACKAGE / name).exists()] == []
