"""Profiles of accounts as GitHub shows them, and what else it may say of who is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.github import NodeId, NotFound, Person, Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileWanted:
    """An account whose profile is wanted: by GitHub's name for it, or, where nobody told us that, by its login."""

    github_id: int
    login: str
    node_id: NodeId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What an account tells of itself; None where it tells nothing, or has no such thing.

    `email_read` says whether we may read addresses: where not, nothing is known of this one.  An organization follows
    nobody, and bots and mannequins have no profile at all: their counts are None.
    """

    person: Person
    company: str | None = None
    location: str | None = None
    bio: str | None = None
    blog: str | None = None
    email: str | None = None
    email_read: bool = False
    public_repos: int | None = None
    public_gists: int | None = None
    followers: int | None = None
    following: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stranger:
    """The login belongs to another account by now: the one that was asked about has been renamed, or is gone."""


# What GitHub says of an account that was asked about.
ProfileTold = Profile | NotFound | Stranger | Unknown
