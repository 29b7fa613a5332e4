"""Whose budget it is: a workflow's repository, a token's user, the installation of an App; never the token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gh_backfill.clients import app, credentials, documents
from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import BadCredentials, ConfigurationError, RateLimited
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running

API = "https://api.github.com"
CALLED = f"{API}:443"  # as PyGithub writes it
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUERY = documents.aliases(("RepositoryByName",))
VARIABLES = {"owner0": "octo", "name0": "small"}


@pytest.fixture(scope="session")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def options() -> Options:
    return Options(identities={"ghp_one": "ann", "github_pat_two": "ann", "gho_three": "ben"}, only_known_tokens=True)


@pytest.fixture
def github(options: Options) -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:3"]), options) as simulator:
        yield simulator


def of_token(token: str, api_url: str = API, workflow_of: str | None = None) -> Credential:
    return credentials.of_token("GITHUB_TOKEN", token, api_url=api_url, workflow_of=workflow_of)


def test_the_token_of_a_workflow_run_counts_to_its_repository_whatever_the_token_is() -> None:
    found = {of_token(token, workflow_of="Octo/Hello").identity for token in ("ghs_first", "ghs_second")}
    assert found == {"repository:octo/hello"}


def test_an_installation_token_from_elsewhere_is_governed_under_a_name_of_its_own() -> None:
    assert of_token("ghs_first").identity == "installation:unnamed"


@pytest.mark.parametrize("workflow_of", [None, "octo/hello"])
def test_all_tokens_of_a_user_share_one_identity_also_in_a_workflow(github: Simulator, workflow_of: str | None) -> None:
    first, second, other = (
        of_token(token, github.url, workflow_of).identity for token in ("ghp_one", "github_pat_two", "gho_three")
    )
    assert first == second != other
    assert first.startswith("user:")


def test_github_is_asked_once_whose_token_it_is_and_it_costs_no_point(github: Simulator) -> None:
    credential = of_token("ghp_one", github.url)
    assert credential.identity == credential.identity
    assert (github.stats.requests, github.stats.points) == (1, 0)


def test_identities_of_another_server_are_told_apart(github: Simulator) -> None:
    assert of_token("ghp_one", github.url).identity.endswith("@127.0.0.1")
    assert of_token("ghs_x", "https://ghe.example/api/v3", "o/r").identity == "repository:o/r@ghe.example"


@pytest.mark.parametrize("token", ["ghp_one", "ghs_secret"])
def test_nothing_of_a_token_is_in_its_identity_name_or_text(github: Simulator, token: str) -> None:
    credential = of_token(token, github.url, "octo/hello")
    assert token.partition("_")[2] not in f"{credential.identity} {credential.name} {credential!r}"


def wallet(github: Simulator, *tokens: str) -> Credentials:
    named = enumerate(tokens)
    return Credentials(
        [credentials.of_token(f"GITHUB_TOKENS[{n}]", each, api_url=github.url, workflow_of=None) for n, each in named]
    )


def test_a_token_that_expired_is_left_out_and_the_others_go_on(github: Simulator) -> None:
    several = wallet(github, "ghp_expired", "gho_three")
    assert [each.name for each in several.by_identity().values()] == ["GITHUB_TOKENS[1]"]
    with pytest.raises(BadCredentials, match=r"GITHUB_TOKENS\[0\]"):
        wallet(github, "ghp_expired").by_identity()


def test_a_query_refused_for_its_token_is_sent_with_the_next_one(github: Simulator) -> None:
    graphql = GraphQL(github.graphql_url, wallet(github, "ghp_expired", "gho_three"), sleep=lambda seconds: None)
    assert graphql.execute(QUERY, VARIABLES).data["a0"]["name"] == "small"
    assert graphql.execute(QUERY, VARIABLES).data["a0"]["name"] == "small"
    assert github.stats.as_json()["tokens"]["ghp_expired"]["requests"] == 1


@pytest.mark.parametrize("options", [Options(limits={"poor": 100, "rich": 5_000})])
def test_each_request_goes_to_the_token_with_the_most_budget_left(github: Simulator) -> None:
    graphql = GraphQL(github.graphql_url, wallet(github, "poor", "rich"), sleep=lambda seconds: None)
    for _ in range(8):
        graphql.execute(QUERY, VARIABLES)
    tokens = github.stats.as_json()["tokens"]
    assert (tokens["poor"]["graphql"], tokens["rich"]["graphql"]) == (1, 7)


@pytest.mark.parametrize("options", [Options(rest_limit=0)])
def test_a_user_who_cannot_be_named_now_is_asked_for_later(github: Simulator) -> None:
    with pytest.raises(RateLimited) as caught:
        _ = of_token("ghp_one", github.url).identity
    assert caught.value.resume_at > datetime.now(UTC) + timedelta(minutes=30)


def grants(mock: responses.RequestsMock, *tokens: str) -> None:
    """Let GitHub give tokens to installation 77, each good for an hour."""
    for number, token in enumerate(tokens):
        expires = (NOW + timedelta(hours=number + 1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        mock.post(
            f"{CALLED}/app/installations/77/access_tokens", json={"token": token, "expires_at": expires}, status=201
        )


def lists(mock: responses.RequestsMock, *ids: int) -> None:
    """Let GitHub tell where the App is installed."""
    mock.get(f"{CALLED}/app/installations", json=[{"id": each, "account": {"login": f"org{each}"}} for each in ids])


def test_the_token_of_an_installation_is_renewed_before_it_expires(private_key: str) -> None:
    clock = [NOW]
    tokens = app.Tokens(API, 5, private_key, 77, now=lambda: clock[0])
    with responses.RequestsMock() as mock:
        grants(mock, "ghs_first", "ghs_second")
        seen = []
        for minutes in (0, 54, 56, 100):
            clock[0] = NOW + timedelta(minutes=minutes)
            seen.append(tokens.current())
    assert seen == ["ghs_first", "ghs_first", "ghs_second", "ghs_second"]


def test_an_app_that_is_installed_once_needs_no_number(private_key: str) -> None:
    with responses.RequestsMock() as mock:
        lists(mock, 77)
        grants(mock, "ghs_first")
        credential = credentials.of_app(API, 5, private_key, None)
        assert (credential.identity, credential.token()) == ("installation:77", "ghs_first")


def test_an_app_that_is_installed_several_times_asks_which_one_is_meant(private_key: str) -> None:
    with responses.RequestsMock() as mock:
        lists(mock, 77, 78)
        with pytest.raises(ConfigurationError, match=r"GITHUB_APP_INSTALLATION_ID.*77 \(org77\), 78 \(org78\)"):
            _ = credentials.of_app(API, 5, private_key, None).identity


def test_a_key_that_is_none_is_named_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="GITHUB_APP_PRIVATE_KEY") as caught:
        credentials.of_app(API, 5, "-----BEGIN PRIVATE KEY-----\nsecret\n", 77).token()
    assert "secret" not in str(caught.value)


def test_a_key_that_github_does_not_accept_names_the_settings(private_key: str) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{CALLED}/app/installations/77/access_tokens", json={"message": "Bad credentials"}, status=401)
        with pytest.raises(BadCredentials, match="GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY"):
            credentials.of_app(API, 5, private_key, 77).token()
