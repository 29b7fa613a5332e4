"""Settings: from the environment or a `.env` file, with every name that existing installations use."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError

from gh_backfill import database_address, dotenv_file, exposure, hidden
from gh_backfill.errors import ConfigurationError
from gh_backfill.exposure import INSIST, Servers
from gh_backfill.folders import data_folder
from gh_backfill.policy.parts import PER_PART
from gh_backfill.settings.embedding import EmbeddingSettings
from gh_backfill.settings.profiles import ProfileSettings
from gh_backfill.settings.values import (
    Address,
    DatabaseUrl,
    PriceTable,
    SchemaName,
    Token,
    Tokens,
    Whole,
    Wholes,
    given_as,
)

log = logging.getLogger(__name__)

# What every name of ours begins with; the options of commands have such names, too, and the tests one.
OURS = "GH_BACKFILL_"
_OPTIONS = """
    ALL_DUE CHUNK_SIZE DAYS DEBUG DRY_RUN EMBEDDINGS_ONLY EVENT_TYPES INITIAL MAX_CHUNKS MAX_PRS OLDER_THAN PARALLEL
    PART PLANNED PR_NUMBERS REASON RECOVER_ALL REPAIR REPOSITORIES REPOSITORY_ID REPOSITORY_IDS SINCE SKIP_EMBEDDINGS
    SKIP_WORKSPACE STATE TEST_DATABASE_URL TIME_LIMIT TIME_RANGE TRACK UNTIL WAIT WORKSPACE
