"""Workflow files that another repository needs to run this tool in GitHub Actions: each calls one of ours.

A schedule begins at minutes that the name of the repository draws: installations do not all start at the full hour,
where GitHub delays runs and drops some, and a repository gets the same minutes each time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from gh_backfill import resources
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy import names

WORKFLOWS = ".github/workflows"
CLOCK = "gh-backfill-clock.sql"
_TEMPLATES = "installation"
_BACKFILL, _DISPATCH, _WORKER = "gh-backfill.yml", "dispatch.yml", "historical-pr-sync-graphql.yml"
# What the templates say instead: they are workflow files themselves, which linters and editors understand.
_TOOL, _VERSION = "OWNER/gh_backfill", "@VERSION"
_A_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_SCHEDULE = re.compile(r"  schedule:\n(?:    .*\n)+")
# The odd minutes of half an hour, but for the quarter, at which clocks of others begin as well.
_OF_HALF_AN_HOUR = [minute for minute in range(1, 30, 2) if minute != 15]
_BY_NIGHT = range(2, 6)


class Trigger(StrEnum):
    """What starts an installation: GitHub's schedule, the clock of its database, or events of Inngest."""

    SCHEDULE = "schedule"
    PG_CRON = "pg_cron"
    INNGEST = "inngest"


# Without a schedule nothing disables a workflow after 60 quiet days.  What sends events to Inngest keeps it.
_STARTED_OTHERWISE: Mapping[Trigger, Collection[str]] = {
    Trigger.SCHEDULE: (),
    Trigger.PG_CRON: (_BACKFILL, _DISPATCH),
    Trigger.INNGEST: (_BACKFILL,),
}


def installation(
    *,
    tool: str,
    version: str,
    repository: str,
    trigger: Trigger = Trigger.SCHEDULE,
    whole: bool = False,
    branch: str = "main",
) -> Mapping[str, str]:
    """Return the files, by their path in `repository`, that run `tool` (owner/name) of a version (a tag or a commit).

    One file is enough for a schedule; a `whole` one also syncs, proves, aggregates and publishes.  With `pg_cron`
    there is a script for the database, which starts a workflow on `branch`.  Raises ConfigurationError for what is
    neither a name nor a version.
    """
    for name in (tool, repository):
        if names.parse(name) is None:
            raise ConfigurationError(f"{name} is no repository: say owner/name")
    if not _A_VERSION.fullmatch(version):
        raise ConfigurationError(f"{version} is no version: say a tag, such as v1.2.3, or a commit")
    files = {
        f"{WORKFLOWS}/{file}": _workflow(file, tool, version, repository, trigger) for file in _files(trigger, whole)
    }
    if trigger is Trigger.PG_CRON:
        files[CLOCK] = _clock(repository, branch)
    return files


def file_names() -> Sequence[str]:
    """Return the names of all workflow files that an installation may have."""
    return [f"{name}.yml" for name in resources.names(_TEMPLATES, "yml")]


def _files(trigger: Trigger, whole: bool) -> Sequence[str]:
    if whole:
        return file_names()
    return [_BACKFILL] if trigger is Trigger.SCHEDULE else [_DISPATCH, _BACKFILL, _WORKER]


def _workflow(file: str, tool: str, version: str, repository: str, trigger: Trigger) -> str:
    text = resources.text(f"{_TEMPLATES}/{file}")
    if file in _STARTED_OTHERWISE[trigger]:
        text = _SCHEDULE.sub("", text)
    for word, cron in _crons(repository, file).items():
        text = text.replace(f"'{word}'", f"'{cron}'")
    return text.replace(_TOOL, tool).replace(_VERSION, f"@{version}")


def _clock(repository: str, branch: str) -> str:
    text = resources.text(f"{_TEMPLATES}/clock.sql")
    cron = _crons(repository, _DISPATCH)["QUARTER_HOURLY"]
    said = {"'CRON'": f"'{cron}'", "REPOSITORY": repository, "STARTED": _DISPATCH, "BRANCH": branch}
    for word, value in said.items():
        text = text.replace(word, value)
    return text


def _crons(repository: str, file: str) -> Mapping[str, str]:
    """Return the times of each rhythm, for one file of a repository.  Files differ, so that they do not meet."""
    drawn = int.from_bytes(hashlib.sha256(f"{repository.lower()} {file}".encode()).digest())
    minute = _OF_HALF_AN_HOUR[drawn % len(_OF_HALF_AN_HOUR)]
    hour = _BY_NIGHT[drawn // 60 % len(_BY_NIGHT)]
    quarters = ",".join(str(minute % 15 + later) for later in range(0, 60, 15))
    return {
        "QUARTER_HOURLY": f"{quarters} * * * *",
        "HALF_HOURLY": f"{minute},{minute + 30} * * * *",
        "HOURLY": f"{minute + drawn // 7 % 2 * 30} * * * *",
        "NIGHTLY": f"{minute} {hour} * * *",
    }
