"""The processors that the settings tell of, and why there is not each of them."""

from __future__ import annotations

from functools import partial

from gh_backfill.clients import workflows
from gh_backfill.clients.workflows import WorkflowAddress
from gh_backfill.policy.ledger import Processor
from gh_backfill.settings import Settings
from gh_backfill.tasks.dispatch.jobs import Processors
from gh_backfill.tasks.dispatch.sender import Sender
from gh_backfill.tasks.dispatch.starting import WORKER, WorkflowSender

NO_INNGEST = "there are no Inngest keys: everything goes to GitHub Actions"
NO_ACTIONS = "GITHUB_REPOSITORY is not set: there is no workflow to start (gh-backfill sync --all-due works here)"
NO_CREDENTIAL = "GITHUB_TOKEN is not set: no workflow can be started"


def processors(settings: Settings, inngest: Sender | None = None) -> Processors:
    """Return what jobs can be handed to: the worker's workflow of this repository, and Inngest where it has keys."""
    senders: dict[Processor, Sender] = {}
    missing: dict[Processor, str] = {}
    token = _token(settings)
    if settings.repository is None or token is None:
        missing[Processor.GITHUB_ACTIONS] = NO_ACTIONS if settings.repository is None else NO_CREDENTIAL
    else:
        at = WorkflowAddress(
            api_url=settings.github_api_url, repository=settings.repository, file=WORKER, ref=settings.workflow_ref
        )
        senders[Processor.GITHUB_ACTIONS] = WorkflowSender(
            start=partial(workflows.start, token, at), runners=settings.runner_labels
        )
    if inngest is None:
        missing[Processor.INNGEST] = NO_INNGEST
    else:
        senders[Processor.INNGEST] = inngest
    return Processors(senders=senders, missing=missing)


def _token(settings: Settings) -> str | None:
    """Return the token that may start workflows: one of its own, or the first of those that read."""
    if settings.workflow_token is not None:
        return settings.workflow_token.get_secret_value()
    return next(iter(settings.tokens.values()), None)
