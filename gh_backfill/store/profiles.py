"""Profiles of people: who is to be asked about, who asks just now, and what GitHub said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from gh_backfill.models.github import NodeId, Unknown
from gh_backfill.models.profiles import Profile, ProfileTold, ProfileWanted, Stranger
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction

_SQL = sql("profiles")
# Profiles change seldom.
OLD = timedelta(days=30)
# A query and all its tries take less; whoever died in between keeps nobody longer than this from asking.
LEASE = timedelta(minutes=5)
NOT_FOUND = "GitHub shows no such account"
STRANGER = "the login belongs to another account now"


class ProfileStanding(NamedTuple):
    """How complete a list of contributors is: people who occur, and of how many we know what GitHub shows."""

    people: int
    known: int


class ProfilesDue(NamedTuple):
    """Whom to ask about, by our ids in the order in which that is to be done, and how the list stands before."""

    ids: list[str]
    standing: ProfileStanding


def standing(tx: Transaction, repository_id: str, *, older_than: timedelta = OLD) -> ProfileStanding:
    """Return how complete a repository's list of contributors is.

    Known is of whom GitHub said within that time what it shows, also that it shows nobody; and bots, which have no
    profile.
    """
    return due(tx, [repository_id], older_than=older_than, most=1).standing


def due(
    tx: Transaction, repository_ids: Sequence[str], *, older_than: timedelta = OLD, most: int | None = None
) -> ProfilesDue:
    """Return which people of these repositories are to be asked about, each once, at most so many."""
    rows = tx.rows(
        _SQL["people_of_repositories"], repository_ids=tuple(repository_ids), older_than=older_than, most=most
    )
    counted = ProfileStanding(rows[0]["people"], rows[0]["known"]) if rows else ProfileStanding(0, 0)
    return ProfilesDue([row["id"] for row in rows if row["wanted"]], counted)


def lease(
    tx: Transaction, ids: Sequence[str], *, older_than: timedelta = OLD, lease: timedelta = LEASE
) -> list[ProfileWanted]:
    """Take those of these people whom nobody asks about now; nobody else takes them before the lease is over."""
    rows = tx.rows(_SQL["lease_profiles"], ids=tuple(ids), older_than=older_than, lease=lease)
    return sorted(
        (
            ProfileWanted(
                github_id=row["github_id"],
                login=row["login"],
                node_id=None if row["node_id"] is None else NodeId(row["node_id"]),
            )
            for row in rows
        ),
        key=lambda each: each.github_id,
    )


def release(tx: Transaction, people: Sequence[ProfileWanted]) -> None:
    """Give people back about whom nothing was said: whoever comes next may ask."""
    if people:
        tx.run(_SQL["release_profiles"], github_ids=tuple(each.github_id for each in people))


def write(tx: Transaction, told: Sequence[tuple[ProfileWanted, ProfileTold]], at: datetime) -> None:
    """Write what GitHub said at a time of each of these people; they are free again.

    Logins and faces are `store_people`'s.  What is unknown keeps what is here, and is asked again.
    """
    profiles = [_profile(each, at) for _, each in told if isinstance(each, Profile)]
    gaps = [_gap(wanted, each, at) for wanted, each in told if not isinstance(each, Profile)]
    if profiles:
        tx.run(_SQL["write_profiles"], profiles=profiles)
    if gaps:
        tx.run(_SQL["write_profile_gaps"], gaps=gaps)


def _profile(told: Profile, at: datetime) -> Row:
    return {
        "github_id": told.person.github_id,
        "node_id": told.person.node_id,
        "company": told.company,
        "location": told.location,
        "bio": told.bio,
        "blog": told.blog,
        "email": told.email,
        "email_read": told.email_read,
        "public_repos": told.public_repos,
        "public_gists": told.public_gists,
        "followers": told.followers,
        "following": told.following,
        "created_at": told.created_at,
        "asked_at": at,
    }


def _gap(wanted: ProfileWanted, told: ProfileTold, at: datetime) -> Row:
    if isinstance(told, Unknown):
        return {"github_id": wanted.github_id, "gap": told.reason, "asked_at": None}
    return {"github_id": wanted.github_id, "gap": STRANGER if isinstance(told, Stranger) else NOT_FOUND, "asked_at": at}
