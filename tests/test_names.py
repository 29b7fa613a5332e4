"""One name for one thing: no two public types, and no two sections of SQL, have the same one."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import gh_backfill

PACKAGE = Path(gh_backfill.__file__).parent


def twice(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def test_no_two_public_types_have_one_name() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")]
    names = [node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    assert "Repository" in names
    assert twice([name for name in names if not name.startswith("_")]) == []


def test_no_two_sections_of_sql_have_one_name() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (PACKAGE / "store" / "sql").glob("*.sql")]
    names = [name for text in texts for name in re.findall(r"^-- name: (\w+)$", text, re.MULTILINE)]
    assert "choose_stream" in names
    assert twice(names) == []
