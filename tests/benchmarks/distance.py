"""A database that is far away: round trips of each command, by how many repositories, and what they cost a capture.

Round trips are counted with those that make the connection (two without TLS and password, up to six with both).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from gh_backfill.resources import PACKAGE, sql
from gh_backfill.store.db import Database
from tests.benchmarks.github import GitHub, github
from tests.benchmarks.line import Line
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Cell, Table
from tests.benchmarks.wall import LATENCY, LATENCY_PER_NODE
from tests.benchmarks.worlds import Source

AWAY = 0.06
MANY = (1, 40)
FAR = "bench/far"
PULL_REQUESTS = 350
A_CHUNK = 8
# A text that is shorter before its first parameter tells no statement from others.
SHORTEST = 20
SLOWER = 1.1
ALLOWED = {
    "migrate": 15,
    "migrate again": 15,
    "track": 10,
    "track again": 10,
    "plan": 10,
    "plan by name": 10,
    "plan of the stopped": 10,
    "status": 10,
}


@dataclass(kw_only=True, slots=True)
class Command:
    """One command over a line: the seconds that it took, and what was said on each round trip."""

    seconds: float
    said: list[bytes] = field(default_factory=list)

    @property
    def trips(self) -> int:
        """Return how many round trips it took."""
        return len(self.said)


def distance(rig: Rig) -> list[Table]:
    """Measure the commands for one and for many repositories, and a capture, near and far."""
    return [_commands(rig), *_captures(rig)]


def figures(rig: Rig, many: int) -> dict[str, int]:
    """Return the round trips of each command that plans, looks or prepares, over so many repositories."""
    return {name: command.trips for name, command in _measured(rig, many, 0.0).items()}


def _measured(rig: Rig, many: int, seconds: float) -> dict[str, Command]:
    names = [f"bench/far{number}" for number in range(many)]
    commands = {
        "migrate": ["migrate"],
        "migrate again": ["migrate"],
        "track": ["track", *names],
        "track again": ["track", *names, "--max-prs", "all"],
        "plan": ["plan"],
        "plan by name": ["plan", "--repository-ids", json.dumps(names)],
        "plan of the stopped": ["plan", "--repository-ids", json.dumps(names)],
        "status": ["status"],
    }
    found: dict[str, Command] = {}
    with (
        github(Source(recipes=tuple(f"{name}:3" for name in names))) as server,
        _line(rig, seconds, empty=True) as line,
    ):
        for name, arguments in commands.items():
            if name == "plan of the stopped":
                _stop(line)
            found[name] = _run(rig, line, arguments, server)
    return found


def _stop(line: Line) -> None:
    """Let backfills be paused, failed and completed in turn, so that a plan lets each of them go on in its own way."""
    with Database(line.url) as db, db.transaction() as tx:
        tx.run("""
            update progressive_backfill_state b
            set status = (array['paused', 'failed', 'completed'])[1 + n.number % 3], resume_at = clock_timestamp()
            from (select id, row_number() over (order by id) as number from progressive_backfill_state) n
            where n.id = b.id""")
        tx.run(
            "update backfill_streams s set status = 'completed' from progressive_backfill_state b "
            "where b.id = s.backfill_state_id and b.status = 'completed'"
        )


def _commands(rig: Rig) -> Table:
    near = {many: _measured(rig, many, 0.0) for many in MANY}
    far = _measured(rig, MANY[-1], AWAY)
    trips = {name: [near[many][name].trips for many in MANY] for name in ALLOWED}
    rows: list[tuple[Cell, ...]] = [
        (name, *trips[name], near[MANY[-1]][name].seconds, far[name].seconds) for name in ALLOWED
    ]
    over = [name for name in ALLOWED if max(trips[name]) > ALLOWED[name]]
    return Table(
        section="distance",
        title="round trips to the database, and seconds of a command at 0 and 60 ms",
        columns=("command", *(f"trips over {many}" for many in MANY), "s at 0 ms", "s at 60 ms"),
        rows=tuple(rows),
        missed=tuple(f"{name} takes more than {ALLOWED[name]} round trips" for name in over),
    )


def trips_of_a_chunk(rig: Rig) -> float:
    """Return how many round trips a chunk of a capture takes."""
    with github(Source(recipes=(f"{FAR}:{PULL_REQUESTS}",))) as server, _line(rig, 0.0) as line:
        rig.run(["track", FAR, "--max-prs", "all"], line.url, server)
        return _chunks(_run(rig, line, ["capture", FAR], server).said)[1]


def _chunks(said: Sequence[bytes]) -> tuple[int, float]:
    """Return how many chunks a capture had, and the round trips of each: from the first claim to the last commit."""
    claims = [at for at, each in enumerate(said) if b"insert into backfill_chunks" in each]
    commits = [at for at, each in enumerate(said) if b"update backfill_chunks\nset status = 'completed'" in each]
    return len(commits), (commits[-1] - claims[0] + 1) / len(commits)


def _captures(rig: Rig) -> Iterator[Table]:
    taken = {}
    recipe = Source(recipes=(f"{FAR}:{PULL_REQUESTS}",))
    for seconds in (0.0, AWAY):
        with (
            github(recipe, latency=LATENCY, latency_per_node=LATENCY_PER_NODE) as server,
            _line(rig, seconds) as line,
        ):
            rig.run(["track", FAR, "--max-prs", "all"], line.url, server)
            taken[seconds] = _run(rig, line, ["capture", FAR], server)
    near, far = taken[0.0], taken[AWAY]
    chunks, a_chunk = _chunks(near.said)
    ratio = far.seconds / near.seconds
    yield Table(
        section="distant_capture",
        title=f"a capture of {PULL_REQUESTS} pull requests; trips a chunk: from the first claim to the last commit",
        columns=("trips", "chunks", "trips a chunk", "s at 0 ms", "s at 60 ms", "ratio"),
        rows=((near.trips, chunks, a_chunk, near.seconds, far.seconds, ratio),),
        missed=tuple(
            f"{what} {figure:.2f} is more than {most}"
            for what, figure, most in (("trips a chunk", a_chunk, A_CHUNK), ("the ratio", ratio, SLOWER))
            if figure > most
        ),
    )
    counted = Counter(statements(said) for said in near.said)
    yield Table(
        section="distant_trips",
        title="what each round trip of the capture carries",
        columns=("statements", "times"),
        rows=tuple(counted.most_common()),
    )


def statements(said: bytes) -> str:
    """Name the statements of a message, by their text in `store/sql/` up to the first parameter."""
    text = said.decode(errors="replace")
    found = sorted((text.find(begin), len(begin), name) for begin, name in _beginnings() if begin in text)
    names = list({place: name for place, _, name in found}.values())  # of two that begin alike the longer one
    ends = re.search(r"\b(commit|rollback)\s*\0?$", text.strip("\0"))
    return (
        " + ".join([*(["begin"] if "begin;" in text[:20] else []), *names, *([ends[1]] if ends else [])]) or "connect"
    )


def _beginnings() -> Iterator[tuple[str, str]]:
    for path in sorted((PACKAGE / "store" / "sql").glob("*.sql")):
        for name, text in sql(path.stem).items():
            beginning = text.partition("%")[0][:400]
            if len(beginning) > SHORTEST:
                yield beginning, f"{path.stem}.{name}"


def _run(rig: Rig, line: Line, arguments: Sequence[str], server: GitHub) -> Command:
    line.forget()
    usage = rig.run(arguments, line.url, server, settings={"GH_BACKFILL_PLAN_LIMIT": str(MANY[-1])})
    return Command(seconds=usage.wall, said=line.forget().said)


@contextmanager
def _line(rig: Rig, seconds: float, *, empty: bool = False) -> Iterator[Line]:
    database = rig.server.url_of(rig.server.make()) if empty else rig.database()
    with Line(database, seconds=seconds) as line:
        yield line
    rig.drop(database)
