"""The commands that find items: search, and similar."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import output
from gh_backfill.commands.options import Demo, Json, Workspace, addresses, number, stored
from gh_backfill.errors import PartlyFailed
from gh_backfill.policy.json_text import json_text

if TYPE_CHECKING:
    from gh_backfill.tasks.search.found import Found

MOST = 200
Limit = Annotated[
    str | None, typer.Option("--limit", metavar="N", help=f"At most so many items, 1 to {MOST}. Default: 10.")
]


def search(
    text: Annotated[str, typer.Argument(metavar='"TEXT"', help='Words, an identifier, "a phrase", -without, or.')],
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--repository",
            metavar="REPOSITORY",
            callback=addresses,
            help="Only in this one; may be given again. Default: all.",
        ),
    ] = None,
    workspace: Workspace = None,
    types: Annotated[
        str | None, typer.Option("--type", metavar="WORDS", help="issue, pull_request, discussion, or several.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="WORDS", help="open, closed, merged, or several. Default: any.")
    ] = None,
    limit: Limit = None,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Find issues, pull requests and discussions by words and by meaning.

    Without vectors, which gh-backfill embed makes, it goes by words alone, and says so.
    Example: [bold]gh-backfill search "login fails after update" --repository octocat/hello-world[/bold]
    """
    environment = stored(demo=demo)
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.search import find
    from gh_backfill.tasks.search.query_vectors import QueryVectors

    most = number("--limit", limit, 1, MOST) or find.USUAL
    makers = QueryVectors()
    with connect.database(environment, writing=False) as db:
        chosen = find.chosen(db, names or [], workspace, types=types, states=state, public_only=_in_public())
        found = find.find(db, text, chosen.scope, lambda asked: makers.of(environment, asked), limit=most)
    _show(found, as_json=as_json)
    if chosen.unknown:
        raise PartlyFailed(f"not here: {', '.join(chosen.unknown)}: gh-backfill track brings them")


def similar(
    item: Annotated[str, typer.Argument(metavar="OWNER/REPO#N", help="The item, or the address of its page.")],
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Of all repositories. Default: of its own.")] = False,
    limit: Limit = None,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Find what is most like an issue, pull request or discussion, by their vectors.

    Vectors are made by gh-backfill embed.
    Example: [bold]gh-backfill similar octocat/hello-world#42[/bold]
    """
    environment = stored(demo=demo)
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.search import find

    most = number("--limit", limit, 1, MOST) or find.USUAL
    with connect.database(environment, writing=False) as db:
        found = find.similar(db, item, limit=most, everywhere=everywhere, public_only=_in_public())
    _show(found, as_json=as_json)


def _in_public() -> bool:
    """Say whether anybody may read what is printed: a workflow's log has nothing of private repositories."""
    return output.in_actions(os.environ)


def _show(found: Found, *, as_json: bool) -> None:
    from gh_backfill.terminal import searched

    print(json_text(found.as_json())) if as_json else searched.show_found(found)
