"""The REST interface's lists and objects."""

from __future__ import annotations

from bisect import bisect_left
from functools import partial

from gh_backfill.simulator import refusals, views
from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.messages import Response, reply
from gh_backfill.simulator.rest_call import Call, find, page, page_by_cursor
from gh_backfill.simulator.rows import IssueRow, PullRequestRow, RepositoryRow
from gh_backfill.simulator.shelf import CommentKey, Outline


def repository(call: Call, repository: RepositoryRow) -> Response:
    """A repository."""
    return reply(views.repository(call.world, repository))


def pulls(call: Call, repository: RepositoryRow) -> Response:
    """The pull requests of a repository."""
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
    return page(
        call, repository, numbers, lambda number: views.pull_request(call.world, _pull_of(call, repository, number))
    )


def pull(call: Call, repository: RepositoryRow) -> Response:
    """A pull request."""
    found = call.world.pull(repository.id, call.number)
    return refusals.not_found() if found is None else reply(views.pull_request(call.world, found, full=True))


def reviews(call: Call, repository: RepositoryRow) -> Response:
    """The reviews of a pull request, by id."""
    found = call.world.pull(repository.id, call.number)
    rows = found.reviews if found else ()
    return page(call, repository, rows, lambda row: views.review(call.world, row)) if found else refusals.not_found()


def review_comments(call: Call, repository: RepositoryRow) -> Response:
    """Those of one pull request, from `since` on."""
    found = call.world.pull(repository.id, call.number)
    if found is None:
        return refusals.not_found()
    query, field = call.request.query, _sorted_by(call)
    rows = [row for row in found.review_comments if row.updated_at >= query.get("since", "")]
    rows.sort(key=lambda row: (getattr(row, field), row.id), reverse=query.get("direction") == "desc")
    return page(call, repository, rows, lambda row: views.review_comment(call.world, row))


def all_review_comments(call: Call, repository: RepositoryRow) -> Response:
    """Those of all pull requests in one list, from `since` on; the list has an end before all are in it."""
    query, field, shelf = call.request.query, _sorted_by(call), call.world.shelves[repository.id]
    keys, since = shelf.review_comments(field), query.get("since", "")
    if field == "updated_at":
        keys = keys[bisect_left(keys, (since,)) :]
    else:
        keys = [key for key in keys if key.updated_at >= since]
    if query.get("direction") == "desc":
        keys = keys[::-1]

    def view(key: CommentKey) -> object:
        pull = _pull_of(call, repository, key.number)
        row = next(row for row in pull.review_comments if row.id == key.id)
        return views.review_comment(call.world, row)

    return page(call, repository, keys, view, most=call.options.longest_list)


def _sorted_by(call: Call) -> str:
    return "updated_at" if call.request.query.get("sort") == "updated" else "created_at"


def issues(call: Call, repository: RepositoryRow) -> Response:
    """Issues and pull requests in one list, as GitHub mixes them."""
    query, shelf = call.request.query, call.world.shelves[repository.id]
    since, state = query.get("since", ""), query.get("state", "open")
    if since.startswith("1970-01-01T00:00:00"):
        return reply([])
    order = {"updated": "UPDATED_AT", "comments": "COMMENTS"}.get(query.get("sort", ""), "CREATED_AT")
    labels = {name for name in query.get("labels", "").split(",") if name}
    rows: list[Outline | IssueRow] = [*shelf.outlines(), *shelf.issues.values()]
    keys = [_place(call, repository, order, row) for row in rows if _wanted(row.state, row.updated_at, state, since)]
    descending = query.get("direction", "desc") == "desc"
    keys.sort(reverse=descending)
    if labels:
        keys = [key for key in keys if labels <= {label.name for label in _item(call, repository, key[2]).labels}]

    def view(key: Key) -> object:
        return views.issue(call.world, call.origin, _item(call, repository, key[2]))

    most = call.options.longest_numbered
    return page_by_cursor(call, repository, keys, view, order=order, descending=descending, most=most)


def _place(call: Call, repository: RepositoryRow, order: str, row: Outline | IssueRow) -> Key:
    """Say where an issue or a pull request stands in their common list; rows of one moment stand by their numbers."""
    if order == "COMMENTS":
        value = f"{len(_item(call, repository, row.number).comments):09}"
    else:
        value = row.updated_at if order == "UPDATED_AT" else row.created_at
    return value, row.number, row.number


def _wanted(state: str, updated_at: str, wanted: str, since: str) -> bool:
    return updated_at >= since and (wanted == "all" or (state == "OPEN") == (wanted == "open"))


def issue(call: Call, repository: RepositoryRow) -> Response:
    """An issue, which a pull request is too; of a deleted one it says so."""
    found = find(call, repository, call.number)
    if found is None:
        removed = call.number in call.world.shelves[repository.id].removed_issues
        return refusals.issue_deleted() if removed else refusals.not_found()
    return reply(views.issue(call.world, call.origin, found))


def issue_comments(call: Call, repository: RepositoryRow) -> Response:
    """The conversation of an issue or a pull request."""
    found = find(call, repository, call.number)
    if found is None:
        return refusals.not_found()
    rows = [row for row in found.comments if row.updated_at >= call.request.query.get("since", "")]
    return page(call, repository, rows, lambda row: views.issue_comment(call.world, row))


def all_issue_comments(call: Call, repository: RepositoryRow) -> Response:
    """The conversations of all issues and pull requests in one list, from `since` on."""
    shelf, query = call.world.shelves[repository.id], call.request.query
    field = _sorted_by(call)
    items = [*(shelf.pull(outline.number) for outline in shelf.outlines()), *shelf.issues.values()]
    rows = [row for item in items if item for row in item.comments if row.updated_at >= query.get("since", "")]
    rows.sort(key=lambda row: (getattr(row, field), row.id), reverse=query.get("direction") == "desc")
    view = partial(views.issue_comment, call.world)
    return page(call, repository, rows, view, most=call.options.longest_list)


def labels(call: Call, repository: RepositoryRow) -> Response:
    """The labels of a repository."""
    return page(call, repository, call.world.shelves[repository.id].labels, views.label)


def run(call: Call, repository: RepositoryRow) -> Response:
    """A run of GitHub Actions."""
    found = call.world.runs.get((repository.id, int(call.parts["run"])))
    if found is None:
        return refusals.not_found()
    address = f"{call.origin}/repos/{repository.full_name}/actions/runs/{call.parts['run']}"
    return reply({"url": address, "jobs_url": f"{address}/jobs", **found})


def jobs(call: Call, repository: RepositoryRow) -> Response:
    """The jobs of a run."""
    key = (repository.id, int(call.parts["run"]))
    if key not in call.world.runs:
        return refusals.not_found()
    jobs = call.world.jobs.get(key, [])
    return reply({"total_count": len(jobs), "jobs": jobs})


def _item(call: Call, repository: RepositoryRow, number: int) -> IssueRow | PullRequestRow:
    found = find(call, repository, number)
    if found is None:
        raise LookupError(f"{repository.full_name} #{number} went away while it was read")
    return found


def _pull_of(call: Call, repository: RepositoryRow, number: int) -> PullRequestRow:
    found = call.world.pull(repository.id, number)
    if found is None:
        raise LookupError(f"{repository.full_name} #{number} went away while it was read")
    return found
