"""Workflows of GitHub Actions: that they are there, whether they are enabled, and what was dispatched.

https://docs.github.com/en/rest/actions/workflows
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gh_backfill.simulator import refusals
from gh_backfill.simulator.messages import Response, refusal, reply
from gh_backfill.simulator.rest_call import Call
from gh_backfill.simulator.rows import Dispatched, RepositoryRow, WorkflowRow
from gh_backfill.simulator.world import World

MOST_LETTERS = 65_535
MOST_INPUTS = 25


def put(world: World, full_name: str, file: str, *, inputs: Sequence[str] = (), state: str = "active") -> None:
    """Put a workflow in place."""
    with world.lock:
        world.workflows[full_name.lower(), file] = WorkflowRow(file=file, inputs=tuple(inputs), state=state)


def disable(world: World, full_name: str, file: str, state: str = "disabled_inactivity") -> None:
    """Disable a workflow, as GitHub does after 60 days without a commit."""
    with world.lock:
        key = full_name.lower(), file
        world.workflows[key] = replace(world.workflows[key], state=state)


def read(call: Call, repository: RepositoryRow) -> Response:
    """A workflow."""
    found = _found(call, repository)
    return refusals.not_found() if found is None else reply(_view(call, repository, found))


def dispatch(call: Call, repository: RepositoryRow) -> Response:
    """Start a workflow."""
    found, given = _found(call, repository), call.json()
    if found is None:
        return refusals.not_found()
    if found.state != "active":
        return refusal(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    inputs: dict[str, Any] = given.get("inputs") or {}
    if unexpected := sorted(inputs.keys() - set(found.inputs)):
        return refusal(422, f"Unexpected inputs provided: {json.dumps(unexpected)}")
    if len(inputs) > MOST_INPUTS or len(json.dumps(inputs)) > MOST_LETTERS or not given.get("ref"):
        return refusal(422, "inputs are too large.")
    with call.world.lock:
        call.world.dispatches.append(
            Dispatched(
                repository=repository.full_name,
                file=found.file,
                ref=str(given["ref"]),
                inputs={key: str(value) for key, value in inputs.items()},
                by=call.identity,
            )
        )
    return Response(status=204, headers={})


def _found(call: Call, repository: RepositoryRow) -> WorkflowRow | None:
    return call.world.workflows.get((repository.full_name.lower(), call.parts["workflow"]))


def _view(call: Call, repository: RepositoryRow, row: WorkflowRow) -> dict[str, object]:
    identity = sum(row.file.encode())
    return {
        "id": identity,
        "name": row.file.removesuffix(".yml"),
        "path": f".github/workflows/{row.file}",
        "state": row.state,
        "url": f"{call.origin}/repos/{repository.full_name}/actions/workflows/{row.file}",
        "html_url": f"https://github.com/{repository.full_name}/blob/main/.github/workflows/{row.file}",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }
