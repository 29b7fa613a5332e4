"""Text files that ship with the package: GraphQL documents, SQL sections and migrations, each read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
_SECTION = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def text(path: str) -> str:
    """Return the text of a file given by its path inside the package."""
    return (PACKAGE / path).read_text(encoding="utf-8")


def names(folder: str, ending: str) -> list[str]:
    """Return the names of the files of a folder inside the package that end so, without the ending, in order."""
    return sorted(path.stem for path in (PACKAGE / folder).glob(f"*.{ending}"))


@cache
def sql(name: str) -> Mapping[str, str]:
    """Return the statements of `store/sql/<name>.sql` by the name of their section.

    A section begins with a line `-- name: <identifier>` and reaches to the next one.
    """
    parts = _SECTION.split(text(f"store/sql/{name}.sql"))
    sections = {key: body.strip() for key, body in zip(parts[1::2], parts[2::2], strict=True)}
    if len(sections) != len(parts) // 2:
        raise ValueError(f"store/sql/{name}.sql names a section twice")
    return sections


def migrations() -> list[Path]:
    """Return the migration files in the order in which they are applied.

    In a checkout they lie in `supabase/migrations/`, where the Supabase tools look for them; a wheel carries a copy.
    """
    for folder in (PACKAGE.parent / "supabase" / "migrations", PACKAGE / "_migrations"):
        if folder.is_dir():
            return sorted(folder.glob("*.sql"))
    raise FileNotFoundError("the migrations are missing: reinstall gh-backfill")
