"""Jobs that go to Inngest: one event for each, by the schema that the functions read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gh_backfill import settings
from gh_backfill.models.inngest_events import AnyEvent, InitialBackfill, PullRequestSync, RepositorySync
from gh_backfill.policy.ledger import JobType
from gh_backfill.store.routing import WaitingJob
from gh_backfill.tasks.dispatch.inngest_sender import InngestSender, event_of, sender

JOB = WaitingJob(
    id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    job_type=JobType.SYNC,
    repository_id="16fd2706-8baf-433b-82eb-8c7fada847da",
    owner="octo",
    name="engine",
    is_private=False,
    pull_requests=300,
    backfilling=False,
    days=3,
    given_days=None,
    reason=None,
    priority=None,
    ours=True,
    starts=0,
)


@pytest.mark.parametrize(
    ("job", "wanted"),
    [
        (JOB, (RepositorySync, None)),
        (replace(JOB, ours=False, given_days=7, reason="auto-fix"), (PullRequestSync, 7)),
        (replace(JOB, ours=False, given_days=0), (PullRequestSync, 1)),
    ],
    ids=["a tick's own", "another application's", "of less than a day"],
)
def test_a_sync_is_an_event_that_says_whose_rules_hold(job: WaitingJob, wanted: tuple[type, int | None]) -> None:
    event = event_of(job, "dispatch-1")
    assert isinstance(event, RepositorySync | PullRequestSync)
    assert (type(event), event.days) == wanted
    assert (event.owner, event.name, event.job_id, event.repository_id) == ("octo", "engine", job.id, job.repository_id)


def test_a_backfill_is_wanted_as_far_as_it_was_opened() -> None:
    event = event_of(replace(JOB, job_type=JobType.BACKFILL), "dispatch-1")
    assert isinstance(event, InitialBackfill)
    assert event.max_prs is None


def test_a_job_that_is_handed_over_again_is_another_wish() -> None:
    sent: list[AnyEvent] = []
    to = InngestSender(send_events=sent.extend)
    to.send([JOB], "dispatch-1")
    to.send([JOB, replace(JOB, repository_id=None)], "dispatch-2")
    assert len({each.model_dump()["request_id"] for each in sent}) == len(sent) == 2


def test_there_is_no_inngest_without_a_key_for_it() -> None:
    assert sender(settings.load({}, dotenv=None)) is None
    assert sender(settings.load({"INNGEST_EVENT_KEY": "k"}, dotenv=None)) is not None
