"""The newest updates of many repositories, asked for together: which of a thousand changed, for a dozen points.

Each list costs one unit a repository, and a point buys 149 of them; but a query takes 100 ids of a list at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gh_backfill.clients import damage, documents, parsing, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.errors import BadCredentials, Denied, GitHubError, RateLimited, TooBig, Unexpected, Unreachable
from gh_backfill.models.github import Named, NodeId, NotFound, Unknown
from gh_backfill.models.heads import Head, Newest, Updates
from gh_backfill.policy import query_prices
from gh_backfill.policy.query_prices import MOST_IDS, UNITS_OF_ONE_POINT

# So many of a list are asked for, as the documents say.
NEWEST = 10
# The template of each kind, and what it calls its repositories.
_LISTS: Mapping[str, tuple[str, str]] = {
    "pull_requests": ("PullRequestHeads", "pulls"),
    "issues": ("IssueHeads", "issues"),
    "discussions": ("DiscussionHeads", "discussions"),
}
# What GitHub left out is asked for once more, so many together, and no more than so many in all.
AGAIN, MOST_AGAIN = 25, 100
# Where GitHub refuses the first that it is asked about alone, so many, it refuses the credential.
MOST_REFUSALS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadsWanted:
    """A repository, and the kinds of items whose newest are asked for."""

    repository: NodeId
    kinds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadsTold:
    """What GitHub said of each repository, in their order; `limited` is why it was not asked about the last ones."""

    answers: tuple[Named[Updates], ...]
    limited: RateLimited | None = None


def read(graphql: GraphQL, wanted: Sequence[HeadsWanted]) -> HeadsTold:
    """Ask for the newest of all these repositories.

    What is too much together, and what is refused, is asked for in halves: one that GitHub refuses is unknown alone.
    Raises BadCredentials, and what was said instead of any answer at all.
    """
    reader = _Reader(graphql=graphql, wanted=wanted)
    reader.ask(range(len(wanted)))
    again = [place for place in range(len(wanted)) if isinstance(reader.told.get(place), Unknown)]
    if again and reader.answered and reader.ended is None:
        reader.ask(again[:MOST_AGAIN], most=AGAIN)
    if reader.ended is not None and not reader.answered:
        raise reader.ended
    why = Unknown(reason=str(reader.ended or "GitHub was not asked"), passing=True)
    return HeadsTold(
        answers=tuple(reader.told.get(place, why) for place in range(len(wanted))),
        limited=reader.ended if isinstance(reader.ended, RateLimited) else None,
    )


@dataclass(kw_only=True, slots=True)
class _Reader:
    """What was told so far, by the places of those that were asked about; `ended` is why nothing more is asked."""

    graphql: GraphQL
    wanted: Sequence[HeadsWanted]
    told: dict[int, Named[Updates]] = field(default_factory=dict)
    answered: bool = False
    refused: int = 0
    ended: GitHubError | None = None

    def ask(self, places: Sequence[int], most: int = MOST_IDS) -> None:
        """Ask about these, so many together at most."""
        waiting = list(reversed(list(_parts(self.wanted, places, most))))
        while waiting and self.ended is None:
            part = waiting.pop()
            try:
                answer = _execute(self.graphql, [self.wanted[place] for place in part])
            except BadCredentials:
                raise
            except (RateLimited, Unreachable) as error:
                self.ended = error
            except (TooBig, Denied, Unexpected) as error:
                if len(part) > 1:
                    waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
                else:
                    self._refused(part[0], error)
            else:
                self.answered = True
                self.told |= _read(answer, self.wanted, part)

    def _refused(self, place: int, error: GitHubError) -> None:
        self.told[place] = Unknown(reason=str(error), passing=isinstance(error, TooBig))
        self.refused += 1
        if not self.answered and self.refused >= MOST_REFUSALS:
            self.ended = error


def _parts(wanted: Sequence[HeadsWanted], places: Sequence[int], most: int) -> Iterator[list[int]]:
    """Divide into queries of one point each."""
    part: list[int] = []
    units = 0
    for place in places:
        more = len(wanted[place].kinds)
        if part and (len(part) >= most or units + more > UNITS_OF_ONE_POINT):
            yield part
            part, units = [], 0
        part.append(place)
        units += more
    if part:
        yield part


def _execute(graphql: GraphQL, part: Sequence[HeadsWanted]) -> Answer:
    variables: dict[str, object] = {}
    templates: list[str] = []
    units = 0
    for kind, (template, name) in _LISTS.items():
        ids = [each.repository for each in part if kind in each.kinds]
        if ids:
            templates.append(template)
            variables[name] = ids
            units += len(ids)
    document = documents.aliases(tuple(templates))
    return graphql.execute(document, variables, points=query_prices.points(units), divisible=len(part) > 1)


def _read(answer: Answer, wanted: Sequence[HeadsWanted], part: Sequence[int]) -> dict[int, Named[Updates]]:
    """Return what an answer says of each; what one of its lists lacks is said of the whole repository."""
    found: dict[int, Named[Updates]] = {}
    for kind, (_, name) in _LISTS.items():
        places = [place for place in part if kind in wanted[place].kinds]
        for index, place in enumerate(places):
            told = _one(answer, kind, (name, index))
            before = found.get(place)
            found[place] = _together(before, told) if before is not None else told
    return found


def _together(before: Named[Updates], told: Named[Updates]) -> Named[Updates]:
    if not isinstance(before, Updates):
        return before
    if not isinstance(told, Updates):
        return told
    return Updates(
        full_name=told.full_name,
        is_private=told.is_private,
        at=told.at,
        newest={**before.newest, **told.newest},
        counted=told.counted or before.counted,
    )


def _one(answer: Answer, kind: str, path: tuple[str, int]) -> Named[Updates]:
    if path in answer.not_found:
        return NotFound()
    name, index = path
    try:
        node: Any = answer.data[name][index]
        if not node or damage.MARK in node or any(damage.MARK in each for each in node["list"]["nodes"]):
            return Unknown(reason=str(answer.why(*path)), passing=True)
        return Updates(
            full_name=sense.full_name(node["nameWithOwner"]),
            is_private=sense.truth(node["isPrivate"]),
            at=answer.server_time,
            newest={kind: _newest(node["list"])},
            counted=parsing.stars_and_forks(node),
        )
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {sense.one_line(error)}", passing=True)


def _newest(node: Any) -> Newest:
    heads = tuple(
        Head(number=sense.number(each["number"]), updated_at=sense.moment(each["updatedAt"]))
        for each in sense.elements(node["nodes"])
    )
    return Newest(heads=heads, total=sense.count(node["totalCount"]))