"""
OPTIONS = frozenset(f"{OURS}{name}" for name in _OPTIONS.split())

# With one of these malformed the others, or what holds without any, may lead to another place.
_DATABASE = frozenset({"DATABASE_URL", "SUPABASE_DB_URL", "GH_BACKFILL_SCHEMA"})
_SERVERS = frozenset({*exposure.API_URLS, *exposure.GRAPHQL_URLS})
_CREDENTIALS = frozenset({*exposure.CREDENTIALS, "GITHUB_APP_ID"})
# What is no setting, but known about all of them.
_ABOUT = frozenset({"given", "withheld"})

LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})


class Settings(EmbeddingSettings, ProfileSettings):
    """What the environment says, as `load` hands it over: a test never sees the machine's environment."""

    database_url: DatabaseUrl | None = given_as("DATABASE_URL", "SUPABASE_DB_URL")
    database_schema: SchemaName | None = given_as("GH_BACKFILL_SCHEMA")
    github_token: Token | None = given_as("GITHUB_TOKEN", "GH_TOKEN")
    github_tokens: Tokens | None = given_as("GITHUB_TOKENS")
    token_name: str = Field(default="GITHUB_TOKEN", validation_alias="GH_BACKFILL_TOKEN_NAME")
    tokens_name: str = Field(default="GITHUB_TOKENS", validation_alias="GH_BACKFILL_TOKENS_NAME")
    app_id: Whole | None = given_as("GITHUB_APP_ID")
    app_private_key: SecretStr | None = given_as("GITHUB_APP_PRIVATE_KEY")
    app_installations: Wholes | None = given_as("GITHUB_APP_INSTALLATION_ID")
    github_api_url: Address = Field(
        default="https://api.github.com", validation_alias=AliasChoices("GH_BACKFILL_GITHUB_API_URL", "GITHUB_API_URL")
    )
    github_graphql_url: Address | None = given_as("GH_BACKFILL_GITHUB_GRAPHQL_URL", "GITHUB_GRAPHQL_URL")
    allow_simulated: bool = Field(default=False, validation_alias="GH_BACKFILL_ALLOW_SIMULATED")
    allow_insecure: bool = Field(default=False, validation_alias=INSIST)
    debug: bool = Field(default=False, validation_alias="GH_BACKFILL_DEBUG")
    dry_run: bool = Field(default=False, validation_alias="GH_BACKFILL_DRY_RUN")
    home: Path | None = given_as("GH_BACKFILL_HOME")
    plan_limit: Whole = Field(default=12, ge=1, le=256, validation_alias="GH_BACKFILL_PLAN_LIMIT")
    minimum_pull_requests: Whole = Field(default=100, ge=0, validation_alias="GH_BACKFILL_MINIMUM_PULL_REQUESTS")
    complete_percent: Whole = Field(default=80, ge=1, le=100, validation_alias="GH_BACKFILL_COMPLETE_PERCENT")
    per_part: Whole = Field(default=PER_PART, ge=1, validation_alias="GH_BACKFILL_PER_PART")
    kinds: str | None = given_as("GH_BACKFILL_KINDS")
    run_key: str | None = given_as("GH_BACKFILL_RUN_KEY")

    alert_repository: str | None = given_as("GH_BACKFILL_ALERT_REPOSITORY")
    alert_token: Token | None = given_as("GH_BACKFILL_ALERT_TOKEN")
    plan_result: str | None = given_as("GH_BACKFILL_PLAN_RESULT")
    plan_error: str | None = given_as("GH_BACKFILL_PLAN_ERROR")
    plan_idle: str | None = given_as("GH_BACKFILL_PLAN_IDLE")
    notify_urls: SecretStr | None = given_as("NOTIFY_URLS")
    notify_minutes: Whole = Field(default=60, ge=0, validation_alias="GH_BACKFILL_NOTIFY_MINUTES")
    report_webhook_url: SecretStr | None = given_as("REPORT_WEBHOOK_URL")
    webhook_key: SecretStr | None = given_as("WEBHOOK_SECRET")
    prices: PriceTable = Field(default_factory=dict, validation_alias="GH_BACKFILL_PRICES")
    monthly_budget: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, validation_alias="GH_BACKFILL_MONTHLY_BUDGET"
    )

    in_actions: bool = Field(default=False, validation_alias="GITHUB_ACTIONS")
    run_id: Whole | None = given_as("GITHUB_RUN_ID")
    run_attempt: Whole = Field(default=1, validation_alias="GITHUB_RUN_ATTEMPT")
    event: str | None = given_as("GITHUB_EVENT_NAME")
    repository: str | None = given_as("GITHUB_REPOSITORY")
    actor: str | None = given_as("GH_BACKFILL_ACTOR", "GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR")
    server_url: str = Field(default="https://github.com", validation_alias="GITHUB_SERVER_URL")
    event_file: Path | None = given_as("GITHUB_EVENT_PATH")
    output_file: Path | None = given_as("GITHUB_OUTPUT")
    summary_file: Path | None = given_as("GITHUB_STEP_SUMMARY")

    given: frozenset[str] = Field(default=frozenset(), validation_alias="the names of all that was given")
    withheld: str | None = Field(default=None, validation_alias="why a credential that was given is not used")

    @property
    def has_credential(self) -> bool:
        """Say whether there is anything to show GitHub."""
        return any((self.github_token, self.github_tokens, self.app_id, self.app_private_key))

    @property
    def tokens(self) -> dict[str, str]:
        """Return the tokens to use, each by the name that messages give it: `GITHUB_TOKENS` or else `GITHUB_TOKEN`.

        With an App and no `GITHUB_TOKENS` there are none: the workflow's own token must not read in the App's stead.
        """
        if self.github_tokens is not None:
            each = dict.fromkeys(re.split(r"[\s,]+", self.github_tokens.get_secret_value().strip(" ,\n\r\t")))
            return {f"{self.tokens_name}[{number}]": token for number, token in enumerate(each)}
        if self.github_token is not None and self.app_id is None:
            return {self.token_name: self.github_token.get_secret_value().strip()}
        return {}

    @property
    def private_key(self) -> str:
        """Return the App's key in PEM form, its line breaks restored where a variable could not hold them."""
        key = self.app_private_key.get_secret_value() if self.app_private_key else ""
        return key.replace("\\n", "\n").strip() + "\n"

    @property
    def installations(self) -> list[int]:
        """Return the numbers of the App's installations that were given."""
        return [int(number) for number in re.split(r"[\s,]+", (self.app_installations or "").strip()) if number]

    @property
    def graphql_url(self) -> str:
        """Return the address of GraphQL: as given, or beside the REST one (`/api/v3` becomes `/api/graphql`)."""
        if self.github_graphql_url:
            return self.github_graphql_url
        return self.github_api_url.rstrip("/").removesuffix("/v3") + "/graphql"

    @property
    def simulated(self) -> bool:
        """Say whether the GitHub we talk to is on this machine, and therefore not the real one."""
        return any((urlsplit(url).hostname or "") in LOOPBACK for url in (self.github_api_url, self.graphql_url))

    @property
    def data_folder(self) -> Path:
        """Return the folder of the embedded databases."""
        return data_folder(self.home)

    @property
    def processor(self) -> str:
        """Return where this process runs, as the job ledger calls it."""
        return "github_actions" if self.in_actions else "local"


def load(environment: Mapping[str, str] | None = None, *, dotenv: Path | None = Path(".env")) -> Settings:
    """Read the settings; the environment wins over the `.env` file.

    Raises ConfigurationError that names every malformed setting at once.
    """
    values = _values(environment, dotenv)
    read, malformed = _validated(values)
    if read is None:
        wrong = "; ".join(f"{_told_name(name, values)} {reason}" for name, reason in malformed.items())
        raise ConfigurationError(f"settings are malformed: {wrong}")
    _refuse_exposure(read, values, os.environ if environment is None else environment)
    return _with_clean_address(read)


