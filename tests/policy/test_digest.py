"""One message for many runs."""

from __future__ import annotations

from datetime import timedelta

from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.report.alerts import judge
from gh_backfill.policy.report.digest import LINES, digest, due
from tests.policy.figures import NOW, dead, job, run


def test_a_digest_sums_its_runs_and_tells_an_alert_once() -> None:
    runs = [run(job(), dead("octo/motor"), run_key=key) for key in ("7/1", "8/1")]
    alerts = [alert.as_json() for each in runs for alert in judge(each, (), NOW)]
    message = digest([each.as_json() for each in runs], alerts, "https://github.com/o/r/actions/runs/8")
    assert message is not None
    assert message.title == "Backfill: 2 of 4 jobs failed"
    assert message.failure
    lines = message.text.splitlines()
    assert lines[0].startswith("400 pull requests for 16 points in 2 runs; 2 jobs succeeded, 2 failed")
    assert sum("octo/motor" in line for line in lines) == 1
    assert "(2 times)" in message.text
    assert lines[-1] == "https://github.com/o/r/actions/runs/8"


def test_what_limits_the_rate_is_told_of_the_last_run() -> None:
    runs = [run(job(times=Times(total=100.0, **{name: 90.0}))) for name in ("points", "requests")]
    message = digest([each.as_json() for each in runs], [], None)
    assert message is not None
    assert message.text.splitlines()[1].startswith("latency limits the rate: 90 % of the time")


def test_a_good_run_is_no_failure() -> None:
    message = digest([run(job()).as_json()], [], None)
    assert message is not None
    assert (message.title, message.failure) == ("Backfill: 1 job done", False)


def test_runs_in_which_nothing_happened_are_not_told() -> None:
    assert digest([run().as_json()], [], None) is None


def test_many_alerts_are_counted() -> None:
    many = run(*(dead(f"octo/{n}", repository_id=f"id {n}") for n in range(40)))
    alerts = [alert.as_json() for alert in judge(many, (), NOW)]
    message = digest([many.as_json()], alerts, None)
    assert message is not None
    assert len(message.text.splitlines()) == LINES + 2
    assert message.text.endswith("and 26 more alerts")


def test_text_of_others_calls_nobody_in_a_chat() -> None:
    evil = run(dead(error="<!channel> @everyone <https://x|y>"))
    message = digest([evil.as_json()], [alert.as_json() for alert in judge(evil, (), NOW)], None)
    assert message is not None
    assert "<!channel>" not in message.text
    assert "@everyone" not in message.text
    assert "<https" not in message.text


def test_a_notification_is_due_after_its_time_and_not_before() -> None:
    hour = timedelta(hours=1)
    assert due(None, NOW, hour)
    assert due(NOW - hour, NOW, hour)
    assert not due(NOW - hour + timedelta(seconds=1), NOW, hour)
