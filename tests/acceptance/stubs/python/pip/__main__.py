"""Refuses all but the one install that the workflows make."""

import sys
from pathlib import Path

if __name__ == "__main__":
    *options, requirements = sys.argv[1:]
    known = options == ["install", "--quiet", "--require-hashes", "--requirement"] and Path(requirements).is_file()
    sys.exit(0 if known else f"no stand-in for pip {sys.argv[1:]}")
