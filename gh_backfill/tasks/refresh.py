"""GitHub's present word on the repositories that a plan may choose; where it says nothing, what is stored holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gh_backfill.clients import lookups
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Denied, GitHubError, RateLimited
from gh_backfill.models.github import Named, NotFound, Repository, Unknown
from gh_backfill.models.work import TrackedRepository


@dataclass(frozen=True, kw_only=True, slots=True)
class Refreshed:
    """The candidates of a plan, as fresh as they can be had.

    `known` are those to choose from; `unsure` tells by our id of which GitHub did not say anything, and why.  `fresh`
    is what it said of the others, `gone` are those that it does not know.  `limited` is set where it let nothing
    through.
    """

    known: list[TrackedRepository]
    fresh: list[Repository]
    gone: list[TrackedRepository]
    unsure: dict[str, str]
    limited: RateLimited | None


def refresh(graphql: GraphQL, candidates: Sequence[TrackedRepository]) -> Refreshed:
    """Ask GitHub for the present counts and the name of each candidate, many in a query.

    Raises what `GraphQL.execute` raises where nothing was answered, but for a limit.
    """
    by_node = [each for each in candidates if each.node_id]
    by_name = [each for each in candidates if not each.node_id]
    ids = [each.node_id for each in by_node if each.node_id]
    names = [(each.owner, each.name) for each in by_name]
    found, failure = _asked(lambda: lookups.repositories_by_id(graphql, ids), len(ids))
    others, another = _asked(lambda: lookups.repositories_by_name(graphql, names), len(names))
    failures = [each for each in (failure, another) if each is not None]
    limited = next((each for each in failures if isinstance(each, RateLimited)), None)
    made = Refreshed(known=[], fresh=[], gone=[], unsure={}, limited=limited)
    for candidate, said in zip([*by_node, *by_name], [*found, *others], strict=True):
        _take(made, candidate, said)
    if failures and limited is None and not made.fresh and not made.gone:
        raise failures[0]
    return made


def _asked(ask: Callable[[], lookups.Told], many: int) -> tuple[lookups.Told, GitHubError | None]:
    """Return what was answered, or that nothing was; raises where the credential is refused."""
    try:
        return ask(), None
    except Denied:
        raise
    except GitHubError as error:
        return [Unknown(reason=str(error)) for _ in range(many)], error


def _take(made: Refreshed, candidate: TrackedRepository, said: Named[Repository]) -> None:
    match said:
        case Repository() if said.github_id == candidate.github_id:
            made.fresh.append(said)
            made.known.append(
                replace(
                    candidate,
                    node_id=said.node_id,
                    owner=said.owner,
                    name=said.name,
                    is_private=said.is_private,
                    total=said.pull_requests,
                    finished=tuple(
                        replace(each, total=said.others.get(each.kind, each.total)) for each in candidate.finished
                    ),
                )
            )
        case NotFound():
            made.gone.append(candidate)
        case Repository():
            made.known.append(candidate)
            made.unsure[candidate.id] = "its name belongs to another repository by now"
        case Unknown(reason=reason):
            made.known.append(candidate)
            made.unsure[candidate.id] = reason
