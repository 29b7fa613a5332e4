"""Make a release ready, or prove that a checkout is one; it needs nothing but Python."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

INIT, CHANGELOG = Path("gh_backfill/__init__.py"), Path("CHANGELOG.md")
# Where examples name the version of the workflows and of the action that they call.
NAMED_IN = (Path("README.md"), Path("examples/README.md"))
UNRELEASED = "## Unreleased"
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
# https://packaging.python.org/en/latest/specifications/version-specifiers/
_NUMBER = "(0|[1-9][0-9]*)"
_A_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:(a|b|rc){_NUMBER})?")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for, and return the exit code: 2 with one line where something is in the way."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("version", help="the version, such as 0.2.0; of --check and --notes the tag, v0.2.0")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="prove that this checkout is that release")
    what.add_argument("--notes", action="store_true", help="print what CHANGELOG.md says of it")
    given = parser.parse_args(arguments)
    version = given.version.removeprefix("v")
    if not _A_VERSION.fullmatch(version):
        parser.error(f"{given.version} is no version: say one such as 0.2.0")
    try:
        if given.notes:
            print(notes(version))
        elif given.check:
            check(version)
            print(f"this is {version}")
        else:
            make(version)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def make(version: str) -> None:
    """Write the version everywhere; raises, with nothing written, ValueError or OSError for what is in the way."""
    old = current()
    changelog = _read(CHANGELOG)
    if _section(changelog, UNRELEASED) == "":
        raise ValueError("CHANGELOG.md says nothing under Unreleased: there is nothing to release")
    if f"## {version} " in changelog:
        raise ValueError(f"CHANGELOG.md has {version} already")
    if _order(version) < _order(old):
        raise ValueError(f"{version} comes before {old}, which the package is already: say a later one")
    if changed := _changed():
        raise ValueError(
            f"not committed: {', '.join(changed)}: commit or stash that first, it would go into the release"
        )
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    texts = {
        CHANGELOG: changelog.replace(UNRELEASED, f"{UNRELEASED}\n\n## {version} - {today}", 1),
        INIT: _VERSION.sub(f'__version__ = "{version}"', _read(INIT)),
        **{path: _read(path).replace(f"@v{old}", f"@v{version}") for path in NAMED_IN},
    }
    for path, text in texts.items():
        _write(path, text)
    _examples()
    print(f"{version} is written.  Look at it with git diff, run scripts/test, then:")
    print(f"  git commit --all --message 'Release {version}' && git tag v{version} && git push origin HEAD v{version}")


def check(version: str) -> None:
    """Raise ValueError where the checkout is not that release, with what to do."""
    if current() != version:
        raise ValueError(f"the tag says {version} and the package {current()}: scripts/release {version} writes it")
    notes(version)
    wrong = [str(path) for path in NAMED_IN if _others(_read(path), version)]
    if wrong:
        raise ValueError(f"another version is named in {', '.join(wrong)}: scripts/release {version} writes it")


def notes(version: str) -> str:
    """Return what the changelog says of a version; raises ValueError where that is nothing."""
    found = _section(_read(CHANGELOG), f"## {version} ")
    if not found:
        raise ValueError(f"CHANGELOG.md says nothing of {version}")
    return found


def current() -> str:
    """Return the version that the package says it is."""
    found = _VERSION.search(_read(INIT))
    if found is None:
        raise ValueError(f"{INIT} names no version")
    return found[1]


def _changed() -> list[str]:
    """Return what git says is changed, but for the changelog; without git nothing."""
    command = ["git", "-C", str(ROOT), "diff", "--name-only", "HEAD", "--", ".", f":(exclude){CHANGELOG}"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def _order(version: str) -> tuple[int, int, int, str, int]:
    """Return what versions are compared by: a final one (~) comes after its candidates."""
    found = _A_VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{INIT} names no version")
    return int(found[1]), int(found[2]), int(found[3]), found[4] or "~", int(found[5] or 0)


def _section(changelog: str, heading: str) -> str:
    """Return the text below a heading of the second level, up to the next one; nothing where there is none."""
    lines = changelog.splitlines()
    start = next((at for at, line in enumerate(lines) if f"{line} ".startswith(heading)), len(lines))
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("## ")), len(lines))
    return "\n".join(lines[start + 1 : end]).strip()


def _others(text: str, version: str) -> list[str]:
    return [found for found in re.findall(r"/gh_backfill/\S+@v(\S+)", text) if found != version]


def _examples() -> None:
    """Write the examples with the new version, which was not the package's yet when this was loaded."""
    import runpy  # noqa: PLC0415  (here alone)

    for name in [name for name in sys.modules if name.split(".")[0] == "gh_backfill"]:
        del sys.modules[name]
    runpy.run_path(str(ROOT / "scripts" / "examples.py"), run_name="__main__")


def _read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
