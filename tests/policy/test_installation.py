"""The files that another repository needs: what they call, when they start, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.installation import CLOCK, WORKFLOWS, Trigger, file_names, installation
from tests.acceptance.act import ROOT

MINE = "acme/history"
BACKFILL, DISPATCH = f"{WORKFLOWS}/gh-backfill.yml", f"{WORKFLOWS}/dispatch.yml"
WORKER = f"{WORKFLOWS}/historical-pr-sync-graphql.yml"
each_file = pytest.mark.parametrize("file", file_names())


def written(*, repository: str = MINE, trigger: Trigger = Trigger.SCHEDULE, whole: bool = True) -> dict[str, str]:
    return dict(
        installation(tool="tools/backfill", version="v1.2.3", repository=repository, trigger=trigger, whole=whole)
    )


def workflow(text: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(text)
    return document


def times(text: str) -> list[str]:
    return re.findall(r"cron: '(.*)'", text)


def minutes(text: str) -> Iterator[int]:
    for cron in times(text):
        yield from map(int, cron.split()[0].split(","))


def test_a_schedule_needs_one_file() -> None:
    assert set(written(whole=False)) == {BACKFILL}


def test_a_whole_installation_has_every_file() -> None:
    assert set(written()) == {f"{WORKFLOWS}/{name}" for name in file_names()}


@each_file
def test_each_file_calls_ours_of_the_version_that_was_named(file: str) -> None:
    jobs = workflow(written()[f"{WORKFLOWS}/{file}"])["jobs"]
    for job in jobs.values():
        called, _, version = job["uses"].partition("@")
        assert version == "v1.2.3"
        assert (ROOT / called.removeprefix("tools/backfill/")).is_file()


@each_file
def test_no_placeholder_is_left(file: str) -> None:
    assert not re.search(r"OWNER|VERSION|LY'", written()[f"{WORKFLOWS}/{file}"])


@pytest.mark.parametrize("repository", [MINE, "octocat/hello-world", "a/b", "Some-Org/some.name_x"])
def test_schedules_begin_away_from_the_quarters_of_an_hour(repository: str) -> None:
    drawn = [minute for text in written(repository=repository).values() for minute in minutes(text)]
    assert len(drawn) > 5
    assert [minute for minute in drawn if minute % 15 == 0] == []


def test_a_backfill_begins_at_odd_minutes_twice_an_hour() -> None:
    drawn = [list(minutes(written(repository=f"a/{n}", whole=False)[BACKFILL])) for n in range(100)]
    assert all(first % 2 == 1 and second == first + 30 for first, second in drawn)
    assert len({first for first, _ in drawn}) == 14


def test_a_repository_has_the_same_minutes_each_time_whatever_the_case_of_its_name() -> None:
    assert times(written(repository="ACME/History")[BACKFILL]) == times(written()[BACKFILL]) == ["19,49 * * * *"]


def test_a_clock_of_the_database_starts_the_tick_and_github_needs_no_schedule_for_it() -> None:
    files = written(trigger=Trigger.PG_CRON, whole=False)
    assert set(files) == {BACKFILL, DISPATCH, WORKER, CLOCK}
    assert [path for path, text in files.items() if times(text)] == []
    assert "repos/acme/history/actions/workflows/dispatch.yml/dispatches" in files[CLOCK]
    assert '"ref": "main"' in files[CLOCK]
    assert not re.search("REPOSITORY|STARTED|CRON'|BRANCH", files[CLOCK])


def test_with_inngest_only_the_tick_has_a_schedule_for_it_sends_the_events() -> None:
    files = written(trigger=Trigger.INNGEST, whole=False)
    assert [path for path, text in files.items() if times(text)] == [DISPATCH]
    assert "INNGEST_EVENT_KEY" in files[DISPATCH]


def test_every_trigger_leaves_a_start_by_hand() -> None:
    for trigger in Trigger:
        for path, text in written(trigger=trigger).items():
            if path != CLOCK:
                assert "workflow_dispatch" in workflow(text)[True]  # YAML reads the word `on` as true


@each_file
def test_nothing_is_permitted_on_top_and_secrets_are_named(file: str) -> None:
    document = workflow(written()[f"{WORKFLOWS}/{file}"])
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["secrets"] == {name: f"${{{{ secrets.{name} }}}}" for name in job["secrets"]}
        assert "DATABASE_URL" in job["secrets"]


@pytest.mark.parametrize(("repository", "version"), [("acme", "v1"), ("a b/c", "v1"), (MINE, "v1; rm"), (MINE, "")])
def test_what_is_neither_a_name_nor_a_version_is_refused(repository: str, version: str) -> None:
    for tool, caller in (("tools/backfill", repository), (repository, "tools/backfill")):
        with pytest.raises(ConfigurationError, match=r"say owner/name|say a tag"):
            installation(tool=tool, version=version, repository=caller)
