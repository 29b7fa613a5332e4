"""Stars and forks at scale: who may list them, where the lists end, and the public history with its odd cases."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from gh_backfill.simulator import changes, star_options, stars
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import ClosedStars, Options, StarHistory
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, errors, get, send

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)  # a Friday
NAME, PATH = "octo/star", "/repos/octo/star"
BIG = f"{NAME}:3:stars=50000:forks=41000:until=2026-11-20"
TIMED = {"accept": "application/vnd.github.star+json"}
PAGE = """query ($after: String) { repository(owner: "octo", name: "star") { stargazerCount forkCount
  stargazers(first: 100, after: $after, orderBy: {field: STARRED_AT, direction: DESC}) {
    totalCount pageInfo { hasNextPage endCursor } edges { starredAt node { databaseId } } } } }"""
FORKS = """query ($after: String) { repository(owner: "octo", name: "star") {
  forks(first: 100, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
    totalCount pageInfo { hasNextPage endCursor } nodes { databaseId nameWithOwner createdAt owner { login } } } } }"""


def github(world: World, **options: Any) -> Application:
    return Application(world, Options(**{"clock": NOW.timestamp, "public_stargazers": True, **options}))


def small(**options: Any) -> Application:
    """Give a repository of the last days with three stars, of which one is of today."""
    world = load()
    changes.add_repository(world, NAME, at="2026-10-20T10:00:00Z")
    for name, at in (("ann", "2026-10-20T12:00:00Z"), ("bob", "2026-11-14T23:59:59Z"), ("eve", "2026-11-20T01:00:00Z")):
        stars.star(world, NAME, by=name, at=at)
    return github(world, **options)


def weeks(application: Application, **query: str) -> list[dict[str, Any]]:
    answer = get(application, f"{PATH}/stargazers/history", None, {}, **query)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = json.loads(answer.body)
    return found


def links(application: Application, path: str, **query: str) -> dict[str, str]:
    header = get(application, f"{PATH}{path}", "t", {}, **query).headers.get("Link", "")
    parts = (part.split("; ") for part in header.split(", ") if part)
    return {rel.split('"')[1]: address.strip("<>").rpartition("page=")[2] for address, rel in parts}


def listed(application: Application, query: str, connection: str) -> Iterator[Any]:
    """Yield the rows of a whole list, page by page."""
    after = None
    while True:
        found = ask(application, query, after=after)["data"]["repository"][connection]
        yield from found.get("edges") or found["nodes"]
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


def body(application: Application, path: str, **query: str) -> Any:
    return json.loads(get(application, f"{PATH}{path}", "t", {}, **query).body)


@pytest.fixture(scope="module")
def big() -> World:
    return load(recipes=[BIG])


def test_fifty_thousand_stars_are_counted_at_once_and_no_page_costs_what_they_cost_together() -> None:
    begun = time.process_time()
    world = load(recipes=[BIG.replace("octo", "other")])
    application = github(world)
    query = PAGE.replace("octo", "other")
    count = 'query { repository(owner: "other", name: "star") { stargazerCount } }'
    assert ask(application, count)["data"]["repository"] == {"stargazerCount": 50_000}
    assert time.process_time() - begun < 1
    ask(application, query)
    begun = time.process_time()
    for _ in range(20):
        ask(application, query)
    assert time.process_time() - begun < 1


def test_graphql_lists_every_star_once_newest_first_and_the_counts_agree(big: World) -> None:
    application = github(big, graphql_limit=10_000)
    rows = list(listed(application, PAGE, "stargazers"))
    times = [row["starredAt"] for row in rows]
    assert (len(rows), len({row["node"]["databaseId"] for row in rows})) == (50_000, 50_000)
    assert times == sorted(times, reverse=True)
    assert (times[-1] >= "2015-01-01", times[0] < "2026-11-20") == (True, True)
    first = ask(application, PAGE)["data"]["repository"]
    assert (first["stargazerCount"], first["stargazers"]["totalCount"]) == (50_000, 50_000)
    assert body(application, "/stargazers/count") == {"count": 50_000}
    assert body(application, "")["stargazers_count"] == 50_000


def test_graphql_lists_every_fork_once_newest_first_and_the_counts_agree() -> None:
    application = github(load(recipes=[f"{NAME}:3:forks=2500:until=2026-11-20"]))
    rows = list(listed(application, FORKS, "forks"))
    times = [row["createdAt"] for row in rows]
    assert (len({row["databaseId"] for row in rows}), len({row["nameWithOwner"] for row in rows})) == (2_500, 2_500)
    assert times == sorted(times, reverse=True)
    assert all(row["nameWithOwner"] == f"{row['owner']['login']}/star" for row in rows)
    assert ask(application, PAGE)["data"]["repository"]["forkCount"] == 2_500


def test_rest_lists_stargazers_oldest_first_with_times_only_where_they_are_asked_for(big: World) -> None:
    application = github(big)
    plain = body(application, "/stargazers", per_page="3")
    timed = json.loads(get(application, f"{PATH}/stargazers", headers=TIMED, per_page="3").body)
    assert [row["user"] for row in timed] == plain
    assert all(row["login"] == f"fan-{row['id'] - 10**9}" for row in plain)
    assert [row["starred_at"] for row in timed] == [at for at, _, _ in next(iter(big.shelves.values())).stars.keys[:3]]


@pytest.mark.parametrize("path", ["/stargazers", "/forks"])
def test_rest_ends_at_page_400_where_graphql_goes_on(big: World, path: str) -> None:
    application = github(big)
    assert len(body(application, path, per_page="100", page="400")) == 100
    assert links(application, path, per_page="100", page="399")["last"] == "400"
    assert "next" not in links(application, path, per_page="100", page="400")
    for size in ("1", "100"):
        behind = get(application, f"{PATH}{path}", per_page=size, page="401")
        assert (behind.status, b"pagination is limited for this resource" in behind.body) == (422, True)


def test_rest_lists_forks_newest_first_or_as_asked(big: World) -> None:
    application = github(big)
    newest, oldest = body(application, "/forks", per_page="2"), body(application, "/forks", sort="oldest", per_page="2")
    assert newest[0]["created_at"] > newest[1]["created_at"] > oldest[1]["created_at"] > oldest[0]["created_at"]
    stars.fork(big, NAME, by="ann", at="2026-11-20T00:00:01Z")
    try:
        stars.star(big, "ann/star", by="bob", at="2026-11-20T00:00:02Z")
        assert [row["full_name"] for row in body(application, "/forks", per_page="1")] == ["ann/star"]
        most = body(application, "/forks", sort="stargazers", per_page="1")
        assert [(row["full_name"], row["stargazers_count"]) for row in most] == [("ann/star", 1)]
        assert body(application, "")["forks_count"] == 41_001
    finally:
        stars.unfork(big, NAME, fork="ann/star")
    assert body(application, "")["forks_count"] == 41_000


@pytest.mark.parametrize(
    ("closed", "status", "error"),
    [(ClosedStars.FORBIDDEN, 403, True), (ClosedStars.NOT_FOUND, 404, True), (ClosedStars.EMPTY, 200, False)],
)
def test_outsiders_get_no_list_and_the_count_all_the_same(closed: ClosedStars, status: int, error: bool) -> None:
    application = small(public_stargazers=False, closed_stargazers=closed)
    assert get(application, f"{PATH}/stargazers", headers=TIMED).status == status
    answer = ask(application, PAGE)
    assert errors(answer) == ([("FORBIDDEN", ["repository", "stargazers"])] if error else [])
    count = 'query { repository(owner: "octo", name: "star") { stargazerCount } }'
    assert ask(application, count)["data"]["repository"] == {"stargazerCount": 3}
    if not error:
        assert answer["data"]["repository"]["stargazers"]["edges"] == []
        assert body(application, "/stargazers") == []


def test_the_right_to_list_is_withdrawn_and_given_back_by_a_control() -> None:
    application = small()

    def turn(**given: Any) -> tuple[int, int]:
        assert send(application, "POST", "/_world", {"do": "show_stargazers", **given}).status == 200
        return get(application, f"{PATH}/stargazers").status, len(ask(application, PAGE).get("errors", []))

    assert turn(shown=False) == (403, 1)
    assert turn(shown=True, repository=NAME) == (200, 0)
    assert turn(shown=None, repository=NAME) == (403, 1)
    assert turn(shown=None) == (200, 0)


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("yes", [200] * 6),
        ("no", [403] * 6),
        ("2,1", [200, 200, 403, 403, 403, 403]),
        ("1,2,0", [200, 403, 403, 200, 200, 200]),
        ("0,2,1", [403, 403, 200, 200, 200, 200]),
    ],
)
def test_the_right_to_list_comes_and_goes_in_turns(text: str, statuses: list[int]) -> None:
    application = small(may_list_stars=star_options.listing(text))
    assert [get(application, f"{PATH}/stargazers").status for _ in statuses] == statuses


@pytest.mark.parametrize("text", ["", "maybe", "3", "1,", "-1,2", "1,2,x"])
def test_what_is_no_turn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="yes, no or turns"):
        star_options.listing(text)


def test_the_oddities_of_the_history_are_read_as_they_are_written() -> None:
    assert star_options.history([]) == StarHistory()
    assert star_options.history(["shift=-7", "repeat", "future=3"]) == StarHistory(
        shifted_hours=-7, repeated=True, future=3
    )
    assert star_options.history(["off"]) == StarHistory(served=False)


@pytest.mark.parametrize("text", ["", "shift", "shift=24", "shift=-24", "future=-1", "repeat=2", "future=x", "odd"])
def test_what_is_no_oddity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--star-history"):
        star_options.history([text])


def test_stars_and_forks_come_and_go_by_controls_and_the_counts_go_with_them() -> None:
    application = small()

    def turn(do: str, **given: Any) -> int:
        return send(application, "POST", "/_world", {"do": do, "repository": NAME, **given}).status

    assert turn("star", by="zoe", at="2026-11-20T02:00:00Z") == 200
    assert turn("star", by="ZOE", at="2026-11-20T03:00:00Z") == 200  # has starred it already
    assert turn("star", by="fan-7", at="2026-11-13T00:00:00Z") == 200
    assert [row["login"] for row in body(application, "/stargazers")] == ["ann", "fan-7", "bob", "eve", "zoe"]
    assert turn("unstar", by="bob") == 200
    assert turn("unstar", by="nobody") == 200
    assert (body(application, "")["stargazers_count"], body(application, "/stargazers/count")) == (4, {"count": 4})
    assert turn("fork", by="ann", at="2026-11-20T02:30:00Z") == 200
    assert turn("fork", by="ann") == 400  # has one of that name
    assert turn("fork", by="ann", name="star-2", at="2026-11-20T02:40:00Z") == 200
    assert turn("unfork", fork="ann/star-2") == 200
    assert turn("unfork", fork=NAME) == 400
    assert body(application, "")["forks_count"] == 1
    assert [(row["type"], row["actor"]["login"]) for row in body(application, "/events")] == [
        ("ForkEvent", "ann"),
        ("WatchEvent", "zoe"),
        ("WatchEvent", "eve"),
        ("WatchEvent", "fan-7"),
    ]
    turn("star", by="now")
    assert body(application, "/stargazers")[-1]["login"] == "now"


def test_the_history_tells_each_day_of_each_week_newest_first_back_to_the_week_of_creation() -> None:
    application = small()
    found = weeks(application)
    assert [datetime.fromtimestamp(week["week"], UTC).date() for week in found] == [
        date(2026, 11, 15) - place * timedelta(days=7) for place in range(5)
    ]
    assert [week["days"] for week in found] == [
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0] * 7,
        [0] * 7,
        [0, 0, 1, 0, 0, 0, 0],
    ]
    assert [week["total"] for week in found] == [1, 1, 0, 0, 1]
    stars.unstar(application.world, NAME, by="bob")
    assert weeks(application)[1]["total"] == 0


def test_the_history_needs_no_token_and_no_right_and_costs_one_request_a_page() -> None:
    application = small(public_stargazers=False)
    answer = get(application, f"{PATH}/stargazers/history", None)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert (answer.status, headers["x-ratelimit-used"], headers["x-ratelimit-resource"]) == (200, "1", "core")


@pytest.mark.parametrize("size", ["0", "31", "100", "-1", "ten", ""])
def test_the_history_takes_one_to_thirty_weeks_a_page_and_nothing_else(size: str) -> None:
    application = small()
    assert get(application, f"{PATH}/stargazers/history", per_page=size).status == 422
    assert len(weeks(application, per_page="1")) == 1
    assert len(weeks(application, per_page="30")) == 5


def test_links_lead_through_the_whole_history_and_no_further(big: World) -> None:
    application = github(big)
    assert links(application, "/stargazers/history", per_page="30") == {"next": "2", "last": "21"}
    found = [week for page in range(1, 22) for week in weeks(application, per_page="30", page=str(page))]
    assert len(found) == 621
    assert {newer["week"] - older["week"] for newer, older in pairwise(found)} == {7 * 86_400}
    assert sum(week["total"] for week in found) == 50_000
    days = Counter(star.starred_at[:10] for star in next(iter(big.shelves.values())).stars)
    begins = {week["week"]: week["days"] for week in found}
    told = {
        datetime.fromtimestamp(week + place * 86_400, UTC).strftime("%Y-%m-%d"): count
        for week, counts in begins.items()
        for place, count in enumerate(counts)
        if count
    }
    assert told == dict(days)
    assert "next" not in links(application, "/stargazers/history", per_page="30", page="21")
    assert weeks(application, page="22") == []
    assert get(application, f"{PATH}/stargazers/history", page="101").status == 422
    assert links(application, "/stargazers/history", per_page="1")["last"] == "100"


def test_a_week_comes_twice_where_a_new_one_begins_between_two_pages() -> None:
    now = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)  # a Saturday
    application = small(clock=lambda: now.timestamp())  # noqa: PLW0108 - the clock moves
    before = weeks(application, per_page="2", page="1")
    now += timedelta(seconds=2)
    after = weeks(application, per_page="2", page="2")
    assert after[0] == before[1]


def test_a_week_comes_twice_where_the_options_say_so() -> None:
    application = small(star_history=StarHistory(repeated=True))
    first, second = weeks(application, per_page="2"), weeks(application, per_page="2", page="2")
    assert second[0] == first[1]
    assert len(weeks(application)) == 5  # nothing to repeat on a page that has all


def test_a_repository_of_today_and_one_without_stars_have_weeks_of_zeros() -> None:
    world = load()
    changes.add_repository(world, "octo/new", at="2026-11-20T15:00:00Z")
    changes.add_repository(world, "octo/old", at="2025-11-20T15:00:00Z")
    application = github(world)
    for name, count in (("new", 1), ("old", 53)):
        found = [
            week
            for page in ("1", "2")
            for week in json.loads(get(application, f"/repos/octo/{name}/stargazers/history", None, page=page).body)
        ]
        assert [(week["total"], week["days"]) for week in found] == [(0, [0] * 7)] * count


def test_days_may_begin_elsewhere_than_at_midnight_and_the_sum_stays() -> None:
    application = small(star_history=StarHistory(shifted_hours=7))
    found = weeks(application)
    assert {datetime.fromtimestamp(week["week"], UTC).hour for week in found} == {7}
    assert sum(week["total"] for week in found) == 3
    assert found[0]["days"] == [0, 0, 0, 0, 1, 0, 0]  # one o'clock on Friday is Thursday still


def test_days_to_come_may_have_numbers_and_the_call_may_not_be_there() -> None:
    assert weeks(small(star_history=StarHistory(future=4)))[0]["days"] == [0, 0, 0, 0, 0, 1, 4]
    missing = small(star_history=StarHistory(served=False))
    assert get(missing, f"{PATH}/stargazers/history", None).status == 404


def test_the_events_call_ends_at_three_hundred_of_thirty_days(big: World) -> None:
    application = github(big)
    pages = [body(application, "/events", per_page="100", page=str(page)) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 100, 100]
    assert links(application, "/events", per_page="100") == {"next": "2", "last": "3"}
    behind = get(application, f"{PATH}/events", per_page="100", page="4")
    assert (behind.status, b"pagination is limited for this resource" in behind.body) == (422, True)
    assert {row["type"] for page in pages for row in page} == {"WatchEvent", "ForkEvent"}
    times = [row["created_at"] for page in pages for row in page]
    assert times == sorted(times, reverse=True)
    quiet = github(big, clock=(NOW + timedelta(days=31)).timestamp)
    assert body(quiet, "/events") == []


def test_the_events_call_tells_of_pull_requests_issues_comments_and_what_only_it_knows() -> None:
    application = small()
    world = application.world
    changes.open_pull_request(world, NAME, author="ann", at="2026-11-19T01:00:00Z")
    changes.review(world, NAME, 1, author="bob", comments=["why?"], at="2026-11-19T02:00:00Z")
    changes.comment(world, NAME, 1, author="eve", at="2026-11-19T03:00:00Z")
    changes.close(world, NAME, 1, merged_by="bob", at="2026-11-19T04:00:00Z")
    changes.open_issue(world, NAME, title="Why", author="eve", at="2026-11-19T05:00:00Z")
    changes.edit_issue(world, NAME, 2, state="closed", by="ann", at="2026-11-19T06:00:00Z")
    given = {"type": "PushEvent", "by": "ann", "at": "2026-11-19T07:00:00Z", "payload": {"ref": "refs/heads/main"}}
    assert send(application, "POST", "/_world", {"do": "happen", "repository": NAME, **given}).status == 200
    rows = [row for row in body(application, "/events") if row["created_at"].startswith("2026-11-19")]
    assert [(row["type"], row["payload"].get("action"), row["actor"]["login"]) for row in rows] == [
        ("PushEvent", None, "ann"),
        ("IssuesEvent", "closed", "ann"),
        ("IssuesEvent", "opened", "eve"),
        ("PullRequestEvent", "closed", "bob"),
        ("IssueCommentEvent", "created", "eve"),
        *sorted(
            [
                ("PullRequestReviewEvent", "created", "bob"),
                ("PullRequestReviewCommentEvent", "created", "bob"),
            ],
            key=lambda told: [row["type"] for row in rows].index(told[0]),
        ),
        ("PullRequestEvent", "opened", "ann"),
    ]
    assert len({row["id"] for row in rows}) == 8
    assert rows == [row for row in body(application, "/events") if row["created_at"].startswith("2026-11-19")]
