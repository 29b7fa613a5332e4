"""The installations in `examples/` are what `gh-backfill init` writes, and fit the workflows that they call."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gh_backfill import REPOSITORY, __version__
from gh_backfill.policy.installation import file_names, installation
from tests.acceptance.act import PROGRAMS, ROOT

CALLER = "OWNER/history"
EXAMPLES = {"installation": False, "everything": True}
CALLERS = sorted((ROOT / "gh_backfill" / "installation").glob("*.yml"))
each_caller = pytest.mark.parametrize("file", CALLERS, ids=lambda file: file.name)


@pytest.mark.parametrize("folder", EXAMPLES)
def test_an_example_is_what_an_installation_of_this_version_gets(folder: str) -> None:
    version = f"v{__version__}"
    wanted = installation(tool=REPOSITORY, version=version, repository=CALLER, whole=EXAMPLES[folder])
    at = ROOT / "examples" / folder
    there = {str(path.relative_to(at)): path.read_text(encoding="utf-8") for path in at.rglob("*.yml")}
    assert there == dict(wanted), "python scripts/examples.py writes them anew"


def test_the_readme_has_the_workflow_that_is_enough() -> None:
    (file,) = (ROOT / "examples" / "installation").rglob("*.yml")
    comment, _, workflow = file.read_text(encoding="utf-8").partition("\n")
    assert comment.startswith("#")
    assert f"```yaml\n{workflow}```\n" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "examples/README.md"])
def test_pages_name_this_repository_and_version_as_the_program_does(page: str) -> None:
    called = re.findall(r"uses: (\S+?)/\.github/\S+@(\S+)", (ROOT / page).read_text(encoding="utf-8"))
    assert called
    assert set(called) == {(REPOSITORY, f"v{__version__}")}


def test_the_page_of_the_examples_has_every_file() -> None:
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+\.yml)`", page, re.MULTILINE)) == set(file_names())


def test_the_script_that_writes_the_examples_changes_nothing_now() -> None:
    before = {path: path.read_bytes() for path in (ROOT / "examples").rglob("*") if path.is_file()}
    subprocess.run([sys.executable, "scripts/examples.py"], cwd=ROOT, check=True)
    assert {path: path.read_bytes() for path in (ROOT / "examples").rglob("*") if path.is_file()} == before


@each_caller
def test_an_example_fits_the_published_schema(file: Path) -> None:
    command = [str(PROGRAMS / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def calls(file: Path) -> Iterator[tuple[dict[str, Any], dict[Any, Any]]]:
    """Yield each job of a file with the workflow of ours that it calls."""
    for job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values():
        called = ROOT / job["uses"].partition("@")[0].removeprefix("OWNER/gh_backfill/")
        yield job, yaml.safe_load(called.read_text(encoding="utf-8"))


def asked(workflow: dict[Any, Any]) -> dict[str, str]:
    """Return the most that any job of a workflow asks for: a caller that gives less is a `startup_failure`."""
    most: dict[str, str] = {}
    for job in workflow["jobs"].values():
        for scope, level in job["permissions"].items():
            most[scope] = "write" if "write" in (level, most.get(scope)) else level
    return most


@each_caller
def test_a_caller_gives_what_the_called_jobs_ask_for_and_nothing_more(file: Path) -> None:
    for job, workflow in calls(file):
        assert job["permissions"] == asked(workflow)


@each_caller
def test_a_caller_hands_on_only_secrets_and_inputs_that_the_called_workflow_takes(file: Path) -> None:
    for job, workflow in calls(file):
        taken = workflow[True]["workflow_call"]  # YAML reads the word `on` as true
        assert set(job["secrets"]) <= set(taken["secrets"])
        assert set(job.get("with", {})) <= set(taken.get("inputs", {}))


@each_caller
def test_what_a_person_gives_to_a_caller_is_what_the_called_workflow_takes(file: Path) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    asked_for = (document[True]["workflow_dispatch"] or {}).get("inputs", {})
    for job, workflow in calls(file):
        taken = workflow[True]["workflow_call"].get("inputs", {})
        assert set(job.get("with", {})) == set(asked_for)
        for name, said in asked_for.items():
            assert said["type"] == taken[name]["type"]
            assert said.get("required", False) == taken[name].get("required", False)
            # A schedule gives nothing, and nothing is no boolean.
            otherwise = " || false" if said["type"] == "boolean" else ""
            assert job["with"][name] == f"${{{{ inputs.{name}{otherwise} }}}}"


def test_every_template_is_looked_at() -> None:
    assert {file.name for file in CALLERS} == set(file_names())
    assert len(CALLERS) >= 8


def test_the_security_linter_finds_nothing_where_the_version_is_a_commit(tmp_path: Path) -> None:
    for path, text in installation(tool="a/tool", version="f" * 40, repository="a/history", whole=True).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    command = [str(PROGRAMS / "zizmor"), "--offline", "--no-config", "--no-progress", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
