"""The commands that tell: report, costs, and the receiver of GitHub's webhooks."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands.options import Demo, Json, Preview, number, stored
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import counted, readable

if TYPE_CHECKING:
    from gh_backfill.settings import Settings
    from gh_backfill.tasks.report.alert_issues import Keep
    from gh_backfill.tasks.report.report import Report, ReportOptions

log = logging.getLogger(__name__)

UNKNOWN_RUN = "unknown"


def report(dry_run: Preview = False, as_json: Json = False, demo: Demo = False) -> None:
    """Close a run: every planned job gets its final status; shows what was captured and what failed, and tells of it.

    A dry run shows where the jobs stand, closes none and tells nobody.

    Example: [bold]gh-backfill report[/bold]
    """
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.report import notifications
    from gh_backfill.tasks.report.publish import markdown, publish

    now = datetime.now(UTC)
    environment, wrong = _environment(demo=demo, dry_run=dry_run)
    dry_run = dry_run or environment.dry_run
    key = connect.this_run(environment).key if environment.run_id or environment.run_key else None
    options = _options(environment, wrong)
    trouble: Exception | None = None
    try:
        made, notes = _reported(environment, key, options, now, dry_run=dry_run)
    except Exception as error:
        if dry_run or not environment.in_actions or (key is None and options.wrong_settings is None):
            raise
        trouble = options.wrong_settings or error
        made = _what_can_be_read(environment, key, replace(options, trouble=trouble, wrong_settings=None), now)
        notes = notifications.aside("telling of the alerts", lambda: _alert(environment, made, now))
    lost = publish(environment, made, notes)
    print(json_text(made.as_json()) if as_json else _as_shown(markdown(made, notes)))
    _end(made, trouble or options.wrong_settings, lost)


def _as_shown(text: str) -> str:
    """Return Markdown as it is for whoever keeps it, and for a person without its escapes."""
    return readable(text) if sys.stdout.isatty() else text


def costs(as_json: Json = False, demo: Demo = False) -> None:
    """Show what this month has cost so far, by processor, what it will come to, and what was saved.

    Example: [bold]gh-backfill costs --json[/bold]
    """
    from gh_backfill.policy.report.savings import explained
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.report import costs as spending

    environment = stored(demo=demo)
    with connect.database(environment, writing=False) as db:
        month = spending.month(db, environment, datetime.now(UTC))
    if as_json:
        print(json_text(spending.as_json(month)))
        return
    jobs = {work.processor: work for work in month.works}
    for processor, spent in month.by_processor.items():
        work = jobs.get(processor)
        minutes = counted(work.minutes if work else month.overhead_minutes, "minute")
        done = f"{counted(work.jobs, 'job')}, {minutes}" if work else minutes
        print(f"{processor:16} ${spent:10.4f}   {done}")
    print(f"{'embeddings':16} ${month.embeddings:10.4f}")
    print(f"{'this month':16} ${month.total:10.4f}   projected ${month.projected:.4f}")
    share = "" if month.saving_percent is None else f"   saved ${month.saving:.4f} ({month.saving_percent} %)"
    print(f"{'Inngest only':16} ${month.inngest_only + month.embeddings:10.4f}{share}")
    if month.budget is not None:
        print(f"{'budget':16} ${month.budget:10.4f}   {month.used_percent} % spent")
    for sentence in explained(month):
        print(sentence)


def webhooks(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[str, typer.Option(metavar="N", help="0 takes any free port.")] = "8090",
) -> None:
    """Receive GitHub's webhooks: a pull request that moves in a tracked repository is fetched within a minute.

    Point a webhook of GitHub at https://your-host/webhooks/github with WEBHOOK_SECRET as its secret.
    Example: [bold]WEBHOOK_SECRET=… gh-backfill webhooks --port 8090[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect
    from gh_backfill.web import serving

    environment = settings.load()
    if environment.webhook_key is None:
        raise ConfigurationError("not configured: WEBHOOK_SECRET (what GitHub signs its webhooks with)")
    with connect.database_url(environment) as url:
        serving.serve(environment, url, host=host, port=number("--port", port, 0, 65535) or 0)


def _environment(*, demo: bool, dry_run: bool) -> tuple[Settings, ConfigurationError | None]:
    """Return the settings, in Actions also where some are malformed: what is left of them, and what is wrong.

    The demo and a dry run tell nobody, so there the error is the whole answer.
    """
    from gh_backfill import settings

    try:
        return stored(demo=demo), None
    except ConfigurationError as error:
        left = settings.readable()
        if demo or dry_run or left.dry_run or not left.in_actions:
            raise
        return left, error


def _end(made: Report, trouble: Exception | None, lost: ConfigurationError | None) -> None:
    """Raise the first that is true: what kept the report from the database, what failed, why there are no outputs."""
    if trouble is not None:
        raise trouble
    if made.failed or made.run.system_errors:
        raise PartlyFailed(_ended(made))
    if lost is not None:
        raise lost


def _reported(
    environment: Settings, key: str | None, options: ReportOptions, now: datetime, *, dry_run: bool
) -> tuple[Report, list[str]]:
    """Make the report and tell of it; what can't be told is a note, for the report itself stands.

    In Actions the rights are not proved first: the run's jobs are closed before anything else can hurt.
    """
    from gh_backfill.tasks import aggregate, connect
    from gh_backfill.tasks.report import notifications
    from gh_backfill.tasks.report import report as reporting

    if key is None and environment.in_actions and options.wrong_settings is not None:
        raise options.wrong_settings  # without its key another run would be closed, the last one
    proved = not dry_run and not environment.in_actions
    connect.refuse_where_nothing_is(environment)
    with connect.database(environment, writing=proved) as db:
        made = reporting.report(db, key, dry_run=dry_run, options=options, now=now)
        if dry_run:
            return made, []
        keep = partial(reporting.keep_issues, db, made.run_key)
        notes = notifications.aside("telling of the alerts", lambda: _alert(environment, made, now, keep=keep))
        notes += notifications.aside("posting the report", lambda: notifications.deliver(db, environment, made))
        address = _address(environment, made)
        notes += notifications.aside("the notification", lambda: notifications.notify(db, environment, now, address))
        aggregate.settle(db)
    return made, notes


def _what_can_be_read(environment: Settings, key: str | None, options: ReportOptions, now: datetime) -> Report:
    """Return the report of a run that can't be written: from a database that can be read, else from the settings."""
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.report import report as reporting

    if key is None:
        return reporting.unreachable(UNKNOWN_RUN, options, now)
    try:
        with connect.database(environment, writing=False) as db:
            return reporting.report(db, key, options=options, now=now)
    except Exception:
        log.debug("the database can't be read either", exc_info=True)
        return reporting.unreachable(key, options, now)


def _ended(made: Report) -> str:
    """Say in one line why a report is not green."""
    if not made.jobs:
        return made.run.headline.rstrip(".")
    many = counted(len(made.jobs), "job")
    text = f"{len(made.failed)} of {many} failed; the others are done" if made.failed else f"{many} done"
    return "; ".join([text, *(each.error for each in made.run.system_errors)])


def _options(environment: Settings, wrong: ConfigurationError | None) -> ReportOptions:
    from gh_backfill.policy.report.costs import CostRates
    from gh_backfill.tasks import check_schedule
    from gh_backfill.tasks.report import costs as spending
    from gh_backfill.tasks.report.report import ReportOptions

    prices = CostRates()
    try:
        prices = spending.prices(environment)
    except ConfigurationError as error:
        wrong = wrong or error
    token, repository = environment.github_token, environment.repository
    run = None if environment.run_id is None else (environment.run_id, environment.run_attempt)
    ask = None
    if token is not None and repository is not None:
        from gh_backfill.clients import runs

        secret = token.get_secret_value()
        ask = lambda run_id: runs.runner_jobs(environment.github_api_url, secret, repository, run_id)  # noqa: E731
    return ReportOptions(
        disabled=(lambda: check_schedule.disabled(environment)) if environment.in_actions else None,
        ask=ask,
        run=run,
        number=environment.run_number,
        plan_result=environment.plan_result,
        plan_error=environment.plan_error,
        plan_idle=environment.plan_idle,
        scheduled=environment.event == "schedule",
        prices=prices,
        wrong_settings=wrong,
        budget=environment.monthly_budget,
        page=None if environment.repository is None else (environment.server_url, environment.repository),
        public=actions.is_public(environment) if environment.in_actions else None,
        priced=spending.is_priced(environment),
    )


def _alert(environment: Settings, made: Report, now: datetime, *, keep: Keep | None = None) -> list[str]:
    from gh_backfill.policy.report.issue_text import Occurrence
    from gh_backfill.tasks.report.publish import for_others

    repository = environment.alert_repository or (environment.repository if environment.in_actions else None)
    token = environment.alert_token or environment.github_token
    raised = sum(each.opens_issue for each in made.alerts)
    if repository is None or token is None:
        missing = environment.withheld or "GITHUB_TOKEN is missing"
        told = missing if repository else "set GH_BACKFILL_ALERT_REPOSITORY for issues"
        return (
            [f"{counted(raised, 'alert')} got no issue: {told}"]
            if raised and (repository or environment.in_actions)
            else []
        )
    from gh_backfill.clients.alert_issues import issues_of
    from gh_backfill.tasks.report import alert_issues

    secret = token.get_secret_value()
    occurrence = Occurrence(at=now, run_key=made.run_key, address=_address(environment, made))
    return alert_issues.tell(
        for_others(made), lambda: issues_of(environment.github_api_url, secret, repository), occurrence, keep=keep
    )


def _address(environment: Settings, made: Report) -> str | None:
    from gh_backfill.policy.report.addresses import run_address

    return run_address(environment.server_url, environment.repository, made.run.run_id, made.run.attempt)
