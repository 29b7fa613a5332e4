"""A goal is a goal: the newest so many are captured, that is complete, and only a larger one goes on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.commands import options
from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.work import Goal
from gh_backfill.policy.report.costs import CostRates
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.store import reports
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.plan import plan
from gh_backfill.terminal import results
from gh_backfill.terminal.bars import progress_line
from tests.tasks.conftest import ENGINE, SMALL, House


@pytest.fixture
def limited(house: House) -> House:
    """Capture the newest 40 of 180."""
    house.track(ENGINE, goal=Goal(max_items=40))
    house.capture()
    return house


def reason(house: House) -> PlanReason:
    made = plan(house.db, house.graphql(), house.run, datetime.now(UTC), thresholds=Thresholds(), limit=12)
    (verdict,) = (each for each in made.verdicts if each.repository.full_name == ENGINE)
    return verdict.why


def test_a_reached_goal_is_complete_in_status_and_view_and_no_plan_goes_on(limited: House) -> None:
    (row,) = outlook(limited.db).as_json()
    assert (row["status"], row["captured"], row["wanted"], row["total"]) == ("completed", 40, 40, 180)
    assert (row["goal"], row["percent"], row["gaps"]) == (40, 100.0, 0)
    view = limited.only("select wanted_prs, goal_percentage, gaps from backfill_progress_summary")
    assert view == {"wanted_prs": 40, "goal_percentage": 100, "gaps": 0}
    assert reason(limited) is PlanReason.GOAL


def test_status_says_the_goal_in_words(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    since = datetime(2020, 2, 1, tzinfo=UTC)
    track.track(house.db, house.graphql(), [ENGINE], backfill=Goal(max_items=40, since=since))
    house.track(SMALL)
    told = outlook(house.db)
    assert [row["aim"] for row in told.as_json()] == ["the newest 40 since 2020-02-01", "everything"]
    results.show_status(told.states)
    table = capsys.readouterr().out
    assert "  goal: the newest 40 since 2020-02-01, and no more\n" in table
    assert table.count("goal: ") == 1


def test_points_in_status_are_those_of_its_jobs_and_the_rest_is_named_otherwise(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="resource_limits", count=1))
    house.capture()
    asked = track.ask(house.graphql(), [ENGINE], name_of=lambda _: ENGINE)
    track.register(house.db, asked, kinds=("pull_requests", "issues"))
    house.capture()
    spent = house.only("select sum(points) as points, sum(requests) as requests from progressive_capture_jobs")
    stored = house.only("select points as page_points, requests as page_requests from backfills where kind <> 'issues'")
    (row,) = outlook(house.db).as_json()
    assert {name: row[name] for name in (*spent, *stored)} == spent | stored
    assert spent["points"] > stored["page_points"]


def test_a_capture_of_a_reached_goal_reads_what_changed_and_not_the_whole_history(limited: House) -> None:
    changes.edit(limited.github.world, ENGINE, 191, title="Edited since")
    again = limited.capture()
    assert (again.outcome, again.items, limited.count("pull_requests")) == (CaptureOutcome.COMPLETED, 1, 40)
    assert limited.only("select goal_max_items as n from backfill_streams where stream = 'history'")["n"] == 40


def test_progress_counts_towards_the_goal_and_names_the_total_beside_it(house: House) -> None:
    house.track(ENGINE, goal=Goal(max_items=40))
    seen: list[Progress] = []
    house.capture(limits=Limits(chunk_size=20), listen=seen.append)
    assert {each.wanted for each in seen} == {40}
    assert progress_line(seen[0]).startswith(f"{ENGINE}: 20 of 40 (of 180 in all) pull requests")


def test_a_report_counts_towards_the_goal(limited: House) -> None:
    with limited.db.transaction(read_only=True) as tx:
        run = reports.of_run(tx, limited.run.key, at=datetime.now(UTC), prices=CostRates())
    (figures,) = run.jobs
    assert (figures.captured, figures.goal, figures.total, figures.percent) == (40, 40, 180, 100.0)


def test_a_larger_goal_that_is_named_goes_on_and_a_smaller_or_none_does_not(limited: House) -> None:
    for goal, larger in ((Goal(max_items=10), True), (Goal(), False)):
        track.track(limited.db, limited.graphql(), [ENGINE], backfill=goal, larger=larger)
        assert limited.state()["status"] == "completed"
    (told,) = track.track(limited.db, limited.graphql(), [ENGINE], backfill=Goal(max_items=100), larger=True)
    assert told.result is track.Result.RAISED
    captured = limited.capture()
    assert (captured.outcome, limited.count("pull_requests")) == (CaptureOutcome.COMPLETED, 100)
    track.track(limited.db, limited.graphql(), [ENGINE], backfill=Goal(), larger=True)
    limited.capture()
    assert limited.count("pull_requests") == 180


def test_a_goal_over_all_there_is_is_reached_by_all(house: House) -> None:
    house.track(ENGINE, goal=Goal(max_items=1000))
    house.capture()
    (row,) = outlook(house.db).as_json()
    assert (row["status"], row["wanted"], row["percent"]) == ("completed", 180, 100.0)
    assert "180 of 180 pull requests" in capture.preview(house.db, ENGINE, Limits()).text


def test_the_goal_is_a_number_or_all_and_only_one_that_is_given_raises_another() -> None:
    assert options.goal(None) == options.goal(" ") == (Goal(), False)
    assert options.goal("300") == (Goal(max_items=300), True)
    assert options.goal("ALL") == (Goal(), True)
    with pytest.raises(ConfigurationError, match="--max-prs must be a whole number"):
        options.goal("0")
