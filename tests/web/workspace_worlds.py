"""A workspace of four repositories: one known whole, one with weeks missing, one that failed, one never asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gh_backfill.store.db import Database
from gh_backfill.tasks import workspaces
from tests.aggregation_rows import Odd
from tests.velocity_by_hand import DAY, Plain, Span, Told
from tests.velocity_rows import store

SLUG = "web-frameworks"
NAMES = ("octo/whole", "octo/partly", "octo/broken", "octo/never")


def plain(now: datetime, *, stars: int, forks: int, missing: tuple[int, int] = (0, 0), known: int = 90) -> Plain:
    """Return a repository with so many stars and forks a day, more of late; some days back nobody covered."""
    today = int(now.timestamp()) // DAY
    told = []
    for back in range(1, known + 1):
        if missing[0] <= back < missing[1]:
            continue
        begin = (today - back) * DAY
        many = stars + (stars if back <= 30 and back % 7 == 0 else 0)
        told += [Told("WatchEvent", f"fan{back}x{n}", 1_000 * back + n, begin + 60.0 * (n + 1)) for n in range(many)]
        told += [
            Told("ForkEvent", f"f{back}x{n}/r", 7_000 + 100 * back + n, begin + 90.0 * (n + 1)) for n in range(forks)
        ]
    since, until = (today - known) * DAY, float(int(now.timestamp()))
    holes = (
        [(since, until)]
        if missing == (0, 0)
        else [
            (since, (today - missing[1] + 1) * DAY),
            ((today - missing[0] + 1) * DAY, until),
        ]
    )
    spans = [
        Span(series, source, *hole)
        for hole in holes
        for series, source in (("stars", "stargazers"), ("forks", "forks"))
    ]
    return Plain(told=told, spans=spans)


def fill(url: str) -> dict[str, str]:
    """Make the workspace and return our ids of its repositories by their names."""
    now = datetime.now(UTC)
    with Database(url) as db:
        with db.transaction() as tx:
            for months in range(5):
                tx.run("select gh_backfill_events_month((now() - %(ago)s)::date)", ago=timedelta(days=30 * months))
            ids = {
                "octo/whole": store(tx, plain(now, stars=5, forks=1), name="whole"),
                "octo/partly": store(tx, plain(now, stars=2, forks=1, missing=(40, 60)), name="partly"),
                "octo/broken": store(tx, plain(now, stars=3, forks=0, known=20), name="broken"),
                "octo/never": store(tx, Plain(), name="never"),
            }
            counts = ((84_120, 4_480), (37_402, 1_990), (209_911, 33_812), (12, 1))
            for own, (stars, forks) in zip(ids.values(), counts, strict=True):
                tx.run(
                    "update repositories set stargazers_count = %(stars)s, forks_count = %(forks)s where id = %(id)s",
                    id=own,
                    stars=stars,
                    forks=forks,
                )
            for name, status, outcome, error in (
                ("octo/whole", "completed", "completed", None),
                ("octo/partly", "completed", "completed", None),
                ("octo/broken", "failed", "failed", "stars: GitHub does not show the list, nor its history"),
            ):
                tx.run(
                    "insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, outcome, "
                    "error, run_key, time_range_days, metadata, created_at, started_at, completed_at) values "
                    "('events', %(id)s, 'local', %(status)s, %(outcome)s, %(error)s, 'r1', 90, "
                    """'{"batch": "b1"}', %(at)s, %(at)s, %(at)s)""",
                    id=ids[name],
                    status=status,
                    outcome=outcome,
                    error=error,
                    at=now - timedelta(hours=2),
                )
        workspaces.create(db, SLUG, name="Web frameworks", description=None, owner=None, private=False)
        workspaces.add(db, SLUG, list(ids.values()))
    return ids


def work(db: Database) -> None:
    """Let the repositories have pull requests with reviews, and issues; of one everything is captured."""
    with db.transaction() as tx:
        made = Odd(tx, 11, datetime.now(UTC))
        for name in NAMES:
            (row,) = tx.rows("select id from repositories where full_name = %(name)s", name=name)
            made.fill(row["id"], items=25)
        tx.run(
            "insert into backfills (repository_id, kind, status, total, captured) "
            "select id, 'pull_requests', 'completed', 25, 25 from repositories where full_name = 'octo/whole'"
        )
        tx.run(
            "insert into backfill_streams (repository_id, backfill_id, backfill_state_id, stream, ordering, status) "
            "select repository_id, id, id, 'history', 'CREATED_AT', 'completed' from backfills"
        )
