"""The command `profiles`, and `contributors` among the kinds: what they print, write and return."""

from __future__ import annotations

import json
from pathlib import Path

from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.server import Simulator
from tests.test_cli import cli, environment, github, refused
from tests.test_kind_options import counted, kinds_of

__all__ = ["environment", "github"]
SMALL, ENGINE = "octo/small", "octo/engine"
KNOWN = "contributors where profile_fetched_at is not null"


def test_a_dry_run_foretells_and_the_run_says_how_many_for_how_many_points(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert cli(environment, "track", SMALL).returncode == 0
    assert cli(environment, "capture", SMALL).returncode == 0
    before = cli(environment, "profiles", SMALL, "--dry-run")
    assert before.returncode == 0, before.stderr
    assert before.stdout.startswith(f"{SMALL}: ")
    assert "about 1 point; dry run: nothing was written" in before.stdout
    assert counted(environment, KNOWN) == 0
    done = cli(environment, "profiles", SMALL, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    people = counted(environment, "contributors")
    assert f"{people} of {people} contributors are known" in done.stdout
    assert "1 point" in done.stdout
    assert "## Profiles of contributors" in (tmp_path / "summary").read_text()
    (row,) = json.loads(cli(environment, "profiles", SMALL, "--json").stdout)
    assert (row["people"], row["known"], row["read"], row["points"]) == (people, people, 0, 0)


def test_without_a_name_it_is_about_what_has_contributors_switched_on(environment: dict[str, str]) -> None:
    assert cli(environment, "track", SMALL, "--kinds", "pull_requests,contributors").returncode == 0
    assert cli(environment, "track", ENGINE).returncode == 0
    rows = json.loads(cli(environment, "profiles", "--dry-run", "--json").stdout)
    assert [row["repository"] for row in rows] == [SMALL]
    by_default = cli(environment, "profiles", "--dry-run", "--json", GH_BACKFILL_KINDS="issues,contributors")
    assert sorted(row["repository"] for row in json.loads(by_default.stdout)) == [ENGINE, SMALL]


def test_contributors_are_tracked_with_items_and_captured_after_them(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "track", SMALL, "--kinds", "contributors"), 2)
    assert "contributors are those of some items: name pull_requests, issues" in line
    assert counted(environment, "repositories") == 0
    assert cli(environment, "track", ENGINE, "--kinds", "contributors,issues").returncode == 0
    assert kinds_of(environment) == [["issues", "contributors"]]
    done = cli(environment, "capture", ENGINE)
    assert done.returncode == 0, done.stderr
    assert counted(environment, KNOWN) > 0
    assert counted(environment, "pull_requests") == 0
    why = cli(environment, "why", ENGINE)
    known = counted(environment, "contributors")
    assert f"contributors: of {known} {known} are known" in why.stdout
    assert cli(environment, "sync", ENGINE).returncode == 0
    assert cli(environment, "plan").returncode == 0


def test_what_fails_is_named_and_what_was_read_until_then_stays(environment: dict[str, str], github: Simulator) -> None:
    assert cli(environment, "track", SMALL).returncode == 0
    assert cli(environment, "capture", SMALL).returncode == 0
    github.faults.add(Fault(name="forbidden", match={"operation": "Profile"}))
    assert SMALL in refused(cli(environment, "profiles", SMALL), 2)
    github.faults.clear()
    assert cli(environment, "profiles", SMALL).returncode == 0


def test_a_malformed_number_of_days_is_one_line_that_names_it(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "profiles", SMALL, GH_BACKFILL_PROFILE_DAYS="soon"), 2)
    assert "GH_BACKFILL_PROFILE_DAYS" in line
