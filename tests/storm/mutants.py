"""Break the engine on purpose and see the short storm fail: `python -m tests.storm.mutants`, from the root.

Each mutant is a change of a copy of this checkout; the copy without a change must pass.  Ends with exit code 1 if a
mutant survives.  Names of mutants may be given to try these alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.storm.lives import ROOT

SHORT = "tests/storm/test_storm.py"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A mistake: in each file, a passage and what it becomes."""

    name: str
    changes: tuple[tuple[str, str, str], ...]


_COMMIT = """\
        everybody = self.kind.people(self.chunk.items)
        if not self._rows(people.changed_people(everybody)):
"""
_CURSOR_FIRST = f"""\
        with self.db.transaction() as tx:
            text, params = chunks.holding(self.claim, goes_on=self.chunk.page.next)
            chunks.held(self.claim, tx.rows(text, **params))
            page = self.chunk.page
            moved = advance(
                self.claim.stream, read=self.chunk.read, kept=self.chunk.kept, next_cursor=page.next,
                end_cursor=page.end, server_time=page.server_time,
            )
            tx.run(
                chunks._SQL["advance_stream"], stream_id=self.claim.stream.id, cursor=moved.cursor,
                status=moved.status, pass_number=moved.pass_number, read_down_to=moved.read_down_to,
                watermark=moved.watermark, page_size=self.next_page.size, page_worked=self.next_page.worked,
                page_too_big=self.next_page.too_big, pages_clean=self.next_page.clean, items=len(self.chunk.items),
                points=0, requests=0, stuck=moved.stuck,
            )
{_COMMIT}"""
MUTANTS = (
    Mutant(
        name="the cursor is committed before the rows",
        changes=(
            ("gh_backfill/engine/commit.py", _COMMIT, _CURSOR_FIRST),
            ("gh_backfill/store/chunks.py", '        _SQL["advance_stream"],\n', '        "select 1",\n'),
        ),
    ),
    Mutant(
        name="a claim does not lock the stream first",
        changes=(
            ("gh_backfill/store/sql/chunks.sql", "'pull_requests'\n    for no key update\n)", "'pull_requests'\n)"),
            (
                "gh_backfill/store/sql/chunks.sql",
                "b.kind = %(kind)s\n    for no key update of b\n)",
                "b.kind = %(kind)s\n)",
            ),
            ("gh_backfill/store/sql/chunks.sql", "    limit 1\n    for no key update of s\n)", "    limit 1\n)"),
        ),
    ),
    Mutant(
        name="an issue is written with the first of its labels",
        changes=(
            (
                "gh_backfill/store/issues.py",
                "[_label(label) for label in item.labels]",
                "[_label(label) for label in item.labels[:1]]",
            ),
        ),
    ),
    Mutant(
        name="a comment overwrites the one of the other kind that shares its id",
        changes=(
            (
                "gh_backfill/store/item_rows.py",
                '(row.get("comment_type"), row["github_id"]): row',
                'row["github_id"]: row',
            ),
        ),
    ),
)
_NO_MUTANT = Mutant(name="none", changes=())


def main(names: Sequence[str] = ()) -> int:
    """Try the mutants; returns the exit code."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    if not names and not _survives(_NO_MUTANT):
        print("the storm fails without a mutant: mend that first")
        return 1
    survivors = [mutant.name for mutant in chosen if _survives(mutant)]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants failed the storm")
    return 1 if survivors else 0


def _survives(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="gh_backfill-mutant-") as folder:
        checkout = Path(folder) / "checkout"
        ignored = shutil.ignore_patterns(".git", ".venv", "*_cache", "__pycache__")
        shutil.copytree(ROOT, checkout, ignore=ignored)
        for path, passage, becomes in mutant.changes:
            _change(checkout / path, passage, becomes)
        command = [sys.executable, "-m", "pytest", SHORT, "-q", "-n", "0", "--tb=short", "-p", "no:cacheprovider"]
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=900)
    lines = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
    print(f"{'passes' if done.returncode == 0 else 'fails'}: {mutant.name}")
    print("\n".join(lines[:6]) or done.stdout[-1_000:], flush=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the tests did not run: {done.stdout[-2_000:]}{done.stderr[-1_000:]}")
    return done.returncode == 0


def _change(path: Path, passage: str, becomes: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(passage) != 1:
        raise LookupError(f"{path.name} has changed: the passage of this mutant occurs {text.count(passage)} times")
    path.write_text(text.replace(passage, becomes), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
