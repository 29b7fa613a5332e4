"""The alerts' issues at a simulated GitHub: one per repository and kind, kept up to date, closed on recovery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients import rest
from gh_backfill.clients.alert_issues import LABEL, AlertIssues, OpenIssue, issues_of
from gh_backfill.errors import StoreError, Unreachable
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.policy.report.alerts import judge
from gh_backfill.policy.report.figures import JobFigures, SystemFailure
from gh_backfill.policy.report.issue_text import Occurrence
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.rows import IssueRow
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.tasks.report.alert_issues import MOST_NEW_ISSUES, tell
from gh_backfill.tasks.report.report import Report
from tests.policy.figures import ID, NOW, dead, job, run

HOME = "octo/pipeline"


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=[f"{HOME}:2"]), Options()) as simulator:
        yield simulator


def told(
    github: Simulator,
    *jobs: JobFigures,
    key: str = "7/1",
    later: timedelta = timedelta(),
    system: tuple[SystemFailure, ...] = (),
    home: str = HOME,
) -> list[str]:
    figures = run(*jobs, run_key=key, system_errors=system)
    made = Report(run=figures, alerts=tuple(judge(figures, (), NOW)))

    def at_github() -> AbstractContextManager[AlertIssues]:
        return issues_of(github.url, "tok", home, between_writes=0.0)

    return tell(made, at_github, Occurrence(at=NOW + later, run_key=key, address=f"https://x/runs/{key}"))


def issues(github: Simulator) -> list[IssueRow]:
    repository = github.world.repository(*HOME.split("/"))
    assert repository is not None
    return [each for _, each in sorted(github.world.shelves[repository.id].issues.items())]


def test_a_dead_runner_opens_one_issue_with_labels_and_the_next_run_not_a_second_one(github: Simulator) -> None:
    before = len(issues(github))
    assert told(github, dead()) == ["issue #3 opened: Backfill of octo/engine stands still"]
    assert told(github, dead(), key="8/1", later=timedelta(minutes=30)) == [
        "issue #3 updated: Backfill of octo/engine stands still"
    ]
    (issue,) = issues(github)[before:]
    assert issue.open
    assert {label.name for label in issue.labels} == {LABEL, "alert"}
    assert "7/1" in issue.body
    assert "8/1" in issue.body
    assert issue.comments == ()


def test_where_issues_are_is_kept_by_their_repository_while_they_are_open(github: Simulator) -> None:
    kept: list[Mapping[str, str]] = []

    def report(*jobs: JobFigures) -> None:
        figures = run(*jobs)
        made = Report(run=figures, alerts=tuple(judge(figures, (), NOW)))
        occurrence = Occurrence(at=NOW, run_key="7", address=None)
        tell(made, lambda: issues_of(github.url, "tok", HOME, between_writes=0.0), occurrence, keep=kept.append)

    report(dead())
    report(dead(failures_in_a_row=3))  # a second kind has an issue of its own, and the oldest one is told
    report(job("octo/motor", repository_id="22222222-2222-4333-8444-555555555555"))
    report(job())
    assert [list(each) for each in kept] == [[ID], [ID], [ID], []]
    assert {each[ID].rpartition("/")[2] for each in kept[:3]} == {str(issues(github)[0].number)}


def test_an_issue_that_was_opened_has_an_issue_also_where_the_database_does_not_keep_it(github: Simulator) -> None:
    def keep(addresses: Mapping[str, str]) -> None:
        assert list(addresses) == [ID]
        raise StoreError("the database does not answer")

    figures = run(dead())
    made = Report(run=figures, alerts=tuple(judge(figures, (), NOW)))
    occurrence = Occurrence(at=NOW, run_key="7", address=None)
    assert tell(made, lambda: issues_of(github.url, "tok", HOME, between_writes=0.0), occurrence, keep=keep) == [
        "issue #3 opened: Backfill of octo/engine stands still",
        "where the issues are could not be kept, and the pages do not lead there: the database does not answer",
    ]


def test_where_github_ends_in_the_middle_what_has_an_issue_is_not_counted_as_without(github: Simulator) -> None:
    class OneOnly(AlertIssues):
        def open(self, title: str, body: str) -> OpenIssue:
            if issues(github)[before:]:
                raise Unreachable("GitHub does not answer")
            return super().open(title, body)

        def edit(self, number: int, body: str) -> None:
            raise Unreachable("GitHub does not answer")

    @contextmanager
    def at_github() -> Iterator[AlertIssues]:
        with rest.client(github.url, "tok", between_writes=0.0) as client:
            yield OneOnly(client, github.url, HOME)

    def report(key: str, *jobs: JobFigures) -> list[str]:
        figures = run(*jobs, run_key=key)
        made = Report(run=figures, alerts=tuple(judge(figures, (), NOW)))
        return tell(made, at_github, Occurrence(at=NOW, run_key=key, address=None))

    before = len(issues(github))
    opened, lost = report("7", dead(failures_in_a_row=3))
    assert opened.startswith("issue #3 opened")
    assert lost == "1 alert got no issue: GitHub does not answer"
    assert report("8", dead()) == ["not all issues were brought up to date: GitHub does not answer"]


def test_a_comment_comes_once_a_day(github: Simulator) -> None:
    for hour in range(0, 55, 5):
        told(github, dead(), key=f"{hour}/1", later=timedelta(hours=hour))
    (issue,) = issues(github)
    assert len(issue.comments) == 2


def test_recovery_comments_and_closes_and_a_later_failure_opens_a_new_one(github: Simulator) -> None:
    told(github, dead())
    assert told(github, job(), key="8/1") == ["issue #3 closed: recovered"]
    (issue,) = issues(github)
    assert not issue.open
    assert [comment.body.startswith("Recovered") for comment in issue.comments] == [True]
    assert told(github, job(), key="9/1") == []
    told(github, dead(), key="10/1")
    assert [each.open for each in issues(github)] == [False, True]


def test_a_repository_that_was_mended_elsewhere_has_its_issue_closed_with_a_word_about_it(github: Simulator) -> None:
    told(github, dead())
    figures = run(job("octo/motor", repository_id="22222222-2222-4333-8444-555555555555"), run_key="8")
    made = Report(run=figures, mended=frozenset({ID}))
    assert tell(
        made,
        lambda: issues_of(github.url, "tok", HOME, between_writes=0.0),
        Occurrence(at=NOW, run_key="8", address=None),
    ) == ["issue #3 closed: recovered"]
    (issue,) = [each for each in issues(github) if each.number == 3]
    assert not issue.open
    assert "went well elsewhere" in str(issue.comments[-1])


def test_another_repository_that_goes_well_closes_nothing(github: Simulator) -> None:
    told(github, dead())
    assert told(github, job("octo/motor", repository_id="22222222-2222-4333-8444-555555555555"), key="8/1") == []
    assert [each.open for each in issues(github)] == [True]


def test_each_kind_and_repository_has_an_issue_of_its_own(github: Simulator) -> None:
    again = dead(failures_in_a_row=3)
    broken = (SystemFailure(error_type=ErrorType.RUNNER, error="the plan job failed"),)
    notes = told(github, again, system=broken)
    assert len(notes) == 3
    assert len(issues(github)) == 3
    assert told(github, job(), key="8/1") == [f"issue #{number} closed: recovered" for number in (3, 4, 5)]
    assert not any(each.open for each in issues(github))


def test_an_issue_that_only_quotes_the_marker_without_our_label_is_not_ours(github: Simulator) -> None:
    told(github, dead())
    ours = issues(github)[0]
    changes.open_issue(github.world, HOME, title="copy", author="mallory", body=ours.body)
    told(github, job(), key="8/1")
    assert [each.open for each in issues(github)] == [False, True]


def test_when_everything_fails_at_once_few_issues_are_opened_and_the_rest_is_counted(github: Simulator) -> None:
    ids = [f"{number:08d}-2222-4333-8444-555555555555" for number in range(14)]
    notes = told(github, *(dead(f"octo/{each[:8]}", repository_id=each) for each in ids))
    assert len(issues(github)) == MOST_NEW_ISSUES
    assert notes[-1] == "4 more alerts got no issue of their own"


def test_a_private_repository_is_named_by_its_id_only(github: Simulator) -> None:
    told(github, dead("11111111-2222-4333-8444-555555555555"))
    (issue,) = issues(github)
    assert "octo" not in issue.title + issue.body


def test_without_permission_the_alert_says_so_and_nothing_is_raised(github: Simulator) -> None:
    (note,) = told(github, dead(), home="octo/elsewhere")
    assert note.startswith("1 alert got no issue: GitHub refuses (status 404)")


def test_text_of_others_can_not_take_part_in_the_issue(github: Simulator) -> None:
    told(github, dead(error="<!-- gh-backfill end --> @octocat <script>"))
    (issue,) = issues(github)
    assert "@octocat" not in issue.body
    assert "<script>" not in issue.body
    assert issue.body.count("gh-backfill end -->") == 1


def test_the_time_of_an_issue_is_the_runs(github: Simulator) -> None:
    told(github, dead(), later=timedelta(days=1))
    assert f"{datetime(2026, 3, 2, 12, tzinfo=UTC):%Y-%m-%d %H:%M}" in issues(github)[0].body
