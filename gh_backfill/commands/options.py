"""The options that several commands share, and how a number is read."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import output
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.names import without_credentials
from gh_backfill.terminal import console

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.engine.outcome import Limits
    from gh_backfill.models.work import Goal
    from gh_backfill.policy.initial import Wish
    from gh_backfill.policy.schedule import Priority

NAMED = "owner/name, its address, GitHub's id, or our id."
MOST = 2**31 - 1


def addresses(given: list[str] | None) -> list[str] | None:
    """Return names and addresses without the tokens in them; raises ConfigurationError for one that is empty."""
    if given is not None and not all(each.strip() for each in given):
        raise ConfigurationError("the name of a repository is empty: is the variable set that it comes from?")
    return None if given is None else [_address(each) or "" for each in given]


def path(given: object) -> Path:
    """Return a path as it was given; raises ConfigurationError where it is empty, which would be this folder."""
    if not str(given).strip():
        raise ConfigurationError("the name of a file or folder is empty: is the variable set that it comes from?")
    return Path(str(given))


def clean(given: str) -> str:
    """Return a name or an address without the token that may stand in it, and say what has to be done about that."""
    return _address(given) or ""


def _address(given: str | None) -> str | None:
    """Take the token out of a pasted address, and say what has to be done about it."""
    clean = without_credentials(given or "")
    if clean != (given or ""):
        console.warning(f"a token or password stood in the address of {clean}: shells keep what is typed, so revoke it")
    return clean if given is not None else None


RepositoryIds = Annotated[
    str | None,
    typer.Option("--repository-ids", envvar="GH_BACKFILL_REPOSITORY_IDS", metavar="JSON", help="The same, as a list."),
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="REPOSITORY...", callback=addresses, help=NAMED),
]
SomeNames = Annotated[list[str] | None, typer.Argument(metavar="[REPOSITORY...]", callback=addresses, help=NAMED)]
OptionalNames = Annotated[
    list[str] | None, typer.Argument(metavar="[REPOSITORY...]", callback=addresses, help="Default: all.")
]
Name = Annotated[str | None, typer.Argument(callback=_address, help=NAMED)]
NameOption = Annotated[
    str | None,
    typer.Option("--repository-id", envvar="GH_BACKFILL_REPOSITORY_ID", callback=_address, help="Only this one."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="GH_BACKFILL_DRY_RUN", help="Say what would be done; write nothing.")
]
# The same where the setting is read like any other: a report tells of one that is malformed.
Preview = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what would be done; write nothing.  GH_BACKFILL_DRY_RUN=true does so, too."),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace", envvar="GH_BACKFILL_WORKSPACE", metavar="SLUG", help="All repositories of this workspace."
    ),
]
Demo = Annotated[bool, typer.Option("--demo", help="Of the demo's database, whatever is configured.")]
Kinds = Annotated[
    str | None,
    typer.Option(
        "--kinds",
        metavar="NAMES",
        help="What is captured: pull_requests, issues, discussions, contributors (the profiles of people), files and "
        "commits (of pull requests), or several. Default: GH_BACKFILL_KINDS, or pull_requests.",
    ),
]
ChunkSize = Annotated[
    str | None,
    typer.Option(
        "--chunk-size",
        envvar="GH_BACKFILL_CHUNK_SIZE",
        metavar="N",
        help="At most so many pull requests in a page, 1 to 100. Default: adapts itself, beginning with 25.",
    ),
]
MaxChunks = Annotated[
    str | None,
    typer.Option("--max-chunks", envvar="GH_BACKFILL_MAX_CHUNKS", metavar="N", help="Stop after so many pages."),
]

Workers = Annotated[
    str | None, typer.Option("--workers", metavar="N", help="Captures at the same time, 1 to 20. Default: 5.")
]

MaxPullRequests = Annotated[
    str | None,
    typer.Option(
        "--max-prs",
        envvar="GH_BACKFILL_MAX_PRS",
        metavar="N|all",
        help="So many of the newest pull requests of each first. Default: 200, and all of those that have up to 250.",
    ),
]
Since = Annotated[
    str | None,
    typer.Option("--since", envvar="GH_BACKFILL_SINCE", metavar="DATE", help="Created on this day (UTC) or later."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", envvar="GH_BACKFILL_UNTIL", metavar="DATE", help="Created before this day (UTC)."),
]
State = Annotated[
    str | None,
    typer.Option("--state", envvar="GH_BACKFILL_STATE", metavar="WORDS", help="open, closed, merged, or several."),
]
Smart = Annotated[
    bool, typer.Option("--smart", help="As many as came in about the last quarter, 100 to 1000, in place of 200.")
]
OnlyNewest = Annotated[bool, typer.Option("--only-newest", help="Never go on to the rest of their history by itself.")]
OnePerOwner = Annotated[
    bool, typer.Option("--one-per-owner", help="With --local: no two repositories of an account at the same time.")
]
PriorityWord = Annotated[
    str | None,
    typer.Option("--priority", metavar="WORD", help="high, medium or low: synced every 15, 30 or 60 minutes."),
]
STATES = ("open", "closed", "merged")


def number(name: str, text: str | None, least: int, most: int = MOST) -> int | None:
    """Read a whole number; empty means not given.  Raises ConfigurationError for anything else."""
    text = (text or "").strip()
    if not text:
        return None
    wanted = f"from {least} to {most}"
    if not text.isdecimal() or len(text.lstrip("0")) > len(str(MOST)) or not least <= int(text) <= most:
        raise ConfigurationError(f"{name} must be a whole number {wanted}, not {text[:40]}")
    return int(text)


def limits(chunk_size: str | None, max_chunks: str | None, time_limit: str | None) -> Limits:
    """Read what bounds a capture.  Raises ConfigurationError for what is no number, or out of its range."""
    from gh_backfill.engine.outcome import Limits

    minutes = number("--time-limit", time_limit, 1)
    return Limits(
        chunk_size=number("--chunk-size", chunk_size, 1, 100),
        max_chunks=number("--max-chunks", max_chunks, 1),
        deadline=None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes),
    )


def before(deadline: datetime | None) -> Callable[[], bool]:
    """Return what says whether there is time for more; without a deadline there always is."""
    return lambda: deadline is None or datetime.now(UTC) < deadline


def kinds(given: str | None, environment: settings.Settings) -> tuple[str, ...]:
    """Return the kinds of items to capture where nothing is said of a repository itself."""
    from gh_backfill.engine import registry  # the engine is not needed by who only looks
    from gh_backfill.models.work import PULL_REQUESTS

    default = registry.chosen(environment.kinds, given_as="GH_BACKFILL_KINDS")
    return registry.chosen(given) or default or (PULL_REQUESTS,)


def goal(max_prs: str | None) -> tuple[Goal, bool]:
    """Read `--max-prs`, a number or `all`: the goal, and whether it was given, for only such a one raises another."""
    from gh_backfill.models.work import Goal

    text = (max_prs or "").strip()
    whole = text.lower() == "all"
    return Goal(max_items=None if whole else number("--max-prs", text, 1)), bool(text)


def wish(
    max_prs: str | None,
    since: str | None,
    until: str | None,
    state: str | None,
    *,
    smart: bool = False,
    only_newest: bool = False,
    one_per_owner: bool = False,
) -> tuple[Wish, bool]:
    """Read what is wanted of repositories that are added, and whether a number was given: only that raises another.

    Raises ConfigurationError for what is no number, no day, or no state.
    """
    from gh_backfill.policy.initial import NEWEST, Wish

    text = (max_prs or "").strip()
    if text and smart:
        raise ConfigurationError("--smart chooses the number by itself: leave out --max-prs, or --smart")
    if text and text.lower() != "all" and not text.isdecimal():
        raise ConfigurationError(f"--max-prs must be a whole number or `all`, not {text[:40]}")
    most = None if text.lower() == "all" else number("--max-prs", text, 1) or NEWEST
    first, last = day("--since", since), day("--until", until)
    if first is not None and last is not None and first >= last:
        raise ConfigurationError(f"--since {first} is not before --until {last}: nothing lies between them")
    found = Wish(
        max_prs=most,
        since=first,
        until=last,
        states=states(state),
        smart=smart,
        only_newest=only_newest,
        one_per_owner=one_per_owner,
    )
    return found, bool(text) or smart


def states(given: str | None) -> tuple[str, ...]:
    """Read states of pull requests; none, or all of them, mean any.  Raises ConfigurationError for another word."""
    words = [word for word in re.split(r"[\s,]+", (given or "").strip().lower()) if word]
    wrong = [word for word in words if word not in (*STATES, "all")]
    if wrong:
        raise ConfigurationError(f"--state must be of {', '.join(STATES)}, not {wrong[0][:40]}")
    chosen = tuple(each for each in STATES if each in words)
    return () if "all" in words or len(chosen) == len(STATES) else chosen


def day(name: str, given: str | None) -> date | None:
    """Read a day; empty means not given.  Raises ConfigurationError for anything else."""
    text = (given or "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{name} must be a day such as 2026-01-31, not {text[:40]}") from None


def priority(given: str | None) -> Priority | None:
    """Read a priority; empty means not given.  Raises ConfigurationError for another word."""
    from gh_backfill.policy.schedule import Priority

    text = (given or "").strip().lower()
    if text and text not in tuple(Priority):
        raise ConfigurationError(f"--priority must be {', '.join(Priority)}, not {text[:40]}")
    return Priority(text) if text else None


def listed(file: str | None, pasted: str | None) -> list[str]:
    """Return the names in a file, `-` is standard input, and in a pasted list; none where neither is given."""
    from gh_backfill.policy.names import names_in

    text = ""
    if file is not None:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"--file {file} can't be read: {error}") from None
        output.note_given(text)
    return addresses(names_in(text) + names_in(pasted or "")) or []


def stored(*, demo: bool = False) -> settings.Settings:
    """Return the settings of a command that asks the database alone: of the demo's, where nothing else was ever set up.

    With `demo` it is the demo's, whatever is configured.
    """
    from gh_backfill import settings
    from gh_backfill.tasks import demo as invented

    if demo:
        return invented.settings_of(settings.load(_without_database()))
    environment = settings.load()
    if not invented.is_all_there_is(environment):
        return environment
    print("this is the demo's database with its invented data: nothing else was set up yet", file=sys.stderr)
    return invented.settings_of(environment)


def _without_database() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if "DATABASE" not in key}
