"""How far profiles, files and commits have come is kept as they are read, and told by `status` and by the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine.outcome import Limits
from gh_backfill.models.work import COMMITS, CONTRIBUTORS, FILES, PULL_REQUESTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.store import repositories
from gh_backfill.store.untracking import delete_rows
from gh_backfill.tasks import capture, diffs
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.pages.repository import repository
from gh_backfill.terminal import results
from tests.tasks.conftest import ENGINE, House


def captured(house: House, kinds: tuple[str, ...] = (PULL_REQUESTS, CONTRIBUTORS, FILES, COMMITS)) -> None:
    house.track(ENGINE)
    capture.run(
        *(house.db, house.graphql(), house.run, ENGINE, Limits()),
        kinds=kinds,
        listen=lambda progress: None,
        sleep=house.wait,
    )


def told(house: House) -> dict[str, tuple[int, int]]:
    (row,) = outlook(house.db).as_json()
    assert isinstance(row, dict)
    readings = row["readings"]
    assert isinstance(readings, dict)
    return {name: (each["known"], each["total"]) for name, each in readings.items()}


def test_what_is_read_beside_the_items_is_in_status_its_json_and_on_the_page(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    captured(house)
    pulls = house.count("pull_requests")
    people = house.count("contributors")
    assert told(house) == {CONTRIBUTORS: (people, people), FILES: (pulls, pulls), COMMITS: (pulls, pulls)}
    seen = outlook(house.db)
    results.show_status(seen.states, left=seen.left, readings=seen.readings)
    text = " ".join(capsys.readouterr().out.split())
    assert f"contributors: {people} of {people} known" in text
    assert f"files: {pulls} of {pulls} known" in text
    page = repository(house.db, ENGINE, {}, datetime.now(UTC))
    assert page is not None
    rows = {each.kind: each for each in page.kinds}
    assert list(rows) == [PULL_REQUESTS, COMMITS, CONTRIBUTORS, FILES]
    assert (rows[FILES].captured, rows[FILES].total, rows[FILES].percent) == (pulls, pulls, 100.0)
    assert rows[FILES].shown.word == "completed"
    assert rows[CONTRIBUTORS].fresh_at is not None
    (job,) = (each.what for each in page.story if each.what.source == "job")
    assert " items, " in job.text, "a job of several kinds"


def test_without_them_nothing_is_told_of_them(house: House) -> None:
    captured(house, (PULL_REQUESTS,))
    assert told(house) == {}
    page = repository(house.db, ENGINE, {}, datetime.now(UTC))
    assert page is not None
    assert [each.kind for each in page.kinds] == [PULL_REQUESTS]


def test_what_a_reading_could_not_bring_is_told_as_not_known(house: House) -> None:
    captured(house, (PULL_REQUESTS,))
    pulls = house.count("pull_requests")
    house.github.faults.add(Fault(name="node_forbidden", match={"operation": "FilesById"}))
    diffs.run(house.beside(), [ENGINE], of=(FILES,), default_kinds=(PULL_REQUESTS,))
    assert told(house) == {FILES: (0, pulls)}
    page = repository(house.db, ENGINE, {}, datetime.now(UTC))
    assert page is not None
    assert page.kinds[-1].shown.detail == "gh-backfill diffs asks for the rest, and a sync where it is switched on"
    house.github.faults.clear()
    late = Limits(deadline=datetime.now(UTC) - timedelta(seconds=1))
    (stopped,) = diffs.run(house.beside(late), [ENGINE], of=(FILES,), default_kinds=(PULL_REQUESTS,))
    assert stopped.captured is not None
    assert stopped.captured.reason == f"the time limit is reached; of {pulls} lists 0 are known"


def test_what_is_untracked_with_its_rows_is_told_of_no_more(house: House) -> None:
    captured(house)
    with house.db.transaction() as tx:
        found = repositories.find(tx, [ENGINE])[ENGINE]
        assert found is not None
        delete_rows(tx, found.id)
    assert house.count("backfill_readings") == 0
