"""The REST interface, as far as this product needs it: one function for each address.

https://docs.github.com/en/rest
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gh_backfill.simulator import changes, derive, refusals, views
from gh_backfill.simulator.limits import Ledger
from gh_backfill.simulator.messages import Request, Response, refusal, reply
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.rows import Issue, PullRequest, Repository
from gh_backfill.simulator.world import World

MOST_ITEMS = 100
MOST_LETTERS = 65_536


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

    def repository(self) -> Repository | None:
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


Handler = Callable[[Call, Repository], Response]


def answer(call: Call) -> Response:
    """Answer a request to the REST interface."""
    request = call.request
    for method, pattern, handler in _ROUTES:
        found = pattern.fullmatch(request.path)
        if found is None or method != request.method:
            continue
        located = Call(**{**_fields(call), "parts": {key: value for key, value in found.groupdict().items() if value}})
        repository = located.repository()
        if repository is None:
            return refusals.not_found()
        if moved := _moved(located, repository):
            return moved
        return _cached(request, handler(located, repository))
    return _cached(request, _others(call))


def _fields(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__dataclass_fields__}


def _others(call: Call) -> Response:
    request = call.request
    if request.method == "GET" and request.path == "/rate_limit":
        return _rate_limit(call)
    if request.method == "GET" and request.path == "/user":
        if request.token is None:
            return refusal(401, "Requires authentication")
        account = call.world.account_by_login(call.identity)
        identity = derive.derived_user_id(call.identity)
        return reply(views.user(account) if account else {"login": call.identity, "id": identity, "type": "User"})
    return refusals.not_found()


def _moved(call: Call, repository: Repository) -> Response | None:
    """A former name leads on: 301, and 307 for what changes something."""
    if (
        "owner" not in call.parts
        or f"{call.parts['owner']}/{call.parts['repo']}".lower() == repository.full_name.lower()
    ):
        return None
    rest = re.sub(r"^/repos/[^/]+/[^/]+", "", call.request.path)
    address = f"{call.origin}/repositories/{repository.id}{rest}"
    if call.request.query:
        address += f"?{urlencode(call.request.query)}"
    value = {
        "message": "Moved Permanently",
        "url": address,
        "documentation_url": "https://docs.github.com/v3/#http-redirects",
    }
    return reply(value, 301 if call.request.method == "GET" else 307, Location=address)


def _cached(request: Request, response: Response) -> Response:
    """Give an answer its ETag, or 304 where the client has it."""
    if response.status != 200 or request.method != "GET":
        return response
    tag = f'W/"{hashlib.sha256(response.body).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"}
    if request.headers.get("if-none-match") == tag:
        return Response(status=304, headers=headers)
    return response.with_headers(headers)


def _rate_limit(call: Call) -> Response:
    standings = {name: call.ledger.standing(call.identity, name) for name in ("core", "graphql")}
    resources = {
        name: {"limit": found.limit, "used": found.used, "remaining": found.remaining, "reset": found.reset}
        for name, found in standings.items()
    }
    return reply({"resources": resources, "rate": resources["core"]})


def _repository(call: Call, repository: Repository) -> Response:
    return reply(views.repository(call.world, repository))


def _pulls(call: Call, repository: Repository) -> Response:
    query, shelf = call.request.query, call.world.shelves[repository.id]
    state = query.get("state", "open")
    keys = shelf.ordered("UPDATED_AT" if query.get("sort") == "updated" else "CREATED_AT")
    wanted = {
        outline.number
        for outline in shelf.outlines()
        if state == "all" or (outline.state == "OPEN") == (state == "open")
    }
    numbers = [key[2] for key in keys if key[2] in wanted]
    if query.get("direction", "asc" if query.get("sort") == "updated" else "desc") == "desc":
        numbers.reverse()
    return _page(
        call, repository, numbers, lambda number: views.pull_request(call.world, _pull_of(call, repository, number))
    )


def _pull(call: Call, repository: Repository) -> Response:
    found = call.world.pull(repository.id, call.number)
    return refusals.not_found() if found is None else reply(views.pull_request(call.world, found, full=True))


def _reviews(call: Call, repository: Repository) -> Response:
    found = call.world.pull(repository.id, call.number)
    rows = found.reviews if found else ()
    return _page(call, repository, rows, lambda row: views.review(call.world, row)) if found else refusals.not_found()


def _review_comments(call: Call, repository: Repository) -> Response:
    """Those of one pull request, or of all of them, from `since` on."""
    shelf, query = call.world.shelves[repository.id], call.request.query
    if "number" in call.parts:
        found = call.world.pull(repository.id, call.number)
        if found is None:
            return refusals.not_found()
        pulls: Iterable[PullRequest | None] = [found]
    else:
        pulls = (shelf.pull(outline.number) for outline in shelf.outlines())
    field = "updated_at" if query.get("sort") == "updated" else "created_at"
    rows = [row for pull in pulls if pull for row in pull.review_comments if row.updated_at >= query.get("since", "")]
    rows.sort(key=lambda row: (getattr(row, field), row.id), reverse=query.get("direction") == "desc")
    return _page(call, repository, rows, lambda row: views.review_comment(call.world, row))


def _issues(call: Call, repository: Repository) -> Response:
    """Issues and pull requests in one list, as GitHub mixes them."""
    query, shelf = call.request.query, call.world.shelves[repository.id]
    since, state = query.get("since", ""), query.get("state", "open")
    if since.startswith("1970-01-01T00:00:00"):
        return reply([])
    field = "updated_at" if query.get("sort") == "updated" else "created_at"
    labels = {name for name in query.get("labels", "").split(",") if name}
    outlines = [
        (getattr(row, field), row.number)
        for row in shelf.outlines()
        if _wanted(row.state, row.updated_at, state, since)
    ]
    outlines += [
        (getattr(row, field), row.number)
        for row in shelf.issues.values()
        if _wanted(row.state, row.updated_at, state, since)
    ]
    numbers = [number for _, number in sorted(outlines, reverse=query.get("direction", "desc") == "desc")]
    if labels:
        numbers = [
            number for number in numbers if labels <= {label.name for label in _item(call, repository, number).labels}
        ]
    return _page(call, repository, numbers, lambda number: views.issue(call.world, _item(call, repository, number)))


def _wanted(state: str, updated_at: str, wanted: str, since: str) -> bool:
    return updated_at >= since and (wanted == "all" or (state == "OPEN") == (wanted == "open"))


def _issue(call: Call, repository: Repository) -> Response:
    found = _find(call, repository, call.number)
    return refusals.not_found() if found is None else reply(views.issue(call.world, found))


def _issue_comments(call: Call, repository: Repository) -> Response:
    found = _find(call, repository, call.number)
    if found is None:
        return refusals.not_found()
    rows = [row for row in found.comments if row.updated_at >= call.request.query.get("since", "")]
    return _page(call, repository, rows, lambda row: views.issue_comment(call.world, row))


def _create_issue(call: Call, repository: Repository) -> Response:
    given = call.json()
    if not repository.has_issues:
        return refusal(410, "Issues has been disabled in this repository.")
    if problem := _invalid(given, "title"):
        return problem
    labels = [str(name) for name in given.get("labels") or ()]
    made = changes.open_issue(
        call.world,
        repository.full_name,
        title=given["title"],
        body=given.get("body") or "",
        labels=labels,
        author=call.identity,
    )
    return reply(views.issue(call.world, made), 201)


def _update_issue(call: Call, repository: Repository) -> Response:
    given = call.json()
    if call.world.issue(repository.id, call.number) is None:
        return refusals.not_found()
    if problem := _invalid(given):
        return problem
    fields = {key: given[key] for key in ("title", "body", "state", "labels") if key in given}
    return reply(views.issue(call.world, changes.edit_issue(call.world, repository.full_name, call.number, **fields)))


def _create_comment(call: Call, repository: Repository) -> Response:
    given = call.json()
    if _find(call, repository, call.number) is None:
        return refusals.not_found()
    if problem := _invalid(given, "body"):
        return problem
    made = changes.comment(call.world, repository.full_name, call.number, author=call.identity, body=given["body"])
    return reply(views.issue_comment(call.world, made), 201)


def _invalid(given: dict[str, Any], *needed: str) -> Response | None:
    errors = [{"resource": "Issue", "code": "missing_field", "field": name} for name in needed if not given.get(name)]
    if len(given.get("body") or "") > MOST_LETTERS:
        text = f"body is too long (maximum is {MOST_LETTERS} characters)"
        errors.append({"resource": "Issue", "code": "custom", "field": "body", "message": text})
    return refusal(422, "Validation Failed", errors=errors) if errors else None


def _labels(call: Call, repository: Repository) -> Response:
    return _page(call, repository, call.world.shelves[repository.id].labels, views.label)


def _run(call: Call, repository: Repository) -> Response:
    found = call.world.runs.get((repository.id, int(call.parts["run"])))
    return refusals.not_found() if found is None else reply(found)


def _jobs(call: Call, repository: Repository) -> Response:
    key = (repository.id, int(call.parts["run"]))
    if key not in call.world.runs:
        return refusals.not_found()
    jobs = call.world.jobs.get(key, [])
    return reply({"total_count": len(jobs), "jobs": jobs})


def _find(call: Call, repository: Repository, number: int) -> Issue | PullRequest | None:
    return call.world.issue(repository.id, number) or call.world.pull(repository.id, number)


def _item(call: Call, repository: Repository, number: int) -> Issue | PullRequest:
    found = _find(call, repository, number)
    if found is None:
        raise LookupError(f"{repository.full_name} #{number} went away while it was read")
    return found


def _pull_of(call: Call, repository: Repository, number: int) -> PullRequest:
    found = call.world.pull(repository.id, number)
    if found is None:
        raise LookupError(f"{repository.full_name} #{number} went away while it was read")
    return found


def _page(call: Call, repository: Repository, rows: Sequence[Any], view: Callable[[Any], object]) -> Response:
    """A page of a list, with the links to the others."""
    size = min(max(_number(call.request.query.get("per_page"), 30), 1), MOST_ITEMS)
    page = max(_number(call.request.query.get("page"), 1), 1)
    response = reply([view(row) for row in rows[(page - 1) * size : page * size]])
    links = _links(call, repository, page, -(-len(rows) // size))
    return response.with_headers({"Link": links}) if links else response


def _links(call: Call, repository: Repository, page: int, last: int) -> str:
    rest = re.sub(r"^/(repos/[^/]+/[^/]+|repositories/\d+)", "", call.request.path)
    wanted: dict[str, int] = {}
    if page > 1:
        wanted["prev"] = page - 1
    if page < last:
        wanted |= {"next": page + 1, "last": last}
    if page > 1:
        wanted["first"] = 1
    query = dict(call.request.query)
    address = f"{call.origin}/repositories/{repository.id}{rest}"
    return ", ".join(
        f'<{address}?{urlencode(query | {"page": number})}>; rel="{name}"' for name, number in wanted.items()
    )


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


_ROOT = r"/(?:repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|repositories/(?P<id>\d+))"
_ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(_ROOT + path), handler)
    for method, path, handler in (
        ("GET", "", _repository),
        ("GET", r"/pulls", _pulls),
        ("GET", r"/pulls/comments", _review_comments),
        ("GET", r"/pulls/(?P<number>\d+)", _pull),
        ("GET", r"/pulls/(?P<number>\d+)/reviews", _reviews),
        ("GET", r"/pulls/(?P<number>\d+)/comments", _review_comments),
        ("GET", r"/issues", _issues),
        ("POST", r"/issues", _create_issue),
        ("GET", r"/issues/(?P<number>\d+)", _issue),
        ("PATCH", r"/issues/(?P<number>\d+)", _update_issue),
        ("GET", r"/issues/(?P<number>\d+)/comments", _issue_comments),
        ("POST", r"/issues/(?P<number>\d+)/comments", _create_comment),
        ("GET", r"/labels", _labels),
        ("GET", r"/actions/runs/(?P<run>\d+)", _run),
        ("GET", r"/actions/runs/(?P<run>\d+)/jobs", _jobs),
    )
)
