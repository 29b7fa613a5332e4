"""Try the assumptions of docs/assumptions.md against a GitHub, reading only, and print a table of what was seen."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gh_backfill import __version__, settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.names import parse
from scripts.smoke_checks import CHECKS, Seen, Target
from scripts.smoke_github import (
    RATE,
    Github,
    NotNowError,
    OverBudgetError,
    RefusedError,
    UnansweredError,
    UnreachableError,
)
from scripts.smoke_reasons import REASONS

ROOT = Path(__file__).resolve().parent.parent
HOLDS, NOT_SO, OPEN = "holds", "**does not hold**", "not tried"
# In seconds: how long a capture may take, and how long it may take to stop.
PATIENCE, LAST_PATIENCE = 600, 40
UNREACHED, INTERRUPTED = 4, 130
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENDED, REFUSED = "the checks ended:", "GitHub refuses the token: check GITHUB_TOKEN"
# How many points a capture of so many may take, by what discussed ones took.
MOST_POINTS = {30: 15, 300: 150}
THERE = f"query($owner: String!, $name: String!) {{ {RATE} repository(owner: $owner, name: $name) {{ isPrivate }} }}"


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
    try:
        _refuse_what_is_not_there(github, [target.name, *([given.large] if given.large else [])])
    except (ConfigurationError, RefusedError) as error:
        print(f"error: {str(error) or REFUSED}", file=sys.stderr)
        return 2
    except UnreachableError as error:
        print(f"error: {environment.github_api_url} is not reached: {error}", file=sys.stderr)
        return UNREACHED
    except (UnansweredError, NotNowError) as error:
        print(f"error: nothing was tried: {error}", file=sys.stderr)
        return UNREACHED
    seen: list[Seen] = []
    code = 0
    try:
        for each in _all(github, target, given):
            seen.append(each)
            print(f"{_verdict(each):<20}{' '.join(each.ids):<10}{each.text}: {each.seen}", file=sys.stderr, flush=True)
            code = code or (UNREACHED if each.seen.startswith(ENDED) else 0)
    except KeyboardInterrupt:
        print("error: interrupted: the table has what was tried until then", file=sys.stderr)
        code = INTERRUPTED
    _show(seen, github, target, as_json=given.json)
    return code or (3 if any(each.holds is False for each in seen) else 0)


def _refuse_what_is_not_there(github: Github, names: Sequence[str]) -> None:
    """Raise ConfigurationError where a repository can't be tried: what is wrong is its name then, no assumption.

    That of a private one would stand in a table that is made to be shown.
    """
    for name in names:
        if parse(name) is None or "/".join(parse(name) or ()) != name:
            raise ConfigurationError(f"{name or 'an empty text'} is no repository: say owner/name")
        owner, _, own = name.partition("/")
        found = github.graphql(THERE, owner=owner, name=own)
        there = (found.data or {}).get("repository")
        if there is None:
            raise ConfigurationError(f"{name} is not there, or this token may not read it: say another one")
        if there["isPrivate"]:
            raise ConfigurationError(f"{name} is private, and the table is made to be shown: say a public one")


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/smoke", description=__doc__)
    parser.add_argument("--repository", default="octocat/Hello-World", help="public, with some hundred pull requests")
    parser.add_argument("--renamed", default="facebook/jest", help="a name that a repository does not have any more")
    parser.add_argument("--discussions", default="vercel/next.js", help="a public repository with discussions")
    parser.add_argument("--large", metavar="OWNER/NAME", help="also capture the newest 300 of this one")
    parser.add_argument("--budget", type=_points, default=300, metavar="POINTS", help="spend at most so many (300)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser.parse_args(arguments)


def _points(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 5_000:
        raise argparse.ArgumentTypeError("say how many points, 1 to 5000")
    return int(text)


def _all(github: Github, target: Target, given: argparse.Namespace) -> Iterator[Seen]:
    """Yield what each check saw; what could not be tried any more is told as well, with the reason."""
    ended = ""
    for ids, check in CHECKS.items():
        text = (check.__doc__ or "").strip().rstrip(".")
        try:
            if ended:
                yield _not_tried(ids, text, ended)
            else:
                yield from check(github, target)
        except OverBudgetError:
            yield _not_tried(ids, text, f"points spent: {github.spent}")
        except (NotNowError, UnansweredError) as error:
            ended = str(error) if isinstance(error, NotNowError) else ""
            yield _not_tried(ids, text, str(error))
        except (UnreachableError, RefusedError) as error:
            ended = f"{ENDED} {str(error) or REFUSED}"
            yield _not_tried(ids, text, ended)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            shape = f"an answer of another shape ({type(error).__name__}: {str(error)[:60]})"
            yield Seen(ids=ids, text=text, expected="an answer of the known shape", seen=shape, holds=False)
    yield from _captured(github, target.name, 30, ended)
    if given.large:
        yield from _captured(github, given.large, 300, ended)


def _not_tried(ids: Sequence[str], text: str, why: str) -> Seen:
    return Seen(ids=tuple(ids), text=text, expected="", seen=why, holds=None)


def _captured(github: Github, name: str, newest: int, ended: str) -> Iterator[Seen]:
    """Capture the newest into a database that is gone afterwards, prove them, and ask again what changed."""
    text, most = f"the newest {newest} of {name}, with all their reviews and comments", MOST_POINTS[newest]
    if ended or github.spent + most > github.budget:
        yield _not_tried(("capture",), text, ended or f"it may take {most} points; spent: {github.spent}")
        return
    with tempfile.TemporaryDirectory(prefix="gh-backfill-smoke-", ignore_cleanup_errors=True) as folder:
        first = _tool(folder, "run", name, "--max-prs", str(newest))
        stands = _stands(folder) if first.returncode in (0, 3) else {}
        github.spent += stands.get("points", 0)
        yield Seen(
            ids=("capture",),
            text=text,
            expected="captured, nothing failed",
            seen=stands.get("pause_reason") or _last(first),
            holds=None if first.returncode == UNREACHED or stands.get("status") == "paused" else first.returncode == 0,
        )
        if first.returncode != 0 or stands.get("status") == "paused":
            return
        again = _tool(folder, "sync", name, "--json")
        rows = json.loads(again.stdout) if again.returncode == 0 else []
        points = sum(row["points"] for row in rows)
        github.spent += points
        yield Seen(
            ids=("sync",),
            text="the same once more, right afterwards",
            expected="a point or two",
            seen=f"{points} point{'' if points == 1 else 's'}" if rows else _last(again),
            holds=None if again.returncode == UNREACHED else bool(rows) and points <= 4,
        )


def _stands(folder: str) -> dict[str, Any]:
    """Return how far a capture is."""
    told = _tool(folder, "status", "--json")
    rows = json.loads(told.stdout) if told.returncode == 0 else []
    return dict(rows[0]) if rows else {}


def _tool(folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in a home of its own, on a database that comes and goes with it."""
    own = {"GH_BACKFILL_HOME": f"{folder}/home", "HOME": folder, "PYTHONPATH": str(ROOT)}
    left_out = {"DATABASE_URL", "SUPABASE_DB_URL", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out} | own
    command = [sys.executable, "-W", "ignore", "-m", "gh_backfill", *words]
    # A session of its own: Ctrl-C reaches us alone, and we let it end in good order, its database with it.
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            told, wrong = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            _end(process)
            return subprocess.CompletedProcess(command, UNREACHED, "", f"it took longer than {PATIENCE} seconds")
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, told, wrong)


def _end(process: subprocess.Popen[str]) -> None:
    """Let a command stop in good order; one that does not is killed."""
    process.terminate()
    try:
        process.communicate(timeout=LAST_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


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


def _stopped(_number: int, _frame: object) -> None:
    """Stop once, whatever asked for it: what a capture holds, and its folder, are given back meanwhile."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for each in STOPPING:
        signal.signal(each, _stopped)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("error: interrupted")
