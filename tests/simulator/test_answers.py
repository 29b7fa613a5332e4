"""Who may ask, what is not there, and how GitHub words mistakes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.messages import Request
from gh_backfill.simulator.options import LargeIntegers, Options
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, errors, get, post

_NAME = "query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { nameWithOwner isPrivate } }"
_VIEWER = "{ viewer { login } }"
_NO_SELECTION = (
    "Field must have selections (field 'viewer' returns User but has no selections. Did you mean 'viewer { ... }'?)"
)


def test_without_a_token_graphql_asks_for_one(application: Application) -> None:
    response = post(application, _VIEWER, None)
    assert (response.status, response.headers["X-RateLimit-Limit"]) == (401, "60")
    assert json.loads(response.body)["message"] == "This endpoint requires you to be authenticated."


def test_an_unknown_token_is_bad_credentials(world: World) -> None:
    application = Application(world, Options(only_known_tokens=True, identities={"good": "ann"}))
    assert post(application, _VIEWER, "good").status == 200
    response = post(application, _VIEWER, "bad")
    assert (response.status, response.headers["X-RateLimit-Limit"]) == (401, "60")
    assert json.loads(response.body) == {
        "message": "Bad credentials",
        "documentation_url": "https://docs.github.com/graphql",
        "status": "401",
    }
    assert json.loads(get(application, "/user", "bad").body)["documentation_url"] == "https://docs.github.com/rest"


def test_a_request_without_user_agent_is_forbidden(application: Application) -> None:
    response = application.answer(Request(method="GET", path="/user"))
    assert (response.status, response.headers["Content-Type"][:9]) == (403, "text/html")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "Problems parsing JSON"),
        (b"{}", 200, "A query attribute must be specified and must be a string."),
        (b'{"query": 1}', 200, "A query attribute must be specified and must be a string."),
    ],
)
def test_a_body_without_a_query_is_refused(application: Application, body: bytes, status: int, message: str) -> None:
    headers = {"authorization": "bearer t", "user-agent": "tests"}
    response = application.answer(Request(method="POST", path="/graphql", headers=headers, body=body))
    assert response.status == status
    assert message in response.body.decode()


def test_a_repository_that_is_not_there_is_null_beside_those_that_are(application: Application) -> None:
    query = (
        '{ a: repository(owner: "o", name: "n") { id } b: repository(owner: "HERE", name: "Full") { nameWithOwner } }'
    )
    answer = ask(application, query)
    assert answer == {
        "data": {"a": None, "b": {"nameWithOwner": "here/full"}},
        "errors": [
            {
                "type": "NOT_FOUND",
                "path": ["a"],
                "locations": [{"line": 1, "column": 3}],
                "message": "Could not resolve to a Repository with the name 'o/n'.",
            }
        ],
    }


def test_a_private_repository_looks_like_none_to_strangers(world: World) -> None:
    changes.make_private(world, "here/full")
    application = Application(world, Options(private_readers=frozenset({"friend"})))
    assert errors(ask(application, _NAME, owner="here", name="full")) == [("NOT_FOUND", ["repository"])]
    assert errors(ask(application, '{ node(id: "R_real") { id } }')) == [("NOT_FOUND", ["node"])]
    assert errors(ask(application, '{ node(id: "PR_real1") { id } }')) == [("NOT_FOUND", ["node"])]
    assert get(application, "/repos/here/full").status == 404
    seen = ask(application, _NAME, "friend", owner="here", name="full")
    assert seen["data"]["repository"] == {"nameWithOwner": "here/full", "isPrivate": True}


def test_missing_nodes_are_null_at_their_place(application: Application) -> None:
    answer = ask(application, 'query { nodes(ids: ["PR_real1", "R_real", "nothing"]) { __typename } }')
    assert [node and node["__typename"] for node in answer["data"]["nodes"]] == ["PullRequest", "Repository", None]
    assert errors(answer) == [("NOT_FOUND", ["nodes", 2])]
    assert answer["errors"][0]["message"] == "Could not resolve to a node with the global id of 'nothing'"


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("pullRequest", "Could not resolve to a PullRequest with the number of 114."),
        ("issue", "Could not resolve to an Issue with the number of 114."),
        ("issueOrPullRequest", "Could not resolve to an issue or pull request with the number of 114."),
    ],
)
def test_a_number_that_is_not_there_is_named(application: Application, field: str, message: str) -> None:
    answer = ask(
        application, f'{{ repository(owner: "here", name: "full") {{ {field}(number: 114) {{ __typename }} }} }}'
    )
    assert answer["errors"][0]["message"] == message
    assert errors(answer) == [("NOT_FOUND", ["repository", field])]


def test_numbers_tell_issues_from_pull_requests(application: Application) -> None:
    query = """{ repository(owner: "here", name: "full") {
      a: issueOrPullRequest(number: 6) { __typename } b: issueOrPullRequest(number: 1) { __typename } } }"""
    assert ask(application, query)["data"]["repository"] == {
        "a": {"__typename": "Issue"},
        "b": {"__typename": "PullRequest"},
    }


def test_an_old_name_leads_to_the_new_one_unless_told_otherwise(application: Application, world: World) -> None:
    changes.rename_repository(world, "here/full", name="fuller")
    assert ask(application, _NAME, owner="here", name="full")["data"]["repository"]["nameWithOwner"] == "here/fuller"
    query = '{ repository(owner: "here", name: "full", followRenames: false) { id } }'
    assert errors(ask(application, query)) == [("NOT_FOUND", ["repository"])]


def test_the_list_of_stargazers_is_forbidden_but_their_number_is_not(application: Application) -> None:
    query = '{ repository(owner: "here", name: "full") { stargazerCount } }'
    assert ask(application, query)["data"]["repository"] == {"stargazerCount": 5}
    query = '{ repository(owner: "here", name: "full") { stargazers { totalCount } } }'
    assert errors(ask(application, query)) == [("FORBIDDEN", ["repository", "stargazers"])]


@pytest.mark.parametrize(
    ("query", "message", "path", "code"),
    [
        (
            'query { repository(owner: "a", name: "b") { foobar } }',
            "Field 'foobar' doesn't exist on type 'Repository'",
            ["query", "repository", "foobar"],
            "undefinedField",
        ),
        (
            'query Named { repository(owner: "a") { id } }',
            "Field 'repository' is missing required arguments: name",
            ["query Named", "repository"],
            "missingRequiredArguments",
        ),
        (
            "query { viewer { login(x: 1) } }",
            "Field 'login' doesn't accept argument 'x'",
            ["query", "viewer", "login", "x"],
            "argumentNotAccepted",
        ),
        (
            "fragment F on User { nope } query { viewer { ...F } }",
            "Field 'nope' doesn't exist on type 'User'",
            ["fragment F", "nope"],
            "undefinedField",
        ),
        (
            "query { viewer { login { x } } }",
            "Selections can't be made on scalars (field 'login' returns String but has selections)",
            ["query", "viewer", "login"],
            "selectionMismatch",
        ),
        (
            "query { viewer }",
            _NO_SELECTION,
            ["query", "viewer"],
            "selectionMismatch",
        ),
        (
            "query Q($x: Int) { viewer { login } }",
            "Variable $x is declared by Q but not used",
            ["query Q"],
            "variableNotUsed",
        ),
        ("query Q { node(id: $x) { id } }", "Variable $x is used by Q but not declared", None, "variableNotDefined"),
        (
            "query { viewer { login } } fragment F on Nope { x }",
            "No such type Nope, so it can't be a fragment condition",
            ["fragment F"],
            "undefinedType",
        ),
    ],
)
def test_mistakes_are_told_in_githubs_words(
    application: Application, query: str, message: str, path: list[str] | None, code: str
) -> None:
    answer = ask(application, query)
    assert "data" not in answer
    error = next(error for error in answer["errors"] if error["message"] == message)
    assert error["extensions"]["code"] == code
    assert error["locations"]
    assert path is None or error["path"] == path


def test_an_undefined_field_is_told_as_recorded(application: Application) -> None:
    (error,) = ask(application, '{\n  repository(owner: "a", name: "b") {\n    foobar\n  }\n}')["errors"]
    assert error == {
        "path": ["query", "repository", "foobar"],
        "extensions": {"code": "undefinedField", "typeName": "Repository", "fieldName": "foobar"},
        "locations": [{"line": 3, "column": 5}],
        "message": "Field 'foobar' doesn't exist on type 'Repository'",
    }


def test_a_parse_error_says_what_was_expected_and_where(application: Application) -> None:
    (error,) = ask(application, "query { viewer { login }")["errors"]
    assert error["message"].startswith("Expected IDENTIFIER, actual: end of file")
    assert error["message"].endswith("at [1, 25]")


def test_a_variable_of_the_wrong_type_is_explained(application: Application) -> None:
    answer = ask(application, _NAME, owner="here", name=None)
    assert answer["errors"][0]["message"] == "Variable $name of type String! was provided invalid value"
    assert answer["errors"][0]["extensions"] == {
        "value": None,
        "problems": [{"path": [], "explanation": "Expected value to not be null"}],
    }


@pytest.mark.parametrize(("mode", "expected"), [(LargeIntegers.RAW, 5_000_000_001), (LargeIntegers.NULL, None)])
def test_an_id_above_32_bits_is_given_raw_or_as_null(world: World, mode: LargeIntegers, expected: int | None) -> None:
    query = '{ node(id: "PR_real1") { ... on PullRequest { databaseId fullDatabaseId } } }'
    answer: dict[str, Any] = ask(Application(world, Options(large_integers=mode)), query)
    assert answer["data"]["node"] == {"databaseId": expected, "fullDatabaseId": "5000000001"}
    assert ("errors" in answer) == (expected is None)
