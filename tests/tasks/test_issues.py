"""Issues with comments, labels and assignees come whole, beside pull requests or alone."""

from __future__ import annotations

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.tasks import capture
from tests.tasks.conftest import ENGINE, House


def test_issues_come_whole(house: House) -> None:
    house.track(ENGINE)
    captured = capture.run(
        house.db,
        house.graphql(),
        house.run,
        ENGINE,
        Limits(),
        kinds=("issues",),
        listen=lambda progress: None,
        sleep=house.wait,
    )
    assert captured.outcome is CaptureOutcome.COMPLETED
