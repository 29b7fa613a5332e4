"""The faults and the changes of the world that blow while the workers are at it.  All of it follows from the seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gh_backfill.simulator import changes
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.world import World

# What a fault's size means differs; these keep the waits short and the pages small.
_SIZES = {"secondary_a": 1.0, "secondary_b": 1.0, "resource_limits": 5.0}


def faults(seed: int, rounds: int, *, one_in: int = 10) -> list[Fault]:
    """Return faults that strike one request in so many for as long as they are on.

    Every kind comes once in a round; each round has its own order, and after the last one the first comes again.
    """
    luck = random.Random(f"faults:{seed}")  # noqa: S311  (a dice, no secret)
    kinds = sorted(EFFECTS)
    order = [name for _ in range(rounds) for name in luck.sample(kinds, len(kinds))]
    return [
        Fault(
            name=name,
            skip=one_in * number + luck.randrange(one_in),
            every=one_in * len(order),
            seed=number,
            size=_SIZES.get(name),
        )
        for number, name in enumerate(order)
    ]


class Mover:
    """People at work in the simulated world."""

    def __init__(self, world: World, names: tuple[str, ...], seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.deleted: set[int] = set()
        self._world = world
        self._luck = random.Random(f"moves:{seed}")  # noqa: S311  (a dice, no secret)
        self._ids = [home.id for home in world.repositories.values() if home.full_name in names]
        self._over = threading.Event()

    @contextmanager
    def at_work(self, every: float) -> Iterator[None]:
        """Change something every so many seconds until the block ends."""
        thread = threading.Thread(target=self._work, args=(every,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _work(self, every: float) -> None:
        while not self._over.wait(every):
            self.move()

    def move(self) -> None:
        """Change one thing."""
        moves: tuple[tuple[Callable[[str, int], object], int], ...] = (
            (self._open, 4),
            (self._edit, 6),
            (self._comment, 6),
            (self._review, 6),
            (self._close, 3),
            (self._delete, 1),
            (self._rename_person, 1),
            (self._rename_repository, 1),
        )
        (move,) = self._luck.choices([each for each, _ in moves], [weight for _, weight in moves])
        home = self._world.repositories[self._luck.choice(self._ids)]
        outline = self._luck.choice(self._world.shelves[home.id].outlines())
        move(home.full_name, outline.number)
        self.done[move.__name__.strip("_")] += 1

    def _open(self, name: str, number: int) -> None:
        changes.open_pull_request(self._world, name, author="newcomer", title=f"While you were at #{number}")

    def _edit(self, name: str, number: int) -> None:
        changes.edit(self._world, name, number, title=f"Edited {self._luck.randrange(10**6)}")

    def _comment(self, name: str, number: int) -> None:
        changes.comment(self._world, name, number, author="newcomer", body=f"Seen {self._luck.randrange(10**6)}")

    def _review(self, name: str, number: int) -> None:
        changes.review(self._world, name, number, author="reviewer", state="APPROVED", comments=["Why?", "Why not?"])

    def _close(self, name: str, number: int) -> None:
        changes.close(self._world, name, number, merged_by="merger")

    def _delete(self, name: str, number: int) -> None:
        """What had been read before stays stored: its ids are noted."""
        home = next(each for each in self._world.repositories.values() if each.full_name == name)
        pull = self._world.pull(home.id, number)
        assert pull is not None
        below = (*(row.id for row in pull.reviews), *(row.id for row in pull.review_comments))
        self.deleted |= {pull.number, pull.id, *below, *(row.id for row in pull.comments)}
        changes.delete(self._world, name, number)

    def _rename_person(self, name: str, number: int) -> None:
        person = self._luck.choice([each for each in self._world.accounts.values() if each.type == "User"])
        changes.rename_account(self._world, person.login, to=f"{person.login[:30]}-{self.done['rename_person']}")

    def _rename_repository(self, name: str, number: int) -> None:
        first_name = name.partition("/")[2].partition(".")[0]
        changes.rename_repository(self._world, name, name=f"{first_name}.{self.done['rename_repository']}")
