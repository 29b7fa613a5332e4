"""The demo of a run without token and repositories: an invented GitHub, and a database in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pydantic import SecretStr

from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings
from gh_backfill.tasks import connect

# The demo's repositories.
DEMO = ("octo-demo/engine:1200", "octo-demo/website:320", "octo-demo/docs:140")


def is_demo(settings: Settings, names: Sequence[str]) -> bool:
    """Say whether a run is the demo; raises ConfigurationError where it could be meant otherwise."""
    if settings.has_credential:
        return False
    if names or settings.database_url is not None:
        what = "repositories were named" if names else "a database is configured"
        raise ConfigurationError(
            f"GITHUB_TOKEN is missing, but {what}: set it to capture from GitHub (create one at "
            f"{settings.server_url}/settings/tokens, no scopes needed for public repositories), or start the demo "
            "without repositories and without a database"
        )
    return True


def settings_of(settings: Settings) -> Settings:
    """Return settings whose database is the demo's own, whatever is configured."""
    return settings.model_copy(
        update={
            "github_api_url": "http://127.0.0.1",
            "github_graphql_url": None,
            "github_token": SecretStr("demo"),
            "github_tokens": None,
            "app_id": None,
            "app_private_key": None,
            "database_url": None,
            "home": settings.data_folder / "demo",
        }
    )


def names() -> list[str]:
    """Return the names of the demo's repositories."""
    return [each.split(":")[0] for each in DEMO]


def is_all_there_is(settings: Settings) -> bool:
    """Say whether the demo's database is the only one here: none is configured, and no other was ever made."""
    if settings.database_url is not None or settings.in_actions:
        return False
    return connect.embedded_exists(settings_of(settings)) and not connect.embedded_exists(settings)


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """Run the invented GitHub beside the block, and yield settings that lead there and nowhere else."""
    from gh_backfill.simulator.loading import load  # noqa: PLC0415  (only the demo needs it)
    from gh_backfill.simulator.server import running as serving  # noqa: PLC0415

    with serving(load(recipes=DEMO)) as simulator:
        yield settings_of(settings).model_copy(update={"github_api_url": simulator.url})
