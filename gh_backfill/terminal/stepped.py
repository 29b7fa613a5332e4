"""Aggressive backfills as a person sees them: step after step, the checklist, and what a dry run foresees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import markdown
from gh_backfill.policy.aggressive.steps import MARKS, TITLES, AggressiveStatus
from gh_backfill.policy.redaction import redacted
from gh_backfill.terminal.console import moment, say

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.policy.aggressive.checklist import CheckLine
    from gh_backfill.policy.aggressive.standing import AggressiveBackfill
    from gh_backfill.policy.aggressive.steps import AggressiveStep
    from gh_backfill.tasks.aggressive.outlook import AggressiveOutlook
    from gh_backfill.tasks.aggressive.sync_step import StepEnd

HELD = {True: "✓", False: "✕", None: "–"}
BEGINS = (
    "nobody works on it yet: gh-backfill aggressive --due does, and so does each hour the workflow Aggressive "
    "Repository Backfill"
)
# What the guide says of a sync that takes longer than is waited for.
ADVICE = (
    "nothing is lost: run the same command again, or with --embeddings-only once the sync is complete; the workflow "
    "Aggressive Repository Backfill goes on with it by itself"
)


def show_begun(backfill: AggressiveBackfill, step: AggressiveStep, end: StepEnd | None) -> None:
    """Print that a step begins, or how it ended."""
    number = list(backfill.steps).index(step) + 1
    head = f"step {number} of {len(backfill.steps)}, {TITLES[step]}"
    if end is None:
        say(escape(f"▸ {head}"))
    else:
        say(escape(f"{MARKS[end.status]} {head}: {end.told}"))


def show_checklist(checked: Sequence[CheckLine]) -> None:
    """Print the checklist."""
    if checked:
        say("Verification checklist")
    for each in checked:
        say(escape(f"  {HELD[each.holds]} {each.name}: {each.detail}"))


def show_goes_on(backfill: AggressiveBackfill) -> None:
    """Print that it goes on, and what to do."""
    waits = "another worker is at it" if backfill.running else "it waits for its turn"
    say(escape(f"{backfill.full_name} goes on: {backfill.reason or waits}"))
    if backfill.not_before is not None:
        say(f"  not before {moment(backfill.not_before)}")
    background = "the job may still be running in the background, and " if backfill.running else ""
    say(escape(f"  {background}{ADVICE}" if backfill.started_at is not None else f"  {BEGINS}"))


def show_outlook(found: AggressiveOutlook) -> None:
    """Print what would be done."""
    for line in found.lines:
        say(escape(line))
    say("dry run: nothing was written")


def show_standing(found: Sequence[AggressiveBackfill]) -> None:
    """Print how the last one of each repository stands."""
    for each in found:
        state = "waits to go on: its worker fell silent" if each.silent else each.status
        say(escape(f"{each.full_name}: {state}{f', {each.reason}' if each.reason else ''}"))
        for step in each.steps.values():
            many = f" {step.done:,} of {step.total:,}" if step.done is not None and step.total is not None else ""
            told = f": {step.told}" if step.told else ""
            say(escape(f"  {MARKS[step.status]} {TITLES[step.step]}, {step.status}{many}{told}"))
        if each.status is not AggressiveStatus.COMPLETED:
            for line in each.checklist:
                say(escape(f"  {HELD[line.holds]} {line.name}: {line.detail}"))
    if not found:
        say("no aggressive backfill was ever begun: gh-backfill aggressive owner/name begins one")


def markdown_of(found: Sequence[AggressiveBackfill]) -> str:
    """Return it for the step summary; private repositories are named by their id only."""
    parts = ["## Aggressive backfill"]
    for each in found:
        name = markdown.plain(each.repository_id if each.is_private else each.full_name)
        rows = [
            (TITLES[step.step], step.status, markdown.plain(redacted(step.told or ""))) for step in each.steps.values()
        ]
        parts += [f"### {name}: {each.status}", markdown.table(("step", "state", "result"), rows)]
        if each.checklist:
            lines = [(HELD[line.holds], line.name, markdown.plain(redacted(line.detail))) for line in each.checklist]
            parts.append(markdown.table(("", "checked", "found"), lines))
    return "\n\n".join(parts if found else [*parts, "Nothing waits."])
