"""What holds for every workflow file, and how the files call the commands, without the commands themselves."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.act import PROGRAMS, ROOT, STUBS, ActRun, commit, copy_checkout, run_workflow

GITHUB = ROOT / ".github"
ACTION = GITHUB / "actions" / "setup" / "action.yml"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
each_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
each_file = pytest.mark.parametrize("file", [*WORKFLOWS, ACTION], ids=lambda file: file.name)
# What is about this repository itself: nobody else calls it.
OWN = {"ci.yml", "release.yml", "smoke.yml"}
CALLABLE = [file for file in WORKFLOWS if file.name not in OWN]
each_callable = pytest.mark.parametrize("file", CALLABLE, ids=lambda file: file.name)
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
SETUP = "./.github/actions/setup"
HAS_A_DATABASE = "${{ (secrets.DATABASE_URL || secrets.SUPABASE_DB_URL) != '' }}"


def jobs(file: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load(file.read_text())["jobs"].values()


def steps(file: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(file):
        yield from job.get("steps", ())  # one that calls another workflow has none


def triggers(file: Path) -> dict[str, Any]:
    document: dict[Any, Any] = yaml.safe_load(file.read_text())
    found: dict[str, Any] = document[True]  # YAML reads the word `on` as true
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = command
    return subprocess.run([PROGRAMS / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_there_are_workflows_to_look_at() -> None:
    assert {"ci.yml", "progressive-backfill.yml"} <= {file.name for file in WORKFLOWS}


@each_workflow
def test_a_workflow_fits_the_published_schema(file: Path) -> None:
    done = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(file))
    assert done.returncode == 0, done.stdout


def test_the_action_fits_the_published_schema() -> None:
    done = run("check-jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION))
    assert done.returncode == 0, done.stdout


def test_the_security_linter_finds_nothing_to_mend() -> None:
    done = run("zizmor", "--pedantic", "--offline", "--no-config", "--no-ignores", "--format", "json", str(GITHUB))
    # What .github/zizmor.yml says of these holds without it, too.
    found = [each["ident"] for each in json.loads(done.stdout) if each["ident"] != "self-repository"]
    assert found == ["github-env"]


@each_file
def test_every_action_is_pinned_to_a_commit_and_says_its_version(file: Path) -> None:
    used = [line for line in re.findall(r"uses: (.*)", file.read_text()) if not line.startswith("./.github/")]
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


@each_workflow
def test_no_command_line_has_an_expression_in_it(file: Path) -> None:
    commands = [step["run"] for step in steps(file) if "run" in step]
    assert commands
    assert [command for command in commands if "${{" in command] == []


@each_workflow
def test_nothing_is_permitted_on_top_and_every_job_says_what_it_needs(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] == {}
    assert [job for job in jobs(file) if "permissions" not in job] == []


@each_callable
def test_every_step_that_chooses_or_captures_is_told_which_kinds(file: Path) -> None:
    asks = re.compile(r"gh-backfill (track|plan|capture|check|sync|dispatch|verify)\b")
    choosing = [step["name"] for step in steps(file) if asks.search(step.get("run", ""))]
    told = [step["name"] for step in steps(file) if "GH_BACKFILL_KINDS" in step.get("env", {})]
    assert told == choosing


@each_workflow
def test_every_job_has_a_time_limit(file: Path) -> None:
    assert [job for job in jobs(file) if "uses" not in job and not 0 < job["timeout-minutes"] <= 60] == []


@each_workflow
def test_a_running_workflow_is_never_cancelled_by_a_newer_one(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["concurrency"]["cancel-in-progress"] is False


@each_workflow
def test_jobs_of_a_matrix_do_not_cancel_each_other(file: Path) -> None:
    matrices = [job["strategy"] for job in jobs(file) if "strategy" in job]
    assert [matrix for matrix in matrices if matrix.get("fail-fast") is not False] == []


def test_five_repositories_are_captured_at_a_time() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / "progressive-backfill.yml").read_text())
    assert workflow["jobs"]["capture"]["strategy"]["max-parallel"] == 5


def test_a_matrix_entry_tells_its_job_which_part_of_a_split_history_is_its_own() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / "progressive-backfill.yml").read_text())
    capture = workflow["jobs"]["capture"]
    told = {key: value for step in capture["steps"] for key, value in step.get("env", {}).items()}
    entry = {key: f"${{{{ matrix.{key} }}}}" for key in ("repository_id", "part", "name")}
    assert (told["GH_BACKFILL_REPOSITORY_ID"], told["GH_BACKFILL_PART"]) == (entry["repository_id"], entry["part"])
    assert capture["name"] == f"capture {entry['name']}"


def test_tokens_of_several_users_reach_whoever_splits_a_history_and_whoever_reads_it() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / "progressive-backfill.yml").read_text())
    for job in ("plan", "capture"):
        told = [step["env"]["GITHUB_TOKENS"] for step in workflow["jobs"][job]["steps"] if "env" in step]
        assert told == ["${{ secrets.BACKFILL_TOKENS }}"]


@each_workflow
def test_whatever_secret_or_variable_a_workflow_hands_on_is_explained_at_its_top_and_nothing_else(file: Path) -> None:
    text = file.read_text()
    comment = "\n".join(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()))
    explained = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", comment))
    assert set(re.findall(r"\b(?:secrets|vars)\.([A-Z_]+)", text)) == explained - {"GITHUB_"}


def test_every_command_that_is_told_a_database_is_told_its_schema_too() -> None:
    told = [step["env"] for file in WORKFLOWS for step in steps(file) if "DATABASE_URL" in step.get("env", {})]
    assert len(told) >= 18
    assert {env.get("GH_BACKFILL_SCHEMA") for env in told} == {"${{ vars.GH_BACKFILL_SCHEMA }}"}


@each_callable
def test_secrets_reach_only_steps_that_run_our_commands(file: Path) -> None:
    document = yaml.safe_load(file.read_text())
    for job in document["jobs"].values():
        if job.get("uses", "").startswith("./.github/workflows/"):  # whose steps are looked at there
            job.pop("secrets")
        for step in job.get("steps", ()):
            if re.match(r"(exec )?gh-backfill ", step.get("run", "")):
                step.pop("env")
            elif step.get("uses") == SETUP:  # learns whether there is one, and not which
                assert step.pop("with") == {"database": HAS_A_DATABASE}
    assert not re.search(r"secrets\.|github\.token", json.dumps(document))


@each_callable
def test_every_job_checks_the_workflows_own_source_out_and_installs_the_tool_of_it(file: Path) -> None:
    """In a called workflow `github.repository` and `github.sha` are the caller's."""
    for job in jobs(file):
        if "uses" in job or "deploy-pages" in job["steps"][0].get("uses", ""):
            continue
        first, second, *rest = job["steps"]
        assert first["uses"].startswith("actions/checkout@")
        assert first["with"]["repository"] == "${{ job.workflow_repository || github.repository }}"
        assert first["with"]["ref"] == "${{ job.workflow_sha || github.sha }}"
        assert second == {"uses": SETUP, "id": "setup", "with": {"database": HAS_A_DATABASE}}
        assert rest


