"""What changed reaches everybody who looks, for one look at the database a second."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest

from gh_backfill.errors import StoreUnavailable
from gh_backfill.web import live
from gh_backfill.web.live import Hub, News
from tests.web.house import TOKEN, House, World, open_house


class Looks:
    """A look at fingerprints that a test moves, and a clock of its own."""

    def __init__(self) -> None:
        self.prints = {"monitor": "1", "jobs": "1"}
        self.count = 0
        self.now = 0.0
        self.trouble: Exception | None = None

    async def look(self) -> Mapping[str, str]:
        self.count += 1
        if self.trouble is not None:
            raise self.trouble
        return dict(self.prints)

    def hub(self) -> Hub:
        return Hub(self.look, lambda: self.now)


def test_a_topic_has_a_new_revision_only_when_it_changed() -> None:
    async def run() -> None:
        looks = Looks()
        hub = looks.hub()
        await hub.refresh()
        first = hub.of(["monitor"])
        looks.now = 2
        await hub.refresh()
        assert hub.of(["monitor"]) == first
        looks.prints["jobs"] = "2"
        looks.now = 4
        await hub.refresh()
        assert hub.of(["monitor"]) == first
        assert hub.of(["jobs"]) > first
        assert hub.of(["monitor", "jobs"]) == hub.latest
        del looks.prints["jobs"]  # it has not moved lately
        looks.now = 6
        await hub.refresh()
        assert hub.of(["nothing"]) == 0

    asyncio.run(run())


def test_however_many_ask_one_looks_a_second() -> None:
    async def run() -> None:
        looks = Looks()
        hub = looks.hub()
        await asyncio.gather(*(hub.refresh() for _ in range(200)))
        assert looks.count == 1
        looks.now = 0.9
        await hub.refresh()
        assert looks.count == 1
        looks.now = 1.0
        await hub.refresh()
        assert looks.count == 2

    asyncio.run(run())


def test_a_look_that_fails_holds_for_all_until_the_next_second() -> None:
    async def run() -> None:
        looks = Looks()
        looks.trouble = StoreUnavailable("away")
        hub = looks.hub()
        told = await asyncio.gather(*(hub.refresh() for _ in range(200)), return_exceptions=True)
        assert looks.count == 1
        assert {str(each) for each in told} == {"away"}
        looks.now = 0.9
        with pytest.raises(StoreUnavailable):
            await hub.refresh()
        assert looks.count == 1
        looks.trouble = None
        with pytest.raises(StoreUnavailable):
            await hub.refresh()
        hub.expire()
        await hub.refresh()
        assert looks.count == 2
        looks.trouble = StoreUnavailable("away again")
        looks.now = 2
        with pytest.raises(StoreUnavailable, match="again"):
            await hub.refresh()
        looks.trouble = None
        looks.now = 3
        await hub.refresh()
        assert looks.count == 4

    asyncio.run(run())


async def first_of(hub: Hub, topics: set[str], after: str) -> News:
    async for news in hub.listen(topics, after):
        return news
    raise AssertionError("the hub closed")


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(live, "ALIVE_EVERY", 0.2)


@pytest.mark.usefixtures("_quick")
def test_who_was_away_hears_what_it_missed_and_nothing_twice() -> None:
    async def run() -> None:
        looks = Looks()
        hub = looks.hub()
        await hub.refresh()
        seen = hub.name
        looks.prints["jobs"] = "2"
        looks.now += 1
        await hub.refresh()
        assert await first_of(hub, {"monitor", "jobs"}, seen) == News(revision=hub.name, topics=("jobs",))
        nothing = await first_of(hub, {"monitor", "jobs"}, hub.name)
        assert nothing.topics == ()
        assert nothing.text == "-"
        for strange in ("", "0-0", "another-7", "é", "-", f"{hub.name}x"):
            assert (await first_of(hub, {"monitor", "jobs"}, strange)).topics == ("jobs", "monitor"), strange

    asyncio.run(run())


@pytest.mark.usefixtures("_quick")
def test_nobody_looks_while_nobody_listens() -> None:
    async def run() -> None:
        looks = Looks()
        hub = looks.hub()
        await first_of(hub, {"monitor"}, "")
        await asyncio.sleep(0.05)
        before = looks.count
        await asyncio.sleep(0.1)
        assert hub.listeners == 0
        assert looks.count == before

    asyncio.run(run())


@pytest.mark.usefixtures("_quick")
def test_while_the_database_is_away_nothing_says_that_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        looks = Looks()
        hub = looks.hub()
        await hub.refresh()
        looks.trouble = StoreUnavailable("away")
        told: list[News] = []

        async def listen() -> None:
            async for news in hub.listen({"monitor"}, hub.name):
                told.append(news)  # noqa: PERF401  (it is read while it grows)

        listening = asyncio.create_task(listen())
        for _ in range(10):
            looks.now += 1
            await asyncio.sleep(0.05)
        assert told == []
        looks.trouble = None
        looks.prints["monitor"] = "2"
        for _ in range(20):
            looks.now += 0.01
            await asyncio.sleep(0.02)
        assert [news.topics for news in told if news.topics] == [("monitor",)]
        await hub.close()
        await listening

    asyncio.run(run())
    assert len([each for each in caplog.records if "away" in each.message]) == 1


@contextmanager
def stream(house: House, topics: str, after: str = "", *, last: str = "") -> Iterator[Iterator[tuple[str, str]]]:
    """Open a stream and give the block its events: the id and the data of each."""

    def events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
        told = {}
        for line in lines:
            name, _, value = line.partition(": ")
            told[name] = value
            if not line and "data" in told:
                yield told.get("id", ""), told["data"]
                told = {}

    headers = {"Last-Event-ID": last} if last else {}
    with (
        httpx.Client(base_url=house.url, timeout=20) as client,
        client.stream("GET", "/live", params={"topics": topics, "after": after}, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def test_a_stream_tells_what_changed_and_resumes_where_it_was(database_url: str) -> None:
    with open_house(database_url) as house:
        with stream(house, "things") as events:
            first, data = next(events)
            assert data == "things"
            house.world.prints["things"] = "2"
            second, data = next(events)
            assert data == "things"
            assert second != first
        house.world.prints["things"] = "3"
        with stream(house, "things others", last=second) as events:
            third, data = next(events)
            assert data == "things"
            assert third not in {first, second}


def test_two_hundred_listeners_cost_no_more_looks_than_one(database_url: str) -> None:
    world = World()
    with open_house(database_url, world=world) as house:
        heard, opened = [], threading.Semaphore(0)

        def listen() -> None:
            with stream(house, "things") as events:
                next(events)
                opened.release()
                heard.append(next(event for event in events if event[1] == "things"))

        threads = [threading.Thread(target=listen, daemon=True) for _ in range(200)]
        for each in threads:
            each.start()
        for _ in threads:
            assert opened.acquire(timeout=30)
        begun, before = time.monotonic(), world.looks
        world.prints["things"] = "2"
        for each in threads:
            each.join(30)
        assert len(heard) == 200
        assert len(set(heard)) == 1
        assert world.looks - before <= (time.monotonic() - begun) / live.LOOK_EVERY + 2


@pytest.mark.parametrize("topics", ["", " ", "a " * 60 + " ".join(f"t{each}" for each in range(60))])
def test_a_stream_names_its_topics(database_url: str, topics: str) -> None:
    with open_house(database_url) as house, house.client(token=TOKEN) as browser:
        assert browser.get("/live", params={"topics": topics}).status_code == 400
