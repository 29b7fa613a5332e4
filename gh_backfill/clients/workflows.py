"""Workflows of GitHub Actions: start one, and ask whether it is enabled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from github import GithubException

from gh_backfill.clients import sense
from gh_backfill.clients.rest import client, own_errors
from gh_backfill.errors import Denied, Unexpected

ACTIVE = "active"
CREDENTIAL = "GITHUB_TOKEN and `permissions: actions: write`"


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowAddress:
    """Where a workflow is: in which repository, its file, and on which branch it runs."""

    api_url: str
    repository: str
    file: str
    ref: str


def start(token: str, at: WorkflowAddress, inputs: Mapping[str, str]) -> None:
    """Start a workflow with inputs, of which there may be 25, together of 65,535 characters as JSON.

    Needs `actions: write`; what the workflow's own token starts does run.  Raises Denied where GitHub refuses, also
    where the workflow is disabled or is not there, Unexpected for inputs that it does not take, RateLimited and
    Unreachable.
    https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
    """
    with own_errors(at.api_url, CREDENTIAL), client(at.api_url, token) as asking:
        workflow = asking.get_repo(at.repository).get_workflow(at.file)
        state = workflow.state
        if state == ACTIVE:
            try:
                workflow.create_dispatch(at.ref, dict(inputs), throw=True)
            except GithubException as error:
                if error.status != 422:
                    raise
                raise Unexpected(f"GitHub does not start {at.file}: {sense.one_line(error.message)}") from None
    if state != ACTIVE:
        raise Denied(
            f"the workflow {at.file} is {state}: open Actions in {at.repository}, choose it, and Enable workflow"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowState:
    """Whether a workflow is enabled: `active`, or why not, and since when it is so."""

    state: str
    since: datetime | None


def state(token: str, at: WorkflowAddress) -> WorkflowState:
    """Return whether a workflow is enabled.  Raises as `start` does.

    GitHub's words are active, deleted, disabled_fork, disabled_inactivity and disabled_manually.
    """
    with own_errors(at.api_url, "GITHUB_TOKEN and `permissions: actions: read`"), client(at.api_url, token) as asking:
        found = asking.get_repo(at.repository).get_workflow(at.file)
        return WorkflowState(state=str(found.state), since=found.updated_at)
