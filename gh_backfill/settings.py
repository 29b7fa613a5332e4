"""Settings: from the environment or a `.env` file, with every name that existing installations use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn
from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gh_backfill.errors import ConfigurationError

LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})


def _number(value: object) -> object:
    """Accept a number as workflows and people write it; pydantic reports what is none."""
    return value.strip() if isinstance(value, str) else value


Whole = Annotated[int, BeforeValidator(_number)]


def _aliases(*names: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(*names))


class Settings(BaseSettings):
    """What the environment says.  An empty value means "not given"."""

    model_config = SettingsConfigDict(extra="ignore", case_sensitive=True, env_ignore_empty=True)

    database_url: SecretStr | None = _aliases("DATABASE_URL", "SUPABASE_DB_URL")
    github_token: SecretStr | None = _aliases("GITHUB_TOKEN", "GH_TOKEN")
    github_api_url: str = Field(
        default="https://api.github.com", validation_alias=AliasChoices("GH_BACKFILL_GITHUB_API_URL", "GITHUB_API_URL")
    )
    github_graphql_url: str | None = _aliases("GH_BACKFILL_GITHUB_GRAPHQL_URL", "GITHUB_GRAPHQL_URL")
    supabase_url: str | None = _aliases("SUPABASE_URL", "VITE_SUPABASE_URL")
    allow_simulated: bool = Field(default=False, validation_alias="GH_BACKFILL_ALLOW_SIMULATED")
    home: Path | None = _aliases("GH_BACKFILL_HOME")
    plan_limit: Whole = Field(default=12, ge=1, le=256, validation_alias="GH_BACKFILL_PLAN_LIMIT")
    minimum_pull_requests: Whole = Field(default=100, ge=0, validation_alias="GH_BACKFILL_MINIMUM_PULL_REQUESTS")
    complete_percent: Whole = Field(default=80, ge=1, le=100, validation_alias="GH_BACKFILL_COMPLETE_PERCENT")
    run_key: str | None = _aliases("GH_BACKFILL_RUN_KEY")

    in_actions: bool = Field(default=False, validation_alias="GITHUB_ACTIONS")
    run_id: Whole | None = _aliases("GITHUB_RUN_ID")
    run_attempt: Whole = Field(default=1, validation_alias="GITHUB_RUN_ATTEMPT")
    repository: str | None = _aliases("GITHUB_REPOSITORY")
    server_url: str = Field(default="https://github.com", validation_alias="GITHUB_SERVER_URL")
    output_file: Path | None = _aliases("GITHUB_OUTPUT")
    summary_file: Path | None = _aliases("GITHUB_STEP_SUMMARY")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read only what `load` hands over, so that a test never sees the machine's environment."""
        return (init_settings,)

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
    def database_is_local(self) -> bool:
        """Say whether the configured database is on this machine (loopback or a socket)."""
        if self.database_url is None:
            return True
        try:
            dsn = parse_dsn(self.database_url.get_secret_value())
        except ProgrammingError:
            return False
        hosts = str(dsn.get("hostaddr") or dsn.get("host") or "").split(",")
        return all(host.startswith("/") or host in LOOPBACK for host in hosts)

    @property
    def data_folder(self) -> Path:
        """Return the folder of the embedded databases."""
        if self.home:
            return self.home.expanduser()
        base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
        return Path(base).expanduser() / "gh_backfill"

    @property
    def processor(self) -> str:
        """Return where this process runs, as the job ledger calls it."""
        return "github_actions" if self.in_actions else "local"


def load(environment: Mapping[str, str] | None = None, *, dotenv: Path | None = Path(".env")) -> Settings:
    """Read the settings; the environment wins over the `.env` file.

    Raises ConfigurationError that names every malformed setting at once.
    """
    values: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        values.update({key: value for key, value in dotenv_values(dotenv).items() if value})
    values.update({key: value for key, value in (os.environ if environment is None else environment).items() if value})
    if values.get("GH_BACKFILL_GITHUB_API_URL") and not values.get("GH_BACKFILL_GITHUB_GRAPHQL_URL"):
        values.pop("GITHUB_GRAPHQL_URL", None)  # Actions sets it, for the GitHub that this setting leads away from
    try:
        return Settings.model_validate({key: value for key, value in values.items() if value.strip()})
    except ValidationError as error:
        wrong = "; ".join(f"{_name(e['loc'])} {_reason(e)}" for e in error.errors())
        raise ConfigurationError(f"settings are malformed: {wrong}") from None


def require(settings: Settings, *, token: bool = False, database: bool = False) -> None:
    """Raise ConfigurationError that names all missing settings, each with what it is for.

    Also refuses the mixtures that would put invented data where real data lives, and a database that would vanish.
    """
    missing: list[str] = []
    if token and settings.github_token is None:
        missing.append("GITHUB_TOKEN (reads from GitHub; create one at <server>/settings/tokens, no scopes needed)")
    if database and settings.database_url is None and settings.in_actions:
        missing.append(_missing_database(settings))
    if missing:
        raise ConfigurationError("not configured: " + "; ".join(missing).replace("<server>", settings.server_url))
    if database and settings.simulated and not settings.database_is_local and not settings.allow_simulated:
        raise ConfigurationError(
            f"GITHUB_API_URL {settings.github_api_url} is a simulated GitHub, but the database is not on this machine: "
            "invented rows do not go there (set GH_BACKFILL_ALLOW_SIMULATED=1 if you mean it)"
        )


def _missing_database(settings: Settings) -> str:
    text = "DATABASE_URL or SUPABASE_DB_URL (where the rows go; an embedded database would vanish with the runner)"
    if settings.supabase_url:
        text += f"; for {settings.supabase_url} copy the connection string from the project's page, Connect, pooler"
    return text


def _name(location: tuple[int | str, ...]) -> str:
    return str(location[0]) if location else "settings"


def _reason(error: Any) -> str:
    message = str(error["msg"])
    return message[0].lower() + message[1:]
