"""The command that writes what is stored as files for other programs: export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill.commands.options import Demo, DryRun, Json, addresses, path, stored
from gh_backfill.errors import PartlyFailed
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import counted

if TYPE_CHECKING:
    from gh_backfill.tasks.exports.export import Exported

UNITS = ("bytes", "KB", "MB", "GB", "TB")


def export(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", parser=path, help="A new folder; or a new file, where it ends in .sqlite.")
    ],
    format_word: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="WORD",
            help="parquet, csv, jsonl (a folder with a file for each table) or sqlite. "
            "Default: what OUT ends in, or csv.",
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--repository",
            metavar="REPOSITORY",
            callback=addresses,
            help="Only this one; may be given again. Default: all.",
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Also repositories that are not known to be public, and their people.")
    ] = False,
    embeddings: Annotated[bool, typer.Option("--with-embeddings", help="Also the vectors of texts.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file, or the folder of an earlier export.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Write what is stored as Parquet, CSV, JSON Lines or SQLite: all of one moment, and whole or not at all.

    Only repositories that are known to be public, unless told otherwise. CSV has texts as people wrote them: a
    spreadsheet may take one that begins with = for a formula.
    Example: [bold]gh-backfill export history.sqlite --repository octocat/hello-world[/bold]
    """
    environment = stored(demo=demo)
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.exports import export as exports
    from gh_backfill.terminal import bars

    wanted = exports.asked(out, format_word=format_word or "", private=private, force=force, embeddings=embeddings)
    with connect.database(environment, writing=False) as db, bars.export_progress() as listen:
        done = exports.export(db, names or [], wanted, listen, dry_run=dry_run)
    print(json_text(asdict(done))) if as_json else _show(done)
    if done.unknown:
        raise PartlyFailed(f"not here: {', '.join(done.unknown)}: gh-backfill track brings them")


def _show(done: Exported) -> None:
    from gh_backfill.terminal import console, tables

    columns = (tables.Column(title="table"), tables.Column(title="rows", is_figure=True))
    console.show_table(columns, [tables.Row(cells=[each.name, f"{each.rows:,}"]) for each in done.tables])
    verb, about = ("would write", "about ") if done.dry_run else ("wrote", "")
    print(
        f"{verb} {counted(done.rows, 'row')} of {counted(done.repositories, 'repository')} to {done.out} "
        f"({done.format}, {about}{_size(done.bytes)}), all as of {console.moment(done.at)}"
    )
    if done.private_left_out:
        people = f", and {done.people_left_out:,} known only from there" if done.people_left_out else ""
        print(f"left out: {counted(done.private_left_out, 'private repository')}{people}; --private brings them")


def _size(number: float) -> str:
    for unit in UNITS:
        if number < 1000 or unit == UNITS[-1]:
            return f"{number:,.0f} {unit}" if unit == UNITS[0] else f"{number:,.1f} {unit}"
        number /= 1000
    raise AssertionError
