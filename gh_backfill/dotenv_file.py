"""The `.env` file: text as editors save it, values as they stand."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from gh_backfill.errors import ConfigurationError


def values(path: Path) -> dict[str, str]:
    """Read a `.env` file; values are taken as they stand, for a password may have `${` in it."""
    try:
        data = path.read_bytes() if path.is_file() else b""
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"the file {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"the file {path} is not text: save it as UTF-8") from None
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    return {key: value for key, value in found.items() if value}
