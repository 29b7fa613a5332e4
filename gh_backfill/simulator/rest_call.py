"""The ground that the handlers of the REST interface share: the call, and pages of lists."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gh_backfill.simulator import refusals
from gh_backfill.simulator.cursors import Cursors, InvalidCursor
from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.limits import Ledger
from gh_backfill.simulator.messages import Request, Response, reply
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.rows import IssueRow, PullRequestRow, RepositoryRow
from gh_backfill.simulator.world import World

MOST_ITEMS = 100


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request on its way through the interface; `parts` are what the address names besides the repository."""

    world: World
    options: Options
    ledger: Ledger
    request: Request
    identity: str
    origin: str
    parts: Mapping[str, str]

    def repository(self) -> RepositoryRow | None:
        """The repository of the address, where whoever asks may see it."""
        if "id" in self.parts:
            found = self.world.repositories.get(int(self.parts["id"]))
        else:
            found = self.world.repository(self.parts["owner"], self.parts["repo"])
        visible = found is not None and (not found.private or self.identity in self.options.private_readers)
        return found if visible else None

    @property
    def number(self) -> int:
        """The number of the address."""
        return int(self.parts["number"])

    def json(self) -> dict[str, Any]:
        """The object in the body; empty where there is none."""
        value = json.loads(self.request.body or b"{}")
        return value if isinstance(value, dict) else {}


Handler = Callable[[Call, RepositoryRow], Response]


def page(
    call: Call,
    repository: RepositoryRow,
    rows: Sequence[Any],
    view: Callable[[Any], object],
    *,
    most: int | None = None,
    pages: int | None = None,
) -> Response:
    """A page of a list, with the links to the others; what is longer than `most` rows, or `pages`, ends there."""
    size, page = _size(call), _page(call)
    most = size * pages if pages is not None else most
    if most is not None and (page - 1) * size >= most:
        return refusals.too_far_back()
    rows = rows[:most]
    response = reply([view(row) for row in rows[(page - 1) * size : page * size]])
    links = _links(call, repository, page, -(-len(rows) // size))
    return response.with_headers({"Link": links}) if links else response


def page_by_cursor(
    call: Call,
    repository: RepositoryRow,
    rows: Sequence[Key],
    view: Callable[[Key], object],
    *,
    order: str,
    descending: bool,
    most: int,
) -> Response:
    """A page of a list that goes on past `most` rows, but only by the `after` of the link that leads on."""
    cursors, given = Cursors(call.options.cursor_key), call.request.query.get("after")
    size, page = _size(call), _page(call)
    if given is None and page * size > most:
        return refusals.only_by_cursor()
    begin = (page - 1) * size
    if given is not None:
        try:
            past = cursors.open(order, given)
        except InvalidCursor:
            return refusals.only_by_cursor()
        begin = sum((row[:2] >= past) if descending else (row[:2] <= past) for row in rows)
    shown = rows[begin : begin + size]
    after = cursors.seal(order, *shown[-1][:2]) if shown and begin + size < len(rows) else None
    response = reply([view(row) for row in shown])
    links = _links(call, repository, page, -(-len(rows) // size), after)
    return response.with_headers({"Link": links}) if links else response


def find(call: Call, repository: RepositoryRow, number: int) -> IssueRow | PullRequestRow | None:
    """Return the issue or the pull request of a number."""
    return call.world.issue(repository.id, number) or call.world.pull(repository.id, number)


def _links(call: Call, repository: RepositoryRow, page: int, last: int, after: str | None = None) -> str:
    rest = re.sub(r"^/(repos/[^/]+/[^/]+|repositories/\d+)", "", call.request.path)
    wanted: dict[str, int] = {}
    if page > 1:
        wanted["prev"] = page - 1
    if page < last:
        wanted |= {"next": page + 1, "last": last}
    if page > 1:
        wanted["first"] = 1
    query = {name: value for name, value in call.request.query.items() if name != "after"}
    address = f"{call.origin}/repositories/{repository.id}{rest}"
    cursor = {} if after is None else {"after": after}
    return ", ".join(
        f'<{address}?{urlencode(query | (cursor if name == "next" else {}) | {"page": number})}>; rel="{name}"'
        for name, number in wanted.items()
    )


def _size(call: Call) -> int:
    return min(max(_number(call.request.query.get("per_page"), 30), 1), MOST_ITEMS)


def _page(call: Call) -> int:
    return max(_number(call.request.query.get("page"), 1), 1)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
