"""Plain rows of a repository, written as its sources, or an application, would have written them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from gh_backfill.store.db import Row, Transaction
from tests.velocity_by_hand import Plain, Told

EPOCH = date(1970, 1, 1)
REPOSITORY = """
    insert into repositories (id, github_id, full_name, owner, name, is_private)
    values (%(id)s, %(number)s, 'octo/' || %(name)s, 'octo', %(name)s, %(is_private)s)
"""
PUBLIC = """
    insert into github_events_cache (event_id, event_type, actor_login, actor_github_id, payload, created_at, source,
                                     repository_owner, repository_name, repository_github_id)
    select e.*, 'octo', %(name)s, case when e.source is not null then %(number)s::bigint end
    from jsonb_to_recordset(%(rows)s) e (event_id text, event_type text, actor_login text, actor_github_id bigint,
                                         payload jsonb, created_at timestamptz, source text)
"""
PRIVATE = """
    insert into private_events (repository_id, event_id, event_type, actor_login, actor_github_id, payload, created_at,
                                source)
    select %(id)s::uuid, e.*
    from jsonb_to_recordset(%(rows)s) e (event_id text, event_type text, actor_login text, actor_github_id bigint,
                                         payload jsonb, created_at timestamptz, source text)
"""
SOURCE = """
    insert into event_sources as e (repository_id, series, source, state, asked_at, covered)
    values (%(id)s, %(series)s, %(source)s, 'available', %(until)s, tstzmultirange(tstzrange(%(since)s, %(until)s)))
    on conflict (repository_id, series, source) do update set covered = e.covered + excluded.covered
"""
HISTORY = "insert into star_days values (%(id)s, %(day)s, %(stars)s, %(provisional)s, now())"


def at(seconds: float) -> datetime:
    """Return a moment so many seconds after the beginning of 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def store(
    tx: Transaction,
    plain: Plain,
    *,
    is_private: bool | None = False,
    ours: Sequence[bool] = (),
    name: str | None = None,
) -> str:
    """Write a repository with these rows, and return its id; events that are not `ours` an application wrote."""
    id_, number = str(uuid4()), uuid4().int % 10**12
    name = name or f"kit{number}"
    tx.run(REPOSITORY, id=id_, number=number, name=name, is_private=is_private)
    own = [place >= len(ours) or ours[place] for place in range(len(plain.told))]
    rows = [_row(each, f"{id_}_{place}", own[place]) for place, each in enumerate(plain.told)]
    hidden = [row for row in rows if row["source"] and is_private is not False]
    public = [row for row in rows if not (row["source"] and is_private is not False)]
    tx.run(PUBLIC, rows=public, name=name, number=number)
    tx.run(PRIVATE, rows=hidden, id=id_)
    for span in plain.spans:
        times = {"since": at(span.since), "until": at(span.until)}
        tx.run(SOURCE, id=id_, series=span.series, source=span.source, **times)
    for day, (stars, over) in plain.history.items():
        tx.run(HISTORY, id=id_, day=EPOCH + timedelta(days=day), stars=stars, provisional=not over)
    return id_


def _row(each: Told, key: str, own: bool) -> Row:
    is_fork = each.type == "ForkEvent"
    fork: dict[str, object] = {"full_name": each.name} | ({"id": each.number} if own and each.number else {})
    return {
        "event_id": f"{each.type}_{key}",
        "event_type": each.type,
        "actor_login": "x" if is_fork else each.name,
        "actor_github_id": each.number if own and not is_fork else None,
        "payload": {"forkee": fork} if is_fork else {"action": "started"},
        "created_at": at(each.at).isoformat(),
        "source": "events" if own else None,
    }
