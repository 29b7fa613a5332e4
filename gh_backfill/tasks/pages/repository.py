"""The page of one repository: how it stands, what is here and what is not, and everything that happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from gh_backfill.models.work import CONTRIBUTORS, PULL_REQUESTS, words_of
from gh_backfill.policy import shown
from gh_backfill.policy.pages import happened
from gh_backfill.policy.pages.happened import Happened
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.progress import percent
from gh_backfill.policy.shown import Health, PageState, ShownState
from gh_backfill.store import pages, pages_proof, pages_repository, readings, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.pages import JobsWanted, Wanted
from gh_backfill.store.pages_proof import ShownProof
from gh_backfill.store.pages_repository import About, ChunkFacts, CoverageCell, Gap, Quarantined
from gh_backfill.store.pages_rows import BackfillStanding, LedgerJob, read
from gh_backfill.store.readings import ReadingStanding
from gh_backfill.tasks.pages import rows
from gh_backfill.tasks.pages.actions_page import ActionsPage
from gh_backfill.tasks.pages.coverage import Coverage, of_cells
from gh_backfill.tasks.pages.query import cursor, place
from gh_backfill.tasks.pages.rows import BackfillRow, JobRow

JOBS, CHUNKS, ODD, STORY = 10, 10, 20, 30


@dataclass(frozen=True, kw_only=True, slots=True)
class KindRow:
    """How far the items of a kind have come; or profiles, files or commits, as they were counted last."""

    kind: str
    words: str
    shown: ShownState
    captured: int
    total: int | None
    percent: float | None
    fresh_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkRow:
    """A page of work: what it brought, in words."""

    number: int
    kind: str
    stream: str
    at: datetime | None
    shown: ShownState
    text: str
    attempt: int
    error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoryRow:
    """One thing that happened, with its run's page."""

    what: Happened
    run_address: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryPage:
    """The whole page; without a row nobody ever captured it, and it may be tracked.

    `health` is how the last finished run ended; `short` counts items that are not whole, of which `gaps` are the first.
    `proof` is the last verification.
    """

    at: datetime
    about: About
    row: BackfillRow | None
    health: Health
    kinds: tuple[KindRow, ...]
    coverage: Coverage
    chunks: tuple[ChunkRow, ...]
    quarantine: tuple[Quarantined, ...]
    gaps: tuple[Gap, ...]
    jobs: tuple[JobRow, ...]
    story: tuple[StoryRow, ...]
    story_next: str | None
    proof: ShownProof | None = None

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return self.about.full_name

    @property
    def is_private(self) -> bool:
        """Say whether it is private, or not known to be public."""
        return self.about.is_private

    @property
    def shown(self) -> ShownState:
        """Return its state."""
        return self.row.shown if self.row else ShownState(state=PageState.NEVER, detail="it is not tracked")

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


def repository(
    db: Database, name: str, query: Mapping[str, str], now: datetime, *, public_only: bool = False
) -> RepositoryPage | None:
    """Return the page of a repository by any of its names; None for one that the database does not have.

    With `public_only` it is as anybody may read it: without errors and persons, and None for what is not known to be
    public.  Raises StoreError where a statement takes over two seconds.
    """
    with pages.reading(db) as tx:
        found = repositories.find(tx, [name])[name]
        return None if found is None else _page(tx, found.id, query, now, public_only=public_only)


