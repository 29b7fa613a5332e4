"""Keep one open issue per repository and kind of alert: open, update, comment, close."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from gh_backfill.clients.alert_issues import AlertIssues, OpenIssue
from gh_backfill.errors import BackfillError
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.report import issue_text
from gh_backfill.policy.report.alerts import Alert, AlertKind, recovered
from gh_backfill.policy.report.figures import JobFigures
from gh_backfill.policy.report.issue_text import Occurrence
from gh_backfill.tasks.report.report import Report

# If very much fails at once, it has one cause: this many issues are opened, and the summary tells the rest.
MOST_NEW_ISSUES = 10
Key = tuple[AlertKind, str | None]
# Takes the addresses of the issues that are open, each by our id of its repository.
Keep = Callable[[Mapping[str, str]], None]


def tell(
    made: Report,
    at_github: Callable[[], AbstractContextManager[AlertIssues]],
    occurrence: Occurrence,
    *,
    keep: Keep | None = None,
) -> list[str]:
    """Bring the issues up to date; returns what was done, or that it could not be, and the run goes on.

    What is open afterwards is kept by `keep`, so that pages lead there; where that fails, a note of its own says so.
    """
    notes: list[str] = []
    known: dict[Key, OpenIssue] = {}
    try:
        with at_github() as issues:
            notes.extend(_tell(made, issues, occurrence, known))
    except BackfillError as error:
        without = {(alert.kind, alert.repository_id) for alert in made.alerts if alert.opens_issue} - known.keys()
        unseen = "not all issues were brought up to date" if known else "issues could not be looked at"
        lost = f"{counted(len(without), 'alert')} got no issue" if without else unseen
        return [*notes, f"{lost}: {error}"]
    return notes + _kept(keep, known)


def _kept(keep: Keep | None, known: Mapping[Key, OpenIssue]) -> list[str]:
    try:
        if keep is not None:
            keep(_addresses(known))
    except BackfillError as error:
        return [f"where the issues are could not be kept, and the pages do not lead there: {error}"]
    return []


def _tell(made: Report, issues: AlertIssues, occurrence: Occurrence, known: dict[Key, OpenIssue]) -> Iterator[str]:
    """Tell of each alert, and yield what was done; `known` has the open issues afterwards."""
    for issue in sorted(issues.open_ones(), key=lambda issue: issue.number):
        key = issue_text.identified(issue.body)
        if key is not None:
            known.setdefault(key, issue)
    raised = {(alert.kind, alert.repository_id): alert for alert in made.alerts if alert.opens_issue}
    new = 0
    for key, alert in raised.items():
        job = _job(made, alert)
        if key in known:
            yield from _update(issues, known[key], alert, job, occurrence)
        elif new < MOST_NEW_ISSUES:
            new += 1
            known[key] = issues.open(issue_text.title(alert), issue_text.first(alert, job, occurrence))
            yield f"issue #{known[key].number} opened: {issue_text.title(alert)}"
    if without := len(raised.keys() - known.keys()):
        yield f"{without} more alerts got no issue of their own"
    over, here = recovered(made.run, made.alerts, made.mended), recovered(made.run, made.alerts)
    for number, key in sorted((issue.number, key) for key, issue in known.items() if key in over):
        issues.comment(number, issue_text.over(occurrence, elsewhere=key not in here))
        issues.close(number)
        del known[key]
        yield f"issue #{number} closed: recovered"


def _addresses(known: Mapping[Key, OpenIssue]) -> dict[str, str]:
    """Return one address for each repository: that of its oldest issue."""
    oldest_last = sorted(known.items(), key=lambda each: -each[1].number)
    return {key[1]: issue.address for key, issue in oldest_last if key[1] is not None}


def _update(
    issues: AlertIssues, issue: OpenIssue, alert: Alert, job: JobFigures | None, occurrence: Occurrence
) -> Iterator[str]:
    then = issue_text.again(issue.body, alert, job, occurrence)
    if then.body is None:
        return
    issues.edit(issue.number, then.body)
    if then.comment is not None:
        issues.comment(issue.number, then.comment)
    yield f"issue #{issue.number} updated: {issue_text.title(alert)}"


def _job(made: Report, alert: Alert) -> JobFigures | None:
    return next((job for job in made.jobs if job.repository_id and job.repository_id == alert.repository_id), None)
