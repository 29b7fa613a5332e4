"""The reading of one repository's page, beside its standing and its jobs: questions for one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Statement
from gh_backfill.store.pages import readers
from gh_backfill.store.pages_rows import timed

_SQL = sql("pages_repository")
CELLS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """A repository: whether it is on the list, since when and by whom, and how much of it is not whole."""

    id: str
    full_name: str
    is_private: bool
    tracked: bool
    tracked_at: datetime | None
    tracked_by: str | None
    total_at: datetime | None
    default_branch: str | None
    description: str | None
    quarantined: int
    short: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkFacts:
    """A page of work; `failures` are the claims of it that ended in an error, `lease_at` is when its claim ends."""

    chunk_number: int
    kind: str
    stream: str
    status: str
    attempt: int
    failures: int
    retry_at: datetime | None
    lease_at: datetime | None
    error: str | None
    claimed_by: str | None
    started_at: datetime | None
    completed_at: datetime | None
    items: int | None
    points: int | None
    inserted: int | None
    updated: int | None
    quarantined: int | None
    id: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Quarantined:
    """A thing that could not be stored or read; `kind` is what it is, `item_kind` what it belongs to."""

    id: str
    item_kind: str
    kind: str
    identity: str
    number: int | None
    reason: str
    attempts: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """An item of which something is known to be missing, and what."""

    kind: str
    number: int
    gap: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageCell:
    """The numbers from `first` to `last`: whether one of them is here, whether the walk has been there, what is odd."""

    n: int
    first: int
    last: int
    here: bool
    walked: bool
    quarantined: int
    short: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One thing that happened, as its source tells it; `key` tells apart what happened at the same moment."""

    at: datetime
    key: str
    source: str
    told: Mapping[str, Any]


def about_question(repository_id: str, *, public_only: bool = False) -> Statement:
    """Ask for the repository: one row of `About`, none where it may not be shown."""
    return _SQL["about"], {"id": repository_id, **readers(public_only)}


def chunks_question(
    repository_id: str, most: int, before: tuple[datetime, str] | None = None, *, public_only: bool = False
) -> Statement:
    """Ask for the last pages of work before a (time, id): rows of `ChunkFacts`."""
    at, id_ = before or (None, None)
    place = {"most": most, "before": at, "before_id": id_}
    return _SQL["chunks"], {"id": repository_id, **place, **readers(public_only)}


def quarantine_question(repository_id: str, most: int, *, public_only: bool = False) -> Statement:
    """Ask for what is in quarantine: rows of `Quarantined`."""
    return _SQL["quarantined_items"], {"id": repository_id, "most": most, **readers(public_only)}


def gaps_question(repository_id: str, most: int) -> Statement:
    """Ask for what is known to be missing of items: rows of `Gap`."""
    return _SQL["gaps"], {"id": repository_id, "most": most}


def coverage_question(repository_id: str) -> Statement:
    """Ask for what is here by number: rows of `CoverageCell`, none where nothing is."""
    return _SQL["coverage"], {"id": repository_id, "cells": CELLS}


def story_question(
    repository_id: str, most: int, before: tuple[datetime, str] | None = None, *, public_only: bool = False
) -> Statement:
    """Ask for what happened before a (time, key): rows of `Told`."""
    at, key = before or (None, None)
    place = {"most": most, "before": at, "before_key": key}
    return _SQL["story"], {"id": repository_id, **place, **readers(public_only)}


def story(rows: Sequence[Row]) -> list[Told]:
    """Return what happened, the latest first."""
    told = [Told(**{**timed(row), "told": timed(row["told"])}) for row in rows]
    return sorted(told, key=lambda each: (each.at, each.key), reverse=True)
