"""Labels, milestones and requested reviewers: what issues and pull requests are marked with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.github import NodeId, Person


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """One label of a repository."""

    node_id: NodeId
    name: str
    color: str
    description: str | None
    default: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Milestone:
    """What an issue or a pull request is to be done for."""

    number: int
    title: str
    state: str
    description: str | None
    due_on: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewRequest:
    """Somebody who was asked for a review, by GitHub's id of the request.

    `type` is GitHub's word for what was asked: User, Bot, Mannequin or Team; None where it is not shown to us.  A team
    has no `person`: who it is, GitHub tells only a token that may read the organization.
    """

    node_id: NodeId
    type: str | None
    person: Person | None