def _page(
    tx: Transaction, id_: str, query: Mapping[str, str], now: datetime, *, public_only: bool
) -> RepositoryPage | None:
    before = place(query.get("after", ""), datetime, str)
    answers = tx.together(
        pages_repository.about_question(id_, public_only=public_only),
        pages.standings_question(Wanted(ids=(id_,), most_failing=0, public_only=public_only), now),
        pages.jobs_question(JobsWanted(repository_id=id_, most=JOBS, public_only=public_only)),
        pages_repository.chunks_question(id_, CHUNKS, public_only=public_only),
        pages_repository.quarantine_question(id_, ODD, public_only=public_only),
        pages_repository.gaps_question(id_, ODD),
        pages_repository.coverage_question(id_),
        pages_repository.story_question(
            id_, STORY + 1, None if before is None else (before[0], before[1]), public_only=public_only
        ),
        pages.runs_question(1, public_only=public_only),
        pages_proof.proof_question(id_, public_only=public_only),
        readings.question([id_]),
    )
    about = next(iter(read(answers[0], About)), None)
    if about is None:
        return None
    standings = pages.standings(answers[1]).listed
    jobs = sorted(read(answers[2], LedgerJob), key=lambda job: (job.created_at, job.id), reverse=True)
    chunks = sorted(read(answers[3], ChunkFacts), key=lambda chunk: (str(chunk.created_at), chunk.id), reverse=True)
    told = pages_repository.story(answers[7])
    page = ActionsPage.of(run.address for run in pages.runs(answers[8]))
    own = [each for each in standings if each.kind == PULL_REQUESTS]
    row = next(iter(rows.backfills(tx, own, now)), None)
    story = [happened.of(each.at, each.source, each.told, now) for each in told[:STORY]]
    last = told[STORY - 1] if len(told) > STORY else None
    beside = readings.standings(answers[10]).get(id_, [])
    return RepositoryPage(
        at=now,
        about=about,
        row=row,
        health=_health(jobs, now),
        kinds=(*(_kind(each, now) for each in standings), *(_reading(each) for each in beside)),
        coverage=of_cells(read(answers[6], CoverageCell), 0 if row is None else row.captured),
        chunks=tuple(_chunk(each, now) for each in chunks),
        quarantine=tuple(sorted(read(answers[4], Quarantined), key=lambda each: each.last_seen_at, reverse=True)),
        gaps=tuple(sorted(read(answers[5], Gap), key=lambda gap: -gap.number)),
        jobs=tuple(rows.job(each, page, now) for each in jobs),
        story=tuple(
            StoryRow(what=each, run_address=page.run(each.run_id, each.attempt) if page else None) for each in story
        ),
        story_next=None if last is None else f"?after={cursor(last.at, last.key)}",
        proof=pages_proof.proof(answers[9]),
    )


def _health(jobs: Sequence[LedgerJob], now: datetime) -> Health:
    last = next((job for job in jobs if job.outcome is not None), None)
    return shown.health(last.facts if last else None, (last.completed_at or last.created_at) if last else None, now)


def _kind(found: BackfillStanding, now: datetime) -> KindRow:
    return KindRow(
        kind=found.kind,
        words=words_of(found.kind),
        shown=shown.of_backfill(found.facts, now),
        captured=found.captured,
        total=found.total,
        percent=None if found.wanted is None else percent(found.captured, found.wanted),
        fresh_at=found.fresh_at,
    )


def _reading(found: ReadingStanding) -> KindRow:
    whole = found.known >= found.total
    by = "gh-backfill profiles" if found.name == CONTRIBUTORS else "gh-backfill diffs"
    left = ShownState(state=PageState.WAITING, detail=f"{by} asks for the rest, and a sync where it is switched on")
    return KindRow(
        kind=found.name,
        words=words_of(found.name),
        shown=ShownState(state=PageState.COMPLETED) if whole else left,
        captured=found.known,
        total=found.total,
        percent=percent(found.known, found.total),
        fresh_at=found.counted_at,
    )


def _chunk(found: ChunkFacts, now: datetime) -> ChunkRow:
    told = asdict(found)
    state = happened.of_chunk(told, now)
    return ChunkRow(
        number=found.chunk_number,
        kind=found.kind,
        stream=found.stream,
        at=found.created_at,
        shown=state,
        text=happened.of_work(told) if state.state is PageState.COMPLETED else state.detail or "",
        attempt=found.attempt,
        error=found.error,
    )
