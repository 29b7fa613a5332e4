"""Register repositories: ask GitHub about them, store what it says, one bad name rejects only itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gh_backfill import hidden
from gh_backfill.clients import lookups
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import ConfigurationError, PartlyFailed, RateLimited, Unreachable
from gh_backfill.models.github import Named, NotFound, Repository, Unknown
from gh_backfill.models.work import PULL_REQUESTS, Goal
from gh_backfill.policy.goals import covers
from gh_backfill.policy.lifecycle import UNTRACKED, BackfillEvent
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.schedule import Priority
from gh_backfill.store import backfill_events, backfills, dues, openings, recovery, repositories
from gh_backfill.store.backfill_events import ITSELF, Actor
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.repositories import Entry
from gh_backfill.tasks import given_names, kept
from gh_backfill.tasks.given_names import NameOf

GoalOf = Callable[[Repository], Goal]
LookUp = Callable[[GraphQL, Sequence[tuple[str, str]]], lookups.Told]


class Result(StrEnum):
    """What became of one name."""

    ADDED = "added"
    KNOWN = "already tracked"
    BEGUN = "already tracked, and its first backfill begins"
    RAISED = "goes on to its larger goal"
    RENAMED = "tracked under its new name"
    DUPLICATE = "named twice"
    MALFORMED = "not of the form owner/name"
    NOT_FOUND = "GitHub has no such repository, or the token may not see it"
    NO_ACCOUNT = "GitHub has no such account"
    UNKNOWN = "GitHub did not say, try again"


# For these a backfill was opened, where one was asked for.
NEWS = frozenset({Result.ADDED, Result.BEGUN, Result.RENAMED, Result.RAISED})
FAILURES = frozenset({Result.MALFORMED, Result.NOT_FOUND, Result.NO_ACCOUNT, Result.UNKNOWN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracked:
    """One name that was given, and what it led to; `reason` is why GitHub did not say, and may when it is `passing`.

    `detail` says of one that was here before what it keeps, and what changes.
    """

    given: str
    result: Result
    repository: Repository | None = None
    repository_id: str | None = None
    reason: str | None = None
    passing: bool = False
    detail: str | None = None

    @property
    def failed(self) -> bool:
        """Say whether this name could not be tracked."""
        return self.result in FAILURES

    @property
    def text(self) -> str:
        """Return what became of the name, in words, and whose name it is where another one was given."""
        name = self.repository.full_name if self.repository else ""
        more = self.reason or (name if name.lower() != self.given.strip().lower() else "")
        text = f"{self.result} ({more})" if more else str(self.result)
        return f"{text}{': ' if self.result is Result.RAISED else ', '}{self.detail}" if self.detail else text


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstBackfill:
    """What is opened of repositories that are tracked: the first backfill of each, to the goal that its size gives.

    `larger` also raises the goals of others to it.  `only_newest` says whether the rest of the history is wanted later;
    None leaves to each what was said before.  An `initial` one is served before all others, and its end is noted.
    """

    goal_of: GoalOf
    larger: bool = False
    only_newest: bool | None = None
    initial: bool = False


def ask(graphql: GraphQL, names: Sequence[str], *, name_of: NameOf, look_up: LookUp | None = None) -> list[Tracked]:
    """Ask GitHub about the named repositories, many in one query; returns what became of each name, in their order.

    Names are compared without regard to case; an address of a repository is taken as its name, and GitHub's numeric id
    is resolved by `name_of`; `look_up` asks for all names.  What fails for one of them is told of that one; raises
    GitHubError where GitHub refuses the credential, or answers nothing at all.
    """
    parsed = {name: given_names.resolve(name, name_of) for name in names}
    wanted = {given_names.key(pair): pair for pair in parsed.values() if isinstance(pair, tuple)}
    answers = dict(zip(wanted, (look_up or named)(graphql, list(wanted.values())), strict=True))
    results: list[Tracked] = []
    seen: set[int] = set()
    for name in names:
        pair = parsed[name]
        results.append(_tracked(name, pair, answers[given_names.key(pair)] if isinstance(pair, tuple) else pair, seen))
    return results


def track(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    *,
    name_of: NameOf = lambda github_id: NotFound(),
    backfill: Goal | None = None,
    actor: Actor = ITSELF,
    larger: bool = False,
) -> list[Tracked]:
    """Track the named repositories; returns what became of each name, in their order.

    With `backfill`, the first backfill of each is opened to that goal, a number of which is all that is ever wanted;
    `larger` also raises the goals of others to it.
    """
    opening = None if backfill is None else lasting(backfill, given=larger or backfill != Goal())
    return register(db, ask(graphql, names, name_of=name_of), opening=opening, actor=actor)


def lasting(goal: Goal, *, given: bool) -> FirstBackfill:
    """Open one goal for all, for good; one that was `given` also raises the goals of others."""
    only_newest = goal != Goal() if given else None
    return FirstBackfill(goal_of=lambda _: goal, larger=given, only_newest=only_newest)


def register(
    db: Database,
    asked: Sequence[Tracked],
    *,
    opening: FirstBackfill | None = None,
    actor: Actor = ITSELF,
    kinds: Sequence[str] | None = None,
    priority: Priority | None = None,
    keep: Callable[[Transaction, Sequence[Tracked]], None] | None = None,
) -> list[Tracked]:
    """Track what GitHub said of repositories; what was untracked goes on where it was.

    `kinds` of items are captured from now on, those beside pull requests from the next plan or capture on, and
    `priority` says how often they are looked at; None leaves what was said before.  `keep` stores in the same
    transaction what became of the names.
    """
    found = list({each.repository.github_id: each.repository for each in asked if each.repository}.values())
    if not found:
        return list(asked)
    with db.transaction() as tx:
        # A goal that is raised is one of a locked backfill, and backfills are locked before any row of data.
        raising = [each.github_id for each in found] if opening is not None and opening.larger else []
        if openings.lock(tx, [], found, github_ids=raising).moved:
            repositories.store(tx, found)
        else:
            repositories.store_as_named(tx, found)
        only_newest = None if opening is None else opening.only_newest
        listed = repositories.track(tx, found, kinds=kinds, only_newest=only_newest, priority=priority)
        entries = {each.github_id: each for each in listed}
        if priority is not None:
            dues.hasten(tx, sorted(each.id for each in listed if each.priority != priority))
        added = sorted(each.id for each in entries.values() if each.added)
        backfill_events.record(tx, BackfillEvent.TRACKED, dict.fromkeys(added), actor)
        recovery.take_back(tx, [each.id for each in entries.values() if each.held_reason == UNTRACKED])
        if kinds is not None and PULL_REQUESTS not in kinds:
            opening = None
        raised = set[str]() if opening is None else _open(tx, found, entries, opening, actor)
        done = [_stored(each, entries, raised, opening, kept.Said(kinds=kinds, priority=priority)) for each in asked]
        if keep is not None:
            keep(tx, done)
    return done


def raise_failures(tracked: Sequence[Tracked]) -> None:
    """Raise what names the failed; what was tracked beside them is done.

    Wrong names alone are a fault of the input; where GitHub did not say, it is to be tried again.
    """
    failed = [each for each in tracked if each.failed]
    names = ", ".join(each.given for each in failed)
    if not failed:
        return
    if len(failed) < len(tracked):
        raise PartlyFailed(f"{len(failed)} of {counted(len(tracked), 'name')} can't be tracked: {names}")
    if any(each.result is Result.UNKNOWN for each in failed):
        why = "; ".join(f"{each.given}: {each.reason}" if each.reason else each.given for each in failed)
        raise Unreachable(f"nothing was tracked, for GitHub did not say: try again ({why})")
    raise ConfigurationError(f"none of the names can be tracked: {names}")


def named(graphql: GraphQL, pairs: Sequence[tuple[str, str]]) -> lookups.Told:
    """Return what GitHub says of (owner, name) pairs; nothing, with the time, where it asks to wait.

    Raises what else `lookups.repositories_by_name` raises.
    """
    try:
        return lookups.repositories_by_name(graphql, pairs)
    except RateLimited as error:
        reason = f"{error}; again at {error.resume_at:%Y-%m-%d %H:%M} UTC"
        return [Unknown(reason=reason, passing=True) for _ in pairs]


def _tracked(given: str, pair: given_names.Resolved, answer: Named[Repository] | None, seen: set[int]) -> Tracked:
    """Say what an answer makes of a name; `seen` are GitHub's ids of those before it, and gets this one's."""
    match answer:
        case None:
            return Tracked(given=given, result=Result.MALFORMED)
        case NotFound():
            return Tracked(given=given, result=Result.NOT_FOUND)
        case Unknown(reason=reason, passing=passing):
            return Tracked(given=given, result=Result.UNKNOWN, reason=reason, passing=passing)
        case Repository():
            if isinstance(pair, tuple):  # the name that was given may be an old one of it
                hidden.repository("/".join(pair), str(answer.github_id), is_private=answer.is_private)
            result = Result.DUPLICATE if answer.github_id in seen else Result.ADDED
            if result is Result.ADDED and isinstance(pair, tuple) and given_names.key(pair) != answer.full_name.lower():
                result = Result.RENAMED
            seen.add(answer.github_id)
            return Tracked(given=given, result=result, repository=answer)


def _open(
    tx: Transaction, found: Sequence[Repository], entries: Mapping[int, Entry], opening: FirstBackfill, actor: Actor
) -> set[str]:
    """Open the backfill of those that never had one, or raise a goal; what else is under way or done stays so.

    Returns our ids of those whose goal was raised.
    """
    raised_ids: set[str] = set()
    opened: dict[str, str | None] = {}
    for repository in found:
        entry, goal = entries[repository.github_id], opening.goal_of(repository)
        # A goal that leaves out something of the old one would end its walk before that: it stays as it is.
        raised = opening.larger and entry.has_stream and not covers(entry.aim, goal) and covers(goal, entry.aim)
        if raised:
            raised_ids.add(entry.id)
        if raised or not entry.has_stream:
            backfills.open_backfill(tx, entry.id, total=repository.pull_requests, goal=goal)
            opened[entry.id] = "all" if goal == Goal() else goal.words
    backfill_events.record(tx, BackfillEvent.OPENED, opened, actor)
    if opening.initial:
        repositories.begin_initial(tx, sorted(opened))
    return raised_ids


def _stored(
    asked: Tracked,
    entries: Mapping[int, Entry],
    raised: set[str],
    opening: FirstBackfill | None,
    said: kept.Said,
) -> Tracked:
    found = asked.repository
    if found is None:
        return asked
    entry = entries[found.github_id]
    result = asked.result
    if entry.id in raised:
        result = Result.RAISED
    elif result is Result.ADDED and not entry.added:
        result = Result.KNOWN if opening is None or entry.has_stream else Result.BEGUN
    detail = None
    if result is not Result.DUPLICATE:
        detail = kept.of_entry(entry, found, opening, raised=entry.id in raised, said=said)
    return replace(asked, repository_id=entry.id, result=result, detail=detail)
