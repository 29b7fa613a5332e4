"""The commands velocity and coverage, as processes: tables, JSON, notes about what is not known, and wrong input."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill.policy.velocity import trend
from gh_backfill.store import events
from gh_backfill.store.db import Database
from tests.test_cli import ROOT, cli, refused
from tests.velocity_by_hand import DAY, Plain, Span, Told, figures
from tests.velocity_rows import at, store

NOW = datetime.now(UTC).timestamp()
TODAY = int(NOW // DAY)


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url}


def known(days: int = 90) -> Plain:
    """Return a repository of which each day is known: more stars each week, a fork every third day."""
    told = [
        Told("WatchEvent", f"u{back}-{n}", back * 100 + n, (TODAY - back) * DAY + n)
        for back in range(1, days + 1)
        for n in range(1 + (days - back) // 7)
    ]
    told += [Told("ForkEvent", f"f{back}/kit", back, (TODAY - back) * DAY) for back in range(3, days, 3)]
    begins, ends = (TODAY - days) * DAY, TODAY * DAY
    return Plain(told=told, spans=[Span("stars", "stargazers", begins, ends), Span("forks", "forks", begins, ends)])


def on_a_terminal(columns: int, environment: dict[str, str], *arguments: str) -> str:
    """Run a command on a terminal of so many columns, and return what it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    given = environment | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "gh_backfill", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, cwd=given["HOME"])
    os.close(theirs)
    out = b""
    while True:
        try:
            some = os.read(ours, 65536)
        except OSError:  # the terminal is closed when the last who had it has ended
            break
        if not some:
            break
        out += some
    os.close(ours)
    assert process.wait(60) == 0, out.decode()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.decode())


def write(environment: dict[str, str], plain: Plain, name: str, *, is_private: bool = False) -> str:
    with Database(environment["DATABASE_URL"]) as db:
        events.make_months(db, [at((TODAY - back) * DAY) for back in range(-1, 100)])
        with db.transaction() as tx:
            return store(tx, plain, name=name, is_private=is_private)


@pytest.mark.parametrize("command", ["velocity", "coverage"])
def test_each_has_help_with_an_example(environment: dict[str, str], command: str) -> None:
    assert "Example:" in cli(environment, command, "--help").stdout


def test_velocity_shows_what_is_known_and_says_what_is_not_and_what_brings_it(environment: dict[str, str]) -> None:
    write(environment, known(), "kit")
    write(environment, known(41), "young")
    write(environment, Plain(), "none")
    done = cli(environment, "velocity", "octo/kit", "octo/young", "octo/none")
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    assert "octo/kit 11.2 +61.5 % 0.33 0 % ≥11.9" in text
    assert "octo/none – – – – – ··········" in text
    since = at((TODAY - 60) * DAY).date().isoformat()
    assert re.search(
        r"forks: unavailable \(nobody asked for it yet\): \S*gh-backfill events octo/none --since " + since, text
    )
    enough = trend.day_words(at((TODAY + 19) * DAY).date(), at(NOW).date())
    assert re.search(
        rf"insufficient data \(41 of 60 days, enough on {enough}\): \S*gh-backfill events octo/young", text
    )
    assert "(UTC), against the 30 days before; ≥: without what is not captured" in text


def test_the_json_has_the_figures_of_the_script_with_days_source_and_time(environment: dict[str, str]) -> None:
    id_ = write(environment, known(), "kit")
    (found,) = json.loads(cli(environment, "velocity", id_, "--json", "--days", "20").stdout)
    for series in ("stars", "forks"):
        by_hand, own = figures(known(), series, NOW, 20), found[series]
        assert (own["count"], own["per_day"]) == (by_hand.total, pytest.approx(float(by_hand.per_day or 0), abs=1e-4))
        assert (own["days_covered"], own["days_needed"]) == (20, 20)
        assert own["source"] == {"stargazers" if series == "stars" else "forks": 20}
        assert own["trend"]["days_covered"] == own["trend"]["days_needed"] == 40
        assert datetime.fromisoformat(own["as_of"]) == at(TODAY * DAY)
        assert [row[series] for row in found["timeline"]] == [count for _, _, count in by_hand.days]
        percent = by_hand.trend[1] if len(by_hand.trend) > 1 else None
        assert (own["trend"]["outcome"], own["trend"]["percent"]) == (
            by_hand.trend[0],
            pytest.approx(float(str(percent))),
        )
    assert [row["day"] for row in found["timeline"]][-1] == at((TODAY - 1) * DAY).date().isoformat()
    assert found["activity"]["at_least"]
    assert found["activity"]["parts"]["stars"]["count"] == found["stars"]["count"]