@each_callable
def test_a_step_that_runs_in_any_case_does_not_run_without_the_tool(file: Path) -> None:
    always = [step["if"] for step in steps(file) if "always()" in step.get("if", "")]
    assert [when for when in always if "always() && steps.setup.outcome == 'success'" not in when] == []


@each_callable
def test_whoever_calls_a_workflow_gives_the_inputs_that_a_person_gives(file: Path) -> None:
    starts = triggers(file)
    by_hand = (starts["workflow_dispatch"] or {}).get("inputs", {})
    called = starts["workflow_call"].get("inputs", {})
    assert {name: called[name] for name in by_hand} == by_hand
    assert set(called) == set(by_hand) or file.name == "capture-pr-chunk.yml"  # whose other inputs a matrix gives


@each_callable
def test_whoever_calls_a_workflow_names_each_secret_it_uses_and_may_leave_any_out(file: Path) -> None:
    declared = triggers(file)["workflow_call"]["secrets"]
    assert set(declared) == set(re.findall(r"secrets\.([A-Z_]+)", file.read_text()))
    assert [name for name, said in declared.items() if said["required"] is not False or not said["description"]] == []


def test_the_reference_has_every_input_as_its_workflow_describes_it() -> None:
    there = re.findall(r"^\| `([\w-]+\.yml)` \| `(\w+)`( \*)? \| (\w+)[^|]* \| (.*) \|$", REFERENCE, re.MULTILINE)
    wanted = []
    for file in CALLABLE:
        by_hand = (triggers(file)["workflow_dispatch"] or {}).get("inputs", {})
        for name, said in triggers(file)["workflow_call"].get("inputs", {}).items():
            star = "" if name in by_hand else " *"
            wanted.append((file.name, name, star, said["type"], said["description"]))
    assert there == wanted


def test_the_reference_has_every_secret_as_the_workflows_describe_it() -> None:
    _, _, tables = REFERENCE.partition("| secret | meaning |")
    there = re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", tables, re.MULTILINE)
    told = [secret for file in CALLABLE for secret in triggers(file)["workflow_call"]["secrets"].items()]
    assert set(there) == {(name, said["description"]) for name, said in told}
    assert len(there) == len(set(there))


@each_workflow
def test_no_workflow_hands_on_all_secrets(file: Path) -> None:
    assert "inherit" not in file.read_text()


