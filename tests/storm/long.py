"""The long storm: `python -m tests.storm.long --kills 200 --seed 1` from the root of a checkout.

At least ten thousand made-up pull requests, the issues between them and discussions, and the corpus where it is at
hand; two rivals on every repository; one request in ten struck by a fault, each kind in turn; workers killed, frozen,
cut off; the world moving all the while.  Bounded by `--minutes`.  Ends with exit code 1 if anything is wrong, after
saying what.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gh_backfill.simulator import changes
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.simulator.world import World
from gh_backfill.store.embedded import embedded
from tests.conftest import SHARED, Server, hasten
from tests.storm import weather
from tests.storm.fates import random_fates
from tests.storm.judge import Judgement
from tests.storm.storm import Plan, Storm, Tally

MADE_UP = "octo/storm"
CORPUS = SHARED / "corpus"
_COLLISIONS = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the command line asks for."""

    kills: int
    seed: int
    pulls: int
    page: int
    minutes: float
    corpus: bool
    moving: bool
    existing: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a storm and print its figures; returns the exit code."""
    asked = _asked(arguments)
    print(f"seed {asked.seed}: {asked.kills} kills are to come", flush=True)
    world = _world(asked)
    names = tuple(home.full_name for home in world.repositories.values() if len(world.shelves[home.id]))
    plan = Plan(
        names=names,
        fates=random_fates(asked.seed, asked.kills),
        faults=weather.faults(asked.seed, rounds=5),
        seed=asked.seed,
        page=asked.page,
        side_by_side=2,
        longest=asked.minutes * 60,
        move_every=0.5 if asked.moving else None,
    )
    with (
        tempfile.TemporaryDirectory(prefix="gh_backfill-storm-") as folder,
        _database(Path(folder), existing=asked.existing) as url,
        running(world, Options(window=8.0, graphql_limit=1_000_000)) as github,
    ):
        storm = Storm(
            database_url=url, github=github, plan=plan, folder=Path(folder), say=lambda text: print(text, flush=True)
        )
        judgement = storm.run()
    _show(asked, storm.tally, judgement)
    short = storm.tally.kills < asked.kills
    return 1 if judgement.wrong or storm.tally.unexpected or short else 0


def _asked(arguments: Sequence[str] | None) -> Asked:
    parser = argparse.ArgumentParser(prog="python -m tests.storm.long", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pulls", type=int, default=10_000, help="made-up pull requests")
    parser.add_argument("--page", type=int, default=20, help="the ceiling of a page: small pages make a long walk")
    parser.add_argument("--minutes", type=float, default=15.0, help="how long it may storm before workers finish")
    parser.add_argument("--no-corpus", dest="corpus", action="store_false", help="made-up pull requests alone")
    parser.add_argument("--still", dest="moving", action="store_false", help="the world does not move")
    parser.add_argument("--existing", action="store_true", help="into the host application's database")
    return Asked(**vars(parser.parse_args(arguments)))


def _world(asked: Asked) -> World:
    folders = [CORPUS] if asked.corpus and CORPUS.is_dir() else []
    world = load(folders, [f"{MADE_UP}:{asked.pulls}:{asked.seed}:discussions={asked.pulls // 20}"])
    home = next(each for each in world.repositories.values() if each.full_name == MADE_UP)
    both = (
        outline.number for outline in world.shelves[home.id].outlines() if _has_both(world, home.id, outline.number)
    )
    for _, number in zip(range(_COLLISIONS), both, strict=False):
        changes.collide_comments(world, MADE_UP, number)
    return world


def _has_both(world: World, repository_id: int, number: int) -> bool:
    pull = world.pull(repository_id, number)
    return bool(pull and pull.comments and pull.review_comments)


@contextmanager
def _database(folder: Path, *, existing: bool) -> Iterator[str]:
    with embedded(folder / "data") as url:
        hasten(url)
        server = Server(url=url)
        yield server.url_of(server.make(server.existing_migrated("default") if existing else server.migrated()))


def _show(asked: Asked, tally: Tally, judgement: Judgement) -> None:
    print(f"seed {asked.seed}: {tally.kills} kills, {tally.faults}, {len(tally.lives)} workers")
    for (deed, point), count in sorted(tally.deeds.items()):
        print(f"  {count:5} {deed}: {point}")
    print(f"  {tally.taken_over:5} frozen workers woke after their chunk had been taken over")
    print(f"  {tally.stirred:5} times everything was done and the world was stirred")
    print("faults: " + ", ".join(f"{name} {tally.struck.get(name, 0)}" for name in EFFECTS))
    at_issues = sum(count for operation, count in tally.struck_at.items() if operation.startswith("Issue"))
    at_discussions = sum(count for operation, count in tally.struck_at.items() if "Discussion" in operation)
    print(
        f"queries of issues struck: {at_issues}, of discussions: {at_discussions}; "
        "chunks of issues beside another worker's pull requests: "
        f"{judgement.at_once}"
    )
    print("moves: " + (", ".join(f"{name} {count}" for name, count in sorted(tally.moves.items())) or "none"))
    print("exit codes: " + ", ".join(f"{code} ({count})" for code, count in sorted(tally.exits.items())))
    ends = Counter(life.partition(", exit ")[2] for life in tally.lives if ", exit 3:" in life or ", exit 4:" in life)
    for words, count in ends.most_common(10):
        print(f"  {count:5} exit {words}")
    print("rows compared: " + ", ".join(f"{name} {count}" for name, count in judgement.compared.items()))
    print("excused: " + (", ".join(f"{count} {why}" for why, count in judgement.excused.items()) or "nothing"))
    for words in tally.unexpected[:10]:
        print(f"UNEXPECTED {words}")
    for line in judgement.wrong[:50]:
        print(f"WRONG {line}")
    print(f"{len(judgement.wrong)} wrong, {len(tally.unexpected)} unexpected ends")


if __name__ == "__main__":
    sys.exit(main())
