"""The work as a person sees it: plans, captures, whole runs, and how all stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.models.work import Goal
from gh_backfill.policy import markdown
from gh_backfill.policy.ledger import JobOutcome, JobType
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.progress import complete_words, of_wanted
from gh_backfill.policy.redaction import redacted, visible
from gh_backfill.policy.standing import outcome_words, shown_status, why_it_stands
from gh_backfill.terminal import tables
from gh_backfill.terminal.console import command, hinted, moment, say, show_table

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.engine.outcome import Captured
    from gh_backfill.models.work import TrackedRepository
    from gh_backfill.policy.estimate import Estimate
    from gh_backfill.policy.selection import Verdict
    from gh_backfill.store.readings import ReadingStanding
    from gh_backfill.store.repositories import OtherKind, Status
    from gh_backfill.tasks.initial.local import Worked
    from gh_backfill.tasks.local import LocalRun
    from gh_backfill.tasks.plan import Plan
    from gh_backfill.tasks.preview import Foreseen
    from gh_backfill.tasks.report.report import Report

STATUS = (
    tables.Column(title="repository"),
    tables.Column(title="captured", is_figure=True),
    tables.Column(title="total", is_figure=True),
    tables.Column(title="%", is_figure=True),
    tables.Column(title="status", rank=1),
    tables.Column(title="left", rank=2),
    tables.Column(title="points", rank=3, is_figure=True),
    tables.Column(title="last chunk", rank=4),
)
DROPPED = (
    "If no capture starts, look at this job for *Skip output 'matrix' since it may contain secret*: "
    "GitHub drops an output in which the value of any secret stands, be it a short word."
)


def show_preview(seen: Foreseen) -> None:
    """Print what a run would capture of one repository, beside what is here, and what that takes."""
    found = seen.tracked.repository
    if found is None:
        say(escape(f"{seen.tracked.given}: {seen.tracked.text}"))
        return
    here = f"{found.full_name}: {seen.stored} of {found.pull_requests} pull requests are here"
    more = "nothing of what was asked for is missing, only changes would be read"
    if seen.left is not None:
        more = f"would capture {seen.left.pull_requests}, {seen.left}"
    say(escape(f"{here}; {more}; nothing was written"))


def plan_json(made: Plan, left: Mapping[str, Estimate]) -> dict[str, object]:
    """Return a plan as JSON-ready values: what is chosen, what is not, and why, and what is left of each by our id."""
    return {
        "chosen": [_verdict_row(each, left) for each in made.verdicts if each.chosen],
        "not_chosen": [_verdict_row(each, left) for each in made.verdicts if not each.chosen],
        "tracked_first": list(made.first),
        "unknown": list(made.unknown),
        "gone": [each.full_name for each in made.gone],
        "unsure": dict(made.unsure),
        "waits": None if made.waits is None else made.waits.text,
        "waits_until": None if made.waits is None else made.waits.until.isoformat(),
    }


def plan_markdown(made: Plan, left: Mapping[str, Estimate], *, dry_run: bool) -> str:
    """Return a plan for the step summary, with what is left; private repositories are named by their id only."""
    head = "## Plan (dry run: nothing was written)" if dry_run else "## Plan"
    unsure = "".join(f"\n\n{markdown.plain(redacted(line))}" for line in _unsure(made))
    first = "".join(f"- {markdown.plain(redacted(line))}\n" for line in made.first.values())
    head = f"{head}\n\n{first}".rstrip()
    if not made.chosen:
        nothing = "" if first else f"\n\n{markdown.plain(redacted(_why_nothing(made)))}."
        return f"{head}{nothing}{unsure}"
    rows = [
        (
            markdown.plain(each.repository.id if each.repository.is_private else each.repository.full_name),
            _here(each.repository, " / "),
            markdown.plain(each.words),
            markdown.plain(_left(each, left)),
        )
        for each in made.verdicts
        if each.chosen
    ]
    table = markdown.table(("repository", "captured / total", "why", "left"), rows) + unsure
    return f"{head}\n\n{table}" if dry_run else f"{head}\n\n{table}\n\n{DROPPED}"


def show_plan(made: Plan, left: Mapping[str, Estimate], *, dry_run: bool) -> None:
    """Print a plan: the chosen repositories, each with its reason and what is left, and why others are not chosen."""
    for text in _judged(made, left):
        say(escape(text))
    for text in (*made.first.values(), *made.unknown.values()):
        say(escape(text))
    for repository in made.gone:
        say(escape(f"{repository.full_name}: GitHub does not show it any more"))
    others = f"not chosen: {_counted_reasons(made)}" if _counted_reasons(made) else ""
    for text in (*_unsure(made), others if made.chosen or made.first else _why_nothing(made)):
        if text:
            say(escape(text))
    if dry_run:
        say("dry run: nothing was written")


def show_captured(name: str, captured: Captured) -> None:
    """Print what a capture did, as one line; why one failed is told by its error."""
    counts = captured.counts
    failed = str(captured.outcome) == JobOutcome.FAILED
    ended = captured.outcome if failed else outcome_words(captured.outcome, captured.told)
    line = (
        f"{name}: {ended}; {counted(captured.items, captured.item)} in {counted(captured.chunks, 'chunk')}, "
        f"{counted(counts.inserted, 'row')} new, {counts.updated:,} changed, {counts.unchanged:,} unchanged, "
        f"{counted(captured.spent.points, 'point')}, {counted(captured.spent.requests, 'request')}"
    )
    if counts.quarantined and "quarantine" not in captured.told:
        line += f", {counts.quarantined:,} in quarantine"
    if captured.resume_at:
        line += f"; goes on at {moment(captured.resume_at)}"
    say(escape(line))


def show_status(
    states: Sequence[Status],
    *,
    left: Mapping[str, Estimate] | None = None,
    limited_by: str | None = None,
    readings: Mapping[str, Sequence[ReadingStanding]] | None = None,
) -> None:
    """Print the state of repositories as a table; by our id what is left of each, and profiles, files and commits."""
    if not states:
        say(escape(hinted("empty, no repository is tracked yet: gh-backfill track owner/name")))
        return
    rows = [
        tables.Row(
            cells=_status_row(state, (left or {}).get(state.id)),
            notes=_status_notes(state, (readings or {}).get(state.id, ())),
        )
        for state in states
    ]
    show_table(STATUS, rows, below=limited_by or "")


def show_local_run(done: LocalRun, *, demo: bool) -> None:
    """Print how a run on this machine ended, where the database is, and how to look into it."""
    say("")
    show_status(done.states)
    for each in done.proven:
        say(escape(f"{each.repository.full_name}: {each.line}"))
    if done.report is not None:
        _show_totals(done.report)
    elif done.standing:
        say("\n" + escape(hinted("\n".join(done.standing))))
    else:
        say(escape(f"\n{_why_nothing(done.plan)}"))
    failed = [each.full_name for each in done.states if each.status == BackfillStatus.FAILED]
    if failed and not done.standing:
        say(escape(hinted(f"{len(failed)} failed: {', '.join(failed)}; gh-backfill why {failed[0]} says why")))
    option = " --demo" if demo else ""
    where = f"in {done.folder}" if done.folder else "the configured one"
    say(escape(f"database: {where}; look into it with: {command()} psql{option}"))
    if demo:
        say(escape(f"watch another one arrive on a page: {command()} serve"))
        say(escape(f"this was invented data; for real history: GITHUB_TOKEN=… {command()} run owner/name"))


def show_worked(done: Worked) -> None:
    """Print how the initial backfills of this machine ended."""
    if done.report is None:
        say("nothing waits for its initial backfill")
        return
    say("")
    show_status(done.states)
    _show_totals(done.report)


def _show_totals(made: Report) -> None:
    totals = made.totals()
    captures = [job for job in made.jobs if job.job_type != JobType.VERIFY]
    failed = sum(job.failed for job in captures)
    say(
        f"\nthis run: {counted(totals['pull_requests'], made.run.item)}, {counted(totals['points'], 'point')}, "
        f"{counted(totals['requests'], 'request')}, {failed} of {counted(len(captures), 'capture')} failed"
    )


def _judged(made: Plan, left: Mapping[str, Estimate]) -> Iterator[str]:
    """Yield a line for each repository that is chosen, and for each that waits for its hours."""
    for each in made.verdicts:
        if each.chosen:
            repository = each.repository
            more = f"; {_left(each, left)} left" if repository.id in left else ""
            yield f"{repository.full_name}: {each.why}; {_here(repository)} here{more}"
    for each in made.verdicts:
        if each.until is not None:
            yield f"{each.repository.full_name}: {each.words}"


def _here(repository: TrackedRepository, by: str = " of ") -> str:
    return of_wanted(repository.captured, repository.total, repository.goal, by, open_ended=repository.open_ended)


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
        "waits_until": verdict.until.isoformat() if verdict.until else None,
        "captured": repository.captured,
        "total": repository.total,
        "goal": repository.goal,
        "resume_at": repository.resume_at.isoformat() if repository.resume_at else None,
        "left": None if found is None else asdict(found),
    }


def _counted_reasons(made: Plan) -> str:
    reasons = [verdict.why for verdict in made.verdicts if not verdict.chosen]
    return ", ".join(f"{reasons.count(why)} {why}" for why in dict.fromkeys(reasons))


def _why_nothing(made: Plan) -> str:
    """Say why nothing is chosen: there are no points for it, or nothing is missing."""
    reasons = _counted_reasons(made) or "no repository is tracked"
    if made.waits is not None:
        return f"Nothing is planned, {made.waits.text} ({reasons})"
    return f"No repositories need backfilling now: {reasons}"


def _unsure(made: Plan) -> list[str]:
    """Say, reason by reason, of how many repositories GitHub told nothing."""
    reasons = list(made.unsure.values())
    return [
        f"GitHub did not say how {reasons.count(why)} of the repositories stand, so what is stored counts: {why}"
        for why in dict.fromkeys(reasons)
    ]


def _status_row(state: Status, left: Estimate | None) -> Sequence[str]:
    chunk = f"{state.chunk_number} {state.chunk_status}" if state.chunk_number is not None else ""
    if state.chunk_at is not None:
        chunk += f" {state.chunk_at.astimezone(UTC):%m-%d %H:%M}"
    return (
        state.full_name,
        str(state.captured),
        of_wanted("", state.total, state.goal, "", open_ended=state.open_ended),
        "?" if state.percent is None else f"{state.percent:.1f}",
        shown_status(state),
        "" if left is None else str(left),
        str(state.spent_points or 0),
        chunk,
    )


def _status_notes(state: Status, readings: Sequence[ReadingStanding]) -> Sequence[str]:
    """Return what there is to say of a repository besides its figures."""
    notes = [
        why_it_stands(state) or "",
        f"goal: {state.aim_words}" if state.aim != Goal() else "",
        complete_words(state.unlisted) if state.unlisted and state.status == BackfillStatus.COMPLETED else "",
        f"{state.gaps - state.unlisted} with gaps" if state.gaps > state.unlisted else "",
        f"{state.quarantined} in quarantine" if state.quarantined else "",
        *(_other_kind(each) for each in state.others),
        *(f"{each.name}: {of_wanted(each.known, each.total, None)} known" for each in readings),
        "private" if state.is_private else "",
    ]
    return [visible(note) for note in notes if note]


def _other_kind(other: OtherKind) -> str:
    """Return how far another kind of item has come, and what it lacks, as `status` says it of pull requests."""
    said = ["held" if other.held else other.status]
    if other.unlisted and other.status == BackfillStatus.COMPLETED:
        said = [complete_words(other.unlisted)]
    if other.gaps > other.unlisted:
        said.append(f"{other.gaps - other.unlisted} with gaps")
    return f"{other.kind}: {of_wanted(other.captured, other.total, None)}, {', '.join(said)}"
