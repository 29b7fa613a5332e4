"""Show a report where GitHub Actions reads: step summary, outputs, annotations.

Whatever a report says is hidden where it must be before it becomes Markdown, for escaped text looks like no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gh_backfill import actions, hidden
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import counted, details, plain, shortened, table
from gh_backfill.policy.progress import of_wanted
from gh_backfill.policy.redaction import redacted, without_secrets
from gh_backfill.policy.report.alerts import Alert
from gh_backfill.policy.report.figures import JobFigures, Json
from gh_backfill.policy.standing import notice, outcome_words
from gh_backfill.settings import Settings
from gh_backfill.tasks.report.report import Report

# GitHub takes outputs of at most 1 MB for a job.
LARGEST_OUTPUT = 500_000
_ICONS = {
    "completed": "✅",
    "stopped": "✅",
    "paused": "⏸️",
    "busy": "⏸️",
    "cancelled": "🚫",
    "never_started": "🚫",
}


def publish(settings: Settings, made: Report, notes: Sequence[str] = ()) -> ConfigurationError | None:
    """Write step summary, outputs and annotations; `notes` tell what else became of the report.

    Returns why there are no outputs, if they can't be written; the rest is there and tells of it.
    """
    made, notes = for_others(made), [shown(note) for note in notes]
    lost: ConfigurationError | None = None
    try:
        actions.write_outputs(settings, outputs(made))
    except ConfigurationError as error:
        lost = error
        notes.append(shown(f"the step has no outputs: {error}"))
    actions.write_summary(settings, markdown(made, notes))
    _annotate(settings, made, notes)
    return lost


def for_others(made: Report) -> Report:
    """Return a report of which everybody may read every text: no secret and no server is in any."""
    run = made.run
    figures = replace(
        run,
        jobs=tuple(_job_for_others(job) for job in run.jobs),
        system_errors=tuple(replace(each, error=shown(each.error)) for each in run.system_errors),
        notes=tuple(shown(note) for note in run.notes),
        idle=None if run.idle is None else shown(run.idle),
    )
    alerts = tuple(replace(each, text=shown(each.text), advice=shown(each.advice)) for each in made.alerts)
    return replace(made, run=figures, alerts=alerts)


def shown(text: str) -> str:
    """Return text without the secrets that this process knows, and without what looks like one or like a server."""
    return redacted(without_secrets(text, hidden.secrets()))


def _job_for_others(job: JobFigures) -> JobFigures:
    warned = tuple(replace(each, reason=shown(each.reason)) for each in job.warned)
    return replace(job, error=None if job.error is None else shown(job.error), warned=warned)


def _annotate(settings: Settings, made: Report, notes: Sequence[str]) -> None:
    jobs = made.jobs
    serious = [_told(alert) for alert in made.alerts if alert.serious]
    named = {alert.repository for alert in made.alerts if alert.opens_issue}
    failed = [f"{job.title}: {job.error or job.status}" for job in made.failed if job.name not in named]
    actions.annotate(settings, "error", [*serious, *failed])
    warned = [f"{job.title}: {counted(job.warnings, 'warning')}" for job in jobs if job.warnings]
    warnings = [_told(alert) for alert in made.alerts if not alert.serious]
    actions.annotate(settings, "warning", [*warnings, *warned, *made.run.notes, *notes])
    actions.annotate(settings, "notice", [f"{job.title}: {notice(job.error or 'paused')}" for job in made.run.paused])


def outputs(made: Report) -> dict[str, str]:
    """Return the outputs of the step: every total, the error summary and the whole report, where they fit."""
    report, errors = made.as_json(), made.run.error_summary()
    values = {name: str(value) for name, value in made.totals().items()}
    return {**values, "error_summary": _fitting(errors), "report": _fitting(report)}


def markdown(made: Report, notes: Sequence[str] = ()) -> str:
    """Return the report as Markdown: a line for the run, alerts, a row for each repository, folded details."""
    made, notes = for_others(made), [shown(note) for note in notes]
    parts = ["## Backfill", plain(made.run.headline), _alerts(made.alerts), _notes((*made.run.notes, *notes))]
    if made.jobs:
        columns = ("", "repository", "captured / total", "this run", "chunks", "points", "duration", "left", "result")
        parts += [table(columns, [_row(job) for job in made.jobs]), _proofs(made)]
        parts += [_errors(made), _limits(made), _costs(made)]
    return "\n\n".join(part for part in parts if part)


def _alerts(alerts: Sequence[Alert]) -> str:
    return "\n".join(
        f"- {'🔴' if alert.serious else '🟡'} {plain(shortened(alert.text))}. *{plain(alert.advice)}*"
        for alert in alerts
    )


def _notes(notes: Sequence[str]) -> str:
    return "\n".join(f"- {plain(shortened(note))}" for note in notes)


def _row(job: JobFigures) -> Sequence[str]:
    progress = (
        "" if job.captured is None else of_wanted(job.captured, job.total, job.goal, " / ", open_ended=job.open_ended)
    )
    result = outcome_words((job.outcome or job.status).replace("_", " "), shortened(job.error or "", 200))
    if job.warnings:
        result += f"; {counted(job.warnings, 'warning')}"
    icon = "⚠️" if job.warnings and not job.failed else _ICONS.get(job.outcome or "", "❌" if job.failed else "⏳")
    figures = (str(job.items), str(job.chunks), str(job.points), f"{job.seconds:.0f} s", str(job.left or ""))
    return (icon, plain(job.title), progress, *figures, plain(result))


def _errors(made: Report) -> str:
    lines = []
    for job in made.jobs:
        if job.failed or job.warnings:
            kind = "critical" if job.critical else "error" if job.failed else "warning"
            lines.append(f"- **{plain(job.title)}**: {kind}, {plain(job.error_type or 'invalid_data')}")
            lines += [f"  - {plain(shortened(job.error))}"] if job.error else []
            lines += [
                f"  - {warned.count} of {plain(warned.kind)}: {plain(shortened(warned.reason))}"
                for warned in job.warned
            ]
    summary = made.run.error_summary()
    title = (
        f"{counted(summary['total_errors'], 'error')}: {len(summary['critical_errors'])} critical, "
        f"{counted(made.totals()['warnings'], 'warning')}"
    )
    return details(title, "\n".join(lines)) if lines else ""


def _proofs(made: Report) -> str:
    """Tell the last certificate of each repository of the run, once."""
    known = {job.name: job.certificate for job in made.jobs if job.certificate is not None}
    lines = [f"- **{plain(name)}**: {plain(shortened(line))}" for name, line in known.items()]
    return details(counted(len(lines), "certificate"), "\n".join(lines)) if lines else ""


def _limits(made: Report) -> str:
    line = made.run.limited_by
    return "" if line is None else f"{line[0].upper()}{line[1:]}."


def _costs(made: Report) -> str:
    if made.month is None or not made.totals()["minutes"]:
        return ""
    return (
        f"{counted(made.totals()['minutes'], 'runner minute')}; this month so far ${made.month.total:.2f}, "
        f"projected ${made.month.projected:.2f}."
    )


def _told(alert: Alert) -> str:
    return f"{alert.text}: {alert.advice}"


def _fitting(value: Json) -> str:
    text = json_text(value)
    return text if len(text.encode()) < LARGEST_OUTPUT else json_text({"too_long": len(text)})
