"""The command that does the whole job on this machine: run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill.commands import options
from gh_backfill.commands import serve as pages
from gh_backfill.commands.options import DryRun, OptionalNames, Workers, number
from gh_backfill.commands.work import failure
from gh_backfill.errors import PartlyFailed
from gh_backfill.policy.markdown import counted

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.models.work import Goal


def run(
    names: OptionalNames = None,
    max_prs: Annotated[
        str | None,
        typer.Option("--max-prs", metavar="N", help="Only the newest N pull requests of each; more, or `all`, later."),
    ] = None,
    workers: Workers = None,
    serve: Annotated[bool, typer.Option("--serve", help="Open the pages when it is done.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Do the whole job on this machine: track, plan, capture several at once, report.

    Without GITHUB_TOKEN and repositories it is a demo on an invented GitHub.
    Example: [bold]GITHUB_TOKEN=… gh-backfill run octocat/hello-world[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.policy.initial import LANES
    from gh_backfill.tasks import demo, local
    from gh_backfill.terminal import bars, results

    goal, larger = options.goal(max_prs)
    many = number("--workers", workers, 1, 20) or LANES
    environment = settings.load()
    given = names or []
    if dry_run:
        _preview_run(environment, given, goal)
        return
    with bars.scene() as show:
        if demo.is_demo(environment, given):
            print("demo: without GITHUB_TOKEN and repositories, invented ones go into a database of their own")
            with demo.running(environment) as invented:
                done = local.run(
                    invented,
                    demo.names(),
                    goal=goal,
                    larger=larger,
                    workers=many,
                    show=show,
                    say=print,
                )
        else:
            done = local.run(environment, given, goal=goal, larger=larger, workers=many, show=show, say=print)
    results.show_local_run(done, demo=demo.is_demo(environment, given))
    if serve:
        pages.serve()
    if done.report and done.report.failed:
        failed = [each.name for each in done.report.failed]
        part = f"{len(failed)} of {counted(len(done.report.jobs), 'capture')} failed"
        text = f"{part}: {', '.join(failed)}; log: {done.log}"
        raise failure(text, {job.error_type for job in done.report.failed})
    if done.standing:
        raise PartlyFailed("; ".join(done.standing))
    if any(each.failed for each in done.tracked):
        raise PartlyFailed("some repositories can't be captured; the others are done")


def _preview_run(environment: settings.Settings, names: list[str], goal: Goal) -> None:
    """Say what a run would capture beside what is stored."""
    from gh_backfill.tasks import demo, preview
    from gh_backfill.tasks import track as tracking
    from gh_backfill.terminal import results

    if demo.is_demo(environment, names):
        print("would capture invented repositories into the demo's database; nothing was written")
        return
    if not names:
        results.show_plan(*preview.of_plan(environment), dry_run=True)
        return
    found = preview.of_names(environment, names, goal)
    for each in found:
        results.show_preview(each)
    if not any(each.tracked.repository for each in found):
        tracking.raise_failures([each.tracked for each in found])
