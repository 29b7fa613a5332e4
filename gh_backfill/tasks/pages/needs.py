"""Failures of now, also while they run again: the backfills and the repositories whose last finished job failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.work import PULL_REQUESTS, words_of
from gh_backfill.policy import shown
from gh_backfill.policy.ledger import PASSING
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.report.alerts import REPEATED
from gh_backfill.policy.shown import JobFacts, PageState, ShownState
from gh_backfill.store.pages_rows import BackfillStanding, FailingJob, Standings
from gh_backfill.tasks.pages.actions_page import ActionsPage, issue_search

# What a person has to settle; other pauses end by themselves.
_FOR_A_PERSON = frozenset({"credential_refused", "way_to_github_wrong"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What fails of a repository: since when, how often within three days, the error, and where to look.

    `person` says that it stands still until somebody does something; else it is tried again by itself.  Where no report
    kept the address of its issue, `issue_search` is a search for it at GitHub.
    """

    repository_id: str
    full_name: str
    is_private: bool
    kind: str
    shown: ShownState
    person: bool
    text: str
    at: datetime | None
    times: int
    run_key: str | None = None
    run_address: str | None = None
    issue_address: str | None = None
    issue_search: str | None = None

    @property
    def words(self) -> str:
        """Return the state in words, with how often it failed."""
        if self.shown.state is PageState.FAILED and self.times > 1:
            return f"failed {self.times} times"
        return self.shown.word

    @property
    def remedy(self) -> str:
        """Return what lets it go on: what only pauses is resumed, what failed is tried again."""
        return "resume" if self.shown.state is PageState.PAUSED else "retry"

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinksOf:
    """Where runs and issues are looked at: known `issues` by our ids, and the repository that has the others."""

    page: ActionsPage | None
    issues: Mapping[str, str]
    issues_at: str | None


def needs(found: Standings, jobs: Sequence[FailingJob], links: LinksOf, now: datetime) -> tuple[Need, ...]:
    """Return what fails: what waits for a person first, each repository once for each kind of its items."""
    last = {each.repository_id: each for each in jobs}
    of_backfills = [_of_backfill(each, last.get(each.repository_id), links, now) for each in found.failing]
    known = {each.repository_id for each in of_backfills}
    of_jobs = [_of_job(each, links, now) for each in jobs if each.repository_id not in known]
    return tuple(sorted((*of_backfills, *of_jobs), key=lambda need: not need.person))


def number(found: Standings, all_needs: Sequence[Need]) -> int:
    """Return how many repositories wait for a person, also where not all of them are listed."""
    listed = {each.repository_id for each in all_needs if each.person}
    return max(len(listed), sum(group.need for group in found.groups if group.kind == PULL_REQUESTS))


def _of_backfill(found: BackfillStanding, job: FailingJob | None, links: LinksOf, now: datetime) -> Need:
    told = shown.of_backfill(found.facts, now)
    what = "" if found.kind == PULL_REQUESTS else f"{words_of(found.kind)}: "
    return Need(
        repository_id=found.repository_id,
        full_name=found.full_name,
        is_private=found.is_private,
        kind=found.kind,
        shown=told,
        person=told.state is PageState.FAILED or found.facts.pause_reason in _FOR_A_PERSON,
        text=f"{what}{told.detail or 'no reason was recorded'}",
        at=found.last_error_at or (job.at if job else None),
        times=job.times if job else 0,
        **_links(found.repository_id, job, links),
    )


def _of_job(job: FailingJob, links: LinksOf, now: datetime) -> Need:
    facts = JobFacts(status="failed", outcome=job.outcome, error=job.error, error_type=job.error_type)
    told = shown.of_job(facts, now)
    return Need(
        repository_id=job.repository_id,
        full_name=job.full_name,
        is_private=job.is_private,
        kind=PULL_REQUESTS,
        shown=told,
        person=job.times >= REPEATED or job.error_type not in PASSING,
        text=job.error or told.detail or "no reason was recorded",
        at=job.at,
        times=job.times,
        **_links(job.repository_id, job, links),
    )


def _links(repository_id: str, job: FailingJob | None, links: LinksOf) -> dict[str, str | None]:
    known = links.issues.get(repository_id)
    return {
        "run_key": job.run_key if job else None,
        "run_address": links.page.run(job.run_id, job.attempt) if links.page and job else None,
        "issue_address": known,
        "issue_search": issue_search(links.issues_at, repository_id) if links.issues_at and not known else None,
    }
