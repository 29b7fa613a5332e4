"""README and reference are true: their tables list what the program has, and nothing else, and the guide's SQL runs."""

from __future__ import annotations

import re

import pytest
import yaml
from typer.main import get_command

from gh_backfill import settings
from gh_backfill.cli import app
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.lifecycle import CANCELLED, BackfillStatus, ChunkStatus, JobStatus
from gh_backfill.policy.report.alerts import OPENS_ISSUE, AlertKind
from gh_backfill.required import require
from gh_backfill.store.db import Database
from gh_backfill.tasks.check_settings import settings_findings
from tests.examples import REPOSITORY, tracked
from tests.test_commands_in_texts import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
OF_THE_GUIDE = {
    *("SUPABASE_URL", "VITE_SUPABASE_URL", "VITE_SUPABASE_ANON_KEY"),
    *("SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY"),
}


def table(title: str, text: str = REFERENCE) -> dict[str, str]:
    """Return the table whose first column has this title: the other cells of a row by its first."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"| {title} | "))
    rows = {}
    for line in lines[begin + 2 :]:
        if not line.startswith("| "):
            break
        name, _, rest = line.strip("| ").partition(" | ")
        rows[name] = rest
    return rows


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_the_table_of_settings_lists_every_name_once_and_no_other() -> None:
    listed = [name for row in table("setting") for name in quoted(row)]
    assert sorted(listed) == sorted(settings.names() | OF_THE_GUIDE)


def test_the_list_of_commands_has_every_command_once_and_no_other() -> None:
    (block,) = re.findall(r"^```\n(gh-backfill .*?)^```", REFERENCE, re.MULTILINE | re.DOTALL)
    commands = getattr(get_command(app), "commands")  # noqa: B009  (not every command has some)
    assert sorted(re.findall(r"^gh-backfill ([\w-]+)", block, re.MULTILINE)) == sorted(commands)


def test_what_readme_shows_first_exists() -> None:
    commands = getattr(get_command(app), "commands")  # noqa: B009
    (block,) = re.findall(r"^```\n(gh-backfill .*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^gh-backfill ([\w-]+)", block, re.MULTILINE)) <= set(commands)
    shown = {name for row in table("first needed", TEXT) for name in quoted(row)}
    assert shown <= settings.names()


def test_each_status_is_explained() -> None:
    assert list(table("status")) == ["no backfill", *BackfillStatus, CANCELLED]
    (sentence,) = re.findall(r"^A chunk is (.*?)\.\n\n", REFERENCE, re.MULTILINE | re.DOTALL)
    of_chunks, of_jobs = sentence.split("; a job ")
    assert [word for word in ChunkStatus if word not in of_chunks] == []
    assert [word for word in JobStatus if word not in of_jobs] == []


def test_the_inputs_of_the_workflow_are_listed() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/progressive-backfill.yml").read_text(encoding="utf-8"))
    inputs = workflow[True]["workflow_dispatch"]["inputs"]  # YAML takes `on` for true
    assert [quoted(row) for row in table("input", TEXT)] == [[name] for name in inputs]


@pytest.mark.parametrize("name", sorted(OF_THE_GUIDE))
def test_check_says_what_a_name_of_the_guide_is_for_here(name: str) -> None:
    environment = settings.load({name: "sEcret-of-the-guide"}, dotenv=None)
    (finding,) = settings_findings(environment)
    assert finding.text.startswith(f"{name}: recognised")
    assert ("DATABASE_URL is missing" in finding.text) == ("SUPABASE" in name)
    assert "sEcret" not in finding.text


def test_a_workflow_with_the_guides_secrets_alone_is_told_which_one_is_missing_and_where_it_is() -> None:
    given = {
        "GITHUB_ACTIONS": "true",
        "SUPABASE_URL": "https://x.supabase.co",
        "SUPABASE_SERVICE_KEY": "sEcret-of-the-guide",
    }
    named = r"DATABASE_URL .*SUPABASE_SERVICE_KEY, SUPABASE_URL do not open .*Connect, pooler"
    with pytest.raises(ConfigurationError, match=named) as refused:
        require(settings.load(given, dotenv=None), database=True)
    assert "sEcret" not in str(refused.value)


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_the_sql_runs_in_our_databases_and_in_existing_installations(kind: str, request: pytest.FixtureRequest) -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)
    active, completion = [statement for statement in block.split(";") if statement.strip()]
    with Database(request.getfixturevalue(kind)) as db, db.transaction() as tx:
        repository = tracked(tx, REPOSITORY).id
        tx.run(
            "insert into progressive_backfill_state (repository_id, total_prs, processed_prs, status) "
            "values (%(id)s, 300, 100, 'active')",
            id=repository,
        )
        (row,) = tx.rows(active)
        assert (row["repository"], row["progress"], row["percentage"]) == ("octo/engine", "100/300", "33.33%")
        (row,) = tx.rows(completion)
        assert (row["captured_prs"], row["total_prs"], row["completion_rate"]) == (0, 300, 0)


def test_it_is_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) < 250


def test_every_alert_is_explained_with_what_to_do_and_whether_it_opens_an_issue() -> None:
    rows = table("alert", (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    assert [name.strip("`") for name in rows] == list(AlertKind)
    assert {name.strip("`") for name, rest in rows.items() if rest.startswith("yes | ")} == OPENS_ISSUE


def test_what_the_guides_name_is_there_by_the_name_that_is_given() -> None:
    for name in re.findall(r"`([\w/]+\.(?:py|yml|sh))`", GUIDE):
        places = (ROOT / name, ROOT / "gh_backfill" / name, ROOT / ".github" / "workflows" / name)
        assert any(place.is_file() for place in places), name
