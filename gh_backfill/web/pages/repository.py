"""The page of one repository, also of one that is not here yet: then it says how to begin."""

from __future__ import annotations

from gh_backfill.policy import names
from gh_backfill.policy.shown import PageState
from gh_backfill.tasks.pages import repository
from gh_backfill.tasks.pages.repository import RepositoryPage
from gh_backfill.tasks.pages.repository_aggressive import RepositoryAggressive, repository_aggressive
from gh_backfill.tasks.pages.repository_events import RepositoryEvents, repository_events
from gh_backfill.web.page import Ask, WebPage

PLACE = "/repositories"
# What fits a state, as `operate` has it; the rest would be refused.
_FITTING = {
    PageState.RUNNING: ("pause", "cancel"),
    PageState.RETRYING: ("pause", "resume", "cancel"),
    PageState.STARVED: ("resume", "pause", "cancel"),
    PageState.PAUSED: ("resume", "pause", "cancel"),
    PageState.WAITING: ("pause", "cancel"),
    PageState.NEVER: ("pause", "cancel"),
    PageState.HELD: ("resume", "cancel"),
    PageState.CANCELLED: ("resume",),
    PageState.UNTRACKED: ("resume",),
    PageState.FAILED: ("retry", "cancel"),
    PageState.COMPLETED: (),
}


def page(ask: Ask) -> WebPage:
    """Show a repository by its name."""
    name = f"{ask.path['owner']}/{ask.path['name']}"
    found = repository.repository(ask.db, name, dict(ask.query), ask.now)
    if found is None:
        return _unknown(name)
    id_ = found.about.id
    return shown(found, repository_events(ask.db, id_, ask.now), repository_aggressive(ask.db, id_))


def shown(
    found: RepositoryPage, events: RepositoryEvents | None = None, aggressive: RepositoryAggressive | None = None
) -> WebPage:
    """Return the page of a repository that was read, with its stars and forks, and its steps, where they are shown."""
    states = _FITTING.get(found.shown.state, ()) if found.row and found.row.status else ()
    return WebPage(
        template="repository.html",
        data={
            "page": found,
            "row": found.row,
            "name": found.full_name,
            "actions": states,
            "parts_of": [(each.kind, each.share, each.words) for each in found.coverage.parts],
            "back": f"/{found.full_name}",
            "events": events,
            "aggressive": aggressive,
        },
        json=found.as_json()
        | ({} if events is None else {"events": events.as_json()})
        | ({} if aggressive is None else {"aggressive": aggressive.as_json()}),
        topics=(f"repository/{found.about.id}", "jobs", "backfills"),
        place=PLACE,
    )


def _unknown(name: str) -> WebPage:
    """Offer to track what is not here; what can be no name at GitHub is not offered."""
    known = names.key(name)
    return WebPage(
        template="untracked.html",
        data={"name": name, "possible": known is not None},
        json={"error": f"{name} is not tracked here", "full_name": name, "tracked": False},
        topics=("backfills",),
        place=PLACE,
        status=404,
    )
