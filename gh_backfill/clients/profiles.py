"""Profiles of many accounts for a point a hundred: by GitHub's ids of them, and by login where these are not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gh_backfill.clients import damage, documents, parsing, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.clients.halving import Halving, HalvingRound
from gh_backfill.errors import BadCredentials, Denied, Unexpected
from gh_backfill.models.github import NotFound, Unknown
from gh_backfill.models.profiles import Profile, ProfileTold, ProfileWanted, Stranger
from gh_backfill.policy.query_prices import MOST_IDS

_WITH_ADDRESS = ("ProfilesById", "ProfileByLogin")
_WITHOUT = ("ProfilesByIdWithoutAddress", "ProfileByLoginWithoutAddress")

Told = list[tuple[ProfileWanted, ProfileTold]]
ProfilesAnswer = HalvingRound[ProfileWanted, ProfileTold]


@dataclass(kw_only=True, slots=True)
class ProfileReader:
    """Asks for profiles, and remembers how many GitHub can take at once, and whether we may read addresses.

    A token that lacks the scope for addresses is found out by the first query that is refused.
    """

    graphql: GraphQL
    with_addresses: bool = True
    halving: Halving[ProfileWanted, ProfileTold] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with as many as a point buys."""
        self.halving = Halving(ask=self._one, limit=MOST_IDS)

    def read(self, wanted: Sequence[ProfileWanted]) -> Iterator[ProfilesAnswer]:
        """Yield what each query brought, so that it can be kept before the next is sent; what is unknown comes last.

        What is too much together is asked for in halves.  Raises what `GraphQL.execute` raises where it concerns all.
        """
        return self.halving.read(wanted)

    def _one(self, part: Sequence[ProfileWanted]) -> ProfilesAnswer:
        """Ask once; where GitHub refuses for the sake of addresses, ask without them from then on."""
        if not self.with_addresses:
            return _ask(self.graphql, part, _WITHOUT)
        try:
            answer = _ask(self.graphql, part, _WITH_ADDRESS)
        except BadCredentials:
            raise
        except (Denied, Unexpected):  # before GitHub's errors had a type, this one had none
            answer = _ask(self.graphql, part, _WITHOUT)
            self.with_addresses = False
            return answer
        if any(isinstance(each, Unknown) and not each.passing for _, each in answer.told):
            self.with_addresses = False  # what was refused alone is asked again, too
        return answer


def _ask(graphql: GraphQL, part: Sequence[ProfileWanted], templates: tuple[str, str]) -> ProfilesAnswer:
    by_id = [each for each in part if each.node_id is not None]
    by_login = [each for each in part if each.node_id is None]
    names = (templates[:1] if by_id else ()) + templates[1:] * len(by_login)
    begin = len(names) - len(by_login)
    variables: dict[str, object] = {f"login{begin + at}": each.login for at, each in enumerate(by_login)}
    if by_id:
        variables["ids"] = [each.node_id for each in by_id]
    answer = graphql.execute(documents.aliases(names), variables, divisible=len(part) > 1)
    with_address = templates is _WITH_ADDRESS
    nodes = answer.data.get("nodes")
    nodes = nodes if isinstance(nodes, list) else []
    found: Told = [
        (each, _told(answer, each, nodes[at] if at < len(nodes) else None, ("nodes", at), with_address))
        for at, each in enumerate(by_id)
    ]
    for at, each in enumerate(by_login):
        name = f"a{begin + at}"
        found.append((each, _told(answer, each, answer.data.get(name), (name,), with_address)))
    return ProfilesAnswer(told=found, at=answer.server_time)


def _told(
    answer: Answer, wanted: ProfileWanted, node: Any, path: tuple[str | int, ...], with_address: bool
) -> ProfileTold:
    if path in answer.not_found or (node is None and _no_such_login(answer, path)):
        return NotFound()
    if not isinstance(node, dict) or node.get(damage.MARK, damage.MENDED) != damage.MENDED:
        why = answer.why(*path)
        return Unknown(reason=str(why), passing=not isinstance(why, Denied))
    try:
        profile = _profile(node, with_address)
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {sense.one_line(error)[:80]}", passing=True)
    return profile if profile.person.github_id == wanted.github_id else Stranger()


def _no_such_login(answer: Answer, path: tuple[str | int, ...]) -> bool:
    """Say whether a null is GitHub's word that nobody has a login: it is there, and no error leads to it."""
    name = path[0]
    return len(path) == 1 and name in answer.data and not any(at[:1] == (name,) for at in answer.causes)


def _profile(node: Mapping[str, Any], with_address: bool) -> Profile:
    """Read a profile; raises what `sense.UNREADABLE` names where it is none."""
    sense.identity(node["databaseId"])
    is_user = node["__typename"] == "User"
    return Profile(
        person=parsing.person(dict(node)),
        company=_words(node, "company"),
        location=_words(node, "location"),
        bio=_words(node, "bio"),
        blog=_words(node, "websiteUrl"),
        email=_words(node, "email") if with_address and is_user else None,
        email_read=with_address and is_user,
        public_repos=_count(node, "publicRepositories"),
        public_gists=_count(node, "publicGists"),
        followers=_count(node, "followers"),
        following=_count(node, "following"),
        created_at=parsing.time(node.get("createdAt")),
    )


def _words(node: Mapping[str, Any], name: str) -> str | None:
    """Read a text; an empty one is none."""
    return (sense.text_or_none(node.get(name)) or "").strip() or None


def _count(node: Mapping[str, Any], name: str) -> int | None:
    """Read a count; who has no such list, which is not in the answer then, has none."""
    return sense.count(node[name]["totalCount"]) if name in node else None
