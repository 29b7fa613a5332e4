"""What must be true after a storm: database = simulator, counters = counts, each page once, no lost claim committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gh_backfill.simulator.rows import IssueComment, ReviewCommentRow, ReviewRow
from gh_backfill.simulator.world import World
from gh_backfill.store.db import Transaction
from tests.arrows import arrows
from tests.comparison import Difference, compare, compare_issues
from tests.discussion_comparison import compare_discussions
from tests.storm.expected_world import expected_world, pulls_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What is wrong, how many rows of each kind were compared, and what had to be excused, with how often.

    `at_once` is how many chunks of issues were under way while another worker had one of pull requests of the same
    repository.
    """

    wrong: tuple[str, ...]
    at_once: int
    compared: dict[str, int]
    excused: dict[str, int]


def judge(
    tx: Transaction,
    world: World,
    *names: str,
    moved: bool,
    deleted: Collection[int] = (),
    killed: Collection[str] = (),
    aimed: bool = False,
) -> Judgement:
    """Judge a database by the world that was captured into it; `killed` are the names of workers that died.

    A walk that was `aimed` at another goal may have begun again, and the page that was under way then is void.
    """
    expected = expected_world(world, *names, moved=moved)
    result = compare(tx, expected, stood_still=not moved)
    of_issues = compare_issues(tx, expected)
    of_discussions = [compare_discussions(tx, world, name, moved=moved) for name in names]
    excuses: Counter[str] = Counter()
    wrong: list[str] = []
    kept = _kept(tx, world)
    ids = tuple(world.repositories)
    for difference in (*result.found, *of_issues.found, *(each for of in of_discussions for each in of.found)):
        excuse = _excuse(difference, deleted, kept)
        if excuse is None:
            wrong.append(str(difference))
        else:
            excuses[excuse] += 1
    wrong += [
        *_standing(tx, ids),
        *_pages(tx, aimed=aimed),
        *_transitions(tx),
        *_owners(tx, killed, aimed=aimed),
        *_reported(tx, ids),
    ]
    wrong += [*_shown(tx, ids), *_captured(tx, ids, stood_still=not moved)]
    at_once = tx.row(_AT_ONCE)
    return Judgement(
        wrong=tuple(wrong),
        at_once=at_once["chunks"] if at_once else 0,
        compared={
            **sum((Counter(each.compared) for each in of_discussions), Counter()),
            **of_issues.compared,
            **result.compared,
        },
        excused=dict(excuses),
    )


def _excuse(difference: Difference, deleted: Collection[int], kept: Collection[int]) -> str | None:
    """Return why a difference is no fault; None where it is one."""
    identity = int(difference.row.split()[-1]) if difference.row.split()[-1].isdigit() else 0
    if difference.kind == "surplus" and identity in deleted:
        return "deleted at GitHub after it was read"
    if difference.field == "percentage_over_100" and deleted:
        return "more stored than GitHub counts, since some were deleted"
    if difference.kind == "missing" and identity in kept:
        return "in quarantine with its reason"
    if difference.field == "parent" and difference.found is None and int(str(difference.expected)) in kept:
        return "a reply to what is in quarantine"
    if difference.field == "in_reply_to" and difference.found is None and difference.expected in kept:
        return "an answer to what is in quarantine"
    if difference.kind == "different" and difference.field == "body":
        found = str(difference.found).replace("\ufffd", "").replace("\\u0000", "")
        return "a body without its unstorable characters" if found == difference.expected else None
    return None


def _kept(tx: Transaction, world: World) -> set[int]:
    """Return the ids and numbers of what is missing for a reason that is on record, with what belongs to it."""
    rows = tx.rows(_QUARANTINED)
    identities = {row["identity"] for row in rows}
    kept = {row["github_id"] for row in rows if row["github_id"]}
    for repository_id in world.repositories if rows else ():
        for pull in pulls_of(world, repository_id):
            below: list[ReviewRow | ReviewCommentRow | IssueComment]
            below = [*pull.reviews, *pull.review_comments, *pull.comments]
            if pull.node_id in identities:
                kept |= {pull.number, *(row.id for row in below)}
            kept |= {row.id for row in below if row.node_id in identities}
        for issue in world.shelves[repository_id].issues.values():
            whole = issue.node_id in identities
            kept |= {issue.number} if whole else set()
            kept |= {row.id for row in issue.comments if whole or row.node_id in identities}
        for each in world.shelves[repository_id].discussions.values():
            whole = each.node_id in identities
            kept |= {each.number, each.id} if whole else set()
            kept |= {row.id for row in each.comments if whole or row.node_id in identities}
    return kept


def _standing(tx: Transaction, ids: tuple[int, ...]) -> Iterator[str]:
    """Nothing of these repositories is left open."""
    for row in tx.rows(_OPEN, ids=ids):
        yield f"{row['full_name']}: {row['what']} is {row['status']}"


