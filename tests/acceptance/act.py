"""Running the real workflow files with `act`: no container engine, no internet, nothing written outside a given folder.

    checkout = copy_checkout(tmp_path / "checkout")
    run = run_workflow(checkout, "progressive-backfill.yml", env={"GITHUB_API_URL": url}, secrets={"DATABASE_URL": ...})
    assert run.jobs == {"plan": "success", "capture octocat/hello-world": "success", "report": "success"}

The jobs see the Python of the tests and what is passed here, nothing else of the machine's environment.
"""

from __future__ import annotations

import json
import os
import re
import secrets as random
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STUBS = Path(__file__).parent / "stubs"
PROGRAMS = Path(sys.executable).parent
# Every requirement is here already: nothing is fetched, and the tree of what needs what is not walked in every job.
PIP = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@dataclass(frozen=True, kw_only=True)
class ActRun:
    """What became of a workflow run.  Jobs are named as GitHub shows them; jobs that never started are absent."""

    exit_code: int
    jobs: Mapping[str, str]
    outputs: Mapping[str, Mapping[str, str]]
    summaries: Mapping[str, str]
    errors: Mapping[str, list[str]]
    logs: Mapping[str, str]
    text: str

    @property
    def log(self) -> str:
        """The output of all jobs, one after the other."""
        return "".join(self.logs.values())


def copy_checkout(to: Path, *, installs: bool = False) -> Path:
    """Copy this checkout as it is now, changes included and ignored files left out, into a repository of its own.

    Where it `installs`, pip itself looks at every requirement and its hashes, in each job; else a stand-in says so.
    """
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=ROOT)
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, to / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    if installs:
        _installing(to).touch()
    commit(to)
    return to


def _installing(checkout: Path) -> Path:
    return checkout.with_name(f"{checkout.name}-installs")


def commit(checkout: Path) -> None:
    """Commit everything in a copied checkout; act asks git which commit a run is about."""
    _git("-c", "init.defaultBranch=main", "init", "--quiet", at=checkout)
    _git("add", "--all", at=checkout)
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false")
    _git(*who, "commit", "--quiet", "--message=copy", at=checkout)


def run_workflow(
    checkout: Path,
    workflow: str,
    *,
    event: str = "workflow_dispatch",
    inputs: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    run_id: int | None = None,
    run_attempt: int = 1,
    others: Mapping[str, Path] | None = None,
    timeout: float = 1200,
) -> ActRun:
    """Run one workflow of a copied checkout to its end.

    `env` is set for all steps, above what Actions itself sets (such as GITHUB_API_URL).  A run without `run_id` gets
    one of its own.  `others` are checkouts of what the workflow calls, by owner/name@version.  Raises TimeoutExpired
    after `timeout` seconds; the jobs are stopped then.
    """
    others = others or {}
    home = checkout.with_name(f"{checkout.name}-act")
    home.mkdir(exist_ok=True)
    run = {"GITHUB_RUN_ID": str(run_id or 1 + random.randbelow(10**10)), "GITHUB_RUN_ATTEMPT": str(run_attempt)}
    command = [
        *(str(PROGRAMS / "act"), event, "--workflows", f".github/workflows/{workflow}", "--json"),
        *("--platform", "ubuntu-latest=-self-hosted", "--no-cache-server", "--concurrent-jobs", "5"),
        *_options("local-repository", {**_stand_ins([checkout, *others.values()], others), **_named(others)}),
        *_options("env", {**PIP, **_instead_of_pip(checkout), **run, **_checkouts(checkout, others), **(env or {})}),
        *_options("input", inputs or {}),
        *_options("secret", secrets or {}),
        *_options("var", variables or {}),
    ]
    return _read(*_ended(command, checkout, _environment(home), timeout))


def _instead_of_pip(checkout: Path) -> dict[str, str]:
    """Let Python find the stand-in for pip before pip itself, where nothing is to be installed."""
    return {} if _installing(checkout).exists() else {"PYTHONPATH": str(STUBS / "python")}


