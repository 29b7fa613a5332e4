"""Settings that a command needs: all that are missing are named at once; no row goes where it does not belong."""

from __future__ import annotations

from gh_backfill import database_address
from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings


def require(settings: Settings, *, token: bool = False, database: bool = False) -> None:
    """Raise ConfigurationError that names all missing settings, each with what it is for.

    Also refuses the mixtures that would put invented data where real data lives, and a database that would vanish.
    """
    missing: list[str] = []
    if token and not settings.has_credential:
        missing.append("GITHUB_TOKEN (reads from GitHub; create one at <server>/settings/tokens, no scopes needed)")
    if token and settings.app_private_key is None and settings.app_id is not None:
        missing.append("GITHUB_APP_PRIVATE_KEY (signs for the App of GITHUB_APP_ID; made on the App's page)")
    if token and settings.app_id is None and settings.app_private_key is not None:
        missing.append("GITHUB_APP_ID (names the App of GITHUB_APP_PRIVATE_KEY; on the App's page)")
    if database and settings.database_url is None and settings.in_actions:
        missing.append(_missing_database(settings))
    if missing:
        raise ConfigurationError("not configured: " + "; ".join(missing).replace("<server>", settings.server_url))
    if database:
        _refuse_where_rows_do_not_belong(settings)


def _refuse_where_rows_do_not_belong(settings: Settings) -> None:
    if settings.database_url is None:
        return
    address = database_address.understood(settings.database_url.get_secret_value())
    if settings.simulated and not address.is_local and not settings.allow_simulated:
        raise ConfigurationError(
            f"GITHUB_API_URL {settings.github_api_url} is a simulated GitHub, but the database is not on this machine: "
            "invented rows do not go there (set GH_BACKFILL_ALLOW_SIMULATED=1 if you mean it)"
        )
    if address.in_clear_text and not settings.allow_insecure:
        raise ConfigurationError(
            "DATABASE_URL (or PGSSLMODE) lets password and rows travel unencrypted beyond this machine: say "
            "sslmode=require or better, or set GH_BACKFILL_ALLOW_INSECURE=1 if you mean it"
        )


def _missing_database(settings: Settings) -> str:
    text = "DATABASE_URL or SUPABASE_DB_URL (where the rows go; an embedded database would vanish with the runner)"
    if there := sorted(name for name in settings.given if name.removeprefix("VITE_").startswith("SUPABASE_")):
        opens = "does not open" if len(there) == 1 else "do not open"
        text += (
            f"; {', '.join(there)} {opens} the database: copy the connection string from the project's Connect, pooler"
        )
    return text