def _pages(tx: Transaction, *, aimed: bool) -> Iterator[str]:
    """Every page of the walk was committed once, each from where the one before it ended."""
    last: dict[str, str | None] = {}
    for row in tx.rows(_PAGES):
        stream = row["stream_id"]
        begins = row["after_cursor"] is None
        if begins and row["stream"] == "history" and stream in last and not aimed:
            yield f"the walk began twice: chunk {row['chunk_number']}"
        if not begins and last.get(stream) != row["after_cursor"]:
            yield f"chunk {row['chunk_number']} of {row['stream']} does not begin where the one before it ended"
        last[stream] = row["end_cursor"]
    for row in [] if aimed else tx.rows(_TWICE):
        yield f"{row['full_name']}: {row['pages']} pages of the walk were committed more than once"


def _transitions(tx: Transaction) -> Iterator[str]:
    """Every change of state is an arrow of the state machine, and no attempt ever falls."""
    drawn = {
        "chunk": arrows("chunk"),
        "backfill": arrows("backfill and stream"),
        "stream": arrows("backfill and stream"),
    }
    for row in tx.rows("select * from storm_audit where old_status is not null order by id"):
        if row["new_status"] not in drawn[row["kind"]].get(row["old_status"], ()):
            yield f"{row['kind']} {row['old_status']} -> {row['new_status']} by {row['worker']} is no arrow"
        if row["kind"] == "chunk" and row["attempt"] < row["old_attempt"]:
            yield f"the attempt of a chunk fell from {row['old_attempt']} to {row['attempt']}"


def _owners(tx: Transaction, killed: Collection[str], *, aimed: bool) -> Iterator[str]:
    """Whoever closed or gave back an attempt is who claimed it, or gives back what has lost its lease or its worker."""
    for row in tx.rows(_NOT_OURS, killed=tuple(killed)):
        if aimed and row["new_status"] == "skipped":
            continue
        yield (
            f"attempt {row['attempt']} of a chunk was set {row['new_status']} by {row['worker']}, "
            f"but claimed by {row['owner']}"
        )


def _reported(tx: Transaction, ids: tuple[int, ...]) -> Iterator[str]:
    """The rows that the chunks say they inserted are the rows that are there."""
    for row in tx.rows(_REPORTED, ids=ids):
        if row["reported"] != row["stored"]:
            yield f"{row['full_name']}: chunks report {row['reported']} rows inserted, {row['stored']} are stored"


def _shown(tx: Transaction, ids: tuple[int, ...]) -> Iterator[str]:
    """What others read of a repository is the backfill of its pull requests, and of nothing else."""
    for row in tx.rows(_UNLIKE, ids=ids):
        yield f"{row['full_name']}: progressive_backfill_state is {row['shown']}, the backfill is {row['kept']}"


def _captured(tx: Transaction, ids: tuple[int, ...], *, stood_still: bool) -> Iterator[str]:
    """The backfills of issues and of discussions count the rows that are there, each read by one chunk of the walk."""
    for row in tx.rows(_COUNTED, ids=ids):
        home, rows, kind = row["full_name"], row["rows"], row["kind"]
        if row["captured"] != rows:
            yield f"{home}: the backfill of {kind} counts {row['captured']}, {rows} are stored"
        if stood_still and (row["total"], row["walked"], row["chunked"]) != (rows, rows, rows):
            yield (
                f"{home}: {rows} {kind} are stored, GitHub counts {row['total']}, the walk {row['walked']}, "
                f"its chunks {row['chunked']}"
            )


_QUARANTINED = "select identity, github_id, number, kind from backfill_quarantine where resolved_at is null"

_OPEN = """
    select r.full_name, open.what, open.status
    from (select repository_id, 'a chunk' as what, status from backfill_chunks where status in ('pending', 'processing')
          union all
          select repository_id, 'the backfill', status from progressive_backfill_state where status <> 'completed'
          union all
          select h.id, 'the backfill of ' || k.kind, coalesce(b.status, 'not there')
          from repositories h
          cross join (values ('pull_requests'), ('issues'), ('discussions')) k (kind)
          left join backfills b on b.repository_id = h.id and b.kind = k.kind
          where b.status is distinct from 'completed'
            and exists (select from tracked_repositories t where t.repository_id = h.id)
          union all
          select repository_id, 'a stream', status from backfill_streams where status in ('active', 'failed')) open
    join repositories r on r.id = open.repository_id
    where r.github_id = any(%(ids)s)"""

_PAGES = """
    select c.stream_id, s.stream, c.chunk_number, c.after_cursor, c.end_cursor
    from backfill_chunks c
    join backfill_streams s on s.id = c.stream_id
    where c.status = 'completed'
    order by c.stream_id, c.chunk_number"""

