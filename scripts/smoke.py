"""Try the assumptions of docs/assumptions.md against a GitHub, reading only, and print a table of what was seen."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from gh_backfill import __version__, settings
from gh_backfill.errors import ConfigurationError
from scripts.smoke_checks import CHECKS, Seen, Target
from scripts.smoke_github import Github, OverBudgetError, UnreachableError
from scripts.smoke_reasons import REASONS

ROOT = Path(__file__).resolve().parent.parent
HOLDS, NOT_SO, OPEN = "holds", "**does not hold**", "not tried"
# In seconds: how long a capture may take.
PATIENCE = 600


def main(arguments: list[str] | None = None) -> int:
    """Do all checks and print the table; returns the exit code."""
    given = _parsed(arguments)
    try:
        environment = settings.load()
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    token = next(iter(environment.tokens.values()), None)
    if token is None:
        print("error: GITHUB_TOKEN is not set: for public repositories a token needs no scopes", file=sys.stderr)
        return 2
    github = Github(
        api_url=environment.github_api_url.rstrip("/"),
        graphql_url=environment.graphql_url,
        token=token,
        budget=given.budget,
    )
    target = Target(name=given.repository, renamed=given.renamed, discussing=given.discussions)
    seen: list[Seen] = []
    code = 0
    try:
        for each in _all(github, target, given):
            seen.append(each)
            print(f"{_verdict(each):<20}{' '.join(each.ids):<10}{each.text}: {each.seen}", file=sys.stderr, flush=True)
    except UnreachableError as error:
        print(f"error: {environment.github_api_url} is not reached: {error}", file=sys.stderr)
        code = 4
    _show(seen, github, target, as_json=given.json)
    return code or (3 if any(each.holds is False for each in seen) else 0)


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/smoke", description=__doc__)
    parser.add_argument("--repository", default="octocat/Hello-World", help="public, with some hundred pull requests")
    parser.add_argument("--renamed", default="facebook/jest", help="a name that a repository does not have any more")
    parser.add_argument("--discussions", default="vercel/next.js", help="a public repository with discussions")
    parser.add_argument("--large", metavar="OWNER/NAME", help="also capture the newest 300 of this one")
    parser.add_argument("--budget", type=int, default=300, metavar="POINTS", help="spend at most so many (300)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser.parse_args(arguments)


def _all(github: Github, target: Target, given: argparse.Namespace) -> Iterator[Seen]:
    for ids, check in CHECKS.items():
        try:
            yield from check(github, target)
        except OverBudgetError:
            text = (check.__doc__ or "").strip().rstrip(".")
            yield Seen(ids=ids, text=text, expected="", seen=f"{github.spent} points are spent", holds=None)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            text = (check.__doc__ or "").strip().rstrip(".")
            shape = f"an answer of another shape ({type(error).__name__}: {str(error)[:60]})"
            yield Seen(ids=ids, text=text, expected="an answer of the known shape", seen=shape, holds=False)
    yield from _captured(target.name, 30)
    if given.large:
        yield from _captured(given.large, 300)


def _captured(name: str, newest: int) -> Iterator[Seen]:
    """Capture the newest into a database that is gone afterwards, prove them, and ask again what changed."""
    with tempfile.TemporaryDirectory(prefix="gh-backfill-smoke-") as folder:
        first = _tool(folder, "run", name, "--max-prs", str(newest))
        yield Seen(
            ids=("capture",),
            text=f"the newest {newest} of {name}, with all their reviews and comments",
            expected="captured, nothing failed",
            seen=_last(first),
            holds=first.returncode == 0,
        )
        if first.returncode != 0:
            return
        again = _tool(folder, "sync", name, "--json")
        rows = json.loads(again.stdout) if again.returncode == 0 else []
        points = sum(row["points"] for row in rows)
        yield Seen(
            ids=("sync",),
            text="the same once more, right afterwards",
            expected="a point or two",
            seen=f"{points} point{'' if points == 1 else 's'}" if rows else _last(again),
            holds=bool(rows) and points <= 4,
        )


def _tool(folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in a home of its own, on a database that comes and goes with it."""
    own = {"GH_BACKFILL_HOME": f"{folder}/home", "HOME": folder, "PYTHONPATH": str(ROOT)}
    left_out = {"DATABASE_URL", "SUPABASE_DB_URL", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out} | own
    command = [sys.executable, "-W", "ignore", "-m", "gh_backfill", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=PATIENCE
    )


def _last(done: subprocess.CompletedProcess[str]) -> str:
    """Return the line that says how a command ended."""
    text = done.stdout if done.returncode == 0 else done.stderr
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("database:")]
    return lines[-1][:160] if lines else f"exit code {done.returncode}"


def _verdict(seen: Seen) -> str:
    return OPEN if seen.holds is None else HOLDS if seen.holds else NOT_SO


def _show(seen: Sequence[Seen], github: Github, target: Target, *, as_json: bool) -> None:
    """Print all that was seen, and why the rest could not be."""
    head = {
        "version": __version__,
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "github": github.api_url,
        "repository": target.name,
        "points": github.spent,
        "requests": github.asked,
    }
    if as_json:
        rows = [asdict(each) | {"verdict": _verdict(each).strip("*")} for each in seen]
        print(json.dumps({**head, "seen": rows, "not_tried": REASONS}, indent=2))
        return
    print(f"gh-backfill {head['version']}, {head['at']}, {head['github']}, {head['repository']}:", end=" ")
    print(f"{head['points']} points and {head['requests']} requests of the checks\n")
    print("| id | what was tried | expected | seen | verdict |\n| --- | --- | --- | --- | --- |")
    for each in seen:
        cells = (" ".join(each.ids), each.text, each.expected, each.seen, _verdict(each))
        print("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    wrong = sum(each.holds is False for each in seen)
    tried = {id_ for each in seen if each.holds is not None for id_ in each.ids}
    print(
        f"\n{len(tried)} tried, {wrong} {'does' if wrong == 1 else 'do'} not hold; "
        f"{len(REASONS)} can't be tried by reading:"
    )
    for reason in dict.fromkeys(REASONS.values()):
        print(f"- {', '.join(id_ for id_, each in REASONS.items() if each == reason)}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
