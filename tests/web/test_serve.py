"""`gh-backfill serve` as a user meets it: one line to begin with, one line where it can't, and a quick end."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg2
import pytest

from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running as simulating
from gh_backfill.store import readers
from gh_backfill.store.db import Database
from gh_backfill.web import running as serving_pages
from tests.test_cli import refused
from tests.web.house import TOKEN
from tests.web.serving import served

EVERYWHERE = "0.0.0.0"  # noqa: S104  (that it is refused is tested)


def refusal(folder: Path, *options: str, code: int, **environment: str) -> str:
    """Return the line with which it ends."""
    command = [sys.executable, "-m", "gh_backfill", "serve", *options]
    given = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment}
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=60, check=False)
    return refused(done, code)


def test_it_begins_with_an_address_that_lets_its_user_in(database_url: str, tmp_path: Path) -> None:
    with served(tmp_path, DATABASE_URL=database_url) as running:
        assert "/login?ticket=" in running.address
        with httpx.Client(base_url=running.url) as browser:
            assert "sign out" not in browser.get("/add").text
            assert browser.get(running.address).status_code == 303
            assert "sign out" in browser.get("/add").text
        with httpx.Client(base_url=running.url) as other:
            assert other.post("/add", data={"names": "octo/engine"}).status_code == 403
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0
    assert "Traceback" not in running.log


def test_where_nothing_is_set_up_a_demo_moves(tmp_path: Path) -> None:
    with served(tmp_path, GH_BACKFILL_HOME=str(tmp_path / "home")) as running:
        assert running.printed[0].startswith("demo: ")
        with httpx.Client(base_url=running.url) as browser:

            def captured() -> int:
                members = browser.get("/add.json").json()["batch"]["repositories"]
                return sum(each["captured"] for each in members)

            begun, deadline = captured(), time.monotonic() + 60
            while captured() <= begun and time.monotonic() < deadline:
                time.sleep(0.5)
            assert captured() > begun
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(40) == 0
    assert "Traceback" not in running.log


def test_a_token_that_was_set_is_not_printed(database_url: str, tmp_path: Path) -> None:
    with served(tmp_path, DATABASE_URL=database_url, GH_BACKFILL_WEB_TOKEN=TOKEN) as running:
        assert running.address.endswith("/monitor")
        assert TOKEN not in "".join(running.printed) + running.log


def test_the_address_that_it_prints_for_others_is_one_by_which_it_may_be_called(
    database_url: str, tmp_path: Path
) -> None:
    with served(tmp_path, "--host", EVERYWHERE, DATABASE_URL=database_url, GH_BACKFILL_WEB_TOKEN=TOKEN) as running:
        printed = urlsplit(running.address)
        answer = httpx.get(f"http://127.0.0.1:{printed.port}/login", headers={"Host": printed.netloc})
        assert answer.status_code == 200


def test_the_captures_are_woken_again_and_again_while_the_pages_are_open() -> None:
    woken, enough = [], threading.Event()

    class Counted:
        def wake(self) -> None:
            woken.append(time.monotonic())
            if len(woken) == 3:
                enough.set()

    with serving_pages.kept_awake(Counted(), every=0.01):  # type: ignore[arg-type]
        assert enough.wait(20)
    time.sleep(0.1)
    many = len(woken)
    time.sleep(0.1)
    assert len(woken) == many


def test_with_fifty_open_streams_it_is_gone_within_two_seconds(database_url: str, tmp_path: Path) -> None:
    with served(tmp_path, DATABASE_URL=database_url) as running:
        opened, ended = threading.Semaphore(0), threading.Semaphore(0)

        def listen() -> None:
            address = f"{running.url}/live?topics=monitor"
            # A process that is gone in time may cut off the last word of a stream: a page asks again all the same.
            with (
                suppress(httpx.TransportError),
                httpx.Client(timeout=30) as client,
                client.stream("GET", address) as it,
            ):
                opened.release()
                for _ in it.iter_raw():
                    pass
            ended.release()

        threads = [threading.Thread(target=listen, daemon=True) for _ in range(50)]
        for each in threads:
            each.start()
        for _ in threads:
            assert opened.acquire(timeout=30)
        begun = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0
        assert time.monotonic() - begun < 2
        for _ in threads:
            assert ended.acquire(timeout=10)  # no stream hangs
    assert "Traceback" not in running.log


def test_it_ends_though_a_form_waits_for_a_github_that_says_nothing(database_url: str, tmp_path: Path) -> None:
    with simulating(load(recipes=["octo/engine:12"])) as github:
        github.faults.add(Fault(name="stall", match={"operation": "RepositoryByName"}))
        given = {"DATABASE_URL": database_url, "GITHUB_TOKEN": "ghp_x", "GITHUB_API_URL": github.url}
        with served(tmp_path, "--no-open", GH_BACKFILL_WEB_TOKEN=TOKEN, **given) as running:
            waits = threading.Thread(target=_checked, args=(running.url,), daemon=True)
            waits.start()
            while not github.faults.struck().get("stall"):
                time.sleep(0.05)
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(6) == 0
            waits.join(10)
            assert "Traceback" not in running.log


def _checked(url: str) -> None:
    with suppress(httpx.TransportError):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        httpx.post(f"{url}/add/check", data={"names": "octo/engine"}, headers=headers, timeout=60)


def test_what_can_not_be_started_says_why_in_a_line(database_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refusal(tmp_path, "--port", port, code=2, DATABASE_URL=database_url)
        assert f"port {port} of 127.0.0.1 is taken" in line
    line = refusal(tmp_path, "--port", "0", "--host", EVERYWHERE, code=2, DATABASE_URL=database_url)
    assert "set GH_BACKFILL_WEB_TOKEN first" in line
    line = refusal(tmp_path, "--port", "0", code=4, DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert "9" in line


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (("--host", EVERYWHERE), {}),
        (("--host", "nowhere.invalid"), {"GH_BACKFILL_WEB_TOKEN": TOKEN}),
        (("--host", EVERYWHERE), {"GH_BACKFILL_WEB_TOKEN": TOKEN, "INNGEST_DEV": "1"}),
    ],
)
def test_pages_that_can_not_be_served_forget_no_demo(
    tmp_path: Path, options: Sequence[str], environment: Mapping[str, str]
) -> None:
    home = tmp_path / "home"
    line = refusal(tmp_path, "--port", "0", *options, code=2, GH_BACKFILL_HOME=str(home), **environment)
    assert options[-1] in line or "INNGEST_DEV" in line
    assert not home.exists(), "no demo was begun, and none forgotten"


def test_a_port_that_is_taken_forgets_no_demo(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refusal(tmp_path, "--port", str(taken.getsockname()[1]), code=2, GH_BACKFILL_HOME=str(tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_a_schema_of_before_is_told_with_what_to_do(empty_database_url: str, tmp_path: Path) -> None:
    assert "gh-backfill migrate" in refusal(tmp_path, "--port", "0", code=2, DATABASE_URL=empty_database_url)


def test_a_role_that_may_only_read_serves_pages_that_change_nothing(database_url: str, tmp_path: Path) -> None:
    role, password = "gh_backfill_pages_reader", "reads-only"
    with Database(database_url) as db, db.transaction() as tx:
        (row,) = tx.rows("select current_database() as name, to_regrole(%(role)s) is not null as there", role=role)
        if not row["there"]:
            tx.run(f"create role {role} login password '{password}'")
        tx.run(f'grant connect on database "{row["name"]}" to {role}')
        readers.grant(tx, role)
    parts = urlsplit(database_url)
    reader = parts._replace(netloc=f"{role}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()
    try:
        assert "can't be written" in refusal(tmp_path, "--port", "0", code=2, DATABASE_URL=reader)
        with served(tmp_path, DATABASE_URL=reader, ENABLE_BACKFILL_UI="false") as running:
            assert httpx.get(f"{running.url}/monitor").status_code == 200
    finally:
        with Database(database_url) as db, db.transaction() as tx:
            tx.run(f"drop owned by {role}")


def test_it_takes_the_webhooks_of_github(database_url: str, tmp_path: Path) -> None:
    secret = "It's a Secret to Everybody"
    body = b'{"zen": "Practicality beats purity."}'
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": "1",
        "X-Hub-Signature-256": f"sha256={signature}",
        "Content-Type": "application/json",
        "Host": "tunnel.example",
    }
    with served(tmp_path, DATABASE_URL=database_url, WEBHOOK_SECRET=secret) as running:
        assert httpx.post(f"{running.url}/webhooks/github", content=body, headers=headers).status_code == 200
        wrong = {**headers, "X-Hub-Signature-256": f"sha256={'0' * 64}"}
        assert httpx.post(f"{running.url}/webhooks/github", content=body, headers=wrong).status_code == 401


def test_it_makes_events_of_what_webhooks_tell_by_itself_and_without_a_token(database_url: str, tmp_path: Path) -> None:
    secret = "It's a Secret to Everybody"
    told = {"action": "created", "starred_at": "2026-03-01T12:00:00Z", "repository": {"id": 77, "private": False}}
    body = json.dumps({**told, "sender": {"login": "ada", "id": 1}}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-GitHub-Event": "star",
        "X-GitHub-Delivery": "1",
        "X-Hub-Signature-256": f"sha256={signature}",
        "Content-Type": "application/json",
    }
    with Database(database_url) as db:
        with db.transaction() as tx:
            tx.run("insert into repositories (github_id, full_name, owner, name, is_private) "
                   "values (77, 'octo/kit', 'octo', 'kit', false)")  # fmt: skip
            tx.run("insert into tracked_repositories (repository_id, organization_name, repository_name) "
                   "select id, owner, name from repositories")  # fmt: skip
        with served(tmp_path, DATABASE_URL=database_url, WEBHOOK_SECRET=secret) as running:
            assert httpx.post(f"{running.url}/webhooks/github", content=body, headers=headers).status_code == 202
            until = time.monotonic() + 60
            while not (rows := db.statement("select actor_login from github_events_cache")):
                assert time.monotonic() < until, running.log
                time.sleep(0.1)
    assert rows == [{"actor_login": "ada"}]


def test_a_database_that_goes_away_is_told_on_the_page_and_comes_back(database_url: str, tmp_path: Path) -> None:
    with Database(database_url) as db:
        (row,) = db.statement("select current_database() as name")
    with served(tmp_path, DATABASE_URL=database_url) as running, httpx.Client(base_url=running.url) as browser:
        assert browser.get("/add").status_code == 200
        connection = psycopg2.connect(database_url.replace(row["name"], "postgres"))
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            cursor.execute(f'alter database "{row["name"]}" allow_connections false')
            cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [row["name"]])
            answer = browser.get("/add?names=not-kept-yet")
            assert answer.status_code == 503
            assert "Traceback" not in answer.text
            cursor.execute(f'alter database "{row["name"]}" allow_connections true')
            assert browser.get("/add?names=not-kept-yet").status_code == 200
        finally:
            connection.close()


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(database_url: str, tmp_path: Path, port: str) -> None:
    assert "--port" in refusal(tmp_path, "--port", port, code=2, DATABASE_URL=database_url)


def test_inngest_finds_its_functions_where_its_key_is_known_and_they_are_signed(
    database_url: str, tmp_path: Path
) -> None:
    with served(tmp_path, DATABASE_URL=database_url, INNGEST_SIGNING_KEY="signkey-test-00ff") as running:
        answers = [httpx.request(method, f"{running.url}/api/inngest") for method in ("GET", "POST", "PUT")]
        assert [each.status_code for each in answers] == [401, 401, 401]
    line = refusal(
        tmp_path,
        *("--host", EVERYWHERE),
        code=2,
        DATABASE_URL=database_url,
        GH_BACKFILL_WEB_TOKEN=TOKEN,
        INNGEST_DEV="1",
    )
    assert "INNGEST_DEV lets whoever reaches this server start captures" in line
