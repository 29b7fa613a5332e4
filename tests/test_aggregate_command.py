"""The command `aggregate`: what it prints, whom it means, and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill.store.db import Database
from gh_backfill.tasks import workspaces
from tests.aggregation_rows import Odd
from tests.test_cli import cli, refused


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Give a database with two workspaces, one of them private, and no way to GitHub."""
    with Database(database_url) as db:
        with db.transaction() as tx:
            made = Odd(tx, 5, datetime.now(UTC))
            ids = [made.repository(items=10) for _ in range(2)]
            tx.run("update repositories set full_name = 'octo/first', name = 'first' where id = %(id)s", id=ids[0])
        for slug, own, private in (("open-work", ids, False), ("secret-plans", ids[1:], True)):
            workspaces.create(db, slug, name=None, description=None, owner=None, private=private)
            workspaces.add(db, slug, own)
    return {"DATABASE_URL": database_url, "HOME": str(tmp_path)}


def lines(environment: dict[str, str], *arguments: str) -> list[str]:
    done = cli(environment, "aggregate", *arguments)
    assert done.returncode == 0, done.stderr
    return [line.partition(" as of ")[0] for line in done.stdout.splitlines()]


def test_it_computes_what_is_due_says_so_and_then_there_is_nothing(environment: dict[str, str]) -> None:
    meant = ["· open-work: 2 repositories, figures none yet", "· secret-plans: 1 repository, figures none yet"]
    assert lines(environment, "--due", "--dry-run") == [*meant, "dry run: nothing was written"]
    done = ["✓ open-work: 2 repositories, figures", "✓ secret-plans: 1 repository, figures"]
    assert lines(environment, "--due") == done
    assert lines(environment, "--due")[0].startswith("nothing to aggregate: 2 workspaces as new as what is stored")
    assert lines(environment) == done


def test_where_nothing_is_aggregated_it_says_why_and_what_would_bring_something(
    environment: dict[str, str], database_url: str
) -> None:
    (told,) = lines(environment, "open-work", "--repository", "octo/first")
    assert told.startswith("✓ open-work")
    with Database(database_url) as db:
        workspaces.remove(db, "open-work", [each for each in workspaces.known(db, ["octo/first"]).values() if each])
    (told,) = lines(environment, "--repository", "octo/first")
    assert told.startswith("nothing to aggregate: the repository is in no workspace: ")
    assert "workspace add SLUG owner/name" in told
    (told,) = lines(environment, "open-work", "--repository", "octo/first")
    assert told.startswith("nothing to aggregate: the repository is not in what was named: ")
    with Database(database_url) as db:
        for slug in ("open-work", "secret-plans"):
            workspaces.delete(db, slug)
    (told,) = lines(environment)
    assert told.startswith("nothing to aggregate: there is no workspace yet: ")
    assert told.endswith("workspace create SLUG")


def test_it_takes_workspaces_by_their_names_or_by_a_repository_and_prints_json(environment: dict[str, str]) -> None:
    assert lines(environment, "SECRET-plans") == ["✓ secret-plans: 1 repository, figures"]
    told = json.loads(cli(environment, "aggregate", "--repository", "octo/first", "--json").stdout)
    assert [(each["slug"], each["status"], each["repositories"], each["error"]) for each in told] == [
        ("open-work", "done", 2, None)
    ]
    assert datetime.fromisoformat(told[0]["computed_at"]).utcoffset() is not None
    assert "there is no workspace nobodys" in refused(cli(environment, "aggregate", "nobodys"), 2)
    assert "not here: octo/stranger" in refused(cli(environment, "aggregate", "--repository", "octo/stranger"), 2)


def test_in_actions_a_private_workspace_is_named_by_its_id_and_empty_inputs_are_not_given(
    environment: dict[str, str],
) -> None:
    inputs = {"GH_BACKFILL_WORKSPACE": "", "GH_BACKFILL_REPOSITORY_ID": "", "GH_BACKFILL_ALL_DUE": "true"}
    done = cli({**environment, **inputs, "GITHUB_ACTIONS": "true"}, "aggregate")
    assert (done.returncode, "open-work" in done.stdout, "secret-plans" in done.stdout) == (0, True, False), done.stderr
    given = {"GH_BACKFILL_WORKSPACE": "open-work secret-plans", "GH_BACKFILL_ALL_DUE": "false"}
    assert len(lines({**environment, **given})) == 2


def test_what_fails_of_one_workspace_stops_no_other_and_is_named(environment: dict[str, str]) -> None:
    with Database(environment["DATABASE_URL"]) as db, db.transaction() as tx:
        tx.run(
            "create function refuse() returns trigger language plpgsql as $$ begin "
            "if new.workspace_id = (select id from workspaces where slug = 'open-work') then "
            "raise exception 'no room'; end if; return new; end $$; "
            "create trigger refuse before insert on workspace_metrics for each row execute function refuse()"
        )
    done = cli(environment, "aggregate")
    assert "1 of 2 could not be aggregated: open-work" in refused(done, 3)
    assert "✓ secret-plans" in done.stdout