_TWICE = """
    select r.full_name, count(*) as pages
    from (select c.repository_id, c.after_cursor
          from backfill_chunks c
          join backfill_streams s on s.id = c.stream_id and s.stream = 'history'
          where c.status = 'completed'
          group by c.repository_id, c.stream_id, c.after_cursor
          having count(*) > 1) twice
    join repositories r on r.id = twice.repository_id
    group by 1"""

_NOT_OURS = """
    select done.attempt, done.new_status, done.worker, claim.worker as owner
    from storm_audit done
    join storm_audit claim on claim.row_id = done.row_id and claim.kind = 'chunk' and claim.attempt = done.attempt
     and claim.new_status = 'processing' and claim.old_attempt is distinct from claim.attempt
    where done.kind = 'chunk' and done.old_status = 'processing' and done.new_status <> 'processing'
      and done.worker <> claim.worker
      and not (done.new_status = 'pending' and (done.lease_over or claim.worker = any(%(killed)s::text[])))"""

_REPORTED = """
    select r.full_name,
           (select coalesce(sum(c.rows_inserted), 0) from backfill_chunks c
            where c.repository_id = r.id and c.status = 'completed') as reported,
           (select count(*) from pull_requests p where p.repository_id = r.id)
           + (select count(*) from reviews v where v.repository_id = r.id)
           + (select count(*) from comments m where m.repository_id = r.id)
           + (select count(*) from issues i where i.repository_id = r.id)
           + (select count(*) from discussions d where d.repository_id = r.id)
           + (select count(*) from discussion_comments e join discussions d on d.id = e.discussion_id
              where d.repository_id = r.id) as stored
    from repositories r
    where r.github_id = any(%(ids)s)"""

# By the names of their columns; the times of the changes are each row's own.
_UNLIKE = """
    with shown as (
        select p.repository_id, jsonb_build_object(
            'id', p.id, 'status', p.status, 'total', p.total_prs, 'captured', p.processed_prs, 'gaps', p.gaps,
            'held', p.held, 'completed_at', p.completed_at, 'cursor', p.last_processed_cursor,
            'number', p.last_processed_pr_number,
            'at', p.last_processed_at, 'points', p.points, 'requests', p.requests, 'errors', p.error_count,
            'consecutive', p.consecutive_errors, 'last', p.last_error) as it
        from progressive_backfill_state p
    ), kept as (
        select b.repository_id, jsonb_build_object(
            'id', b.id, 'status', b.status, 'total', b.total, 'captured', b.captured, 'gaps', b.gaps,
            'held', b.held, 'completed_at', b.completed_at, 'cursor', b.last_processed_cursor,
            'number', b.last_processed_number,
            'at', b.last_processed_at, 'points', b.points, 'requests', b.requests, 'errors', b.error_count,
            'consecutive', b.consecutive_errors, 'last', b.last_error) as it
        from backfills b where b.kind = 'pull_requests'
    )
    select r.full_name, s.it as shown, k.it as kept
    from shown s
    full join kept k using (repository_id)
    join repositories r on r.id = repository_id
    where r.github_id = any(%(ids)s) and s.it is distinct from k.it"""

# What the walk read is in its chunks by number; the catch-up's chunks come on top.
_COUNTED = """
    select r.full_name, b.kind, b.captured, b.total,
           case b.kind when 'issues' then (select count(*) from issues i where i.repository_id = r.id)
                       else (select count(*) from discussions d where d.repository_id = r.id) end as rows,
           (select coalesce(sum(s.items_done), 0) from backfill_streams s
            where s.backfill_id = b.id and s.stream = 'history') as walked,
           (select count(distinct n) from backfill_chunks c
            join backfill_streams s on s.id = c.stream_id and s.stream = 'history'
            cross join unnest(c.pr_numbers) n
            where c.backfill_id = b.id and c.status = 'completed') as chunked
    from backfills b
    join repositories r on r.id = b.repository_id
    where b.kind in ('issues', 'discussions') and r.github_id = any(%(ids)s)"""

# From the claim to whatever came of it, by the clock of the database.
_AT_ONCE = """
    with held as (
        select a.row_id, a.worker, a.at as since, c.repository_id, s.kind,
               coalesce((select min(o.at) from storm_audit o where o.row_id = a.row_id and o.id > a.id), a.at) as until
        from storm_audit a
        join backfill_chunks c on c.id = a.row_id
        join backfill_streams s on s.id = c.stream_id
        where a.kind = 'chunk' and a.new_status = 'processing'
    )
    select count(distinct i.row_id)::integer as chunks
    from held i
    join held p on p.repository_id = i.repository_id and p.worker <> i.worker
     and p.since < i.until and i.since < p.until
    where i.kind = 'issues' and p.kind = 'pull_requests'"""
