"""How the values of settings are read: numbers, addresses, tables, names of schemas."""

from __future__ import annotations

import json
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from gh_backfill import database_address


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


def _token(value: SecretStr) -> SecretStr:
    """Accept what a request can carry; the error repeats nothing of it."""
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("holds a space, a line end or a character that no token has: paste it again")
    return value


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
