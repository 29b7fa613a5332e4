"""Lists as a person sees them: what was tracked, recovered or decided, past runs, findings of a check, prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import markdown
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.redaction import redacted
from gh_backfill.terminal import tables
from gh_backfill.terminal.console import hinted, moment, say, show_table

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.engine.recover import Recovered
    from gh_backfill.store.backfill_events import Recorded
    from gh_backfill.store.runs import PastJob, PastRun
    from gh_backfill.tasks.finding import Finding
    from gh_backfill.tasks.operate import Operated
    from gh_backfill.tasks.price_table import Priced
    from gh_backfill.tasks.track import Tracked

PRICES = (
    tables.Column(title="query"),
    tables.Column(title="units", rank=1, is_figure=True),
    tables.Column(title="ours", is_figure=True),
    tables.Column(title="GitHub's", is_figure=True),
    tables.Column(title="token", rank=2),
)


def tracked_row(tracked: Tracked) -> dict[str, object]:
    """Return what became of one name as JSON-ready values."""
    found = tracked.repository
    return {
        "given": tracked.given,
        "result": tracked.result,
        "reason": tracked.reason,
        "detail": tracked.detail,
        "repository_id": tracked.repository_id,
        "full_name": found.full_name if found else None,
        "pull_requests": found.pull_requests if found else None,
        "is_private": found.is_private if found else None,
    }


def tracked_markdown(done: Sequence[Tracked]) -> str:
    """Return what became of each name for the step summary."""
    rows = [(markdown.plain(redacted(each.given)), markdown.plain(redacted(each.text))) for each in done]
    return f"## Tracked\n\n{markdown.table(('given', 'result'), rows)}"


def show_tracked(done: Sequence[Tracked], *, dry_run: bool) -> None:
    """Print what became of each name."""
    from gh_backfill.tasks.track import Result  # noqa: PLC0415  (only what tracks has loaded it)

    for each in done:
        text = each.text.replace(Result.ADDED, "would be tracked", 1) if dry_run else each.text
        say(escape(hinted(f"{each.given}: {text}")))
    if dry_run:
        say("dry run: nothing was written")


def recovered_markdown(done: Recovered, *, dry_run: bool) -> str:
    """Return a recovery for the step summary; private repositories are named by their id only."""
    head = "## Recovery (dry run: nothing was written)" if dry_run else "## Recovery"
    from gh_backfill.engine.recover import line  # noqa: PLC0415  (whoever has recovered has it loaded)

    lines = [f"- {markdown.plain(line(each))}" for each in (*done.returned, *done.closed)]
    return "\n".join([head, "", _recovered_total(done), "", *lines])


def show_recovered(done: Recovered, *, dry_run: bool) -> None:
    """Print what a recovery moved; outside a dry run its lines are in the log already."""
    from gh_backfill.engine.recover import line  # noqa: PLC0415  (as above)

    if dry_run:
        for each in (*done.returned, *done.closed):
            say(escape(f"would recover {line(each)}"))
    say(_recovered_total(done))
    if dry_run:
        say("dry run: nothing was written")


def show_operated(done: Sequence[Operated], *, dry_run: bool) -> None:
    """Print what became of each backfill that a person decided about."""
    for each in done:
        say(escape(hinted(f"{each.given}: {each.result}")))
    if dry_run:
        say("dry run: nothing was written")


def event_line(event: Recorded) -> str:
    """Return one thing that was done to a backfill, as a line."""
    what = f"{event.event}: {event.detail}" if event.detail else str(event.event)
    run = f" (run {event.run_key})" if event.run_key else ""
    return f"{moment(event.at)}  {event.full_name or 'a deleted repository'}  {what}, by {event.who}{run}"


def show_past_runs(found: Sequence[PastRun]) -> None:
    """Print runs, two lines each: what became of them, and where to look."""
    if not found:
        say("there was no run yet: gh-backfill plan makes one")
    for each in found:
        parts = [
            counted(each.jobs, "job"),
            *(f"{many} {word}" for many, word in ((each.failed, "failed"), (each.paused, "paused")) if many),
            *([f"{each.waiting} planned"] if each.waiting else []),
            *([f"{each.running} not ended"] if each.running else []),
            counted(each.items, each.item),
            counted(each.points, "point"),
        ]
        say(escape(f"{each.run_key}  {moment(each.began_at)}  {each.processor}  {', '.join(parts)}"))
        if each.address or each.headline:
            say(escape(f"    {' '.join(filter(None, (each.headline, each.address)))}"))


def show_past_jobs(found: Sequence[PastJob]) -> None:
    """Print the jobs of a run, a line each, with the error below."""
    for each in found:
        part = f" part {each.part}" if each.part else ""
        again = f", attempt {each.attempt}" if each.attempt > 1 else ""
        when = moment(each.started_at) if each.started_at else "never started"
        say(
            escape(
                f"{each.name}{part}: {each.outcome.replace('_', ' ')}{again}, {counted(each.items, each.item)}, "
                f"{counted(each.points, 'point')}, {when} ({each.reason or 'no reason recorded'})"
            )
        )
        if each.error:
            say(escape(f"    {each.error}"))


def findings_markdown(found: Sequence[Finding]) -> str:
    """Return what a check found for the step summary."""
    rows = [
        (
            "ok" if each.ok else "**wrong**",
            markdown.plain(each.name),
            markdown.plain(redacted(" ".join(each.text.split()))),
        )
        for each in found
    ]
    return f"## Check\n\n{markdown.table(('', 'what', 'found'), rows)}"


def show_findings(found: Sequence[Finding]) -> None:
    """Print what a check found, one line each."""
    for each in found:
        verdict = "[green]ok[/green]     " if each.ok else "[bold red]wrong[/bold red]  "
        say(f"{verdict}{each.name:<11}{escape(' '.join(each.text.split()))}")


def show_prices(found: Sequence[Priced]) -> None:
    """Print what samples of our queries cost by our prices, beside what GitHub tells."""
    rows = [
        tables.Row(
            cells=(
                each.query,
                str(each.units),
                str(each.expected),
                "not told" if each.told is None else str(each.told),
                each.token,
            ),
            notes=() if each.told in (None, each.expected) else ("GitHub tells another price than ours",),
        )
        for each in found
    ]
    show_table(PRICES, rows)


def _recovered_total(done: Recovered) -> str:
    if not done.returned and not done.closed and not done.left:
        return "nothing is stuck"
    returned, closed, left = (len(each) for each in (done.returned, done.closed, done.left))
    text = f"{counted(returned, 'chunk')} given back to be claimed, {closed} of older applications closed"
    return f"{text}, {left} held by somebody and left alone" if left else text