def readable(environment: Mapping[str, str] | None = None, *, dotenv: Path | None = Path(".env")) -> Settings:
    """Return what can be read of settings of which `load` refuses some, so that a report tells of its run all the same.

    What is malformed is left out, and nothing else steps in for a place that it named: with a malformed address of the
    database or its schema there is no database, with one of GitHub no credential.  There is none either where it would
    not be safe; `withheld` says why.
    """
    values = _values(environment, dotenv)
    malformed = _malformed(values)
    left_out = malformed | (_DATABASE if malformed & _DATABASE else frozenset())
    read = _without(values, left_out)
    withheld = _why_withheld(malformed, values)
    try:
        _refuse_exposure(read, values, os.environ if environment is None else environment)
    except ConfigurationError as error:
        withheld = withheld or f"the credentials were not used, for {error}"
        left_out |= _CREDENTIALS
    if malformed & _SERVERS:
        left_out |= _CREDENTIALS
    read = _without(values, left_out)
    return _with_clean_address(read.model_copy(update={"withheld": withheld}))


def names() -> frozenset[str]:
    """Return every name that a setting or an option may have in the environment."""
    aliases = (each.validation_alias for name, each in Settings.model_fields.items() if name not in _ABOUT)
    return OPTIONS | {
        str(name)
        for alias in aliases
        for name in (alias.choices if isinstance(alias, AliasChoices) else [alias])
        if name is not None
    }


def _values(environment: Mapping[str, str] | None, dotenv: Path | None) -> dict[str, str]:
    """Return all that was given by its name, and note what of it is secret."""
    values: dict[str, str] = {}
    if dotenv is not None:
        values.update(_given(dotenv_file.values(dotenv)))
    values.update(_given(os.environ if environment is None else environment))
    hidden.secrets_among(values)
    if values.get("GH_BACKFILL_GITHUB_API_URL") and not values.get("GH_BACKFILL_GITHUB_GRAPHQL_URL"):
        values.pop("GITHUB_GRAPHQL_URL", None)  # Actions sets it, for the GitHub that this setting leads away from
    return values


def _validated(values: Mapping[str, str]) -> tuple[Settings | None, dict[str, str]]:
    """Return the settings, or what is wrong with which names."""
    try:
        read = Settings.model_validate(values, context=values)
    except ValidationError as error:
        return None, {_given_name(each["loc"], values): _reason(each) for each in error.errors()}
    return read.model_copy(update={"given": frozenset(values)}), {}


def _malformed(values: Mapping[str, str], known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the names of all that is malformed: another name of the same setting may be so, too."""
    _, found = _validated({name: value for name, value in values.items() if name not in known})
    return _malformed(values, known | found.keys()) if found else known


def _without(values: Mapping[str, str], names: Collection[str]) -> Settings:
    """Return the settings of all that was given but `names`, among which is all that is malformed."""
    left = {name: value for name, value in values.items() if name not in names}
    return Settings.model_validate(left, context=left).model_copy(update={"given": frozenset(left)})


def _why_withheld(malformed: frozenset[str], values: Mapping[str, str]) -> str | None:
    """Say why no credential is used, if what is malformed is one, or the address that it would go to."""
    if addresses := sorted(malformed & _SERVERS):
        return f"the credentials were not used, for {', '.join(addresses)} is malformed and says where they may go"
    if credentials := sorted(_told_name(name, values) for name in malformed & _CREDENTIALS):
        return f"{', '.join(credentials)} is malformed"
    return None


def _refuse_exposure(read: Settings, values: Mapping[str, str], environment: Mapping[str, str]) -> None:
    servers = Servers(
        rest=read.github_api_url,
        graphql=read.graphql_url,
        own_graphql=read.github_graphql_url is not None,
        allowed=read.allow_insecure,
    )
    exposure.refuse(servers, values, environment)


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    """Return what was given, without the line ends and spaces that pasting leaves around it."""
    return {key: value.strip() for key, value in values.items() if value and value.strip()}


def _with_clean_address(settings: Settings) -> Settings:
    """Return the settings with a database address that holds our schema, and nothing that other programs want."""
    if settings.database_url is None:
        return settings
    address = database_address.understood(settings.database_url.get_secret_value())
    if address.dropped:
        log.warning("DATABASE_URL: %s is meant for other programs and left out", ", ".join(address.dropped))
    if address.schema not in (None, settings.database_schema or "public"):
        log.warning(
            "DATABASE_URL: its schema= is left out; set GH_BACKFILL_SCHEMA to it if our tables are to lie there"
        )
    url = address.within(settings.database_schema).url
    return settings.model_copy(update={"database_url": SecretStr(url)})


def _given_name(location: tuple[int | str, ...], values: Mapping[str, str]) -> str:
    """Return the name that a malformed setting was given by: pydantic tells the first of those that it may have."""
    first = str(location[0]) if location else "settings"
    aliases = (each.validation_alias for each in Settings.model_fields.values())
    choices = next((each.choices for each in aliases if isinstance(each, AliasChoices) and first in each.choices), [])
    return next((str(name) for name in choices if name in values), first)


def _told_name(name: str, values: Mapping[str, str]) -> str:
    """Return the name that a person knows a setting by: in a workflow a token is a secret with a name of its own."""
    known = {"GITHUB_TOKEN": "GH_BACKFILL_TOKEN_NAME", "GITHUB_TOKENS": "GH_BACKFILL_TOKENS_NAME"}
    return values.get(known.get(name, ""), name)


def _reason(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]
