"""Files and commits of many pull requests: 149 lists for a point, each followed to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from gh_backfill.clients import damage, documents, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.clients.halving import Halving, HalvingRound
from gh_backfill.errors import Denied
from gh_backfill.models.diffs import DiffList, DiffTold, DiffWanted
from gh_backfill.models.github import NotFound, Unknown
from gh_backfill.models.work import COMMITS, FILES
from gh_backfill.policy.query_prices import MOST_IDS, UNITS_OF_ONE_POINT

# Further pages in a query: each names its place by an alias and brings up to a hundred rows.
MOST_MORE = 40
# GitHub counts all, and lists no more than these: https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
MOST_LISTED = {FILES: 3_000, COMMITS: 250}
# Of a list that says it goes on and does not.
STUCK = "the list does not lead on"
_FIRST = {FILES: "FilesById", COMMITS: "CommitsById"}
_MORE = {FILES: "MoreFiles", COMMITS: "MoreCommits"}

DiffAnswer = HalvingRound[DiffWanted, DiffTold]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """A page of a list: what it has so far, of how many, and where it goes on (None: it is over)."""

    so_far: DiffList
    after: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _More:
    """A list that goes on: what it has so far, and after which cursor."""

    wanted: DiffWanted
    page: _Page


@dataclass(kw_only=True, slots=True)
class DiffReader:
    """Asks for lists, and remembers how many GitHub can take at once."""

    graphql: GraphQL
    of: Sequence[str]
    first: Halving[DiffWanted, _Page | NotFound] = field(init=False)
    more: Halving[_More, _Page | NotFound] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with as many as a point buys; GitHub takes a hundred ids in one place."""
        self.first = Halving(ask=self._begin, limit=UNITS_OF_ONE_POINT if len(self.of) > 1 else MOST_IDS)
        self.more = Halving(ask=self._go_on, limit=MOST_MORE)

    def read(self, wanted: Sequence[DiffWanted]) -> Iterator[DiffAnswer]:
        """Yield lists as they are whole, so that they can be kept before more is asked; what is unknown comes last.

        Raises what `GraphQL.execute` raises where it concerns all.
        """
        for answer in self.first.read(wanted):
            whole: list[tuple[DiffWanted, DiffTold]] = []
            waiting: list[_More] = []
            for each, told in answer.told:
                if isinstance(told, _Page) and told.after is not None:
                    waiting.append(_More(wanted=each, page=told))
                else:
                    whole.append((each, told.so_far if isinstance(told, _Page) else told))
            if whole:
                yield DiffAnswer(told=whole, at=answer.at)
            yield from self._followed(waiting)

    def _followed(self, waiting: list[_More]) -> Iterator[DiffAnswer]:
        """Follow lists to their ends, many side by side."""
        while waiting:
            later: list[_More] = []
            for answer in self.more.read(waiting):
                whole: list[tuple[DiffWanted, DiffTold]] = []
                for each, told in answer.told:
                    if not isinstance(told, _Page):
                        whole.append((each.wanted, told))
                    elif told.after is None:
                        whole.append((each.wanted, told.so_far))
                    else:
                        later.append(replace(each, page=told))
                if whole:
                    yield DiffAnswer(told=whole, at=answer.at)
            waiting = later

    def _begin(self, part: Sequence[DiffWanted]) -> HalvingRound[DiffWanted, _Page | NotFound | Unknown]:
        """Ask for the first pages of lists."""
        by_list = {of: [each for each in part if each.of == of] for of in self.of}
        asked = {of: each for of, each in by_list.items() if each}
        variables: dict[str, object] = {of: [each.node_id for each in lists] for of, lists in asked.items()}
        query = documents.aliases(tuple(_FIRST[of] for of in asked))
        answer = self.graphql.execute(query, variables, divisible=len(part) > 1)
        told: list[tuple[DiffWanted, _Page | NotFound | Unknown]] = []
        for of, lists in asked.items():
            nodes = answer.data.get(of)
            nodes = nodes if isinstance(nodes, list) else []
            for at, each in enumerate(lists):
                node = nodes[at] if at < len(nodes) else None
                told.append((each, _told(answer, each, node, (of, at), None)))
        return HalvingRound(told=told, at=answer.server_time)

    def _go_on(self, part: Sequence[_More]) -> HalvingRound[_More, _Page | NotFound | Unknown]:
        """Ask for the next pages of lists."""
        variables: dict[str, object] = {}
        for at, each in enumerate(part):
            variables |= {f"id{at}": each.wanted.node_id, f"after{at}": each.page.after}
        query = documents.aliases(tuple(_MORE[each.wanted.of] for each in part))
        answer = self.graphql.execute(query, variables, divisible=len(part) > 1)
        told = [
            (each, _told(answer, each.wanted, answer.data.get(f"a{at}"), (f"a{at}",), each.page))
            for at, each in enumerate(part)
        ]
        return HalvingRound(told=told, at=answer.server_time)


