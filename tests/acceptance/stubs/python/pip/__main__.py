"""Stands in for pip: what workflows install is here already, and a wheel of ours is unpacked where it is asked for."""

import os
import sys
import sysconfig
import zipfile
from pathlib import Path

REQUIREMENTS = ["install", "--quiet", "--require-hashes", "--requirement"]
WHEEL = ["install", "--quiet", "--no-deps", "--no-index"]
# The packages of the tests, found from the program that an environment of its own was made with.
HERE = f"python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def know_the_packages(of: Path) -> None:
    """Let this environment import what the tests have, but for the package that is tried."""
    own = Path(sysconfig.get_path("purelib"))
    if own != of:
        (own / "packages-of-the-tests.pth").write_text(f"{of}\n")


def unpack(wheel: Path) -> None:
    """Install a wheel that has one command and no scripts."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(sysconfig.get_path("purelib"))
    command = Path(sysconfig.get_path("scripts")) / "gh-backfill"
    command.write_text(f"#!{sys.executable}\nfrom gh_backfill.__main__ import main\nmain()\n")
    command.chmod(0o755)


if __name__ == "__main__":
    *options, given = sys.argv[1:]
    if options == REQUIREMENTS and Path(given).is_file():
        packages = [Path(folder).parent / "lib" / HERE for folder in os.environ["PATH"].split(":")]
        know_the_packages(next(path for path in packages if (path / "typer").is_dir()))
    elif options == WHEEL and Path(given).is_file():
        unpack(Path(given))
    else:
        sys.exit(f"no stand-in for pip {sys.argv[1:]}")
