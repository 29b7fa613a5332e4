"""Labels, assignees, milestones and requested reviewers as the JSON that they are stored as."""

from __future__ import annotations

from gh_backfill.models.github import Person
from gh_backfill.models.labels import Label, Milestone, ReviewRequest
from gh_backfill.store.db import Row


def label(told: Label) -> Row:
    """Write a label."""
    return {
        "id": told.node_id,
        "name": told.name,
        "color": told.color,
        "description": told.description,
        "default": told.default,
    }


def assignee(person: Person) -> Row:
    """Write somebody to whom an issue or a pull request is assigned."""
    return {"id": person.github_id, "login": person.login, "avatar_url": person.avatar_url}


def requested_reviewer(request: ReviewRequest) -> Row:
    """Write whose review is asked for: of a team that it is one, and of whoever is not shown not even that."""
    nobody = {"id": None, "login": None, "avatar_url": None}
    return {"type": request.type, **(nobody if request.person is None else assignee(request.person))}


def milestone(told: Milestone | None) -> Row | None:
    """Write a milestone."""
    if told is None:
        return None
    return {
        "number": told.number,
        "title": told.title,
        "state": told.state,
        "description": told.description,
        "due_on": None if told.due_on is None else told.due_on.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
