"""The checklist at the end of an aggressive backfill: the guide's eight lines by name, each held against what is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.work import PULL_REQUESTS, words_of
from gh_backfill.policy.aggressive.steps import AggressiveStep
from gh_backfill.policy.markdown import counted

ISSUES = "issues"
DATA = "Repository data appears in app"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckLine:
    """A line of the checklist: it holds, does not, or nobody asked for what it is about (None)."""

    name: str
    holds: bool | None
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KindFacts:
    """How items of a kind stand: so many rows are here of the time range that was read.

    `told` is how many GitHub counts, of a time range its search (None: it did not say).  `known` are those that can't
    be here: gaps, and what is in quarantine.  `since` begins the time range of the walk, which is `over` or not.
    """

    kind: str
    here: int
    known: int
    told: int | None
    since: datetime | None
    over: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChecklistFacts:
    """All that the lines are held against.  Counts are rows; an error is told by how many there were, and the last one.

    `asked` are the kinds that were asked for.  `people` are the accounts that occur, of which `profiles` are known
    (None: nobody asked for them).
    """

    steps: frozenset[AggressiveStep]
    asked: frozenset[str]
    tracked: bool
    kinds: Mapping[str, KindFacts]
    people: int
    unnamed: int
    profiles: int | None
    embeddings: Sequence[tuple[str, int, int, int]]
    embeddings_off: str | None
    workspaces: int
    stale: int
    inngest_errors: tuple[int, str | None]
    database_errors: tuple[int, str | None]


def lines(facts: ChecklistFacts) -> tuple[CheckLine, ...]:
    """Return the guide's eight lines in its order."""
    return (
        _data(facts),
        _count("PR count matches GitHub", facts, PULL_REQUESTS),
        _count("Issue count matches GitHub", facts, ISSUES),
        _people(facts),
        _embeddings(facts),
        _workspace(facts),
        _errors("No errors in Inngest logs", facts.inngest_errors, "job of Inngest failed", "jobs of Inngest failed"),
        _errors("No errors in Supabase logs", facts.database_errors, "job failed at it", "jobs failed at it"),
    )


def unheld(checked: Sequence[CheckLine]) -> list[CheckLine]:
    """Return the lines that do not hold."""
    return [each for each in checked if each.holds is False]


def _data(facts: ChecklistFacts) -> CheckLine:
    """Check that it is tracked, and the kinds that have no line of their own."""
    read = AggressiveStep.SYNC in facts.steps
    rows, lacking = [], 0
    for kind, each in facts.kinds.items():
        lacks = _lacking(each) if read and kind in facts.asked - {PULL_REQUESTS, ISSUES} else 0
        of = f" of {each.told:,}" if lacks else ""
        rows.append(f"{each.here:,}{of} {words_of(kind)}")
        lacking += lacks
    told = ", ".join(rows) or "no rows"
    return CheckLine(
        name=DATA,
        holds=facts.tracked and not lacking if read else None,
        detail=f"it is {'' if facts.tracked else 'not '}tracked; {told}",
    )


def _lacking(found: KindFacts) -> int:
    """Return how many GitHub counts that are neither here nor known; none of a time range, which it does not count."""
    if found.since is not None or found.told is None:
        return 0
    return max(0, found.told - found.here - found.known)


def _count(name: str, facts: ChecklistFacts, kind: str) -> CheckLine:
    found = facts.kinds.get(kind)
    if AggressiveStep.SYNC not in facts.steps or kind not in facts.asked or found is None:
        return CheckLine(name=name, holds=None, detail="not asked for")
    if not found.over and found.since is None:
        told = f"{found.here:,} are here, and its history is not read to the end"
        return CheckLine(name=name, holds=False, detail=told)
    if found.since is not None:
        return _of_range(name, found, found.since)
    if found.told is None:
        told = f"{found.here:,} are here; GitHub did not say how many there are"
        return CheckLine(name=name, holds=False, detail=told)
    lacking = found.told - found.here - found.known
    told = f"{found.here:,} of {found.told:,}"
    if found.known and found.here < found.told:
        told += f", {min(found.known, found.told - found.here):,} of them known and not to be had"
    if lacking > 0:
        told += f": {lacking:,} {'is' if lacking == 1 else 'are'} missing"
    if found.here > found.told:
        told += ": more than GitHub counts; gh-backfill verify --repair says which are gone there"
    return CheckLine(name=name, holds=lacking <= 0 and found.here <= found.told, detail=told)


def _of_range(name: str, found: KindFacts, since: datetime) -> CheckLine:
    """Hold a time range against GitHub's search, which may lag behind: only more there proves something."""
    told = f"{found.here:,} created since {since:%Y-%m-%d}: the list was read down to there"
    lacking = 0 if found.told is None else found.told - found.here - found.known
    if found.told is None:
        told += "; GitHub's search did not say how many there are"
    elif lacking > 0:
        told = f"{found.here:,} of {found.told:,} created since {since:%Y-%m-%d}, as GitHub's search counts: "
        told += f"{lacking:,} {'is' if lacking == 1 else 'are'} missing"
    else:
        told += f", and GitHub's search counts {found.told:,}"
    return CheckLine(name=name, holds=lacking <= 0, detail=told)


def _people(facts: ChecklistFacts) -> CheckLine:
    name = "Contributors list is complete"
    if AggressiveStep.SYNC not in facts.steps:
        return CheckLine(name=name, holds=None, detail="not asked for")
    if facts.unnamed:
        return CheckLine(name=name, holds=False, detail=f"{counted(facts.unnamed, 'item')} without its author")
    if facts.profiles is None:
        return CheckLine(name=name, holds=True, detail=f"{counted(facts.people, 'contributor')}")
    return CheckLine(
        name=name,
        holds=facts.profiles >= facts.people,
        detail=f"{counted(facts.people, 'contributor')}, {facts.profiles:,} with a profile",
    )


def _embeddings(facts: ChecklistFacts) -> CheckLine:
    name = "Embeddings are generated (check SQL query)"
    if AggressiveStep.EMBEDDINGS not in facts.steps:
        return CheckLine(name=name, holds=None, detail="left out, as asked")
    if facts.embeddings_off is not None:
        return CheckLine(name=name, holds=None, detail=facts.embeddings_off)
    lacking = sum(total - done - aside for _, total, done, aside in facts.embeddings)
    told = [
        f"{done:,} of {total:,} {words_of(kind)}" + (f" ({aside:,} set aside)" if aside else "")
        for kind, total, done, aside in facts.embeddings
        if total
    ]
    return CheckLine(name=name, holds=lacking <= 0, detail=", ".join(told) or "nothing to embed")


def _workspace(facts: ChecklistFacts) -> CheckLine:
    name = "Workspace metrics are updated"
    if AggressiveStep.WORKSPACE not in facts.steps:
        return CheckLine(name=name, holds=None, detail="left out, as asked")
    if not facts.workspaces:
        return CheckLine(name=name, holds=None, detail="it is in no workspace")
    fresh = facts.workspaces - facts.stale
    told = f"{fresh:,} of {counted(facts.workspaces, 'workspace')}"
    return CheckLine(name=name, holds=not facts.stale, detail=told)


def _errors(name: str, found: tuple[int, str | None], one: str, many: str) -> CheckLine:
    times, last = found
    told = f"{times:,} {one if times == 1 else many}: {last or 'without a word'}" if times else "none"
    return CheckLine(name=name, holds=not times, detail=told)
