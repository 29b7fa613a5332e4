"""Chunks and the streams whose pages they are: claim, commit, give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.errors import StaleClaim
from gh_backfill.models.github import Spent
from gh_backfill.models.work import PULL_REQUESTS, Claim, Phase, RowCounts, Stream
from gh_backfill.policy.chunking import PageSize
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.progress import MARGIN, Advance
from gh_backfill.resources import sql
from gh_backfill.store import endings, goals, kinds
from gh_backfill.store.db import Row, Statement, Transaction
from gh_backfill.store.words import stored

LEASE = timedelta(minutes=5)
_SQL = sql("chunks")
_SYNCS = sql("syncs")


@dataclass(frozen=True, kw_only=True, slots=True)
class NoClaim:
    """Why there is nothing to claim.

    `short` are the pull requests of which GitHub counted more than it listed, `quarantined` are items in quarantine.
    """

    status: BackfillStatus | None
    pause_reason: str | None = None
    resume_at: datetime | None = None
    chunk_status: str | None = None
    retry_at: datetime | None = None
    lease_until: datetime | None = None
    claimed_by: str | None = None
    gaps: int = 0
    short: int = 0
    quarantined: int = 0
    held: bool = False
    held_reason: str | None = None
    held_by: str | None = None
    last_error: str | None = None


def claiming(
    repository_id: str, kind: str = PULL_REQUESTS, *, worker: str, processor: str, part: int | None = None
) -> tuple[Statement, Statement]:
    """Return the statements that claim the next chunk of a kind, one after the other in one transaction.

    What `claimed` reads from their last row.  Of the parts of a split walk it is a chunk of one that nobody else is at,
    `part` before the one where this worker was last.
    """
    chosen = {"repository_id": repository_id, "kind": kind, "worker": worker, "part": part, "alive": LEASE}
    return (
        (_SQL["choose_stream"], chosen),
        (_SQL["claim_chunk"], {"worker": worker, "processor": processor, "lease": LEASE}),
    )


def claimed(rows: Sequence[Row]) -> Claim | Stream | None:
    """Return the claim, the stream where somebody else holds its chunk, None where there is nothing to work on."""
    if not rows:
        return None
    (row,) = rows
    stream = _stream(row)
    if row["chunk_id"] is None:
        return stream
    return Claim(
        chunk_id=row["chunk_id"],
        chunk_number=row["chunk_number"],
        attempt=row["attempt"],
        failures=row["retry_count"] or 0,
        after=row["after_cursor"],
        stream=stream,
    )


def why_no_claim(
    tx: Transaction, repository_id: str, kind: str = PULL_REQUESTS, *, worker: str | None = None
) -> NoClaim:
    """Return why nothing of a kind could be claimed by this worker."""
    row = tx.row(_SQL["why_nothing"], repository_id=repository_id, kind=kind, worker=worker)
    if row is None:
        return NoClaim(status=None)
    return NoClaim(
        status=BackfillStatus(row["status"]),
        pause_reason=row["pause_reason"],
        resume_at=row["resume_at"],
        chunk_status=row["chunk_status"],
        retry_at=row["retry_at"],
        lease_until=row["lease_until"],
        claimed_by=row["claimed_by"],
        gaps=row["gaps"],
        short=row["short"],
        quarantined=row["quarantined"],
        held=bool(row["held"]),
        held_reason=row["held_reason"],
        held_by=row["held_by"],
        last_error=row["last_error"],
    )


def holding(claim: Claim, *, goes_on: str | None = None) -> Statement:
    """Return the statement that locks what the commit of a chunk touches; `held` reads its rows."""
    stream = claim.stream
    of = {**key_of(claim), "stream_id": stream.id, "goes_on": goes_on}
    if stream.phase is Phase.SYNC:
        return _SYNCS["hold_sync_chunk"], {**of, "repository_id": stream.repository_id, "kind": stream.kind}
    return _SQL["hold_chunk"], of


def held(claim: Claim, rows: Sequence[Row]) -> bool:
    """Return whether this walk has been at the cursor `goes_on` before; raises StaleClaim if the chunk is not ours."""
    if not rows:
        raise StaleClaim(f"chunk {claim.chunk_number} was taken over by another worker")
    return bool(rows[0]["circling"])


def complete(
    tx: Transaction,
    claim: Claim,
    advance: Advance,
    *,
    numbers: list[int],
    asked: int,
    walked: int,
    new_items: int,
    counts: RowCounts,
    spent: Spent,
    total: int,
    wanted: int | None = None,
    page_size: PageSize,
    remaining: int | None,
) -> bool:
    """Close the chunk, move the cursor, count, and open the catch-up at the end of a walk; all with the rows.

    This transaction holds the chunk.  `asked` is how many items the page was asked for, `walked` are its places that
    the stream was about, also those of which nothing could be stored.  GitHub counts `total` items, and `wanted` of
    them are of a filtered goal, as far as that is known.  Returns whether the backfill, or the sync, is complete now.
    """
    tx.later(
        _SQL["complete_chunk"],
        **key_of(claim),
        pr_numbers=tuple(numbers),
        asked=asked,
        end_cursor=advance.cursor,
        points=spent.points,
        requests=spent.requests,
        remaining=remaining,
        inserted=counts.inserted,
        updated=counts.updated,
        unchanged=counts.unchanged,
        quarantined=counts.quarantined,
    )
    tx.later(
        _SQL["advance_stream"],
        stream_id=claim.stream.id,
        cursor=advance.cursor,
        status=advance.status,
        pass_number=advance.pass_number,
        read_down_to=advance.read_down_to,
        watermark=advance.watermark,
        page_size=page_size.size,
        page_worked=page_size.worked,
        page_too_big=page_size.too_big,
        pages_clean=page_size.clean,
        items=walked,
        stuck=advance.stuck,
        points=spent.points,
        requests=spent.requests,
    )
    if claim.stream.phase is Phase.SYNC:
        of = {"repository_id": claim.stream.repository_id, "kind": claim.stream.kind}
        tx.later(_SYNCS["count_synced"], **of, new_items=new_items, total=total)
        return advance.status is not BackfillStatus.ACTIVE
    tx.later(
        _SQL["advance_backfill"],
        backfill_id=claim.stream.backfill_id,
        new_items=new_items,
        total=total,
        cursor=advance.cursor,
        last_number=numbers[-1] if numbers else None,
        page_size=page_size.size,
        points=spent.points,
        requests=spent.requests,
    )
    if claim.stream.goal.filtered:
        of_walk = claim.stream.phase is Phase.HISTORY
        tx.later(_SQL["count_wanted"], backfill_id=claim.stream.backfill_id, wanted=wanted, of_walk=of_walk)
    if advance.catch_up_from is not None:
        _open_catch_up(tx, claim.stream, advance.catch_up_from)
    elif advance.status is not BackfillStatus.ACTIVE:
        return endings.complete_or_look_again(tx, [claim.stream.repository_id], claim.stream.kind) > 0
    return False


def committed(tx: Transaction, claim: Claim) -> bool:
    """Say whether our own commit of this chunk landed: how a COMMIT whose answer was lost is found out."""
    return tx.row(_SQL["committed"], **key_of(claim)) is not None


def voided(tx: Transaction, claim: Claim) -> bool:
    """Say whether a chunk that was lost is nobody's: its walk has another goal by now, or goes on."""
    return tx.row(_SQL["voided"], **key_of(claim)) is not None