def test_coverage_shows_a_strip_for_each_series_and_each_advice_once(environment: dict[str, str]) -> None:
    write(environment, known(41), "young")
    lines = cli(environment, "coverage", "octo/young").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:6]] == ["stars", "forks", "pull", "reviews", "issues"]
    assert lines[1].endswith("45.5 %  " + "·" * 49 + "L" * 41)
    since = at((TODAY - 90) * DAY).date().isoformat()
    (advice,) = [line for line in lines if "events octo/young" in line]
    assert re.fullmatch(
        rf"  stars and forks: 49 days unknown: \S*gh-backfill events octo/young --since {since}", advice
    )
    assert len([line for line in lines if "capture octo/young" in line]) == 2
    (found,) = json.loads(cli(environment, "coverage", "octo/young", "--json").stdout)
    assert (found["needs_backfill"], found["percent"], found["series"]["stars"]["percent"]) == (True, 45.5, 45.5)
    assert found["series"]["forks"]["days"] == [None] * 49 + ["forks"] * 41
    end = at((TODAY - 41) * DAY).date().isoformat()
    assert found["series"]["stars"]["gaps"] == [{"since": since, "until": end}]


@pytest.mark.parametrize("command", ["velocity", "coverage"])
def test_a_table_fits_into_eighty_columns(environment: dict[str, str], command: str) -> None:
    write(environment, known(), "a-repository-with-a-name-that-is-rather-long")
    write(environment, known(2), "kit")
    names = ["octo/a-repository-with-a-name-that-is-rather-long", "octo/kit"]
    lines = on_a_terminal(80, environment, command, *names).splitlines()
    assert max(map(len, lines)) <= 80
    wanted = ["stars/d", "forks/d", "trend", "activity"] if command == "velocity" else ["known", "2 days each"]
    assert [word for word in wanted if word not in lines[0]] == []
    assert command == "velocity" or "W webhooks, D datpipe" in " ".join(" ".join(lines).split())
    assert any(re.match(r"octo/a-\S+…\S+long ", line) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["velocity", "octo/nobody"], "not here: octo/nobody: gh-backfill track brings them"),
        (["coverage", "octo/nobody"], "not here: octo/nobody: gh-backfill track brings them"),
        (["velocity", "octo/kit", "--days", "184"], "--days must be a whole number from 1 to 183, not 184"),
        (["velocity", "octo/kit", "--days", "-1"], "--days must be a whole number from 1 to 183, not -1"),
        (["coverage", "octo/kit", "--days", "many"], "--days must be a whole number from 1 to 366, not many"),
        (["velocity"], "which repositories? Name them, owner/name, or a workspace: --workspace SLUG"),
    ],
)
def test_wrong_input_is_one_line_with_exit_code_2(environment: dict[str, str], arguments: list[str], told: str) -> None:
    write(environment, Plain(), "kit")
    done = cli(environment, *arguments)
    assert told in refused(done, 2).replace(str(ROOT / ".venv/bin/"), "").replace("/gh-backfill", "gh-backfill")
    assert done.stdout == ""


def test_what_is_here_is_shown_and_what_is_not_is_named_with_exit_code_3(environment: dict[str, str]) -> None:
    write(environment, known(), "kit")
    done = cli(environment, "velocity", "octo/kit", "octo/nobody", "octo/KIT")
    assert "octo/nobody" in refused(done, 3)
    assert done.stdout.count("octo/kit") == 1


def test_no_private_name_is_in_the_log_of_a_workflow(environment: dict[str, str]) -> None:
    id_ = write(environment, known(41), "secret", is_private=True)
    for command in ("velocity", "coverage"):
        for arguments in ([id_], ["octo/secret"], [id_, "--json"]):
            done = cli(environment, command, *arguments, GITHUB_ACTIONS="true")
            assert done.returncode == 0, done.stderr
            assert "secret" not in done.stdout + done.stderr
            assert id_ in done.stdout
