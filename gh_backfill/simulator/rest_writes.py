"""The writes of the REST interface: issues, labels and comments."""

from __future__ import annotations

from typing import Any

from gh_backfill.simulator import changes, refusals, views
from gh_backfill.simulator.messages import Response, refusal, reply
from gh_backfill.simulator.rest_call import Call, find
from gh_backfill.simulator.rows import RepositoryRow
from gh_backfill.simulator.targets import labels_of

MOST_LETTERS = 65_536


def create_issue(call: Call, repository: RepositoryRow) -> Response:
    """Open an issue; labels that are not there are made."""
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
        assignees=[str(login) for login in given.get("assignees") or ()],
        author=call.identity,
    )
    return reply(views.issue(call.world, call.origin, made), 201)


def create_label(call: Call, repository: RepositoryRow) -> Response:
    """Make a label; one that is there already is an error."""
    given = call.json()
    if problem := _invalid(given, "name"):
        return problem
    shelf = call.world.shelves[repository.id]
    if any(label.name.lower() == str(given["name"]).lower() for label in shelf.labels):
        errors = [{"resource": "Label", "code": "already_exists", "field": "name"}]
        return refusal(422, "Validation Failed", errors=errors)
    with call.world.lock:
        (made,) = labels_of(call.world, repository, [str(given["name"])])
    return reply(views.label(made), 201)


def update_issue(call: Call, repository: RepositoryRow) -> Response:
    """Change, close or open an issue."""
    given = call.json()
    if call.world.issue(repository.id, call.number) is None:
        return refusals.not_found()
    if problem := _invalid(given):
        return problem
    fields: dict[str, Any] = {
        key: given[key] for key in ("title", "body", "state", "labels", "assignees") if key in given
    }
    if given.get("state") == "closed":
        fields |= {"by": call.identity, "reason": given.get("state_reason")}
    return reply(
        views.issue(
            call.world, call.origin, changes.edit_issue(call.world, repository.full_name, call.number, **fields)
        )
    )


def create_comment(call: Call, repository: RepositoryRow) -> Response:
    """Write in a conversation."""
    given = call.json()
    if find(call, repository, call.number) is None:
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
