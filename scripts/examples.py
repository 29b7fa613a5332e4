"""Write examples/: the workflow files that another repository needs, as `gh-backfill init` writes them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gh_backfill import REPOSITORY, __version__  # noqa: E402
from gh_backfill.policy.installation import installation  # noqa: E402

# Whose minutes the schedules have; in an installation they are drawn from its own name.
CALLER = "OWNER/history"
FOLDERS = {"installation": False, "everything": True}


def examples() -> Mapping[Path, str]:
    """Return what belongs into each file of the examples."""
    return {
        ROOT / "examples" / folder / path: text
        for folder, whole in FOLDERS.items()
        for path, text in installation(
            tool=REPOSITORY, version=f"v{__version__}", repository=CALLER, whole=whole
        ).items()
    }


if __name__ == "__main__":
    for file, content in examples().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
