"""The clock: workflows that GitHub disabled, and repositories that are due and that nobody asked about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gh_backfill.errors import BackfillError
from gh_backfill.policy.schedule import due_words, is_late
from gh_backfill.settings import Settings
from gh_backfill.store.dues import Backlog
from gh_backfill.tasks.finding import Finding

# Those that have a schedule, or that a schedule starts; the last two are of installations in other repositories.
WORKFLOWS = (
    *("dispatch.yml", "historical-pr-sync-graphql.yml", "progressive-backfill.yml"),
    *("gh-backfill.yml", "gh-backfill-nightly.yml"),
)


def late(backlog: Backlog, now: datetime) -> Iterator[Finding]:
    """Say since when repositories are due that no tick asked about; it is no fault of the settings."""
    if not is_late(backlog.since, now):
        return
    told = due_words(backlog.many, backlog.since)
    yield Finding(
        name="schedule",
        ok=True,
        text=f"late: {told}; gh-backfill dispatch takes them, docs/scheduling.md has a clock that is on time",
    )


def workflows(settings: Settings) -> Iterator[Finding]:
    """Tell which workflows of this repository are disabled; what is wrong keeps nobody from working."""
    for text in disabled(settings):
        yield Finding(name="schedule", ok=True, text=text)


def disabled(settings: Settings) -> Iterator[str]:
    """Ask GitHub which workflows of this repository are disabled and since when, and say what to do."""
    token = settings.workflow_token or settings.github_token
    if settings.repository is None or token is None:
        return
    from gh_backfill.clients import workflows as client  # noqa: PLC0415  (PyGithub takes a third of a second to load)
    from gh_backfill.clients.workflows import WorkflowAddress  # noqa: PLC0415

    for file in WORKFLOWS:
        at = WorkflowAddress(
            api_url=settings.github_api_url, repository=settings.repository, file=file, ref=settings.workflow_ref
        )
        try:
            found = client.state(token.get_secret_value(), at)
        except BackfillError:
            continue  # the token's finding says what is wrong with it; this one need not read Actions
        if found.state != client.ACTIVE:
            since = "" if found.since is None else f" since {found.since:%Y-%m-%d}"
            todo = f"open Actions in {settings.repository}, choose it, and Enable workflow"
            yield f"the workflow {file} is {found.state}{since}: {todo}"
