"""Make events of what webhooks told: each is written in the transaction that takes it off the list."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from gh_backfill.errors import BackfillError, RowRefused, StoreUnavailable
from gh_backfill.models.events import Event
from gh_backfill.policy.events.of_webhooks import Unusable, event_of
from gh_backfill.store import events, privacy, webhooks
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.webhooks import Heard

# So many are read at a time, and so often in one look; the rest waits for the next.
MOST_AT_A_TIME, MOST_TIMES = 1_000, 10


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardEvents:
    """How much that webhooks told is an event that is new, was here before, is none, or is of nothing tracked.

    `failed` says why what some repositories told waits on.
    """

    new: int = 0
    known: int = 0
    unusable: int = 0
    untracked: int = 0
    failed: tuple[str, ...] = ()

    @property
    def text(self) -> str | None:
        """Say it in a line; None where nothing was told."""
        told = {
            "new": self.new,
            "known before": self.known,
            "unusable": self.unusable,
            "of repositories that are not tracked": self.untracked,
        }
        parts = [f"{count:,} {words}" for words, count in told.items() if count]
        return f"events of webhooks: {', '.join(parts)}" if parts else None


def hear(db: Database, sleep: Callable[[float], None] = time.sleep) -> HeardEvents:
    """Make events of everything that waits to become these; GitHub is not asked about any of it.

    Two who do it at once share the work.  What no event can be made of is kept aside once, with its reason, and what is
    of a repository that is not tracked any more is dropped.  What the database does not take of one repository waits
    on, and is no trouble of the others.  Raises StoreUnavailable.
    """
    done = HeardEvents(untracked=persistently(lambda: _dropped(db), sleep))
    seen: set[tuple[int, str, str]] = set()
    for _ in range(MOST_TIMES):
        with db.reading() as tx:
            told = webhooks.heard(tx, most=MOST_AT_A_TIME)
        fresh = [each for each in told if (each.repository_github_id, each.identity, each.version) not in seen]
        seen |= {(each.repository_github_id, each.identity, each.version) for each in fresh}
        for _, part in groupby(sorted(fresh, key=_repository), key=_repository):
            done = _added(done, _of_repository(db, list(part), sleep))
        if len(told) < MOST_AT_A_TIME or not fresh:
            break
    return done


def _dropped(db: Database) -> int:
    with db.transaction() as tx:
        return webhooks.drop_heard(tx)


def _of_repository(db: Database, told: Sequence[Heard], sleep: Callable[[float], None]) -> HeardEvents:
    try:
        return _stored(db, told, sleep)
    except StoreUnavailable:
        raise
    except BackfillError as error:
        return HeardEvents(failed=(f"events of repository {told[0].repository_id} wait: {error}",))


def _stored(db: Database, told: Sequence[Heard], sleep: Callable[[float], None]) -> HeardEvents:
    """Store what one repository told; where the database refuses it, each alone, and what it refuses then is aside."""
    made, unusable = _made(told)
    private = max(told, key=lambda each: each.heard_at).payload.get("private") is True
    try:
        return persistently(lambda: _write(db, told[0], made, unusable, private=private), sleep)
    except RowRefused as error:
        if len(told) > 1:
            done = HeardEvents()
            for each in told:
                done = _added(done, _stored(db, [each], sleep))
            return done
        refused = [(told[0], str(error))]
        return persistently(lambda: _write(db, told[0], [], refused, private=private), sleep)


def _made(told: Sequence[Heard]) -> tuple[list[tuple[Heard, Event]], list[tuple[Heard, str]]]:
    made: list[tuple[Heard, Event]] = []
    unusable: list[tuple[Heard, str]] = []
    for each in told:
        try:
            made.append((each, event_of(each.event, each.payload, each.repository_github_id, each.heard_at)))
        except Unusable as error:
            unusable.append((each, str(error)))
    return made, unusable


def _write(
    db: Database,
    of: Heard,
    made: Sequence[tuple[Heard, Event]],
    unusable: Sequence[tuple[Heard, str]],
    *,
    private: bool,
) -> HeardEvents:
    events.make_months(db, [event.created_at for _, event in made])
    with db.transaction() as tx:
        if private:  # GitHub said so before anybody read it: from now on no guest may see it
            privacy.hide(tx, of.repository_id)
        mine = webhooks.take_heard(tx, of.repository_github_id, [each for each, _ in made])
        taken = [event for each, event in made if each.identity in mine]
        new = events.write(tx, of.repository_id, taken)
        aside = webhooks.set_heard_aside(tx, of.repository_github_id, unusable)
    return HeardEvents(new=new, known=len(taken) - new, unusable=aside)


def _added(one: HeardEvents, other: HeardEvents) -> HeardEvents:
    return replace(
        one,
        new=one.new + other.new,
        known=one.known + other.known,
        unusable=one.unusable + other.unusable,
        untracked=one.untracked + other.untracked,
        failed=(*one.failed, *other.failed),
    )


def _repository(told: Heard) -> str:
    return told.repository_id
