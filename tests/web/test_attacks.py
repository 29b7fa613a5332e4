"""What strangers do to the receiver, over HTTP and against a process of its own: it stays small, quiet and open."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from gh_backfill.clients.webhook_out import signature
from gh_backfill.store.db import Database
from gh_backfill.web.limits import DoorLimits
from gh_backfill.web.serving import Server, address, bind
from gh_backfill.web.webhooks import Receiver
from tests.web.receiver import SECRET, Running, started

FORGED = "sha256=" + "0" * 64
# What the process needs for itself, the budget of all bodies, and what Python adds on top.
MOST_MEGABYTES = 300


def head(*, length: int = 10, forged: bool = True, **more: str) -> bytes:
    """Return the head of a delivery."""
    headers = {"Host": "x", "X-GitHub-Event": "ping", "X-GitHub-Delivery": "one", "Content-Length": str(length)}
    if forged:
        headers["X-Hub-Signature-256"] = FORGED
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhooks/github HTTP/1.1\r\n{lines}\r\n".encode()


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[Running]:
    with started(database_url, tmp_path, "--port", "0") as process:
        assert process.ready.wait(120), process.log
        yield process


@contextmanager
def served(database_url: str, limits: DoorLimits) -> Iterator[str]:
    """Serve within this process, with limits of its own."""
    listening = bind("127.0.0.1", 0)
    url = address(listening)
    server = Server(Receiver(SECRET, database_url, limits=limits))
    thread = threading.Thread(target=server.serve_at, args=(listening,), daemon=True)
    thread.start()
    server.ready.wait(30)
    yield url
    server.should_exit = True
    thread.join()


def spoken(url: str, *parts: bytes) -> bytes:
    """Say something over a connection and return all that is answered until it ends."""
    port = httpx.URL(url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        with suppress(ConnectionResetError):
            while more := connection.recv(65536):
                answer += more
        return answer


async def delivered(place: tuple[str, int], number: int) -> int:
    """Deliver a signed ping over a connection of its own and return the status of the answer."""
    body = json.dumps({"zen": "Speak like a human.", "hook_id": number}).encode()
    reader, writer = await asyncio.open_connection(*place)
    signed = {"X_Hub_Signature_256": signature(SECRET, body), "X_GitHub_Delivery": f"delivery-{number}"}
    writer.write(head(length=len(body), forged=False, **signed) + body)
    line = await reader.readline()
    writer.close()
    return int(line.split()[1]) if line else 0


async def all_delivered(place: tuple[str, int], many: int) -> list[int]:
    return await asyncio.gather(*(delivered(place, number) for number in range(many)))


def taken(db: Database) -> int:
    with db.transaction(read_only=True) as tx:
        (row,) = tx.rows("select count(*) as n from webhook_deliveries where status = 'ignored'")
    return int(row["n"])


def test_three_hundred_deliveries_at_once_are_all_taken_over_a_few_connections(running: Running, db: Database) -> None:
    assert set(asyncio.run(all_delivered(running.place, 300))) == {200}
    assert taken(db) == 300
    with db.transaction(read_only=True) as tx:
        (row,) = tx.rows("select count(*) as n from pg_stat_activity where datname = current_database()")
    assert row["n"] <= DoorLimits().database_connections + 2  # the worker's, and ours


def test_deliveries_that_come_together_take_the_places_of_the_slow_and_not_each_other_s(database_url: str) -> None:
    with served(database_url, DoorLimits(connections=50, grace_seconds=0.5)) as url, ExitStack() as stack:
        place = ("127.0.0.1", httpx.URL(url).port or 0)
        for _ in range(50):
            stack.enter_context(socket.create_connection(place, timeout=60)).sendall(head() + b"{")
        time.sleep(0.6)  # what is slow has had its time
        assert asyncio.run(all_delivered(place, 40)) == [200] * 40


def test_deliveries_that_come_together_are_all_taken_though_they_are_more_than_the_limit(database_url: str) -> None:
    with served(database_url, DoorLimits(connections=20, grace_seconds=60.0)) as url, ExitStack() as stack:
        place = ("127.0.0.1", httpx.URL(url).port or 0)
        body = b"{}"
        together = [stack.enter_context(socket.create_connection(place, timeout=60)) for _ in range(40)]
        time.sleep(0.2)  # all of them are let in, or cut off
        for number, each in enumerate(together):
            proof = {"X_Hub_Signature_256": signature(SECRET, body), "X_GitHub_Delivery": f"delivery-{number}"}
            each.sendall(head(length=len(body), forged=False, **proof) + body)
        assert [each.recv(65536)[:12] for each in together] == [b"HTTP/1.1 200"] * 40


def test_twice_the_limit_is_the_end_whoever_comes(database_url: str) -> None:
    with served(database_url, DoorLimits(connections=20, grace_seconds=60.0)) as url, ExitStack() as stack:
        place = ("127.0.0.1", httpx.URL(url).port or 0)
        together = [stack.enter_context(socket.create_connection(place, timeout=60)) for _ in range(45)]
        time.sleep(0.2)
        for each in together:
            each.setblocking(False)
        assert sum(cut_off(each) for each in together) == 5


def cut_off(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_process_of_few_files_asks_for_as_many_as_it_may_have_and_takes_fewer_connections() -> None:
    said = "import sys; from gh_backfill.web.limits import connections; print(connections(int(sys.argv[1])))"
    for limits, wanted, most in (("-Sn 256; ulimit -Hn 1024", 1024, 668), ("-n 300", 1024, 16), ("-n 512", 100, 100)):
        command = ["sh", "-c", f'ulimit {limits}; exec "$0" "$@"', sys.executable, "-c", said, str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert int(done.stdout) == most


def test_eleven_hundred_connections_that_stay_half_open_stop_no_delivery_and_fill_no_log(
    running: Running, db: Database
) -> None:
    with ExitStack() as stack:
        for number in range(1_100):
            connection = stack.enter_context(socket.create_connection(running.place, timeout=60))
            with suppress(ConnectionError):  # the first of them are cut off while the last ones come
                connection.sendall(head()[:40] if number % 2 else head() + b"{")
        assert set(asyncio.run(all_delivered(running.place, 50))) == {200}
    assert taken(db) == 50
    assert running.megabytes() < MOST_MEGABYTES
    assert running.stop() == 0
    assert len(running.log) < 20_000
    assert "Traceback" not in running.log


def test_bodies_that_are_held_cost_no_more_than_their_budget_and_stop_no_delivery(
    running: Running, db: Database
) -> None:
    body = b" " * (24 * 1024 * 1024 - 1)
    with ExitStack() as stack:
        for _ in range(24):
            connection = stack.enter_context(socket.create_connection(running.place, timeout=60))
            with suppress(ConnectionError):
                connection.sendall(head(length=len(body) + 1) + body)
        assert asyncio.run(delivered(running.place, 1)) == 200
    assert taken(db) == 1
    assert running.megabytes() < MOST_MEGABYTES


def test_refused_signatures_are_one_line_a_minute_with_their_number(running: Running) -> None:
    for number in range(30):
        assert b" 401 " in spoken(running.url, head(X_GitHub_Delivery=str(number)), b"{}        ")
    assert running.stop() == 0
    told = re.findall(r"refused: (\d+) x a signature that is missing or wrong", running.log)
    assert [int(each) for each in told] == [1, 29]


def test_it_says_where_it_listens_with_which_setting_and_never_the_secret(running: Running) -> None:
    assert f"ready at http://127.0.0.1:{running.place[1]}/webhooks/github" in running.log
    assert "WEBHOOK_SECRET" in running.log
    assert SECRET not in running.log
    assert httpx.get(running.url.replace("github", "health")).json() == {"status": "listening"}


def test_a_signal_ends_it_in_good_order(running: Running) -> None:
    assert asyncio.run(delivered(running.place, 1)) == 200
    assert running.stop() == 0
    assert "stopped" in running.lines[-1]
    assert "Traceback" not in running.log


def test_a_port_that_is_taken_is_one_line_and_exit_code_2(database_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with started(database_url, tmp_path, "--port", port) as process:
            assert process.process.wait(120) == 2
            process.ended.wait(60)
    (line,) = process.lines
    assert f"port {port} of 127.0.0.1 is taken" in line
    assert "--port" in line


def test_an_address_that_is_not_ours_is_one_line_and_exit_code_2(database_url: str, tmp_path: Path) -> None:
    with started(database_url, tmp_path, "--host", "192.0.2.1") as process:
        assert process.process.wait(120) == 2
        process.ended.wait(60)
    (line,) = process.lines
    assert "192.0.2.1" in line


def test_what_the_head_tells_is_answered_before_a_byte_of_the_body_came(database_url: str) -> None:
    with served(database_url, DoorLimits(body_seconds=60.0, linger_seconds=0.1)) as url:
        assert b" 413 " in spoken(url, head(length=26 * 1024 * 1024))
        assert b" 401 " in spoken(url, head(forged=False))
        assert b" 401 " in spoken(url, head(X_Hub_Signature_256="sha256=75"))
        assert b" 400 " in spoken(url, head(X_GitHub_Event=""))
        assert b" 400 " in spoken(url, head(X_GitHub_Delivery="x" * 101))


def test_a_head_that_does_not_come_in_time_is_cut_off(database_url: str) -> None:
    with served(database_url, DoorLimits(head_seconds=0.2)) as url:
        assert spoken(url, head()[:30]) == b""
        assert spoken(url) == b""


def test_a_body_that_does_not_come_in_time_is_answered_so(database_url: str) -> None:
    with served(database_url, DoorLimits(body_seconds=0.2)) as url:
        assert b" 408 " in spoken(url, head(), b"{")


def test_a_head_without_end_is_refused(database_url: str) -> None:
    with served(database_url, DoorLimits()) as url:
        assert b" 400 " in spoken(url, b"POST / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 40_000)


def test_a_body_in_chunks_is_counted_as_it_comes(database_url: str) -> None:
    chunks = (
        head(Transfer_Encoding="chunked").replace(b"Content-Length: 10\r\n", b"") + b"400\r\n" + b" " * 1024 + b"\r\n"
    )
    with served(database_url, DoorLimits(largest_body=1_000)) as url:
        assert b" 413 " in spoken(url, chunks)


def test_where_all_bodies_are_too_much_the_largest_gives_way_and_a_small_one_is_taken(database_url: str) -> None:
    with served(database_url, DoorLimits(all_bodies=10_000)) as url:
        place = ("127.0.0.1", httpx.URL(url).port or 0)
        with socket.create_connection(place, timeout=60) as large:
            large.sendall(head(length=20_000) + b" " * 9_990)
            assert asyncio.run(delivered(place, 1)) == 200
            large.sendall(b" ")
            assert b" 503 " in large.recv(65536)


def test_where_no_connection_to_the_database_is_free_it_is_to_be_tried_later(database_url: str) -> None:
    with served(database_url, DoorLimits(database_connections=0, database_seconds=0.1)) as url:
        answer = httpx.post(url, content=b"{}", headers=signed(b"{}"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


NEVER = {
    "no JSON": b"nonsense",
    "a list": b"[1]",
    "no text": b"\xff\xfe",
    "deep": b'{"a":' + b"[" * 200_000,
    "a NUL": rb'{"repository":{"id":1},"sender":{"login":"a\u0000b","id":1},"forkee":{"id":5}}',
    "half a character": rb'{"repository":{"id":1},"sender":{"login":"\ud800","id":1},"forkee":{"id":5}}',
    "a number without end": b'{"repository":{"id":1'
    + b"0" * 30
    + b'},"sender":{"login":"a","id":1},"forkee":{"id":5}}',
    "no finite number": b'{"repository":{"id":1e999},"sender":{"login":"a","id":1},"forkee":{"id":5}}',
    "nothing": b"",
}


def signed(body: bytes, event: str = "fork") -> dict[str, str]:
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": "one", "X-Hub-Signature-256": signature(SECRET, body)}


@pytest.mark.parametrize("body", NEVER.values(), ids=NEVER.keys())
def test_what_can_never_be_stored_is_a_bad_request(database_url: str, db: Database, body: bytes) -> None:
    with db.transaction() as tx:
        tx.run("insert into repositories (github_id, full_name, owner, name) values (1, 'o/n', 'o', 'n')")
        tx.run(
            "insert into tracked_repositories (repository_id, organization_name, repository_name) "
            "select id, 'o', 'n' from repositories"
        )
    with served(database_url, DoorLimits()) as url:
        assert httpx.post(url, content=body, headers=signed(body), timeout=60).status_code == 400


def test_an_event_that_is_not_for_us_is_not_even_parsed(database_url: str) -> None:
    with served(database_url, DoorLimits()) as url:
        answer = httpx.post(url, content=b"{" * 1_000, headers=signed(b"{" * 1_000, "push"), timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"result": "push is not for us"})


def test_other_addresses_and_methods_are_refused(database_url: str) -> None:
    with served(database_url, DoorLimits()) as url:
        assert httpx.get(url).status_code == 405
        assert httpx.post(url + "/other").status_code == 404
