"""Issues with comments, labels and assignees come whole, beside pull requests or alone."""

from __future__ import annotations

from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.tasks import capture
from tests.tasks.conftest import ENGINE, House


def test_issues_come_whole(house: House) -> None:
    house.track(ENGINE)
    captured = capture.run(
        house.db,
        house.graphql(),
        house.run,
        ENGINE,
        capture.Limits(),
        kinds=("issues",),
        listen=lambda progress: print(progress),
        sleep=house.wait,
    )
    print(captured)
    print(house.rows("select * from issues order by number limit 3"))
    print(house.rows("select count(*), issue_id is null as pr from comments group by 2"))
    print(house.rows("select * from backfills"))
    assert captured.outcome is CaptureOutcome.COMPLETED
