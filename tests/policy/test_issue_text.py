"""What an alert's issue says and remembers."""

from __future__ import annotations

from datetime import timedelta

from gh_backfill.policy.report import issue_text
from gh_backfill.policy.report.alerts import Alert, AlertKind
from gh_backfill.policy.report.issue_text import Occurrence
from tests.policy.figures import ID, NOW, dead

ALERT = Alert(
    kind=AlertKind.CRITICAL,
    text="octo/engine: the runner died",
    advice="read the log",
    repository_id=ID,
    repository="octo/engine",
)


def occurrence(key: str = "7/1", *, later: timedelta = timedelta()) -> Occurrence:
    return Occurrence(at=NOW + later, run_key=key, address=f"https://github.com/o/r/actions/runs/{key[0]}")


def history(body: str) -> list[str]:
    return [line for line in body.splitlines() if line.startswith("| 2026")]


def test_an_issue_says_what_happened_when_where_and_what_to_do() -> None:
    body = issue_text.first(ALERT, dead(), occurrence())
    assert "the runner died" in body
    assert "read the log" in body
    assert "100 of 200 (50.0 %)" in body
    assert history(body) == [
        "| 2026-03-01 12:00 | [7/1](https://github.com/o/r/actions/runs/7) | octo/engine: the runner died |"
    ]
    assert issue_text.title(ALERT) == "Backfill of octo/engine stands still"


def test_an_issue_is_found_by_its_kind_and_repository() -> None:
    body = issue_text.first(ALERT, None, occurrence())
    assert issue_text.identified(body) == (AlertKind.CRITICAL, ID)
    assert issue_text.identified("somebody's own issue") is None
    assert issue_text.identified("<!-- gh-backfill alert: nonsense all -->") is None


def test_an_alert_of_the_whole_system_belongs_to_no_repository() -> None:
    system = Alert(kind=AlertKind.SYSTEM, text="x", advice="y")
    assert issue_text.identified(issue_text.first(system, None, occurrence())) == (AlertKind.SYSTEM, None)


def test_another_occurrence_is_added_to_the_history_and_commented_a_day_later_only() -> None:
    body = issue_text.first(ALERT, dead(), occurrence())
    soon = issue_text.again(body, ALERT, dead(), occurrence("8/1", later=timedelta(hours=23)))
    assert soon.body is not None
    assert soon.comment is None
    assert len(history(soon.body)) == 2
    late = issue_text.again(soon.body, ALERT, dead(), occurrence("9/1", later=timedelta(hours=24)))
    assert late.body is not None
    assert late.comment is not None
    assert len(history(late.body)) == 3
    same_day = issue_text.again(late.body, ALERT, dead(), occurrence("6/1", later=timedelta(hours=30)))
    assert same_day.comment is None


def test_the_same_run_reported_again_changes_nothing() -> None:
    body = issue_text.first(ALERT, dead(), occurrence())
    assert issue_text.again(body, ALERT, dead(), occurrence()).body is None


def test_a_long_history_keeps_its_newest_rows_and_stays_short_enough_for_github() -> None:
    alert = Alert(kind=AlertKind.CRITICAL, text="|" * 5_000, advice="x", repository_id=ID, repository="octo/engine")
    body = issue_text.first(alert, dead(), occurrence("1000/1"))
    for number in range(1001, 1101):
        text = issue_text.again(body, alert, dead(), occurrence(f"{number}/1", later=timedelta(minutes=number))).body
        assert text is not None
        body = text
    assert len(history(body)) == issue_text.HISTORY
    assert "1100/1" in history(body)[-1]
    assert len(body) < 65_536


def test_what_others_wrote_ends_no_marker_and_no_table() -> None:
    evil = "--> <!-- gh-backfill end --> | @octocat [x](http://y) `z`\n| 2026-01-01 |"
    alert = Alert(kind=AlertKind.CRITICAL, text=evil, advice="x", repository_id=ID, repository="octo/engine")
    body = issue_text.first(alert, None, occurrence())
    assert len(history(body)) == 1
    assert body.count("<!-- gh-backfill end -->") == 1
    assert "@octocat" not in body
    assert "](http://y)" not in body
