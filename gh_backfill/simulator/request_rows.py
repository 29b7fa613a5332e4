"""Rows of requests for a review, and of the teams that may be asked for one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TeamRow:
    """A team of an organization."""

    id: int
    node_id: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReviewRequestRow:
    """A review that somebody was asked for: an account or a team, or, without both, somebody who is not shown."""

    repository_id: int
    number: int
    id: int
    node_id: str
    account: int | None = None
    team: TeamRow | None = None