@each_callable
def test_groups_of_runs_do_not_meet_those_of_the_callers_own_workflows(file: Path) -> None:
    group = yaml.safe_load(file.read_text())["concurrency"]["group"]
    assert group.startswith(f"gh-backfill-{file.stem}")
    assert "github.workflow" not in file.read_text()


@each_workflow
def test_a_checkout_leaves_no_credentials_behind(file: Path) -> None:
    checkouts = [step for step in steps(file) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@pytest.fixture(scope="module")
def progressive(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ActRun]:
    """Run the progressive workflow with a stand-in for the package that plans the given repositories."""
    checkout = copy_checkout(tmp_path_factory.mktemp("workflow") / "checkout")
    shutil.rmtree(checkout / "gh_backfill")
    shutil.copytree(STUBS / "gh_backfill", checkout / "gh_backfill")
    commit(checkout)

    def run(*plan: str, event: str = "workflow_dispatch", **inputs: str) -> ActRun:
        secrets = {"DATABASE_URL": "postgresql://secret", "GITHUB_TOKEN": "own-token"}
        env = {"STAND_IN_PLAN": " ".join(plan)}
        return run_workflow(
            checkout, "progressive-backfill.yml", event=event, inputs=inputs, env=env, secrets=secrets, timeout=300
        )

    return run


def told(run: ActRun, job: str) -> dict[str, Any]:
    """Return what the stand-in says that it was called with; in a job of several, that of the last command."""
    *_, line = re.findall(r"^stand-in (.*)$", run.logs[job], re.MULTILINE)
    said: dict[str, Any] = json.loads(line)
    return said


def given(run: ActRun, job: str) -> dict[str, str]:
    """Return the command of a job and the options, by their variable's name, that it was given a value for."""
    said = told(run, job)
    options = {key.removeprefix("GH_BACKFILL_"): value for key, value in said.items() if key.startswith("GH_BACKFILL_")}
    return {"command": " ".join(said["command"]), **{key: value for key, value in options.items() if value}}


# What messages call the tokens, where the secret BACKFILL_TOKEN is not set.
NAMES = {"TOKEN_NAME": "GITHUB_TOKEN", "TOKENS_NAME": "the secret BACKFILL_TOKENS"}


def secrets_of(run: ActRun, job: str) -> list[str]:
    return sorted(key for key, value in told(run, job).items() if value == "***")


def test_a_scheduled_run_without_anything_to_do_is_green_and_gives_no_options(
    progressive: Callable[..., ActRun],
) -> None:
    run = progressive(event="schedule")
    assert run.jobs == {"plan": "success", "report": "success"}, run.text
    assert run.exit_code == 0
    assert given(run, "plan") == {"command": "plan", "TRACK": "true", **NAMES}
    assert secrets_of(run, "plan") == ["DATABASE_URL", "GITHUB_TOKEN"]
    assert secrets_of(run, "report") == ["DATABASE_URL", "GITHUB_TOKEN"]


def test_each_planned_repository_has_a_job_and_one_that_fails_stops_no_other(
    progressive: Callable[..., ActRun],
) -> None:
    run = progressive("octocat/one", "octocat/broken", "octocat/three", event="schedule")
    assert run.jobs == {
        "plan": "success",
        "capture octocat/one": "success",
        "capture octocat/broken": "failure",
        "capture octocat/three": "success",
        "report": "success",
    }, run.text
    assert run.exit_code == 1
    assert given(run, "capture octocat/one") == {
        "command": "capture",
        "REPOSITORY_ID": "id of octocat/one",
        "TIME_LIMIT": "12",
        **NAMES,
    }
    assert run.summaries["report"] == "# verify was here\n# report was here\n"


def test_what_a_person_asks_for_reaches_the_commands(progressive: Callable[..., ActRun]) -> None:
    ids = '["octocat/one", 7]'
    run = progressive(
        "octocat/one",
        repository_ids=ids,
        repository_id="x'; exit 9; '",
        chunk_size="25",
        max_chunks="3",
        dry_run="true",
    )
    limits = {"CHUNK_SIZE": "25", "MAX_CHUNKS": "3", "DRY_RUN": "true"}
    assert given(run, "plan") == {
        "command": "plan",
        "REPOSITORY_IDS": ids,
        "REPOSITORY_ID": "x'; exit 9; '",
        "TRACK": "true",
        **limits,
        **NAMES,
    }, run.text
    assert given(run, "capture octocat/one") == {
        "command": "capture",
        "REPOSITORY_ID": "id of octocat/one",
        "TIME_LIMIT": "50",
        **limits,
        **NAMES,
    }
    assert "own-token" not in run.text
    assert "postgresql://secret" not in run.text