def give_back(tx: Transaction, claim: Claim, *, error: str, retry_at: datetime) -> None:
    """Return a chunk whose attempt failed; it is claimed again from `retry_at` on."""
    tx.run(_SQL["give_back_chunk"], **key_of(claim), error=stored(error), retry_at=retry_at)


def release(tx: Transaction, claim: Claim) -> None:
    """Return a chunk that was not worked on."""
    tx.run(_SQL["release_chunk"], **key_of(claim))


def fail_chunk(tx: Transaction, claim: Claim, *, error: str) -> None:
    """Give a chunk up."""
    tx.run(_SQL["fail_chunk"], **key_of(claim), error=stored(error))


def count_error(tx: Transaction, claim: Claim, *, error: str) -> int:
    """Count an error of this backfill; returns how many there were in a row."""
    kinds.lock(tx, claim.stream.repository_id, claim.stream.kind)
    row = tx.row(_SQL["count_error"], backfill_id=claim.stream.backfill_id, error=stored(error))
    return 0 if row is None else int(row["consecutive_errors"])


def renew(tx: Transaction, claim: Claim) -> None:
    """Keep a claim alive while its chunk is fetched; raises StaleClaim if it is not ours any more."""
    if not tx.run(_SQL["renew_claim"], **key_of(claim), lease=LEASE):
        raise StaleClaim(f"chunk {claim.chunk_number} was taken over by another worker")


def key_of(claim: Claim) -> Row:
    """Return what a statement knows a claimed chunk by."""
    return {"chunk_id": claim.chunk_id, "attempt": claim.attempt}


def _open_catch_up(tx: Transaction, stream: Stream, read_down_to: datetime) -> None:
    """Open the catch-up of a walk that is over; a split one is when its last part is."""
    if stream.part:
        row = tx.row(_SQL["finish_walk"], backfill_id=stream.backfill_id)
        if row is None:
            return
        read_down_to = row["watermark"] - MARGIN
    tx.later(_SQL["open_catch_up"], backfill_id=stream.backfill_id, read_down_to=read_down_to)


def _stream(row: Row) -> Stream:
    return Stream(
        id=row["id"],
        backfill_id=row["backfill_id"],
        repository_id=row["repository_id"],
        phase=Phase(row["phase"]),
        goal=goals.from_row(row),
        cursor=row["cursor"],
        pass_number=row["pass_number"],
        read_down_to=row["read_down_to"],
        watermark=row["watermark"],
        page_size=row["page_size"],
        page_worked=row["page_worked"],
        page_too_big=row["page_too_big"],
        pages_clean=row["pages_clean"],
        items_done=row["items_done"],
        part=row["part"],
        numbers=(row["lowest_number"], row["highest_number"]) if row["part"] else None,
        kind=row["kind"],
    )
