"""The API: what programs send and get, and that nothing they send makes it stumble."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.web.api_models import MUST_BE, BackfillsWanted, Chosen
from gh_backfill.web.app import PAGES
from gh_backfill.web.door import TOO_LARGE
from gh_backfill.web.events_api import EventsAskedFor
from tests.web.house import ADMIN, TOKEN, House, open_house

NAMES = ["octo/engine", "octo/small", "nobody/nothing"]
NO_BATCH = "/api/backfills/00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/engine:620", "octo/small:12"])) as simulator:
        yield simulator


@pytest.fixture
def house(database_url: str, github: Simulator) -> Iterator[House]:
    environment = {"GITHUB_TOKEN": "ghp_secret", "GITHUB_API_URL": github.url}
    with open_house(database_url, own_pages=True, environment=environment) as opened:
        yield opened


@pytest.fixture
def program(house: House) -> Iterator[httpx.Client]:
    with house.client(Authorization=f"Bearer {TOKEN}") as client:
        yield client


def test_backfills_begin_are_looked_at_cancelled_and_tried_again(program: httpx.Client) -> None:
    wanted = {"repositories": NAMES, "max_prs": 100, "since": "2020-01-01", "state": ["merged", "closed"]}
    begun = program.post("/api/backfills", json=wanted)
    assert begun.status_code == 201
    batch = begun.json()
    assert (batch["added"], batch["failed"], batch["summary"].split(" · ")[0]) == (2, 1, "0 of 2 done")
    address = f"/api/backfills/{batch['id']}"
    member = program.get(address).json()["repositories"][0]
    assert (member["status"], member["word"]) == ("pending", "waiting")
    assert [each["id"] for each in program.get("/api/backfills").json()] == [batch["id"]]
    first = batch["repositories"][0]["repository_id"]
    (one,) = program.post(f"{address}/cancel", json={"repositories": [first]}).json()
    assert (one["repository_id"], one["changed"], one["failed"]) == (first, True, False)
    assert [each["changed"] for each in program.post(f"{address}/cancel").json()] == [True]
    assert program.get(address).json()["done"] == 2
    assert [each["changed"] for each in program.post(f"{address}/retry", json={"repositories": [first]}).json()] == [
        True
    ]
    assert program.get(address).json()["done"] == 1


def test_what_a_program_changes_stands_on_the_pages_at_once(program: httpx.Client) -> None:
    batch = program.post("/api/backfills", json={"repositories": NAMES}).json()

    def states() -> set[str]:
        found = program.get(f"/add.json?batch={batch['id']}").json()["batch"]["repositories"]
        return {each["status"] for each in found if each["status"]}

    assert states() == {"pending"}
    program.post(f"/api/backfills/{batch['id']}/cancel")
    assert states() == {"cancelled"}
    ids = [each["repository_id"] for each in batch["repositories"] if each["repository_id"]]
    program.post(f"/api/backfills/{batch['id']}/retry", json={"repositories": ids})
    assert states() == {"pending"}


@pytest.mark.parametrize(
    ("field", "given", "says"),
    [
        *(
            ("max_prs", given, 'a whole number from 1 to 2,147,483,647, or "all"')
            for given in (True, False, 0, -1, 2**31, 1.5, 200.0, "200", "ALL", "", None, [1], {"n": 1})
        ),
        *(("since", given, 'a day such as "2026-01-31", or null') for given in ("soon", 86400, "86400", True, 1.5)),
        *(("until", given, 'a day such as "2026-01-31", or null') for given in ("2026-02-30", "2026-01-31T00:00:00")),
        *(
            ("state", given, 'one of "open", "closed" and "merged", a list of them, or null')
            for given in ("all", 1, True)
        ),
        *(("priority", given, 'one of "high", "medium" and "low", or null') for given in ("urgent", 1, True)),
        *(
            (flag, given, "true or false")
            for flag in ("smart", "only_newest", "one_per_owner", "backfill")
            for given in (1, 0, 1.0, "true", "yes", None)
        ),
    ],
)
def test_a_value_of_another_type_is_refused_and_the_sentence_names_its_field(
    program: httpx.Client, field: str, given: object, says: str
) -> None:
    answer = program.post("/api/backfills", json={"repositories": ["octo/engine"], field: given})
    assert answer.status_code == 422
    told = answer.json()["error"]
    assert told.startswith(f"{field} must be {says}, not ")
    assert "nput" not in told


def test_every_field_has_words_for_what_it_must_be() -> None:
    fields = {*BackfillsWanted.model_fields, *Chosen.model_fields, *EventsAskedFor.model_fields}
    assert fields == MUST_BE.keys()


def test_what_is_no_json_is_a_sentence(program: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}
    told = [
        (answer.status_code, answer.json()["error"])
        for answer in (
            program.post("/api/backfills", content=b'{"repositories": [', headers=kind),
            program.post("/api/backfills", content=b'{"repositories": ["\xff"]}', headers=kind),
            program.post("/api/backfills", content=b"repositories=x"),
            program.post("/api/backfills"),
        )
    ]
    object_wanted = "send a JSON object, with Content-Type: application/json."
    assert told == [
        (422, "what was sent is no JSON: it can't be read from character 19 on."),
        (400, "what was sent is no JSON in UTF-8."),
        (422, object_wanted),
        (422, object_wanted),
    ]


def test_too_much_is_told_so_also_where_its_length_is_not(program: httpx.Client) -> None:
    body = json.dumps({"repositories": ["x" * 3_000_000]}).encode()
    pieces = iter([body[place : place + 50_000] for place in range(0, len(body), 50_000)])
    kind = {"Content-Type": "application/json"}
    for content in (body, pieces):
        answer = program.post("/api/backfills", content=content, headers=kind)
        assert (answer.status_code, answer.json()) == (413, {"error": TOO_LARGE})


@pytest.mark.parametrize(
    ("wanted", "status", "says"),
    [
        ({}, 422, "repositories is missing: it must be a list of 1 to 500 names."),
        ({"repositories": []}, 422, "repositories must be a list of 1 to 500 names, not a list of 0."),
        ({"repositories": ["x"] * 501}, 422, "repositories must be a list of 1 to 500 names, not a list of 501."),
        ({"repositories": "octo/engine"}, 422, 'repositories must be a list of 1 to 500 names, not "octo/engine".'),
        (
            {"repositories": ["a", 7]},
            422,
            "repositories[1] must be a name of 1 to 300 characters that can be printed, not 7.",
        ),
        ({"repositories": ["a\x00b"]}, 422, 'can be printed, not "a\\u0000b".'),
        ({"repositories": ["octo/engine"], "more": 1}, 422, "more is no field of this request: /openapi.json "),
        ([], 422, "send a JSON object, with Content-Type: application/json."),
        ({"repositories": ["octo/engine"], "since": "2026-01-02", "until": "2026-01-01"}, 400, "nothing lies between"),
        ({"repositories": ["nobody/nothing"]}, 400, "nobody/nothing"),
    ],
)
def test_what_is_wrong_is_a_sentence(program: httpx.Client, wanted: dict[str, Any], status: int, says: str) -> None:
    answer = program.post("/api/backfills", json=wanted)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert says in answer.json()["error"]


def test_a_batch_that_is_none_is_not_found(program: httpx.Client) -> None:
    for address in (NO_BATCH, "/api/backfills/nothing"):
        assert program.get(address).status_code == 404
        assert program.post(f"{address}/cancel").status_code == 404
        assert program.post(f"{address}/retry", json={"repositories": ["x"]}).status_code == 404


def test_nobody_begins_anything_without_a_token(house: House) -> None:
    wanted = {"repositories": ["octo/engine"]}
    with house.client() as nobody:
        assert nobody.post("/api/backfills", json=wanted).status_code == 403
        assert nobody.post("/api/backfills", json=wanted, headers={"Authorization": "Bearer no"}).status_code == 401
    with house.client(token=TOKEN) as browser:
        assert browser.post("/api/backfills", json=wanted).status_code == 403
        ours = {"X-CSRF-Token": house.csrf(browser)}
        strange = {**ours, "Sec-Fetch-Site": "cross-site"}
        assert browser.post("/api/backfills", json=wanted, headers=strange).status_code == 403
        assert browser.post("/api/backfills", json=wanted, headers=ours).status_code == 201


def test_adding_and_cancelling_need_the_administrators_token_where_there_is_one(
    database_url: str, github: Simulator
) -> None:
    environment = {"GITHUB_TOKEN": "ghp_secret", "GITHUB_API_URL": github.url, "GH_BACKFILL_WEB_ADMIN_TOKEN": ADMIN}
    with open_house(database_url, own_pages=True, environment=environment) as house:
        with house.client(Authorization=f"Bearer {ADMIN}") as admin:
            batch = admin.post("/api/backfills", json={"repositories": ["octo/small"]}).json()["id"]
        with house.client(Authorization=f"Bearer {TOKEN}") as editor:
            assert editor.post("/api/backfills", json={"repositories": ["octo/engine"]}).status_code == 403
            assert editor.post(f"/api/backfills/{batch}/cancel").status_code == 403
            assert editor.post(f"/api/backfills/{batch}/retry").status_code == 200


def test_where_changes_are_turned_off_the_api_only_tells(database_url: str, github: Simulator) -> None:
    environment = {"GITHUB_TOKEN": "ghp_secret", "GITHUB_API_URL": github.url, "ENABLE_BACKFILL_UI": "false"}
    with (
        open_house(database_url, own_pages=True, environment=environment) as house,
        house.client(Authorization=f"Bearer {TOKEN}") as program,
    ):
        refused = program.post("/api/backfills", json={"repositories": ["octo/small"]})
        assert refused.status_code == 403
        assert "ENABLE_BACKFILL_UI" in refused.json()["error"]
        assert program.get("/api/backfills").json() == []


def test_the_description_names_what_there_is_and_nothing_from_elsewhere(house: House) -> None:
    with house.client() as browser:
        described = browser.get("/openapi.json")
        paths = described.json()["paths"]
        assert [path for path in sorted(paths) if path.startswith("/api/")] == [
            "/api/backfill/cancel/{job_id}",
            "/api/backfill/status/{job_id}",
            "/api/backfill/trigger",
            "/api/backfills",
            "/api/backfills/{batch_id}",
            "/api/backfills/{batch_id}/cancel",
            "/api/backfills/{batch_id}/retry",
        ]
        assert {f"{page.path}.json" for page in PAGES} == {path for path in paths if not path.startswith("/api/")}
        assert "http" not in described.text.replace("HTTPBearer", "").replace('"http"', "")
        assert browser.get("/docs").status_code == 404


def test_nothing_that_a_program_sends_makes_it_stumble(house: House) -> None:
    schema = schemathesis.openapi.from_url(f"{house.url}/openapi.json")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]

        @settings(
            max_examples=30,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def holds(case: schemathesis.Case[Any]) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(base_url=house.url, headers=headers)
            assert answer.status_code < 500, (case.as_curl_command(), answer.text)
            if answer.status_code >= 400 and case.path.startswith("/api/"):
                assert set(answer.json()) == {"error"}

        holds()
    assert asked >= 5 * 20
