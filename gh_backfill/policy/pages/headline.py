"""The sentence on top of the monitor: how things are, decided by the state of the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gh_backfill.policy.markdown import counted
from gh_backfill.policy.shown import PageState

# What is complete is called fresh while nothing of it is older than this.
FRESH = timedelta(days=1)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, kw_only=True, slots=True)
class Overall:
    """How many repositories there are in each state, and of those how many `need` a person.

    `points_at` is the earliest time at which a starved one goes on, `stalest` that of which the least fresh of the
    complete ones is.  Not `whole` are those that have what was asked for first, and whose rest follows.
    """

    states: Mapping[PageState, int] = field(default_factory=dict)
    need: int = 0
    points_at: datetime | None = None
    stalest: datetime | None = None
    whole: bool = True

    @property
    def repositories(self) -> int:
        """Return how many there are in all."""
        return sum(self.states.values())

    def of(self, *states: PageState) -> int:
        """Return how many are in one of these states."""
        return sum(self.states.get(state, 0) for state in states)

    @property
    def dropped(self) -> int:
        """Return how many a person stopped for good."""
        return self.of(PageState.CANCELLED, PageState.UNTRACKED)


def headline(world: Overall, now: datetime) -> str:
    """Say in a few words what matters most: what needs somebody, else what runs, else what is waited for."""
    if not world.repositories:
        return "Nothing is tracked yet"
    return next(_sayings(world, now))


def below(world: Overall, now: datetime) -> str:
    """Return the sentence below it, with how many are in which state."""
    if not world.repositories:
        return "Paste names at Add, or run gh-backfill track owner/name: their history comes by itself."
    parts = list(_parts(world, now))
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _sayings(world: Overall, now: datetime) -> Iterator[str]:
    """Yield what may be said, the most urgent first."""
    urgent = (
        (world.need, "repository", "needs you", "need you"),
        (world.of(PageState.RETRYING), "repository", "fails and is tried again", "fail and are tried again"),
        (world.of(PageState.RUNNING), "backfill", "runs", "run"),
    )
    yield from (_said(*each) for each in urgent if each[0])
    if world.of(PageState.STARVED):
        yield "Waiting for points" + (f" until {_clock(world.points_at, now)}" if world.points_at else "")
    if world.of(PageState.COMPLETED) == world.repositories:
        yield _complete(world, now)
    if world.of(PageState.WAITING, PageState.PAUSED):
        yield _said(world.of(PageState.WAITING, PageState.PAUSED), "backfill", "waits its turn", "wait their turn")
    if world.of(PageState.NEVER):
        yield _said(world.of(PageState.NEVER), "repository", "waits for its first run", "wait for their first run")
    if world.of(PageState.HELD):
        yield _said(world.of(PageState.HELD), "repository", "is held by a person", "are held by a person")
    if world.of(PageState.COMPLETED):
        done = f"complete{_and_fresh(world, now)}" if world.whole else "done with what was asked for"
        yield f"All that was not given up is {done}"
    yield "Nothing runs: a person stopped what is here"


def _parts(world: Overall, now: datetime) -> Iterator[str]:
    def part(state: PageState, one: str, many: str) -> Iterator[str]:
        number = world.of(state)
        if number:
            yield f"{number:,} {one if number == 1 else many}"

    yield from part(PageState.FAILED, "failed", "failed")
    yield from part(PageState.RUNNING, "backfill runs", "backfills run")
    yield from part(PageState.RETRYING, "is tried again", "are tried again")
    until = "" if world.points_at is None else f" until {_clock(world.points_at, now)}"
    yield from part(PageState.STARVED, f"waits for points{until}", f"wait for points{until}")
    yield from part(PageState.PAUSED, "is paused", "are paused")
    yield from part(PageState.WAITING, "waits its turn", "wait their turn")
    yield from part(PageState.NEVER, "never ran", "never ran")
    yield from part(PageState.HELD, "is held by a person", "are held by a person")
    complete = world.of(PageState.COMPLETED)
    if complete:
        verb = "is" if complete == 1 else "are"
        done = f"complete{_and_fresh(world, now)}" if world.whole else "done with what was asked for"
        yield f"{counted(complete, 'repository')} {verb} {done}"
    if world.dropped:
        yield f"{world.dropped:,} given up"


def _complete(world: Overall, now: datetime) -> str:
    one = world.repositories == 1
    which = "The repository" if one else f"All {world.repositories:,}"
    if not world.whole:
        return f"{which} {'has' if one else 'have'} what was asked for"
    return f"{which} {'is' if one else 'are'} complete{_and_fresh(world, now)}"


def _said(number: int, thing: str, one: str, many: str) -> str:
    if number == 1:
        return f"One {thing} {one}"
    told = _NUMBERS[number].capitalize() if number < len(_NUMBERS) else f"{number:,}"
    return f"{told} {counted(number, thing).partition(' ')[2]} {many}"


def _and_fresh(world: Overall, now: datetime) -> str:
    return " and fresh" if world.stalest is not None and now - world.stalest <= FRESH else ""


def _clock(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%d %B %H:%M} UTC"
