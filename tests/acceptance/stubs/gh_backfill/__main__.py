"""Tells what a workflow gives to a command, and answers `plan` with the repositories that a test asks for."""

import json
import os
import sys
from pathlib import Path

KNOWN = ("DATABASE_URL", "GITHUB_TOKEN", "GITHUB_API_URL", "GITHUB_RUN_ID")


def main() -> int:
    """Play the command; a repository whose name has the word `broken` in it fails."""
    if sys.argv[1:] == ["--version"]:
        print("0.0.0")
        return 0
    given = {key: value for key, value in os.environ.items() if key.startswith("GH_BACKFILL_") or key in KNOWN}
    print("stand-in " + json.dumps({"command": sys.argv[1:], **given}))
    if sys.argv[1] == "plan":
        names = os.environ.get("STAND_IN_PLAN", "").split()
        matrix = {"include": [{"name": name, "repository_id": f"id of {name}"} for name in names]}
        with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
            outputs.write(f"matrix={json.dumps(matrix)}\ncount={len(names)}\n")
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
        summary.write(f"# {sys.argv[1]} was here\n")
    return int("broken" in os.environ.get("GH_BACKFILL_REPOSITORY_ID", ""))


if __name__ == "__main__":
    sys.exit(main())
