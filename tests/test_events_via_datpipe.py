"""`events --via datpipe`: what a person or a workflow is told, and what is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from tests.datpipe_service import KEY, Service, serving
from tests.test_cli import cli, environment, refused

__all__ = ["environment"]


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:5", "octo/other:4"])) as simulator:
        yield simulator


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as made:
        yield made


@pytest.fixture
def tracked(environment: dict[str, str], service: Service) -> dict[str, str]:
    assert cli(environment, "track", "octo/small", "octo/other").returncode == 0
    return environment | service.settings()


def test_the_service_takes_them_and_is_asked_and_told_to_stop(
    tracked: dict[str, str], service: Service, tmp_path: Path
) -> None:
    summary = tmp_path / "summary"
    names = ("octo/other", "octo/small")
    done = cli(tracked, "events", *names, "--via", "datpipe", "--days", "30", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    assert "✓ octo/small: job job-2 of gh-datpipe: queued" in done.stdout
    assert "| octo/small | waiting | job job-2 of gh-datpipe" in summary.read_text().replace("\\-", "-")
    assert (service.handed(), service.asked[0].body["days"]) == (list(names), 30)
    service.jobs["job-1"]["status"] = "completed"
    asked = cli(tracked, "events", *names, "--via", "datpipe", "--status", "--json")
    assert [(each["repository"], each["job_id"], each["status"]) for each in json.loads(asked.stdout)] == [
        ("octo/other", "job-1", "completed"),
        ("octo/small", "job-2", "waiting"),
    ]
    stopped = cli(tracked, "events", "octo/small", "--via", "datpipe", "--cancel")
    assert "octo/small: job job-2 of gh-datpipe: cancelled, Job cancelled" in stopped.stdout
    assert service.jobs["job-2"]["status"] == "cancelled"


def test_a_failing_one_ends_in_one_line_with_the_guides_words_and_no_key(
    tracked: dict[str, str], service: Service
) -> None:
    service.fail(401, {"message": f"no such key: {KEY}"})
    done = cli(tracked, "events", "octo/small", "--via", "datpipe")
    assert refused(done, 2).startswith("error: Service unavailable: gh-datpipe does not accept GH_DATPIPE_KEY")
    assert KEY not in done.stdout + done.stderr
    service.fail(500, b"<html>\x1b[2J")
    assert refused(cli(tracked, "events", "octo/small", "--via", "datpipe"), 4).startswith(
        "error: Failed to trigger backfill: gh-datpipe answers with status 500"
    )
    service.fail(404)
    assert refused(cli(tracked, "events", "octo/small", "--via", "datpipe"), 3).startswith(
        "error: Repository not found: gh-datpipe does not know it"
    )


def test_a_dry_run_sends_nothing(tracked: dict[str, str], service: Service) -> None:
    done = cli(tracked, "events", "octo/small", "--via", "datpipe", "--dry-run")
    assert done.stdout.splitlines() == [
        "octo/small: 90 days for gh-datpipe, which has no job of it",
        "dry run: nothing was sent or written",
    ]
    assert service.asked == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--via", "pigeon"), "--via takes datpipe alone"),
        (("--status",), "--status and --cancel are about jobs of a service: add --via datpipe"),
        (("--via", "datpipe", "--status", "--cancel"), "--status and --cancel: give one of them"),
        (("--via", "datpipe", "--days", "91"), "--days must be a whole number from 1 to 90, not 91"),
        (("--via", "datpipe", "--types", "ForkEvent", "--parallel", "2"), "leave out --types, --parallel, or --via"),
        (("--via", "datpipe", "--since", "2026-01-01"), "gh-datpipe takes --days alone: leave out --since"),
        (("--via", "datpipe"), "Service unavailable: GH_DATPIPE_KEY is missing"),
        (("--via", "datpipe", "--dry-run"), "Service unavailable: GH_DATPIPE_KEY is missing"),
    ],
)
def test_what_is_no_wish_is_refused_in_one_line(
    environment: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    assert said in refused(cli(environment, "events", "octo/small", *options), 2)


def test_without_a_repository_it_is_asked_which(tracked: dict[str, str]) -> None:
    said = refused(cli(tracked, "events", "--via", "datpipe"), 2)
    assert "which repositories? " in said
    assert "events owner/name --via datpipe" in said


def test_a_workspace_is_handed_over_as_a_whole_and_its_turns_stay_here(
    tracked: dict[str, str], service: Service
) -> None:
    assert cli(tracked, "workspace", "create", "my-space").returncode == 0
    assert cli(tracked, "workspace", "add", "my-space", "octo/small", "octo/other").returncode == 0
    dry = cli(tracked, "events", "--workspace", "my-space", "--via", "datpipe", "--dry-run")
    assert ("octo/small: 90 days" in dry.stdout, service.asked) == (True, [])
    done = cli(tracked, "events", "octo/small", "--workspace", "my-space", "--via", "datpipe")
    assert done.returncode == 0, done.stderr
    assert sorted(service.handed()) == ["octo/other", "octo/small"], "each once"
    assert "leave out --due" in refused(cli(tracked, "events", "--due", "--via", "datpipe"), 2)
