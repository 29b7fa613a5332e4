"""Every request is bounded in time and size, shows our token and nobody else's, and tells which setting is wrong."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from gh_backfill.clients import account, credentials, rest, runs, transport, webhook_out
from gh_backfill.clients.alert_issues import issues_of
from gh_backfill.clients.gate import OwnGate
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.clients.webhook_out import Delivered, NotDelivered
from gh_backfill.errors import BadCredentials, Denied, GitHubError, Misrouted, RateLimited, TooBig, Unreachable
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from tests.forged import Forged, Seen, serving, whole

USER = {"id": 7, "login": "octo", "url": "http://127.0.0.1/user"}
ELSEWHERE = "https://github.invalid"


def asked(url: str, *, largest: int = transport.LARGEST, deadline: float = transport.DEADLINE) -> requests.Response:
    with transport.session(deadline=deadline, largest=largest) as session:
        return transport.send(session, "POST", f"{url}/graphql", token="tok", body=b"{}", timeout=(5.0, 5.0))


def listed(url: str) -> RestPages:
    return RestPages(url, credentials.fixed("tok"), OwnGate, sleep=lambda seconds: None)


def by_graphql(url: str) -> object:
    return GraphQL(f"{url}/graphql", "tok", sleep=lambda seconds: None).execute("{ viewer { login } }", {})


WAYS: dict[str, Callable[[str], object]] = {
    "GraphQL": by_graphql,
    "lists of REST": lambda url: listed(url).get("/repos/octo/small/pulls/comments", {}),
    "whose token it is": lambda url: account.user_id(url, "tok", "GITHUB_TOKEN"),
    "PyGithub": lambda url: rest.full_name(url, "tok", 7),
}


def bytes_now_and_then(forged: Forged, seen: Seen) -> Iterable[bytes]:
    return forged.drip(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"data"')


def headers_now_and_then(forged: Forged, seen: Seen) -> Iterable[bytes]:
    return forged.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")


def chunks_now_and_then(forged: Forged, seen: Seen) -> Iterable[bytes]:
    return forged.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")


def without_a_length(forged: Forged, seen: Seen) -> Iterable[bytes]:
    return forged.drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")


@pytest.mark.parametrize(
    "answer",
    [bytes_now_and_then, headers_now_and_then, chunks_now_and_then, without_a_length],
    ids=lambda each: each.__name__,
)
def test_an_answer_that_never_ends_is_cut_off(answer: Callable[[Forged, Seen], Iterable[bytes]]) -> None:
    with serving(answer) as forged, pytest.raises(Unreachable, match="no whole answer within"):
        asked(forged.url, deadline=0.3)


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    bomb = gzip.compress(bytes(8 * 2**20))
    with serving(lambda forged, seen: whole(bomb, Content_Encoding="gzip")) as forged:
        with pytest.raises(TooBig, match="more than 1 MB"):
            asked(forged.url, largest=2**20)
        assert len(asked(forged.url, largest=8 * 2**20).content) == 8 * 2**20


def test_an_answer_that_is_too_large_makes_the_query_smaller_or_ends_it() -> None:
    with serving(lambda forged, seen: whole(b"x" * 2_000)) as forged:
        graphql = GraphQL(f"{forged.url}/graphql", "tok", largest=1_000, sleep=lambda seconds: None)
        with pytest.raises(TooBig):
            graphql.execute("{ viewer { login } }", {}, divisible=True)
        assert len(forged.seen) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("entry", ["machine 127.0.0.1 login mallory password hunter2", "default login m password h"])
def test_netrc_never_takes_the_place_of_the_token(
    way: str, entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(entry)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(lambda forged, seen: whole(USER)) as forged:
        with suppress(GitHubError):  # the answer suits only one of them
            WAYS[way](forged.url)
        shown = {each.headers["authorization"].lower() for each in forged.seen}
        assert shown in ({"bearer tok"}, {"token tok"})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_no_redirect_shows_the_token_to_another_server(way: str, status: str) -> None:
    with serving(lambda forged, seen: whole(USER)) as other:
        there = f"{other.url.replace('127.0.0.1', 'localhost')}/elsewhere"
        with serving(lambda forged, seen: whole({}, status, Location=there)) as forged:
            with pytest.raises(GitHubError) as caught:
                WAYS[way](forged.url)
            assert other.seen == []
            assert isinstance(caught.value, Misrouted)
            assert "GITHUB_API_URL" in str(caught.value)


def test_a_list_is_followed_to_where_the_same_server_has_moved_it() -> None:
    with running(load(recipes=["octo/small:3"])) as github:
        changes.rename_repository(github.world, "octo/small", name="renamed")
        old = listed(github.url).get("/repos/octo/small/pulls/comments", {"per_page": "5"})
        assert old.rows == listed(github.url).get("/repos/octo/renamed/pulls/comments", {"per_page": "5"}).rows


def test_redirects_in_a_circle_end() -> None:
    with serving(lambda forged, seen: whole({}, "302 Found", Location=seen.path)) as forged:
        with pytest.raises(Misrouted, match="leads from one address to the next"):
            listed(forged.url).get("/repos/octo/small/pulls/comments", {})
        assert len(forged.seen) == transport.MOST_REDIRECTS + 1


@pytest.mark.parametrize("way", WAYS)
def test_what_is_on_this_machine_is_asked_without_a_proxy(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda forged, seen: whole(USER)) as proxy, serving(lambda forged, seen: whole(USER)) as forged:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        with suppress(GitHubError):
            WAYS[way](forged.url)
        assert (proxy.seen, bool(forged.seen)) == ([], True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem", Misrouted),
        ("CURL_CA_BUNDLE", "/nowhere/ca.pem", Misrouted),
        ("ALL_PROXY", "socks5://127.0.0.1:1", Misrouted),
        ("HTTPS_PROXY", "http://127.0.0.1:1", Unreachable),
        ("HTTPS_PROXY", "http://", Misrouted),
    ],
)
def test_a_setting_of_the_network_that_is_wrong_is_named(
    way: str, variable: str, value: str, expected: type[GitHubError], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(expected, match=variable) as caught:
        WAYS[way](ELSEWHERE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("token", ["tök", "to\nk", "t\x00k", "  ", "токен"])
def test_a_token_that_no_header_can_hold_is_a_bad_one(token: str) -> None:
    with transport.session() as session, pytest.raises(BadCredentials):
        transport.send(session, "GET", "http://127.0.0.1:1/", token=token, timeout=(1.0, 1.0))


def test_of_a_receiver_of_webhooks_only_the_status_is_read() -> None:
    def endless(forged: Forged, seen: Seen) -> Iterable[bytes]:
        return forged.drip(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99999999\r\n\r\n")

    with serving(endless) as forged:
        done = webhook_out.deliver(forged.url, "key", b"{}", event="x", delivery_id="1", sleep=lambda seconds: None)
    assert done == Delivered(tries=1)


def test_a_webhook_that_can_not_be_sent_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    done = webhook_out.deliver(ELSEWHERE, "key", b"{}", event="x", delivery_id="1", sleep=lambda seconds: None)
    assert isinstance(done, NotDelivered)
    assert "REQUESTS_CA_BUNDLE" in done.reason


ODD_ANSWERS: dict[str, list[bytes]] = {
    "a list": whole([]),
    "a text": whole("text"),
    "null": whole(None),
    "an id that is a text": whole({**USER, "id": "seven"}),
    "an id that is a list": whole({**USER, "id": []}),
    "an id out of bounds": whole({**USER, "id": 2**70}),
    "no JSON": whole(b"{no"),
    "nothing": whole(b""),
    "deep nesting": whole(b"[" * 100_000),
    "still working": whole({}, "202 Accepted"),
    "refused by a list": whole([], "403 Forbidden"),
    "refused by a text": whole("no", "422 Unprocessable"),
    "a message that is a number": whole({"message": 5}, "404 Not Found"),
    "a limit that is a text": whole(USER, X_RateLimit_Limit="many", X_RateLimit_Remaining="some"),
    "a reset that is a text": whole({"message": "API rate limit exceeded"}, "403 No", X_RateLimit_Reset="soon"),
}


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_whatever_pygithub_throws_is_one_of_our_errors(answer: str) -> None:
    with serving(lambda forged, seen: ODD_ANSWERS[answer]) as forged:
        with pytest.raises(GitHubError) as caught:
            runs.runner_jobs(forged.url, "tok", "octo/small", 1)
        with suppress(GitHubError), issues_of(forged.url, "tok", "octo/small") as issues:
            issues.open_ones()  # where an empty list comes for everything there are none
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("answer", [each for each in ODD_ANSWERS if each != "a limit that is a text"])
def test_a_user_who_is_not_named_is_one_of_our_errors(answer: str) -> None:
    with serving(lambda forged, seen: ODD_ANSWERS[answer]) as forged, pytest.raises(GitHubError) as caught:
        account.user_id(forged.url, "tok", "GITHUB_TOKEN")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found"])
def test_a_token_that_names_no_user_is_named_by_its_setting(status: str) -> None:
    answer = whole({"message": "no"}, status)
    with serving(lambda forged, seen: answer) as forged, pytest.raises(Denied, match="check GITHUB_TOKEN_2"):
        account.user_id(forged.url, "tok", "GITHUB_TOKEN_2")


def test_a_link_that_leads_to_another_server_is_not_followed() -> None:
    def answer(forged: Forged, seen: Seen) -> list[bytes]:
        if "labels" in seen.path:
            return whole(
                [{"name": "gh-backfill", "url": "http://127.0.0.1/x"}], Link='<https://evil.invalid/>; rel="next"'
            )
        return whole({"id": 1, "full_name": "octo/small", "url": f"{forged.url}/repos/octo/small"})

    with serving(answer) as forged, pytest.raises(GitHubError), issues_of(forged.url, "tok", "octo/small") as issues:
        issues.open_ones()


def test_a_refusal_of_rest_says_a_time_within_bounds() -> None:
    message = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    answer = whole(message, "403 Forbidden", Retry_After="0")
    with serving(lambda forged, seen: answer) as forged, pytest.raises(RateLimited) as caught:
        runs.runner_jobs(forged.url, "tok", "octo/small", 1)
    assert not caught.value.guessed


@pytest.mark.parametrize("error", [ValueError("ours"), TypeError("ours"), AssertionError("ours"), OSError("ours")])
def test_an_error_of_our_own_beside_github_is_not_called_githubs(error: Exception) -> None:
    def ours() -> None:
        raise error

    with running(load(recipes=["octo/small:3"])) as github:
        at_github = issues_of(github.url, "tok", "octo/small")
        with pytest.raises(type(error), match="ours"), at_github as issues:
            issues.open_ones()
            ours()
