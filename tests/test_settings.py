"""Settings: every known name, everything wrong at once, and no mixture that puts invented rows among real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

from gh_backfill import settings
from gh_backfill.cli import app
from gh_backfill.errors import ConfigurationError
from gh_backfill.required import require

SUPABASE = "postgresql://u:secret@db.example.supabase.co:6543/postgres"


def load(**environment: str) -> settings.Settings:
    return settings.load(environment, dotenv=None)


@pytest.mark.parametrize("name", ["DATABASE_URL", "SUPABASE_DB_URL"])
def test_the_database_has_two_names(name: str) -> None:
    found = load(**{name: SUPABASE}).database_url
    assert found is not None
    assert found.get_secret_value() == SUPABASE


def test_an_empty_setting_is_not_given() -> None:
    found = load(DATABASE_URL="", GITHUB_TOKEN="  ", GITHUB_RUN_ID="")
    assert (found.database_url, found.github_token, found.run_id) == (None, None, None)


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GITHUB_API_URL=https://file.example\nGH_BACKFILL_PLAN_LIMIT=3\n")
    found = settings.load({"GITHUB_API_URL": "https://environment.example"}, dotenv=file)
    assert (found.github_api_url, found.plan_limit) == ("https://environment.example", 3)


def test_every_setting_is_trimmed_and_one_of_blanks_is_not_given(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('GITHUB_TOKEN=" from_the_file "\n')
    found = settings.load({"DATABASE_URL": f" {SUPABASE}\r\n", "GITHUB_TOKEN": " \n"}, dotenv=file)
    assert found.database_url is not None
    assert found.database_url.get_secret_value() == SUPABASE
    assert found.tokens == {"GITHUB_TOKEN": "from_the_file"}


def test_parameters_of_other_programs_are_left_out_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    found = load(
        DATABASE_URL=f"{SUPABASE}?pgbouncer=true&connection_limit=1&schema=app&sslmode=verify-full"
    ).database_url
    assert found is not None
    assert found.get_secret_value() == f"{SUPABASE}?sslmode=verify-full"
    assert "pgbouncer, connection_limit" in caplog.text
    assert "GH_BACKFILL_SCHEMA" in caplog.text
    assert "secret" not in caplog.text


def test_the_chosen_schema_travels_with_the_address() -> None:
    found = load(DATABASE_URL=f"{SUPABASE}?schema=history", GH_BACKFILL_SCHEMA="history").database_url
    assert found is not None
    assert found.get_secret_value() == f"{SUPABASE}?schema=history"


@pytest.mark.parametrize("name", ["History", "two words", "pg_mine", "information_schema", "x" * 64, 'a";drop'])
def test_a_name_that_is_no_schema_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="GH_BACKFILL_SCHEMA must be the name of a schema"):
        load(GH_BACKFILL_SCHEMA=name)


def test_a_malformed_address_is_told_by_its_cause_beside_the_others() -> None:
    with pytest.raises(ConfigurationError, match=r"DATABASE_URL has more than one @.*GITHUB_RUN_ID") as raised:
        load(DATABASE_URL="postgresql://u:gehe@im@localhost/x", GITHUB_RUN_ID="x", GITHUB_API_URL="http://127.0.0.1:1")
    assert "gehe" not in str(raised.value)


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_rows_travel_unencrypted_beyond_this_machine_only_where_somebody_insists(mode: str) -> None:
    with pytest.raises(ConfigurationError, match="GH_BACKFILL_ALLOW_INSECURE"):
        require(load(DATABASE_URL=f"{SUPABASE}?sslmode={mode}"), database=True)
    require(load(DATABASE_URL=f"{SUPABASE}?sslmode={mode}", GH_BACKFILL_ALLOW_INSECURE="1"), database=True)
    require(load(DATABASE_URL=f"{SUPABASE}?sslmode=verify-ca"), database=True)
    require(load(DATABASE_URL=f"postgresql://u@127.0.0.1/x?sslmode={mode}"), database=True)


def test_all_malformed_settings_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"GH_BACKFILL_PLAN_LIMIT.*GITHUB_RUN_ID"):
        load(GH_BACKFILL_PLAN_LIMIT="many", GITHUB_RUN_ID="x")


def test_all_missing_settings_are_named_at_once_with_what_they_are_for() -> None:
    with pytest.raises(ConfigurationError, match=r"GITHUB_TOKEN \(reads.*DATABASE_URL or SUPABASE_DB_URL \(where"):
        require(load(GITHUB_ACTIONS="true"), token=True, database=True)


@pytest.mark.parametrize(
    "name",
    [
        *("SUPABASE_URL", "VITE_SUPABASE_URL", "VITE_SUPABASE_ANON_KEY"),
        *("SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY"),
    ],
)
def test_what_supabase_gives_beside_the_connection_string_says_where_to_find_that_one(name: str) -> None:
    wanted = rf"DATABASE_URL .*; {name} does not open the database: copy the connection string .*Connect, pooler"
    with pytest.raises(ConfigurationError, match=wanted) as refused:
        require(load(GITHUB_ACTIONS="true", **{name: "https://x.supabase.co"}), database=True)
    assert "x.supabase.co" not in str(refused.value)


def test_the_embedded_database_is_refused_in_actions_and_only_there() -> None:
    require(load(), database=True)
    with pytest.raises(ConfigurationError, match="vanish"):
        require(load(GITHUB_ACTIONS="true"), database=True)


@pytest.mark.parametrize("api", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"])
def test_a_simulated_github_is_refused_for_a_database_elsewhere(api: str) -> None:
    with pytest.raises(ConfigurationError, match="GH_BACKFILL_ALLOW_SIMULATED"):
        require(load(GITHUB_API_URL=api, DATABASE_URL=SUPABASE), database=True)
    require(load(GITHUB_API_URL=api, DATABASE_URL=SUPABASE, GH_BACKFILL_ALLOW_SIMULATED="1"), database=True)


@pytest.mark.parametrize(
    "url", ["postgresql://u@127.0.0.1/x", "postgresql://u@localhost:6432/x", "postgresql:///x?host=%2Ftmp%2Fpg"]
)
def test_a_simulated_github_may_fill_a_database_on_this_machine(url: str) -> None:
    require(load(GITHUB_API_URL="http://127.0.0.1:1", DATABASE_URL=url), database=True)


def test_the_message_of_a_refusal_shows_no_secret() -> None:
    with pytest.raises(ConfigurationError) as caught:
        require(load(GITHUB_API_URL="http://127.0.0.1:1", DATABASE_URL=SUPABASE), database=True)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(load(DATABASE_URL=SUPABASE))


@pytest.mark.parametrize(
    ("api", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://ghe.example/api/v3", "https://ghe.example/api/graphql"),
    ],
)
def test_graphql_lies_beside_rest(api: str, graphql: str) -> None:
    assert load(GITHUB_API_URL=api).graphql_url == graphql


def test_what_actions_sets_is_read_and_our_own_names_win() -> None:
    found = load(
        GITHUB_API_URL="https://api.github.com",
        GITHUB_GRAPHQL_URL="https://api.github.com/graphql",
        GH_BACKFILL_GITHUB_API_URL="http://127.0.0.1:1",
        GH_BACKFILL_GITHUB_GRAPHQL_URL="http://127.0.0.1:1/graphql",
    )
    assert (found.github_api_url, found.graphql_url) == ("http://127.0.0.1:1", "http://127.0.0.1:1/graphql")


def test_our_own_address_never_mixes_with_the_one_that_actions_sets() -> None:
    found = load(GITHUB_GRAPHQL_URL="https://api.github.com/graphql", GH_BACKFILL_GITHUB_API_URL="http://127.0.0.1:1")
    assert found.graphql_url == "http://127.0.0.1:1/graphql"


@pytest.mark.parametrize("given", ["ghp_a,ghp_b", " ghp_a  ghp_b\n", "ghp_a, ghp_b, ghp_a,"])
def test_several_tokens_are_parted_by_commas_or_white_space_and_replace_the_single_one(given: str) -> None:
    found = load(GITHUB_TOKENS=given, GITHUB_TOKEN="ghp_c")
    assert found.tokens == {"GITHUB_TOKENS[0]": "ghp_a", "GITHUB_TOKENS[1]": "ghp_b"}


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_TOKENS", "GH_BACKFILL_ALERT_TOKEN"])
@pytest.mark.parametrize("wrong", ["pasted…", "t\u00f6k", "a\u2028b"])
def test_a_token_that_no_request_can_carry_is_told_of_at_once_and_not_shown(name: str, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} holds .*paste") as told:
        load(**{name: wrong})
    assert wrong not in str(told.value)


def test_a_token_is_called_what_the_person_who_set_it_calls_it() -> None:
    with pytest.raises(ConfigurationError, match="malformed: the secret BACKFILL_TOKEN holds a space"):
        load(GITHUB_TOKEN="a b", GH_BACKFILL_TOKEN_NAME="the secret BACKFILL_TOKEN")
    with pytest.raises(ConfigurationError, match="malformed: GH_TOKEN holds a space"):
        load(GH_TOKEN="a b")
    with pytest.raises(ConfigurationError, match="malformed: SUPABASE_DB_URL "):
        load(SUPABASE_DB_URL="mysql://host/db")


@pytest.mark.parametrize("given", [",", " , ,"])
def test_separators_alone_are_no_tokens(given: str) -> None:
    with pytest.raises(ConfigurationError, match="GITHUB_TOKENS holds no token"):
        load(GITHUB_TOKENS=given)


def test_what_is_malformed_is_left_out_for_a_report_and_so_is_a_token_that_would_travel_in_clear_text() -> None:
    given = {"GITHUB_TOKEN": "tok", "GITHUB_RUN_ID": "7", "GH_BACKFILL_MONTHLY_BUDGET": "much", "GITHUB_APP_ID": "x"}
    found = settings.readable(given, dotenv=None)
    assert (found.run_id, found.tokens, found.monthly_budget) == (7, {"GITHUB_TOKEN": "tok"}, None)
    found = settings.readable(given | {"GITHUB_API_URL": "http://github.example/api"}, dotenv=None)
    assert (found.run_id, found.has_credential) == (7, False)


SERVERS = (
    "GH_BACKFILL_GITHUB_API_URL",
    "GITHUB_API_URL",
    "GH_BACKFILL_GITHUB_GRAPHQL_URL",
    "GITHUB_GRAPHQL_URL",
)


@pytest.mark.parametrize("malformed", SERVERS)
def test_a_credential_never_goes_to_another_server_because_the_address_of_its_own_is_malformed(malformed: str) -> None:
    own = {"GITHUB_TOKEN": "tok", "GITHUB_TOKENS": "a,b", "GH_BACKFILL_ALERT_TOKEN": "alert", "GH_TOKEN": "other"}
    app = {"GITHUB_APP_ID": "5", "GITHUB_APP_PRIVATE_KEY": "key"}
    others = {} if malformed.startswith("GITHUB_") else {"GITHUB_API_URL": "https://another.example"}
    found = settings.readable({**own, **app, **others, malformed: "https:/ghe.example"}, dotenv=None)
    assert (found.has_credential, found.tokens, found.alert_token) == (False, {}, None)
    assert found.withheld is not None
    assert f"{malformed} is malformed" in found.withheld


@pytest.mark.parametrize(
    "malformed",
    [
        {"DATABASE_URL": "postgrsql://h/db", "SUPABASE_DB_URL": SUPABASE},
        {"SUPABASE_DB_URL": "postgrsql://h/db"},
        {"DATABASE_URL": SUPABASE, "GH_BACKFILL_SCHEMA": "A B"},
    ],
)
def test_no_other_database_steps_in_for_one_whose_address_or_schema_is_malformed(malformed: dict[str, str]) -> None:
    found = settings.readable({"GITHUB_RUN_ID": "7", "GITHUB_TOKEN": "tok", **malformed}, dotenv=None)
    assert (found.database_url, found.run_id, found.tokens) == (None, 7, {"GITHUB_TOKEN": "tok"})


def test_a_token_that_was_given_and_is_not_used_is_not_called_missing() -> None:
    given = {"GITHUB_TOKEN": "tok", "GITHUB_API_URL": "http://github.example"}
    assert "would show the token to all on the way" in str(settings.readable(given, dotenv=None).withheld)
    named = {"GITHUB_TOKEN": "two words", "GH_BACKFILL_TOKEN_NAME": "MY_TOKEN"}
    assert settings.readable(named, dotenv=None).withheld == "MY_TOKEN is malformed"
    assert settings.readable({"GITHUB_TOKEN": "tok"}, dotenv=None).withheld is None


@pytest.mark.parametrize("name", ["GH_BACKFILL_DEBUG", "GH_BACKFILL_DRY_RUN"])
def test_a_switch_that_is_neither_yes_nor_no_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load(**{name: "maybe"})


def test_a_token_of_two_lines_is_told_of_at_once() -> None:
    with pytest.raises(ConfigurationError, match="GITHUB_TOKEN holds a space, a line end"):
        load(GITHUB_TOKEN="one\ntwo")


def test_a_workflows_own_token_does_not_read_in_the_stead_of_an_app() -> None:
    assert load(GITHUB_TOKEN="ghs_a").tokens == {"GITHUB_TOKEN": "ghs_a"}
    assert load(GITHUB_TOKEN="ghs_a", GITHUB_APP_ID="5", GITHUB_APP_PRIVATE_KEY="key").tokens == {}


def test_the_key_of_an_app_may_have_its_line_breaks_written_out() -> None:
    assert load(GITHUB_APP_PRIVATE_KEY=r"-----BEGIN\nabc\n-----END").private_key == "-----BEGIN\nabc\n-----END\n"


def test_an_app_may_have_several_installations() -> None:
    assert load(GITHUB_APP_INSTALLATION_ID="7, 8 9").installations == [7, 8, 9]
    assert load().installations == []
    with pytest.raises(ConfigurationError, match=r"GITHUB_APP_INSTALLATION_ID.*one or more whole numbers"):
        load(GITHUB_APP_INSTALLATION_ID="seven")


@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [("GITHUB_APP_ID", "5", "GITHUB_APP_PRIVATE_KEY"), ("GITHUB_APP_PRIVATE_KEY", "key", "GITHUB_APP_ID")],
)
def test_half_an_app_is_told_which_half_is_missing(name: str, value: str, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{missing} \("):
        require(load(**{name: value}), token=True)


def test_any_of_the_credentials_is_enough() -> None:
    require(load(GITHUB_TOKENS="ghp_a"), token=True)
    require(load(GITHUB_APP_ID="5", GITHUB_APP_PRIVATE_KEY="key"), token=True)


def test_no_credential_is_shown() -> None:
    found = load(GITHUB_TOKENS="ghp_hush", GITHUB_APP_ID="5", GITHUB_APP_PRIVATE_KEY="hush")
    assert "hush" not in repr(found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_as_editors_save_it_and_its_values_as_they_stand(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes("GITHUB_TOKEN=pa${HOME}ss$word\nGH_BACKFILL_PLAN_LIMIT=7\n".encode(encoding))
    found = settings.load({"HOME": "/nowhere"}, dotenv=file)
    assert found.github_token is not None
    assert (found.github_token.get_secret_value(), found.plan_limit) == ("pa${HOME}ss$word", 7)


def test_a_file_that_is_no_text_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"GITHUB_TOKEN=\xff\x00\n")
    with pytest.raises(ConfigurationError, match="is not text: save it as UTF-8"):
        settings.load({}, dotenv=file)


@pytest.mark.parametrize("given", ["[" * 100_000, '{"a":' * 100_000])
def test_prices_that_are_nested_without_end_are_one_clear_line(given: str) -> None:
    with pytest.raises(ConfigurationError, match="GH_BACKFILL_PRICES is nested too deeply"):
        settings.load({"GH_BACKFILL_PRICES": given}, dotenv=None)


CREDENTIALS = ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKENS", "GITHUB_APP_PRIVATE_KEY", "GH_BACKFILL_ALERT_TOKEN")


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("address", ["GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GH_BACKFILL_GITHUB_API_URL"])
def test_a_token_is_not_sent_in_clear_text_to_another_machine(credential: str, address: str) -> None:
    given = {credential: "secret", address: "http://github.example/api"}
    with pytest.raises(ConfigurationError, match=address) as refused:
        load(**given)
    assert "secret" not in str(refused.value)
    load(**given, GH_BACKFILL_ALLOW_INSECURE="1")
    load(**given | {address: "https://github.example/api"})
    load(**given | {address: "http://127.0.0.1:8080"})


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("address", ["GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GH_BACKFILL_GITHUB_API_URL"])
def test_a_file_of_the_folder_does_not_send_the_tokens_of_the_environment_elsewhere(
    tmp_path: Path, credential: str, address: str
) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{address}=https://evil.example\nGH_BACKFILL_ALLOW_INSECURE=1\n")
    shell = {credential: "secret"}
    with pytest.raises(ConfigurationError, match=f"{address} of the .env here would send {credential}"):
        settings.load(shell, dotenv=file)
    if address == "GITHUB_GRAPHQL_URL":
        with pytest.raises(ConfigurationError, match=address):
            settings.load(shell | {"GITHUB_API_URL": "https://ghe.example"}, dotenv=file)
    settings.load(shell | {"GH_BACKFILL_ALLOW_INSECURE": "1"}, dotenv=file)
    settings.load({}, dotenv=file)
    settings.load(shell | {address: "https://ghe.example"}, dotenv=file)


def test_a_file_that_has_both_the_token_and_the_address_is_all_right(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GITHUB_TOKEN=tok\nGITHUB_API_URL=https://ghe.example\n")
    assert settings.load({}, dotenv=file).github_api_url == "https://ghe.example"


def test_a_simulated_github_of_this_machine_may_be_named_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GITHUB_API_URL=http://127.0.0.1:8080\n")
    assert settings.load({"GITHUB_TOKEN": "tok"}, dotenv=file).simulated


def test_every_option_that_is_read_from_the_environment_is_a_known_name() -> None:
    commands = [typer.main.get_command(app)]
    commands += getattr(commands[0], "commands", {}).values()
    read = {name for command in commands for option in command.params for name in _names_of(option.envvar)}
    beside = {"GH_BACKFILL_DEBUG", "GH_BACKFILL_TEST_DATABASE_URL"}
    assert {name for name in read if name.startswith(settings.OURS)} | beside == settings.OPTIONS


def _names_of(envvar: str | Sequence[str] | None) -> Sequence[str]:
    return (envvar,) if isinstance(envvar, str) else envvar or ()
