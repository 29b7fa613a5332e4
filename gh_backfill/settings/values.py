"""The reading of values of settings: numbers, addresses, tables, names of schemas."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationInfo

from gh_backfill import database_address
from gh_backfill.errors import ConfigurationError
from gh_backfill.exposure import INSIST
from gh_backfill.policy import off_peak
from gh_backfill.policy.addresses import in_clear_text

# A token of the pages that is shorter could be guessed.
SHORTEST_WEB_TOKEN = 16
# How a variable says yes, as pydantic reads it.
YES = frozenset({"1", "true", "t", "yes", "y", "on"})


def given_as(*names: str) -> Any:
    """Declare a setting that is nothing unless it is given by one of these names."""
    return Field(default=None, validation_alias=AliasChoices(*names))


def _number(value: object) -> object:
    """Accept a number as workflows and people write it; pydantic reports what is none."""
    return value.strip() if isinstance(value, str) else value


def _numbers(value: object) -> object:
    """Accept whole numbers with commas or spaces between them."""
    if isinstance(value, str) and not re.fullmatch(r"[\s,]*\d+([\s,]+\d+)*[\s,]*", value):
        raise ValueError("must be one or more whole numbers")
    return value


def _table(value: object) -> object:
    """Accept an object in JSON, as an environment variable holds it."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _address(value: str) -> str:
    """Accept the address of a server; urlsplit raises ValueError for some that are none."""
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 1) < 1:
        raise ValueError("must be an address such as https://api.github.com")
    return value.strip()


def unread(sent: str) -> AfterValidator:
    """Accept the address of a service to which nobody on the way can read what is sent, unless that is insisted on."""

    def accept(value: str, info: ValidationInfo) -> str:
        parts = urlsplit(value)
        insisted = (info.context or {}).get(INSIST, "").strip().lower() in YES
        if in_clear_text(parts.scheme, parts.hostname) and not insisted:
            raise ValueError(f"would show {sent} to all on the way: use https (set {INSIST}=1 if you mean it)")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("must be an address without user, query and fragment: the key has a setting of its own")
        return value.rstrip("/")

    return AfterValidator(accept)


def _token(value: SecretStr) -> SecretStr:
    """Accept what a request can carry; the error repeats nothing of it."""
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("holds a space, a line end or a character that no token has: paste it again")
    return value


def _labels(value: str) -> str:
    """Accept labels of runners with commas or spaces between them."""
    if not re.fullmatch(r"[\s,]*[\w.-]+([\s,]+[\w.-]+)*[\s,]*", value):
        raise ValueError("must be labels of runners, with commas between them")
    return value


def _off_peak(value: str) -> str:
    """Accept hours of a day, or the words for the quiet ones and for any."""
    try:
        return off_peak.checked(value, given_as="it")
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


def _web_token(value: SecretStr) -> SecretStr:
    """Accept a token that somebody makes up; the error repeats nothing of it."""
    if not re.fullmatch(rf"[!-~]{{{SHORTEST_WEB_TOKEN},200}}", value.get_secret_value()):
        raise ValueError(
            f"must have at least {SHORTEST_WEB_TOKEN} characters and no space: openssl rand -hex 24 makes one"
        )
    return value


def _hosts(value: str) -> str:
    """Accept names of hosts, with commas or spaces between them."""
    for name in re.split(r"[\s,]+", value.strip(" ,\n\r\t")):
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]", name):
            raise ValueError("must be names of hosts such as backfill.example.org, without https:// and port")
    return value.lower()


def _tokens(value: SecretStr) -> SecretStr:
    """Accept several tokens, with commas, spaces or line ends between them."""
    if not re.fullmatch(r"[\s!-~]+", value.get_secret_value(), re.ASCII):
        raise ValueError("holds a character that no token has: paste them again")
    if not value.get_secret_value().strip(" ,\n\r\t"):
        raise ValueError("holds no token")
    return value


def _database(value: SecretStr) -> SecretStr:
    """Accept the address of a database; the error says what is wrong with it, and repeats nothing."""
    database_address.understood(value.get_secret_value())
    return value


def _schema(value: str) -> str:
    """Accept the name of a schema that needs no quotes anywhere and is not PostgreSQL's own."""
    if not re.fullmatch(r"(?!pg_|information_schema$)[a-z_][a-z0-9_]{0,62}", value):
        raise ValueError("must be the name of a schema in lower case, such as github_history")
    return value


Token = Annotated[SecretStr, AfterValidator(_token)]
Tokens = Annotated[SecretStr, AfterValidator(_tokens)]
Whole = Annotated[int, BeforeValidator(_number)]
Address = Annotated[str, AfterValidator(_address)]
PriceTable = Annotated[dict[str, float], BeforeValidator(_table)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
SchemaName = Annotated[str, AfterValidator(_schema)]
Wholes = Annotated[str, BeforeValidator(_numbers)]
WebToken = Annotated[SecretStr, AfterValidator(_web_token)]
Hosts = Annotated[str, AfterValidator(_hosts)]
OffPeak = Annotated[str, AfterValidator(_off_peak)]
Labels = Annotated[str, AfterValidator(_labels)]