def _told(
    answer: Answer, wanted: DiffWanted, node: Any, path: tuple[str | int, ...], before: _Page | None
) -> _Page | NotFound | Unknown:
    """Read what GitHub said of one list; what is cut short, or can't be read, is unknown and asked for again."""
    if path in answer.not_found:
        return NotFound()
    if not isinstance(node, dict) or node.get(damage.MARK, damage.MENDED) != damage.MENDED:
        why = answer.why(*path)
        return Unknown(reason=str(why), passing=not isinstance(why, Denied))
    try:
        return _page(wanted, node, before)
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {sense.one_line(error)[:80]}", passing=True)


def _page(wanted: DiffWanted, node: Mapping[str, Any], before: _Page | None) -> _Page | Unknown:
    if node["id"] != wanted.node_id:
        raise ValueError("another pull request")
    listed, total = node["list"], sense.count(node["count"]["totalCount"])
    if sense.count(listed["totalCount"]) != total:
        raise ValueError("the list is cut short")
    rows = tuple(_ROW[wanted.of](each) for each in listed["nodes"])
    so_far = before.so_far.rows if before is not None else ()
    as_of: datetime = before.so_far.as_of if before is not None else sense.moment(node["updatedAt"])
    every, more = so_far + rows, sense.truth(listed["pageInfo"]["hasNextPage"])
    after = sense.text_or_none(listed["pageInfo"]["endCursor"]) if more else None
    if more and (after is None or not rows or after == (before.after if before is not None else None)):
        return Unknown(reason=f"{STUCK} after {len(every):,} of {total:,}", passing=True)
    lacks = not more and len(every) < total
    gap = f"GitHub lists {len(every):,} of {total:,}" if lacks else None
    if gap is not None and len(every) < MOST_LISTED[wanted.of]:
        return Unknown(reason=gap, passing=True)
    return _Page(so_far=DiffList(rows=every, total=total, as_of=as_of, gap=gap), after=after)


def _file(node: Mapping[str, Any]) -> dict[str, object]:
    return {
        "path": sense.text(node["path"]),
        "change_type": sense.text(node["changeType"]).lower(),
        "additions": sense.count(node["additions"]),
        "deletions": sense.count(node["deletions"]),
    }


def _commit(node: Mapping[str, Any]) -> dict[str, object]:
    commit = node["commit"]
    author = commit["author"] or {}
    user = author.get("user") or {}
    return {
        "oid": sense.text(commit["oid"]),
        "message": sense.text_or_none(commit["messageHeadline"]) or "",
        "authored_at": sense.moment(commit["authoredDate"]).isoformat(),
        "committed_at": sense.moment(commit["committedDate"]).isoformat(),
        "author_name": sense.text_or_none(author.get("name")),
        "author_github_id": sense.identity(user["databaseId"]) if user.get("databaseId") is not None else None,
        "author_login": sense.text_or_none(user.get("login")),
    }


_ROW = {FILES: _file, COMMITS: _commit}
