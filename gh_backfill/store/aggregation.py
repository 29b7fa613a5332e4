"""Figures of workspaces in the database: whose are due, and the writing and reading of all of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.resources import sql
from gh_backfill.store.db import Statement, Transaction

_SQL = {**sql("aggregation"), **sql("aggregation_figures")}
# Figures of periods change with time alone: after so long they are computed anew whatever happened.
OLD = timedelta(hours=20)
# No job takes so long from its beginning to its end.
LONGEST_JOB = timedelta(days=2)
# A count of stars is that of a moment where GitHub was looked at so shortly before: that is done every day.
NEAR = timedelta(days=2)
# Where every job of a workspace is followed by its aggregation, these rest for so long, or for so many times as long as
# the last one took: the database is at it for a fiftieth of the time at most.
REST = timedelta(minutes=1)
REST_TIMES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceToAggregate:
    """A workspace, how many repositories it has, in `members` which ones, and when it was aggregated last."""

    id: str
    slug: str
    is_private: bool
    repositories: int
    members: str
    computed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceMetrics:
    """The figures of a workspace in a period, since `since` (None: ever), as of `computed_at`: docs/metrics.md.

    What begins with `previous_` is of the period of the same length before; None where there is none.  What is of
    discussions is None where the figures are older than that.
    """

    workspace_id: str
    audience: str
    period: str
    since: datetime | None
    computed_at: datetime
    repositories: int
    pull_requests_whole: int
    issues_whole: int
    read_until: datetime | None
    contributors: int
    previous_contributors: int | None
    new_contributors: int
    pull_requests_opened: int
    previous_pull_requests_opened: int | None
    pull_requests_merged: int
    previous_pull_requests_merged: int | None
    pull_requests_closed: int
    previous_pull_requests_closed: int | None
    pull_requests_open: int
    pull_requests_draft: int
    median_hours_to_merge: float | None
    previous_median_hours_to_merge: float | None
    median_hours_to_first_review: float | None
    previous_median_hours_to_first_review: float | None
    issues_opened: int
    previous_issues_opened: int | None
    issues_closed: int
    previous_issues_closed: int | None
    issues_open: int
    reviews: int
    previous_reviews: int | None
    reviewers: int
    busiest_reviewer: str | None
    busiest_reviewer_share: float | None
    stars: int | None
    forks: int | None
    stars_change: int | None
    forks_change: int | None
    changes_known: int
    discussions_whole: int | None
    discussions_opened: int | None
    previous_discussions_opened: int | None
    discussions_answered: int | None
    previous_discussions_answered: int | None
    discussion_comments: int | None
    previous_discussion_comments: int | None


def to_aggregate(
    tx: Transaction,
    *,
    slugs: Sequence[str] | None = None,
    repository_id: str | None = None,
    only_due: bool = False,
    only_rested: bool = False,
    within: float | None = None,
) -> list[WorkspaceToAggregate]:
    """Return the workspaces of these slugs and of a repository (None: any), the oldest figures first; none is deleted.

    `only_due`: whose figures are missing or old, or of which something ended since; `only_rested`: see `REST`;
    `within`: whose last aggregation took less than so many seconds.
    """
    rows = tx.rows(
        _SQL["aggregation_due"],
        slugs=None if slugs is None else tuple(slugs),
        repository_id=repository_id,
        only_due=only_due,
        only_rested=only_rested,
        old=OLD,
        recent=LONGEST_JOB,
        rested=REST,
        times=REST_TIMES,
        within=within,
    )
    return [WorkspaceToAggregate(**row) for row in rows]


def noting(workspaces: Sequence[WorkspaceToAggregate]) -> Statement:
    """Return the statement after which each of these can be locked; it is to be committed by itself."""
    return _SQL["note_aggregation"], {"ids": tuple(each.id for each in workspaces)}


def lock(tx: Transaction, workspace_id: str, *, unless_busy: bool) -> bool:
    """Keep others from aggregating a workspace until the transaction ends; False: it is busy, or there is none."""
    name = "lock_aggregation_unless_busy" if unless_busy else "lock_aggregation"
    return tx.row(_SQL[name], id=workspace_id) is not None


def write(tx: Transaction, workspace: WorkspaceToAggregate, now: datetime | None, *, seconds: float) -> datetime | None:
    """Write all figures of a workspace that is locked, as of `now` or of the database's; returns as of when.

    Raises StoreSlow where that takes longer than `seconds`.
    """
    tx.later(_SQL["bound_aggregation"], milliseconds=round(1000 * seconds))
    rows = tx.rows(_SQL["aggregate_workspace"], id=workspace.id, now=now, near=NEAR)
    if not rows:
        return None
    computed_at: datetime = rows[0]["computed_at"]
    tx.later(_SQL["forget_second_audience"], id=workspace.id)
    tx.later(_SQL["note_totals"], id=workspace.id)
    tx.later(_SQL["note_aggregated"], id=workspace.id, computed_at=computed_at, members=workspace.members)
    return computed_at


def slow(workspace_id: str, seconds: float) -> Statement:
    """Return the statement that notes that an aggregation takes longer than so many seconds."""
    return _SQL["note_slow"], {"id": workspace_id, "seconds": seconds}


def metrics(tx: Transaction, workspace_id: str, *, public_only: bool = False) -> list[WorkspaceMetrics]:
    """Return the figures of a workspace, the shortest period first; none where this reader has none yet."""
    found = tx.rows(_SQL["workspace_metrics"], id=workspace_id, public_only=public_only)
    return [WorkspaceMetrics(**row) for row in found]
