"""The commands that look: status, check, psql, and a simulated GitHub to look at."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands.options import Demo, Json, OptionalNames, number, path, stored
from gh_backfill.errors import ConfigurationError, EmptyDatabase
from gh_backfill.policy.json_text import json_text
from gh_backfill.terminal import listings

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.tasks.outlook import Outlook


def status(
    names: OptionalNames = None,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Show how far each repository's history has come, what is left in points and time, and what limits the rate.

    Example: [bold]gh-backfill status octocat/hello-world --json[/bold]
    """
    from gh_backfill.tasks.outlook import Outlook
    from gh_backfill.terminal import results

    environment = stored(demo=demo)
    try:
        seen = _seen(environment, names or [])
    except EmptyDatabase:
        if names or environment.database_url is not None:
            raise
        seen = Outlook(states=[], left={}, times={})
    if as_json:
        print(json_text(seen.as_json()))
    else:
        results.show_status(seen.states, left=seen.left, limited_by=seen.limited_by, readings=seen.readings)


def _seen(environment: settings.Settings, names: list[str]) -> Outlook:
    from gh_backfill.store import repositories
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.outlook import outlook

    with connect.database(environment, writing=False) as db:
        if not names:
            return outlook(db)
        with db.reading() as tx:
            found = repositories.find(tx, names)
        unknown = [name for name, known in found.items() if known is None]
        if unknown:
            raise ConfigurationError(f"not tracked here: {', '.join(unknown)}")
        return outlook(db, [known.id for known in found.values() if known is not None])


def check(
    as_json: Json = False,
    prices: Annotated[
        bool, typer.Option("--prices", help="Also show what our queries cost, by our prices and by GitHub's word.")
    ] = False,
) -> None:
    """Check settings, token, budget and database, one line each with what to do; exit code 2 if anything is wrong.

    The rights are proved by writing to every table in a transaction that is rolled back.
    Example: [bold]gh-backfill check[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import check as checking
    from gh_backfill.tasks import price_table

    environment = settings.load()
    found = checking.check(environment, datetime.now(UTC))
    able = prices and not any(each.name in {"settings", "token"} and not each.ok for each in found)
    priced = price_table.tables(environment) if able else []
    actions.write_summary(environment, listings.findings_markdown(found))
    if as_json:
        findings = [each.as_json() for each in found]
        told = {"findings": findings, "prices": [each.as_json() for each in priced]}
        print(json_text(told if prices else findings))
    else:
        listings.show_findings(found)
    if priced and not as_json:
        listings.show_prices(priced)
    wrong = [each.name for each in found if not each.ok]
    if wrong:
        raise ConfigurationError(f"{len(wrong)} of {len(found)} checks failed: {', '.join(wrong)}")


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql; put -- before options.")] = None,
    demo: Demo = False,
) -> None:
    """Look into the database with psql, which comes along.

    Example: [bold]gh-backfill psql -- -c 'select count(*) from pull_requests'[/bold]
    """
    from gh_backfill.store import psql as terminal
    from gh_backfill.tasks import connect

    environment = stored(demo=demo)
    connect.refuse_where_nothing_is(environment)
    say = print if environment.in_actions else None  # names in rows are private too
    with connect.database_url(environment) as url:
        if say is not None:
            with connect.database(environment, writing=False):
                pass  # from here on it is known which names are private
        raise typer.Exit(terminal.run(url, arguments or [], say))


def simulate(
    data: Annotated[
        list[Path] | None, typer.Option("--data", metavar="DIR", parser=path, help="A folder of recorded data.")
    ] = None,
    synthetic: Annotated[
        list[str] | None,
        typer.Option(
            "--synthetic",
            metavar="OWNER/NAME:N",
            help="An invented repository of N pull requests; may be repeated. After N may stand :SEED, :stars=N, "
            ":forks=N, :since=DAY and :until=DAY (the days of stars and forks), :discussions=N, and :marked=PERCENT of "
            "them with labels.",
        ),
    ] = None,
    port: Annotated[str, typer.Option(metavar="N", help="0 takes any free port.")] = "8080",
    charge_counts: Annotated[
        bool, typer.Option("--charge-counts", help="Charge also for connections of which only the count is asked.")
    ] = False,
    charge_ids: Annotated[bool, typer.Option("--charge-ids", help="Charge one unit for each nodes(ids:).")] = False,
    charge_aliases: Annotated[
        bool, typer.Option("--charge-aliases", help="Charge one unit for each alias at the root of a query.")
    ] = False,
    charge_percent: Annotated[
        str, typer.Option("--charge-percent", metavar="N", help="Charge so many percent more for everything.")
    ] = "0",
    dry_run_prices: Annotated[
        str,
        typer.Option(
            "--dry-run-prices", metavar="HOW", help="Tell prices: honest, refused, wrong (as published) or charged."
        ),
    ] = "honest",
    list_stars: Annotated[
        str,
        typer.Option(
            "--list-stars",
            metavar="HOW",
            help="Show the list of stargazers: no, yes, or turns such as 2,3,1: two times yes, three times no, then "
            "yes for ever.",
        ),
    ] = "no",
    closed_stars: Annotated[
        str,
        typer.Option(
            "--closed-stars",
            metavar="HOW",
            help="What a list that is not shown answers: forbidden, not_found (REST) or empty.",
        ),
    ] = "forbidden",
    star_history: Annotated[
        list[str] | None,
        typer.Option(
            "--star-history",
            metavar="ODDITY",
            help="How the history of stars is odd: shift=HOURS (its days "
            "begin so much after midnight), repeat (a week comes twice), future=N (days to come have N stars) or off "
            "(there is none); may be repeated.",
        ),
    ] = None,
) -> None:
    """Serve a simulated GitHub on this machine, with its prices, limits and faults.

    Example: [bold]gh-backfill simulate --synthetic octo-demo/engine:1000:stars=50000 --port 8080[/bold]
    """
    from gh_backfill.simulator import star_options
    from gh_backfill.simulator.options import ClosedStars, DryRun, Options
    from gh_backfill.simulator.pricing import Charges
    from gh_backfill.simulator.server import serve

    if not data and not synthetic:
        raise ConfigurationError("nothing to serve: give --data DIR or --synthetic OWNER/NAME:N")
    missing = [str(folder) for folder in data or [] if not folder.is_dir()]
    if missing:
        raise ConfigurationError(f"no such folder: {', '.join(missing)}")
    if dry_run_prices not in list(DryRun):
        raise ConfigurationError(f"--dry-run-prices must be one of {', '.join(DryRun)}, not {dry_run_prices[:40]}")
    if closed_stars not in list(ClosedStars):
        raise ConfigurationError(f"--closed-stars must be one of {', '.join(ClosedStars)}, not {closed_stars[:40]}")
    try:
        charges = Charges(
            counts=charge_counts,
            ids=charge_ids,
            aliases=charge_aliases,
            percent=number("--charge-percent", charge_percent, 0, 10_000) or 0,
        )
        options = Options(
            charges=charges,
            dry_run=DryRun(dry_run_prices),
            may_list_stars=star_options.listing(list_stars),
            closed_stargazers=ClosedStars(closed_stars),
            star_history=star_options.history(star_history or []),
        )
        serve(data or [], synthetic or [], number("--port", port, 0, 65535) or 0, options)
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"the simulated GitHub does not start: {error}") from None
