"""What a person sees of results: tables and lines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gh_backfill.policy import governor, markdown
from gh_backfill.policy.estimate import Estimate, Work, estimate
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.progress import complete_words, of_wanted
from gh_backfill.policy.selection import Verdict
from gh_backfill.store.repositories import Status
from gh_backfill.tasks.capture import Captured
from gh_backfill.tasks.check import Finding
from gh_backfill.tasks.local import LocalRun
from gh_backfill.tasks.operate import Operated
from gh_backfill.tasks.plan import Plan
from gh_backfill.tasks.recover import Recovered, line
from gh_backfill.tasks.track import Tracked

WIDE = 200
_errors = Console(stderr=True, highlight=False, soft_wrap=True)
_out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)


def error(message: str) -> None:
    """Show why a command ends, as one line on stderr."""
    _errors.print(f"[bold red]error:[/bold red] {escape(' '.join(message.split()))}")


def tracked_row(tracked: Tracked) -> dict[str, object]:
    """Return what became of one name as JSON-ready values."""
    found = tracked.repository
    return {
        "given": tracked.given,
        "result": tracked.result,
        "repository_id": tracked.repository_id,
        "full_name": found.full_name if found else None,
        "pull_requests": found.pull_requests if found else None,
        "is_private": found.is_private if found else None,
    }


def show_preview(tracked: Tracked) -> None:
    """Print what a run would capture of one repository, and what that takes by the price list."""
    found = tracked.repository
    if found is None:
        _out.print(escape(f"{tracked.given}: {tracked.result}"))
        return
    left = estimate(Work(left=found.pull_requests), governor.unknown("", datetime.now(UTC)))
    _out.print(
        escape(f"{found.full_name}: would capture {found.pull_requests} pull requests, {left}; nothing was written")
    )


def plan_json(made: Plan, left: Mapping[str, Estimate]) -> dict[str, object]:
    """Return a plan as JSON-ready values: what is chosen, what is not, and why, and what is left of each by our id."""
    return {
        "chosen": [_verdict_row(each, left) for each in made.verdicts if each.chosen],
        "not_chosen": [_verdict_row(each, left) for each in made.verdicts if not each.chosen],
        "unknown": list(made.unknown),
        "gone": [each.full_name for each in made.gone],
    }


def plan_markdown(made: Plan, left: Mapping[str, Estimate], *, dry_run: bool) -> str:
    """Return a plan for the step summary, with what is left; private repositories are named by their id only."""
    head = "## Plan (dry run: nothing was written)" if dry_run else "## Plan"
    if not made.chosen:
        return f"{head}\n\nNothing needs to be captured now: {_counted_reasons(made) or 'no repository is tracked'}."
    rows = [
        (
            markdown.plain(each.repository.id if each.repository.is_private else each.repository.full_name),
            of_wanted(each.repository.captured, each.repository.total, each.repository.goal, " / "),
            markdown.plain(each.why),
            markdown.plain(_left(each, left)),
        )
        for each in made.verdicts
        if each.chosen
    ]
    return f"{head}\n\n{markdown.table(('repository', 'captured / total', 'why', 'left'), rows)}"


def show_plan(made: Plan, left: Mapping[str, Estimate], *, dry_run: bool) -> None:
    """Print a plan: the chosen repositories, each with its reason and what is left, and why others are not chosen."""
    for each in made.verdicts:
        if each.chosen:
            repository = each.repository
            here = f"{of_wanted(repository.captured, repository.total, repository.goal)} here"
            more = f"; {_left(each, left)} left" if repository.id in left else ""
            _out.print(escape(f"{repository.full_name}: {each.why} ({here}{more})"))
    for name in made.unknown:
        _out.print(escape(f"{name}: not tracked here"))
    for repository in made.gone:
        _out.print(escape(f"{repository.full_name}: GitHub does not show it any more"))
    reasons = _counted_reasons(made)
    if not made.chosen:
        _out.print(f"nothing needs to be captured now: {reasons or 'no repository is tracked'}")
    elif reasons:
        _out.print(f"not chosen: {reasons}")
    if dry_run:
        _out.print("dry run: nothing was written")


def show_captured(name: str, captured: Captured) -> None:
    """Print what a capture did, as one line."""
    counts = captured.counts
    line = (
        f"{name}: {captured.outcome}: {captured.reason}; {captured.items} pull requests in {captured.chunks} chunks, "
        f"{counts.inserted} rows new, {counts.updated} changed, {counts.unchanged} unchanged, "
        f"{captured.spent.points} points, {captured.spent.requests} requests"
    )
    if counts.quarantined:
        line += f", {counts.quarantined} in quarantine"
    if captured.resume_at:
        line += f"; goes on at {_time(captured.resume_at)}"
    _out.print(escape(line))


def recovered_markdown(done: Recovered, *, dry_run: bool) -> str:
    """Return a recovery for the step summary; private repositories are named by their id only."""
    head = "## Recovery (dry run: nothing was written)" if dry_run else "## Recovery"
    lines = [f"- {markdown.plain(line(each))}" for each in (*done.returned, *done.closed)]
    return "\n".join([head, "", _recovered_total(done), "", *lines])


def show_recovered(done: Recovered, *, dry_run: bool) -> None:
    """Print what a recovery moved; outside a dry run its lines are in the log already."""
    if dry_run:
        for each in (*done.returned, *done.closed):
            _out.print(escape(f"would recover {line(each)}"))
    _out.print(_recovered_total(done))
    if dry_run:
        _out.print("dry run: nothing was written")


def show_operated(done: Sequence[Operated], *, dry_run: bool) -> None:
    """Print what became of each backfill that a person decided about."""
    for each in done:
        _out.print(escape(f"{each.given}: {each.result}"))
    if dry_run:
        _out.print("dry run: nothing was written")


def show_findings(found: Sequence[Finding]) -> None:
    """Print what a check found, one line each."""
    for each in found:
        verdict = "[green]ok[/green]     " if each.ok else "[bold red]wrong[/bold red]  "
        _out.print(f"{verdict}{each.name:<11}{escape(' '.join(each.text.split()))}")


def show_status(
    states: Sequence[Status], *, left: Mapping[str, Estimate] | None = None, limited_by: str | None = None
) -> None:
    """Print the state of repositories as a table, with what is left of each by our id, and what limits the rate."""
    if not states:
        _out.print("no repository is tracked: gh-backfill track owner/name")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("repository", "captured", "total", "%", "status", "last chunk", "points", "left", "notes"):
        figure = name in {"captured", "total", "%", "points"}
        table.add_column(name, justify="right" if figure else "left", no_wrap=name != "notes")
    for state in states:
        table.add_row(*(escape(cell) for cell in _status_row(state, (left or {}).get(state.id))))
    _out.print(table)
    if limited_by is not None:
        _out.print(escape(limited_by))


def show_local_run(done: LocalRun, *, demo: bool) -> None:
    """Print how a run on this machine ended, where the database is, and how to look into it."""
    _out.print()
    show_status(done.states)
    if done.report is not None:
        totals = done.report.totals()
        _out.print(
            f"\nthis run: {totals['pull_requests']} pull requests, {totals['points']} points, "
            f"{totals['requests']} requests, {totals['failed']} of {totals['jobs']} captures failed"
        )
    else:
        _out.print("\nnothing needed to be captured")
    option = " --demo" if demo else ""
    command = _command()
    where = f"in {done.folder}" if done.folder else "the configured one"
    _out.print(escape(f"database: {where}; look into it with: {command} psql{option}"))
    if demo:
        _out.print(escape(f"this was invented data; for real history: GITHUB_TOKEN=… {command} run owner/name"))


def _recovered_total(done: Recovered) -> str:
    if not done.returned and not done.closed and not done.left:
        return "nothing is stuck"
    text = f"{len(done.returned)} chunks go back to be claimed, {len(done.closed)} of older applications are closed"
    return f"{text}, {len(done.left)} are held by somebody and left alone" if done.left else text


def _left(verdict: Verdict, left: Mapping[str, Estimate]) -> str:
    found = left.get(verdict.repository.id)
    return "" if found is None else str(found)


def _verdict_row(verdict: Verdict, left: Mapping[str, Estimate]) -> dict[str, object]:
    repository = verdict.repository
    found = left.get(repository.id)
    return {
        "repository_id": repository.id,
        "full_name": repository.full_name,
        "why": verdict.why,
        "captured": repository.captured,
        "total": repository.total,
        "goal": repository.goal,
        "resume_at": repository.resume_at.isoformat() if repository.resume_at else None,
        "left": None if found is None else asdict(found),
    }


def _command() -> str:
    """Return how this program was called, so that what we print can be called as it stands."""
    program = Path(sys.argv[0])
    if program.name != "gh-backfill":
        return "python -m gh_backfill"
    here = Path.cwd()
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)


def _counted_reasons(made: Plan) -> str:
    reasons = [verdict.why for verdict in made.verdicts if not verdict.chosen]
    return ", ".join(f"{reasons.count(why)} {why}" for why in dict.fromkeys(reasons))


def _status_row(state: Status, left: Estimate | None) -> Sequence[str]:
    chunk = f"{state.chunk_number} {state.chunk_status}" if state.chunk_number is not None else ""
    if state.chunk_at is not None:
        chunk += f" {state.chunk_at.astimezone(UTC):%m-%d %H:%M}"
    notes = [
        f"{state.pause_reason}, goes on {_time(state.resume_at)}" if state.pause_reason and state.resume_at else "",
        state.last_error if state.last_error and state.status in {"paused", "failed"} else "",
        complete_words(state.unlisted) if state.unlisted and state.status == BackfillStatus.COMPLETED else "",
        f"{state.gaps - state.unlisted} with gaps" if state.gaps > state.unlisted else "",
        f"{state.quarantined} in quarantine" if state.quarantined else "",
        "private" if state.is_private else "",
    ]
    return (
        state.full_name,
        str(state.captured),
        of_wanted("", state.total, state.goal, ""),
        "?" if state.percent is None else f"{state.percent:.1f}",
        state.status or "no backfill",
        chunk,
        str(state.points or 0),
        "" if left is None else str(left),
        "; ".join(note for note in notes if note),
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
