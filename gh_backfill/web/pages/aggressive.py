"""The forms of an aggressive backfill: begin one, let it go on now, cancel it."""

from __future__ import annotations

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.aggressive.steps import wanted
from gh_backfill.store import aggressive as store
from gh_backfill.tasks.aggressive import asking
from gh_backfill.tasks.aggressive.asking import MOST_DAYS, AggressiveWish
from gh_backfill.tasks.capture import find
from gh_backfill.web.page import Ask, Form, Goto, WebPage
from gh_backfill.web.pages.adding import actor_of

LATER = "It begins with the next run of the workflow Aggressive Repository Backfill."


def start(ask: Ask, form: Form) -> WebPage | Goto:
    """Ask for everything of a repository; one that is not over goes on."""
    found = find(ask.db, form.one("repository"))
    days = form.one("days")
    if days and not (days.isdecimal() and 1 <= int(days[:9]) <= MOST_DAYS):
        raise ConfigurationError(f"days must be a whole number from 1 to {MOST_DAYS:,}, not {days[:20]}")
    if not days and _goes_on(ask, found.id):
        new = False
    else:
        wish = AggressiveWish(steps=wanted(), days=int(days) if days else None)
        new = asking.asked_for(ask.db, found.id, wish, who=actor_of(ask).who, now=ask.now).new
    runner = ask.context.aggressive
    here = runner is not None and runner.possible
    if here and runner is not None:
        runner.wake()
    told = f"All of {found.full_name} is asked for." if new else f"All of {found.full_name} goes on."
    return Goto(address=f"/{found.full_name}#aggressive", said=told if here else f"{told} {LATER}")


def _goes_on(ask: Ask, repository_id: str) -> bool:
    """Let an open one wait no longer, as it was asked for; False where none is open."""
    with ask.db.transaction() as tx:
        return store.go_on_now(tx, repository_id)


def cancel(ask: Ask, form: Form) -> WebPage | Goto:
    """Cancel the one that is not over; what is here stays."""
    found = find(ask.db, form.one("repository"))
    with ask.db.transaction() as tx:
        many = store.cancel(tx, [found.id], who=actor_of(ask).who)
    told = "It is cancelled; what is here stays." if many else "None was open."
    return Goto(address=f"/{found.full_name}#aggressive", said=told)