def _ended(command: list[str], at: Path, environment: Mapping[str, str], timeout: float) -> tuple[int, str]:
    """Run a command to its end and return its exit code and what it said; leaves no process behind."""
    process = subprocess.Popen(
        command,
        cwd=at,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, said


def _environment(home: Path) -> dict[str, str]:
    """Return the environment of act, which it hands on to the jobs."""
    path = os.pathsep.join([str(PROGRAMS), "/usr/local/bin", "/usr/bin", "/bin"])
    return {
        "PATH": path,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
    }


def source(checkout: Path, name: str) -> Path:
    """Write into the workflows of owner/name@version what GitHub knows and act does not, and return the checkout.

    That is `job.workflow_repository`, `job.workflow_sha`, and whose workflow is meant that a called one names by `./`.
    """
    repository, _, version = name.partition("@")
    for file in (checkout / ".github" / "workflows").glob("*.yml"):
        text = file.read_text().replace("job.workflow_repository", f"'{repository}'")
        text = text.replace("job.workflow_sha", "'a-commit'")
        file.write_text(re.sub(r"uses: \./(\.github/workflows/\S+)", rf"uses: {repository}/\1@{version}", text))
    commit(checkout)
    return checkout


def _named(others: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(path) for name, path in others.items()}


def _checkouts(checkout: Path, others: Mapping[str, Path]) -> dict[str, str]:
    """Tell the stand-in for a checkout which folder each repository is in; the one at hand has any other name."""
    folders = {**{name.partition("@")[0]: path for name, path in others.items()}, "*": checkout}
    return {"CHECKOUTS": " ".join(f"{name}={path}" for name, path in folders.items())}


def _stand_ins(checkouts: Iterable[Path], others: Collection[str]) -> dict[str, str]:
    """Name the local folder for each foreign action that the workflows use."""
    used = {
        match
        for checkout in checkouts
        for file in (checkout / ".github").rglob("*.yml")
        for match in re.findall(r"uses: ([\w.-]+/[\w./-]+@[\w.]+)", file.read_text())
    }
    ours = {name.partition("@")[0] for name in others}
    stand_ins = {}
    for action in sorted(used):
        name = action.partition("@")[0]
        if "/".join(name.split("/")[:2]) in ours:
            continue
        stand_in = STUBS / name.rpartition("/")[2]
        if not stand_in.is_dir():
            raise FileNotFoundError(f"{stand_in} is missing: the workflows use {name}")
        stand_ins[action] = str(stand_in)
    return stand_ins


def _options(name: str, values: Mapping[str, str]) -> list[str]:
    return [part for key, value in values.items() for part in (f"--{name}", f"{key}={value}")]


def _read(exit_code: int, text: str) -> ActRun:
    results: dict[str, tuple[str, str]] = {}
    broken: dict[str, str] = {}
    outputs: dict[str, dict[str, str]] = {}
    summaries: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    logs: dict[str, str] = {}
    for event in _events(text):
        name = " ".join([event["jobID"], *filter(None, [event["matrix"].get("name")])])
        if "jobResult" in event:
            results[name] = event["jobID"], event["jobResult"]
        if event.get("stepResult") == "failure":
            broken[name] = event["jobID"]
        if event.get("command") == "set-output":
            outputs.setdefault(name, {})[event["name"]] = event["arg"]
        if event.get("command") == "error":
            errors.setdefault(name, []).append(event["arg"])
        if event.get("command") == "summary":
            summaries[name] = summaries.get(name, "") + event["content"]
        if event.get("raw_output") or "raw" in event:
            logs[name] = logs.get(name, "") + event.get("raw", event["msg"])
    jobs = {name: _conclusion(name, *result, broken) for name, result in results.items()}
    return ActRun(
        exit_code=exit_code, jobs=jobs, outputs=outputs, summaries=summaries, errors=errors, logs=logs, text=text
    )


def _conclusion(name: str, job: str, result: str, broken: Mapping[str, str]) -> str:
    """Judge one job: act calls all jobs of a matrix failed that end after a failed one, whatever they did."""
    return "success" if name not in broken and job in broken.values() else result


def _events(text: str) -> Iterator[dict[str, Any]]:
    """Yield what act says about jobs; its other lines are about itself."""
    for line in text.splitlines():
        if line.startswith("{"):
            event: dict[str, Any] = json.loads(line)
            if "jobID" in event:
                yield event


def _git(*arguments: str, at: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=at, check=True, stdout=subprocess.PIPE, text=True).stdout
