"""The application over HTTP: pages, twins, forms, errors, and everybody it does not obey."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.responses import PlainTextResponse

from gh_backfill.web.access import SESSION_SECONDS
from gh_backfill.web.door import TOO_LARGE
from gh_backfill.web.guesses import FREE
from gh_backfill.web.rendering import CSRF, regions
from tests.web.house import ADMIN, TOKEN, House, open_house


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with open_house(database_url) as opened:
        yield opened


@pytest.fixture
def public(database_url: str) -> Iterator[House]:
    """A server that others reach: nobody reads without signing in."""
    with open_house(database_url, environment={"GH_BACKFILL_WEB_HOSTS": "backfill.example.org"}) as opened:
        yield opened


def raw(house: House, request: str, body: bytes = b"") -> str:
    with socket.create_connection(("127.0.0.1", house.port), 10) as sent:
        sent.sendall(request.replace("\n", "\r\n").encode() + body)
        return b"".join(iter(lambda: sent.recv(65536), b"")).decode()


def test_a_page_and_its_twin_have_the_same_address(house: House) -> None:
    house.world.things.append("one")
    with house.client() as browser:
        page = browser.get("/things", headers={"Accept": "text/html,*/*"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "one" in page.text
        assert 'href="/things.json"' in page.text
        for twin in (browser.get("/things.json"), browser.get("/things", headers={"Accept": "application/json"})):
            assert twin.headers["content-type"] == "application/json"
            assert twin.json() == {"things": ["one"], "one": 1}


def test_a_repository_whose_name_ends_like_a_twin_is_found(house: House) -> None:
    house.world.things += ["octo/engine", "octo/package.json"]
    with house.client() as browser:
        assert browser.get("/octo/engine.json").json() == {"name": "octo/engine"}
        assert "<h1>octo/package.json</h1>" in browser.get("/octo/package.json").text
        assert browser.get("/octo/package.json.json").json() == {"name": "octo/package.json"}
        assert browser.get("/octo/nothing.json").status_code == 404


def test_every_answer_forbids_what_no_page_of_ours_needs(house: House) -> None:
    with house.client() as browser:
        for path in ("/things", "/things.json", "/nothing-there", "/login", "/openapi.json", "/fail"):
            headers = browser.get(path).headers
            assert headers["content-security-policy"] == (
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            )
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers


def test_static_files_are_kept_for_good_at_an_address_that_changes_with_them(house: House) -> None:
    with house.client() as browser:
        page = browser.get("/things").text
        for name, kind in (("style.css", "text/css"), ("page.js", "text/javascript"), ("favicon.svg", "image/svg+xml")):
            (address,) = re.findall(rf'"(/static/[0-9a-f]{{12}}/{re.escape(name)})"', page)
            answer = browser.get(address)
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert browser.get(f"/static/0/{name}").headers["cache-control"] == "no-cache"
        assert browser.get("/static/0/app.py").status_code == 404
        assert browser.get("/static/0/..%2fapp.py").status_code == 404


def test_head_is_answered_without_a_body(house: House) -> None:
    with house.client() as browser:
        answer = browser.head("/things")
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) > 0
        assert answer.content == b""


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nothing-there", 404, "There is no page at this address"),
        ("/fail", 500, "a fault of gh_backfill"),
        ("/slow", 503, "the database took too long for this"),
    ],
)
def test_errors_are_sentences_on_a_page_and_in_json(house: House, path: str, status: int, says: str) -> None:
    with house.client() as browser:
        page, twin = browser.get(path), browser.get(f"{path}.json")
        assert (page.status_code, twin.status_code) == (status, status)
        assert says in page.text
        assert says in twin.json()["error"]
        for answer in (page, twin):
            assert "hunter2" not in answer.text
            assert "Traceback" not in answer.text


def test_a_wrong_method_is_told_so(house: House) -> None:
    with house.client() as browser:
        assert browser.delete("/things").status_code == 405


def test_what_is_asked_for_stays_text(house: House) -> None:
    with house.client() as browser:
        page = browser.get("/things", params={"filter": "<script>alert(1)</script>"}).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_many_viewers_cost_one_rendering_until_something_changes(house: House) -> None:
    with house.client() as browser:
        for _ in range(5):
            browser.get("/things")
        assert house.world.renderings == 1
        assert house.world.looks == 1
        house.world.prints["others"] = "2"
        house.context.hub.expire()
        browser.get("/things")
        assert house.world.renderings == 1
        house.world.prints["things"] = "2"
        house.context.hub.expire()
        browser.get("/things")
        assert house.world.renderings == 2
        browser.get("/things?filter=x")
        assert house.world.renderings == 3


def test_who_is_signed_in_gets_a_form_of_ones_own_out_of_the_same_rendering(house: House) -> None:
    with house.client(token=TOKEN) as one, house.client(token=TOKEN) as other:
        first, second = one.get("/things").text, other.get("/things").text
        assert house.world.renderings == 1
        assert house.csrf(one) in first
        assert house.csrf(other) in second
        assert house.csrf(one) not in second
        assert CSRF not in first


def test_a_form_is_obeyed_and_leads_to_where_its_result_stands(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        answer = browser.post("/things", data={"thing": "new", "csrf": house.csrf(browser)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/things")
        assert "new" in browser.get("/things").text


def test_a_form_that_can_not_be_obeyed_stays_on_its_page(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        answer = browser.post("/things", data={"thing": " ", "csrf": house.csrf(browser)})
        assert answer.status_code == 409
        assert "Which one?" in answer.text


def test_a_form_of_another_site_is_not_obeyed(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        good = {"thing": "new", "csrf": house.csrf(browser)}
        strange: list[tuple[dict[str, str], dict[str, str]]] = [
            ({"thing": "new"}, {}),
            ({"thing": "new", "csrf": "0" * 64}, {}),
            (good, {"Origin": "https://evil.example"}),
            (good, {"Origin": "null"}),
            (good, {"Origin": f"http://localhost:{house.port}"}),
            (good, {"Sec-Fetch-Site": "cross-site"}),
            (good, {"Sec-Fetch-Site": "same-site"}),
        ]
        for data, headers in strange:
            assert browser.post("/things", data=data, headers=headers).status_code == 403, (data, headers)
        assert house.world.things == []
        for origin in (house.url, "null"):  # a page that tells no referrer has no origin either
            ours = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
            assert browser.post("/things", data=good, headers=ours).status_code == 303


def test_the_form_of_another_session_is_not_obeyed(house: House) -> None:
    with house.client(token=TOKEN) as one, house.client(token=TOKEN) as other:
        answer = one.post("/things", data={"thing": "new", "csrf": house.csrf(other)})
        assert answer.status_code == 403
        assert "reload" in answer.text


def test_nobody_changes_anything_without_signing_in(house: House) -> None:
    with house.client() as browser:
        assert browser.post("/things", data={"thing": "new"}).status_code == 403
        assert house.world.things == []


def test_a_token_in_the_request_needs_no_form_of_ours(house: House) -> None:
    with house.client(Authorization=f"Bearer {TOKEN}") as program:
        assert program.post("/things", data={"thing": "new"}).status_code == 303
    with house.client(Authorization="Bearer wrong") as program:
        assert program.post("/things", data={"thing": "new"}).status_code == 401
        assert program.get("/things").status_code == 401


def test_adding_needs_the_administrators_token_where_there_is_one(database_url: str) -> None:
    with (
        open_house(database_url, environment={"GH_BACKFILL_WEB_ADMIN_TOKEN": ADMIN}) as house,
        house.client(token=TOKEN) as editor,
        house.client(token=ADMIN) as admin,
    ):
        refused = editor.post("/things/admin", data={"thing": "new", "csrf": house.csrf(editor)})
        assert refused.status_code == 403
        assert "GH_BACKFILL_WEB_ADMIN_TOKEN" in refused.text
        assert editor.post("/things", data={"thing": "a", "csrf": house.csrf(editor)}).status_code == 303
        assert admin.post("/things/admin", data={"thing": "b", "csrf": house.csrf(admin)}).status_code == 303


def test_where_it_is_turned_off_nothing_can_be_changed(database_url: str) -> None:
    with (
        open_house(database_url, environment={"ENABLE_BACKFILL_UI": "false"}) as house,
        house.client(token=TOKEN) as browser,
    ):
        page = browser.get("/things").text
        assert 'href="/add"' not in page
        assert "ENABLE_BACKFILL_UI" in browser.post("/things", data={"thing": "new"}).text
        assert browser.post("/things", data={"thing": "new"}).status_code == 403
    assert house.world.things == []


def test_the_printed_address_lets_somebody_in_and_leaves_nothing_of_the_token(house: House) -> None:
    with house.client() as browser:
        answer = browser.get("/login", params={"ticket": TOKEN})
        assert (answer.status_code, answer.headers["location"]) == (303, "/monitor")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"gh_backfill_{house.port}=")
        for part in ("HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={SESSION_SECONDS}"):
            assert part in cookie
        assert TOKEN not in cookie
        assert "Secure" not in cookie
        again = browser.get("/login", params={"ticket": TOKEN}, headers={"X-Forwarded-Proto": "https"})
        assert "Secure" in again.headers["set-cookie"]


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=1", ""],
)
def test_signing_in_leads_nowhere_else(house: House, target: str) -> None:
    with house.client() as browser:
        answer = browser.get("/login", params={"ticket": TOKEN, "next": target})
        assert answer.headers["location"] == "/monitor"


def test_signing_in_leads_back(house: House) -> None:
    with house.client() as browser:
        answer = browser.post("/login", data={"token": TOKEN, "next": "/things?filter=a"})
        assert answer.headers["location"] == "/things?filter=a"


def test_signing_out_forgets_the_session(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        assert "sign out" in browser.get("/things").text
        assert browser.post("/logout").status_code == 303
        assert "sign out" not in browser.get("/things").text


def test_who_guesses_is_slowed_down_and_a_session_is_not(house: House) -> None:
    with house.client(token=TOKEN) as known, house.client() as guesser:
        codes = [guesser.post("/login", data={"token": f"guess-{each}"}).status_code for each in range(FREE)]
        assert codes == [401] * FREE
        begun = time.monotonic()
        assert guesser.post("/login", data={"token": "guess"}).status_code == 401
        assert time.monotonic() - begun >= 1
        assert known.get("/things").status_code == 200
        begun = time.monotonic()
        assert known.post("/login", data={"token": TOKEN}).status_code == 303  # from the same address, after a moment
        assert time.monotonic() - begun >= 1
        while house.context.guesses.turn("127.0.0.1") is not None:
            pass
        refused = guesser.post("/login", data={"token": TOKEN})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")


def test_beyond_this_machine_reading_needs_a_login_too(public: House) -> None:
    with public.client() as browser:
        page = browser.get("/things?filter=a%26b", headers={"Accept": "text/html"})
        assert page.status_code == 303
        assert page.headers["location"] == "/login?next=%2Fthings%3Ffilter%3Da%2526b"
        for path in ("/things.json", "/things?region=x", "/live?topics=things", "/octo/engine.json"):
            assert browser.get(path, headers={"Accept": "application/json"}).status_code == 401, path
        assert browser.get("/login").status_code == 200
    with public.client(token=TOKEN) as browser:
        assert browser.get("/things").status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("localhost.", 200),
        ("[::1]:{port}", 200),
        ("evil.example", 421),
        ("evil.example:{port}", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.0.2.1", 421),
        ("", 421),
    ],
)
def test_who_calls_us_by_a_strange_name_gets_nothing(house: House, host: str, status: int) -> None:
    called = host.format(port=house.port)
    answer = raw(house, f"GET /things.json HTTP/1.1\nHost: {called}\nConnection: close\n\n")
    assert answer.startswith(f"HTTP/1.1 {status} ")
    if status == 421:
        assert "GH_BACKFILL_WEB_HOSTS" in answer
        assert '"things"' not in answer


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_may_lead_here_and_ask_for_nothing(house: House, site: str) -> None:
    with house.client() as browser:
        for path in ("/things", "/things.json", "/live?topics=things", "/static/0/page.js"):
            asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
            assert browser.get(path, headers=asked).status_code == 403, path
        followed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        assert browser.get("/things", headers=followed).status_code == 200


def test_a_name_that_was_set_is_ours(public: House) -> None:
    with public.client(Host="backfill.example.org") as browser:
        assert browser.get("/login").status_code == 200


def test_webhooks_are_not_asked_by_which_name_they_come(database_url: str) -> None:
    with (
        open_house(database_url, webhooks=PlainTextResponse("taken")) as house,
        house.client(Host="tunnel.example") as sender,
    ):
        assert sender.post("/webhooks/github", content=b"{}").text == "taken"
        assert sender.get("/things").status_code == 421


def test_a_body_that_no_form_has_is_not_read(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        large = {"thing": "x" * 1_100_000, "csrf": house.csrf(browser)}
        assert browser.post("/things", data=large).status_code == 413
        assert browser.post("/things", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 400
    assert house.world.things == []


def chunks(many: int) -> Iterator[bytes]:
    """Yield a form whose length nobody tells before."""
    for _ in range(many):
        yield b"thing=" + b"x" * 20_000 + b"&"


def sends(house: House, headers: str, body: bytes) -> str:
    """Return what is answered to somebody who sends all of a body before listening."""
    return raw(house, f"POST /things HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n{headers}\n\n", body)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_body_that_is_too_large_is_told_so_also_where_its_length_is_not(house: House, kind: str) -> None:
    with house.client(token=TOKEN) as browser:
        body = b'--x\r\nContent-Disposition: form-data; name="thing"\r\n\r\n' + b"".join(chunks(100)) + b"\r\n--x--\r\n"
        pages = [
            browser.post("/things", content=content, headers={"Content-Type": kind})
            for content in (body, iter([body[place : place + 20_000] for place in range(0, len(body), 20_000)]))
        ]
    assert [each.status_code for each in pages] == [413, 413]
    assert {re.findall(r"<h1>(.*?)</h1>\s*<p>(.*?)</p>", each.text)[0] for each in pages} == {("Too large", TOO_LARGE)}
    assert house.world.things == []


@pytest.mark.parametrize("chunked", [False, True])
def test_who_sends_all_of_it_before_listening_hears_the_answer(house: House, chunked: bool) -> None:
    body = b"x" * 6_000_000
    told = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    bearer = f"Authorization: Bearer {TOKEN}\nAccept: application/json"
    answer = sends(house, f"{bearer}\nContent-Type: application/x-www-form-urlencoded\n{told}", sent)
    assert answer.startswith("HTTP/1.1 413 ")
    assert answer.endswith(json.dumps({"error": TOO_LARGE}).replace(": ", ":"))


def test_what_is_refused_at_the_door_is_json_for_programs(house: House) -> None:
    with house.client(Accept="application/json") as program:
        refused = program.get("/things", headers={"Host": "[evil"})
    assert refused.status_code == 421
    assert "this server is not called" in refused.json()["error"]


def test_a_file_is_read_as_text(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        files = {"thing": ("names.txt", b"octo/engine\n\xff", "text/plain")}
        assert browser.post("/things", data={"csrf": house.csrf(browser)}, files=files).status_code == 303
    assert house.world.things == ["octo/engine\n\ufffd"]


def test_a_region_is_that_section_alone() -> None:
    html = '<p>a</p><section id="x" data-live="t">1<section id="y">2</section>3</section><section id="z">4</section>'
    assert regions(html, ["x"]) == '<section id="x" data-live="t">1<section id="y">2</section>3</section>'
    assert regions(html, ["z", "y"]) == '<section id="z">4</section>\n<section id="y">2</section>'
    assert regions(html, ["nothing", 'x" onclick="', ""]) == ""
