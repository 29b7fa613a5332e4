"""Workflows are started by their file, and one that is disabled says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gh_backfill.clients import workflows as client
from gh_backfill.clients.workflows import WorkflowAddress
from gh_backfill.errors import Denied, Unexpected
from gh_backfill.simulator import workflows
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running

HOME = "octo/engine"
FILE = "worker.yml"


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=[f"{HOME}:1"])) as simulator:
        workflows.put(simulator.world, HOME, FILE, inputs=["repositories"])
        yield simulator


def address(github: Simulator, file: str = FILE) -> WorkflowAddress:
    return WorkflowAddress(api_url=github.url, repository=HOME, file=file, ref="main")


def test_a_workflow_is_started_with_its_inputs(github: Simulator) -> None:
    client.start("tok", address(github), {"repositories": "a b"})
    (told,) = github.world.dispatches
    assert (told.repository, told.file, told.ref, told.inputs) == (HOME, FILE, "main", {"repositories": "a b"})
    assert client.state("tok", address(github)).state == "active"


def test_one_that_is_disabled_says_what_to_do(github: Simulator) -> None:
    workflows.disable(github.world, HOME, FILE)
    with pytest.raises(Denied, match=r"worker.yml is disabled_inactivity: open Actions in octo/engine"):
        client.start("tok", address(github), {})
    assert client.state("tok", address(github)).state == "disabled_inactivity"
    assert github.world.dispatches == []


def test_an_input_that_it_does_not_take_is_told(github: Simulator) -> None:
    with pytest.raises(Unexpected, match="Unexpected inputs provided"):
        client.start("tok", address(github), {"other": "x"})


def test_one_that_is_not_there_is_refused(github: Simulator) -> None:
    with pytest.raises(Denied, match="actions: write"):
        client.start("tok", address(github, "none.yml"), {})
