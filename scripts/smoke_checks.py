"""What the smoke test asks GitHub, and what the answer has to be, each by the ids of docs/assumptions.md."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from scripts.smoke_github import RATE, Answer, Github


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of some assumptions: it holds, does not, or could not be tried here (None)."""

    ids: tuple[str, ...]
    text: str
    expected: str
    seen: str
    holds: bool | None


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is looked at: a repository, one by a name that it had before, and one with discussions."""

    name: str
    renamed: str
    discussing: str

    def place(self, name: str | None = None) -> dict[str, object]:
        """Return a repository as a query takes it."""
        owner, _, own = (name or self.name).partition("/")
        return {"owner": owner, "name": own}


Check = Callable[[Github, Target], Iterator[Seen]]
CHECKS: Final[dict[tuple[str, ...], Check]] = {}
_HEAD = "query($owner: String!, $name: String!) {"


def tries(*ids: str) -> Callable[[Check], Check]:
    """Register a check by the assumptions that it tries."""

    def registered(check: Check) -> Check:
        CHECKS[ids] = check
        return check

    return registered


def _costs(ids: tuple[str, ...], text: str, answer: Answer, points: int) -> Seen:
    wrong = "" if not answer.errors else f", and {answer.errors[0].get('message', 'an error')[:80]}"
    seen = "no data" if answer.data is None else _points(answer.cost)
    expected = _points(points)
    return Seen(ids=ids, text=text, expected=expected, seen=seen + wrong, holds=answer.cost == points and not wrong)


def _points(many: int | None) -> str:
    return "no price" if many is None else f"{many} point{'' if many == 1 else 's'}"


def _ids(github: Github, target: Target, many: int) -> list[str]:
    """Return ids of the newest pull requests, again and again until they are so many."""
    found = github.graphql(
        f"{_HEAD} {RATE} repository(owner: $owner, name: $name) {{ pullRequests(first: 100, orderBy:"
        " {field: CREATED_AT, direction: DESC}) { nodes { id } } } }",
        **target.place(),
    )
    nodes = [node["id"] for node in found.data["repository"]["pullRequests"]["nodes"]]
    return list(itertools.islice(itertools.cycle(nodes), many)) if nodes else []


def _page(first: int, lists: str, more: str = "") -> str:
    return (
        f"{_HEAD} {RATE} repository(owner: $owner, name: $name) {{ pullRequests(first: {first}, orderBy:"
        f" {{field: CREATED_AT, direction: DESC}}) {{ nodes {{ number {lists} }} }} }} {more} }}"
    )


@tries("P1")
def prices(github: Github, target: Target) -> Iterator[Seen]:
    """Compare a page that is just within a point with one that is a little larger."""
    lists = "reviews(first: 1) { nodes { id } } comments(first: 1) { nodes { id } }"
    for first, points in ((74, 1), (75, 2)):
        text = f"a page of {first} pull requests with two lists each"
        yield _costs(("P1",), text, github.graphql(_page(first, lists), **target.place()), points)


@tries("P2")
def counts(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for counts alone."""
    lists = "reviews { totalCount } comments { totalCount } labels { totalCount } reviewThreads { totalCount }"
    text = "a page of 100 with four counts each"
    yield _costs(("P2",), text, github.graphql(_page(100, lists), **target.place()), 1)


@tries("P3")
def named_by_id(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for 149 by their ids, in two roots, with one list each: 149 units."""
    ids = _ids(github, target, 149)
    list_of = "{ ... on PullRequest { comments(first: 1) { nodes { id } } } }"
    query = f"query($a: [ID!]!, $b: [ID!]!) {{ {RATE} a: nodes(ids: $a) {list_of} b: nodes(ids: $b) {list_of} }}"
    yield _costs(("P3",), "149 ids in two roots, a list each", github.graphql(query, a=ids[:100], b=ids[100:]), 1)


@tries("P4", "P14")
def aliases(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for 149 things by an alias each, and for 120 beside a page."""
    ids = _ids(github, target, 149)
    list_of = "{ ... on PullRequest { comments(first: 1) { nodes { id } } } }"
    each = " ".join(f'a{number}: node(id: "{id_}") {list_of}' for number, id_ in enumerate(ids))
    yield _costs(("P4",), "149 aliases, a list each", github.graphql(f"query {{ {RATE} {each} }}"), 1)
    fewer = " ".join(f'a{number}: node(id: "{id_}") {list_of}' for number, id_ in enumerate(ids[:120]))
    page = _page(14, "reviews(first: 100) { nodes { id } } comments(first: 100) { nodes { id } }", fewer)
    yield _costs(("P14",), "120 aliases beside a page of 14", github.graphql(page, **target.place()), 1)


@tries("P6", "P8")
def people(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for a hundred accounts with four counts each, and for somebody's address."""
    page = github.graphql(_page(100, "author { __typename login ... on User { id } }"), **target.place())
    authors = [node["author"] for node in page.data["repository"]["pullRequests"]["nodes"] if node["author"]]
    users = {each["id"]: each["login"] for each in authors if each["__typename"] == "User"}
    ids = list(itertools.islice(itertools.cycle(users), 100)) if users else []
    query = (
        f"query($ids: [ID!]!) {{ {RATE} nodes(ids: $ids) {{ ... on User {{ login followers {{ totalCount }}"
        " following { totalCount } repositories { totalCount } gists { totalCount } } } }"
    )
    yield _costs(("P6",), "a hundred accounts with four counts each", github.graphql(query, ids=ids), 1)
    login = next(iter(users.values()), "ghost")
    asked = github.graphql(f"query($login: String!) {{ {RATE} user(login: $login) {{ email }} }}", login=login)
    whole = not asked.data or asked.data.get("user") is None
    yield Seen(
        ids=("P8",),
        text="somebody's address, with a token that may lack the scope",
        expected="an answer, or the whole query is refused",
        seen="answered: this token has the scope" if not asked.errors else f"{asked.errors[0].get('type', 'an error')}",
        holds=None if not asked.errors else whole,
    )


@tries("P7", "G10")
def nobody(github: Github, _target: Target) -> Iterator[Seen]:
    """Ask for an account that nobody has."""
    login = f"nobody-{uuid.uuid4().hex[:20]}"
    query = f"query($login: String!) {{ {RATE} repositoryOwner(login: $login) {{ login }} }}"
    found = github.graphql(query, login=login)
    null = found.data is not None and found.data["repositoryOwner"] is None
    seen = ("null" if null else "something") + (f" with {found.errors[0].get('type')}" if found.errors else "")
    yield Seen(
        ids=("P7", "G10"),
        text="a login that nobody has",
        expected="null",
        seen=seen,
        holds=null and not found.errors,
    )


@tries("P9")
def numbers(github: Github, target: Target) -> Iterator[Seen]:
    """Ask what three hundred numbers are."""
    each = " ".join(f"n{number}: issueOrPullRequest(number: {number}) {{ __typename }}" for number in range(1, 301))
    query = f"{_HEAD} {RATE} repository(owner: $owner, name: $name) {{ {each} }} }}"
    found = github.graphql(query, **target.place())
    others = [error for error in found.errors if error.get("type") != "NOT_FOUND"]
    yield Seen(
        ids=("P9",),
        text="what 300 numbers are, in one query",
        expected="1 point",
        seen=_points(found.cost) + (f", and {others[0].get('message', '')[:80]}" if others else ""),
        holds=found.cost == 1 and not others,
    )


@tries("P10")
def without_lists(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for a hundred pull requests without any list."""
    ids = _ids(github, target, 100)
    query = f"query($ids: [ID!]!) {{ {RATE} nodes(ids: $ids) {{ ... on PullRequest {{ number updatedAt title }} }} }}"
    yield _costs(("P10",), "100 pull requests by their ids", github.graphql(query, ids=ids), 1)


@tries("P11")
def dry_runs(github: Github, _target: Target) -> Iterator[Seen]:
    """Ask for the price of a query with ids that nobody has, twice."""
    query = (
        "query($ids: [ID!]!) { rateLimit(dryRun: true) { cost remaining resetAt } nodes(ids: $ids)"
        " { ... on PullRequest { a: reviews(first: 1) { nodes { id } } b: comments(first: 1) { nodes { id } } } } }"
    )
    ids = [f"PR_{number:08}" for number in range(100)]
    answers = [github.graphql(query, ids=ids) for _ in range(2)]
    github.spent -= sum(answer.cost or 0 for answer in answers)
    left = [int(answer.headers.get("x-ratelimit-remaining", -1)) for answer in answers]
    costs = [answer.cost for answer in answers]
    yield Seen(
        ids=("P11",),
        text="the price of a query with ids that nobody has, twice",
        expected="2 points told, none charged, no error",
        seen=f"{costs[0]} told, {left[0] - left[1]} charged, {len(answers[0].errors)} errors",
        holds=costs == [2, 2] and left[0] == left[1] and not answers[0].errors,
    )


@tries("P13")
def a_full_page(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for as much as a point buys."""
    lists = "reviews(first: 100) { nodes { body } } comments(first: 100) { nodes { body } }"
    yield _costs(
        ("P13",), "74 with 100 reviews and comments each", github.graphql(_page(74, lists), **target.place()), 1
    )


@tries("L2", "L3", "L4", "L5", "L6")
def clocks(github: Github, target: Target) -> Iterator[Seen]:
    """Look at what two answers say of the budget and of the time."""
    first, later = (github.graphql(_page(1, ""), **target.place()) for _ in range(2))
    prefix = github.token.partition("_")[0]
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true" and not os.environ.get("BACKFILL_TOKEN")
    yield Seen(
        ids=("L2",),
        text="the token of a workflow",
        expected="it begins with ghs_",
        seen=f"it begins with {prefix}_" if in_actions else "no workflow's own token",
        holds=prefix == "ghs" if in_actions else None,
    )
    body, header = first.data["rateLimit"]["remaining"], first.headers.get("x-ratelimit-remaining")
    yield Seen(
        ids=("L3",),
        text="what is left, by body and by header",
        expected="both are there; where they differ the header is right",
        seen=f"{body} and {header}",
        holds=header is not None,
    )
    resets = [int(answer.headers.get("x-ratelimit-reset", 0)) for answer in (first, later)]
    sent = parsedate_to_datetime(first.headers["date"])
    ahead = datetime.fromtimestamp(resets[0], UTC) - sent
    same = resets[0] == resets[1] or resets[1] >= resets[0] + 3500
    yield Seen(ids=("L4",), text="the end of the hour", expected="the same in both", seen=str(same), holds=same)
    yield Seen(
        ids=("L5",),
        text="the end of the hour, by Date",
        expected="within 65 minutes",
        seen=f"in {ahead.total_seconds() / 60:.0f} minutes",
        holds=timedelta(0) <= ahead <= timedelta(minutes=65),
    )
    told = datetime.fromisoformat(first.data["rateLimit"]["resetAt"]) - sent
    yield Seen(
        ids=("L6",),
        text="resetAt, by Date",
        expected="later, by an hour at most",
        seen=f"in {told.total_seconds() / 60:.0f} minutes",
        holds=timedelta(0) <= told <= timedelta(minutes=61),
    )


@tries("L7")
def rate_limit(github: Github, _target: Target) -> Iterator[Seen]:
    """Ask twice what is left of both budgets."""
    told = [github.rest("/rate_limit").json().get("resources", {}) for _ in range(2)]
    both = all({"graphql", "core"} <= set(each) for each in told)
    used = [each.get("core", {}).get("used") for each in told]
    seen = f"{'graphql and core' if both else 'not both'}, used {used[0]} and then {used[1]}"
    expected = "graphql and core, and nothing used by asking"
    yield Seen(
        ids=("L7",), text="GET /rate_limit, twice", expected=expected, seen=seen, holds=both and used[0] == used[1]
    )


@tries("G1")
def not_found(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for a repository and a number that are not there, beside one that is."""
    missing = f"missing-{uuid.uuid4().hex[:12]}"
    found = github.graphql(
        f"query($owner: String!, $name: String!, $none: String!) {{ {RATE}"
        " none: repository(owner: $owner, name: $none) { id }"
        " repository(owner: $owner, name: $name) { id pullRequest(number: 999999999) { id } } }",
        none=missing,
        **target.place(),
    )
    places = sorted((error.get("type"), tuple(error.get("path", ()))) for error in found.errors)
    wanted = [("NOT_FOUND", ("none",)), ("NOT_FOUND", ("repository", "pullRequest"))]
    there = found.data is not None and found.data["repository"] is not None
    yield Seen(
        ids=("G1",),
        text="a repository and a number that are not there",
        expected="NOT_FOUND at both places, and what is there beside them",
        seen=", ".join(f"{kind} at {'.'.join(path)}" for kind, path in places)
        + ("" if there else ", and nothing else"),
        holds=places == wanted and there,
    )


@tries("G9")
def renamed(github: Github, target: Target) -> Iterator[Seen]:
    """Ask for a repository by a name that it had before."""
    query = f"{_HEAD} {RATE} repository(owner: $owner, name: $name) {{ databaseId nameWithOwner }} }}"
    found = github.graphql(query, **target.place(target.renamed))
    own = (found.data or {}).get("repository")
    same = own is not None and own["nameWithOwner"].lower() != target.renamed.lower()
    yield Seen(
        ids=("G9",),
        text=f"{target.renamed}, which has another name now",
        expected="found by its old name",
        seen=own["nameWithOwner"] if own else "not found",
        holds=same if own else None,
    )


@tries("O2")
def cursors(github: Github, target: Target) -> Iterator[Seen]:
    """Go on from the last edge's cursor, and from endCursor."""
    where = "orderBy: {field: CREATED_AT, direction: DESC}"
    head = "query($owner: String!, $name: String!, $after: String) {"
    list_of = f"pullRequests(first: 3, after: $after, {where})"
    fields = "{ edges { cursor node { number } } pageInfo { endCursor hasNextPage } }"
    query = f"{head} {RATE} repository(owner: $owner, name: $name) {{ {list_of} {fields} }} }}"

    def page(after: str | None) -> dict[str, Any]:
        found: dict[str, Any] = github.graphql(query, after=after, **target.place()).data["repository"]["pullRequests"]
        return found

    first = page(None)
    ways = (first["edges"][-1]["cursor"], first["pageInfo"]["endCursor"]) if first["edges"] else ()
    ends = [[edge["node"]["number"] for edge in page(way)["edges"]] for way in ways]
    yield Seen(
        ids=("O2",),
        text="the next page, by the last edge's cursor and by endCursor",
        expected="the same",
        seen=" and ".join(", ".join(f"#{number}" for number in each) or "nothing" for each in ends)
        or "no pull requests",
        holds=ends[0] == ends[1] if ends else None,
    )


@tries("O3", "O9")
def issues(github: Github, target: Target) -> Iterator[Seen]:
    """Look at the list of issues in both orders, and at labels and assignees."""
    fields = "{ nodes { __typename number createdAt updatedAt assignees(first: 5) { nodes { __typename } } } }"
    lists = " ".join(
        f"{name}: issues(first: 30, orderBy: {{field: {field}, direction: DESC}}) {fields}"
        for name, field in (("made", "CREATED_AT"), ("moved", "UPDATED_AT"))
    )
    found = github.graphql(f"{_HEAD} {RATE} repository(owner: $owner, name: $name) {{ {lists} }} }}", **target.place())
    own = found.data["repository"]
    kinds = {node["__typename"] for name in ("made", "moved") for node in own[name]["nodes"]}
    ordered = _falling(own["made"]["nodes"], "createdAt") and _falling(own["moved"]["nodes"], "updatedAt")
    yield Seen(
        ids=("O3",),
        text="the list of issues, in both orders",
        expected="issues alone, newest first",
        seen=f"{', '.join(sorted(kinds)) or 'no issues'}; {'in order' if ordered else 'not in order'}",
        holds=kinds == {"Issue"} and ordered if kinds else None,
    )
    given = {each["__typename"] for node in own["made"]["nodes"] for each in node["assignees"]["nodes"]}
    yield Seen(
        ids=("O9",),
        text="assignees of the newest issues",
        expected="users",
        seen=", ".join(sorted(given)) or "none has one",
        holds=given <= {"User"} if given else None,
    )


def _falling(nodes: Sequence[Mapping[str, str]], field: str) -> bool:
    times = [node[field] for node in nodes]
    return times == sorted(times, reverse=True)


@tries("O7", "O8")
def discussions(github: Github, target: Target) -> Iterator[Seen]:
    """Look at discussions with their comments and replies."""
    fields = (
        "databaseId comments(first: 20) { totalCount nodes { databaseId replies(first: 20) { nodes { databaseId } } } }"
    )
    query = (
        f"{_HEAD} {RATE} repository(owner: $owner, name: $name) {{ discussions(first: 10, orderBy:"
        f" {{field: UPDATED_AT, direction: DESC}}) {{ nodes {{ {fields} }} }} }} }}"
    )
    found = github.graphql(query, **target.place(target.discussing))
    nodes = ((found.data or {}).get("repository") or {}).get("discussions", {}).get("nodes", [])
    comments = [comment for node in nodes for comment in node["comments"]["nodes"]]
    replies = [reply for comment in comments for reply in comment["replies"]["nodes"]]
    twice = {each["databaseId"] for each in replies} & {each["databaseId"] for each in comments}
    every = [*nodes, *comments, *replies]
    yield Seen(
        ids=("O7",),
        text=f"comments and replies of {len(nodes)} discussions",
        expected="no reply is listed as a comment",
        seen=f"{len(comments)} comments, {len(replies)} replies, {len(twice)} of them as both",
        holds=not twice if replies else None,
    )
    ids = [each["databaseId"] for each in comments + replies]
    yield Seen(
        ids=("O8",),
        text="their databaseId",
        expected="there, and unique",
        seen=f"{sum(each['databaseId'] is None for each in every)} lack it, {len(ids) - len(set(ids))} come twice",
        holds=all(each["databaseId"] for each in every) and len(ids) == len(set(ids)) if every else None,
    )


@tries("O16", "V1", "V2", "R2")
def parts(github: Github, target: Target) -> Iterator[Seen]:
    """Compare the counts of parts, ids, and the names of bots with those of REST."""
    lists = (
        "fullDatabaseId totalCommentsCount comments { totalCount } author { __typename login }"
        " reviewThreads(first: 50) { totalCount nodes { comments { totalCount } } }"
    )
    found = github.graphql(_page(50, lists), **target.place())
    nodes = [
        each for each in found.data["repository"]["pullRequests"]["nodes"] if each["reviewThreads"]["totalCount"] <= 50
    ]
    in_code = {
        each["number"]: sum(t["comments"]["totalCount"] for t in each["reviewThreads"]["nodes"]) for each in nodes
    }
    wrong = [
        each["number"]
        for each in nodes
        if each["totalCommentsCount"] != each["comments"]["totalCount"] + in_code[each["number"]]
    ]
    yield Seen(
        ids=("O16",),
        text=f"totalCommentsCount of {len(nodes)} pull requests",
        expected="conversation and review comments together",
        seen="so in all" if not wrong else f"not so in {len(wrong)}, such as #{wrong[0]}",
        holds=not wrong if nodes else None,
    )
    lacking = sum(not each["fullDatabaseId"] for each in nodes)
    yield Seen(
        ids=("V1",),
        text="fullDatabaseId of pull requests",
        expected="there",
        seen=f"{lacking} of {len(nodes)} lack it",
        holds=not lacking if nodes else None,
    )
    yield _bot(github, target, nodes)
    yield _listed(github, target, in_code)


def _bot(github: Github, target: Target, nodes: Sequence[Mapping[str, Any]]) -> Seen:
    bot = next((each for each in nodes if each["author"] and each["author"]["__typename"] == "Bot"), None)
    there = None if bot is None else github.rest(f"/repos/{target.name}/pulls/{bot['number']}")
    login = there.json()["user"]["login"] if there is not None and there.ok else None
    return Seen(
        ids=("V2",),
        text="the name of a bot, by GraphQL and by REST",
        expected="name and name[bot]",
        seen="no bot among the newest" if bot is None or login is None else f"{bot['author']['login']} and {login}",
        holds=None if bot is None or login is None else login == f"{bot['author']['login']}[bot]",
    )


def _listed(github: Github, target: Target, in_code: Mapping[int, int]) -> Seen:
    number = max(in_code, key=lambda each: (0 < in_code[each] <= 100, in_code[each]), default=0)
    if not in_code.get(number):
        none = "no review comments among the newest"
        return Seen(ids=("R2",), text="review comments, by both", expected="as many", seen=none, holds=None)
    there = github.rest(f"/repos/{target.name}/pulls/{number}/comments", per_page="100")
    many = len(there.json()) if there.ok else -1
    return Seen(
        ids=("R2",),
        text=f"review comments of #{number}, by GraphQL and by REST",
        expected="as many",
        seen=f"{in_code[number]} and {many}" if there.ok else f"REST said {there.status_code}",
        holds=many == in_code[number] if there.ok else None,
    )


@tries("R1")
def since(github: Github, target: Target) -> Iterator[Seen]:
    """Read the list of comments again from the time of one of them."""
    path = f"/repos/{target.name}/issues/comments"
    first = github.rest(path, per_page="3", sort="updated", direction="asc")
    rows = first.json() if first.ok else []
    again = (
        github.rest(path, per_page="3", sort="updated", direction="asc", since=rows[-1]["updated_at"]) if rows else None
    )
    found = [each["id"] for each in again.json()] if again is not None and again.ok else []
    yield Seen(
        ids=("R1",),
        text="comments since the time of one of them",
        expected="that one is among them",
        seen="it is" if rows and rows[-1]["id"] in found else ("it is not" if rows else "there are no comments"),
        holds=rows[-1]["id"] in found if rows else None,
    )


@tries("S1", "S2")
def stars(github: Github, target: Target) -> Iterator[Seen]:
    """Look at the list of stargazers, and at where its cursors lead."""
    head = "query($owner: String!, $name: String!, $after: String) {"
    list_of = "stargazers(first: 5, after: $after, orderBy: {field: STARRED_AT, direction: DESC})"
    fields = "{ totalCount edges { cursor starredAt } pageInfo { endCursor } }"
    query = f"{head} {RATE} repository(owner: $owner, name: $name) {{ stargazerCount {list_of} {fields} }} }}"
    found = github.graphql(query, after=None, **target.place())
    own = (found.data or {}).get("repository") or {}
    listed, refused = own.get("stargazers"), {error.get("type") for error in found.errors}
    edges = [] if listed is None else listed["edges"]
    hidden = not edges and own.get("stargazerCount", 0) > 0
    yield Seen(
        ids=("S1",),
        text="the list of stargazers",
        expected="whole, or FORBIDDEN, or empty",
        seen="it is shown" if edges else ", ".join(sorted(map(str, refused))) or "it is empty",
        holds=refused <= {"FORBIDDEN"} and (bool(edges) or hidden or not own.get("stargazerCount")),
    )
    if not edges:
        none = "the list is not shown"
        yield Seen(ids=("S2",), text="its next page", expected="older ones", seen=none, holds=None)
    else:
        more = github.graphql(query, after=edges[-1]["cursor"], **target.place())
        older = [edge["starredAt"] for edge in more.data["repository"]["stargazers"]["edges"]]
        fits = all(each <= edges[-1]["starredAt"] for each in older)
        yield Seen(
            ids=("S2",), text="its next page", expected="older ones", seen="older" if fits else "not so", holds=fits
        )
