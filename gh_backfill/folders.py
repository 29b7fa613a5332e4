"""The folders of databases and logs on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(home: str | Path | None) -> Path:
    """Return the folder where databases and logs lie, `home` if it is given."""
    if home:
        return Path(home).expanduser()
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "gh_backfill"
