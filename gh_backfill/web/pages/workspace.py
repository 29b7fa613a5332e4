"""The pages of workspaces: the list, and of each one its overview, repositories, contributors and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.workspaces import Every
from gh_backfill.tasks import workspaces
from gh_backfill.tasks.events import asked
from gh_backfill.tasks.events.wish import DAYS, MOST_DAYS
from gh_backfill.tasks.pages import workspace
from gh_backfill.tasks.pages.workspace import WorkspacePage
from gh_backfill.web.page import Ask, Form, Goto, WebPage
from gh_backfill.web.pages import repository
from gh_backfill.web.pages.adding import actor_of

PLACE = "/workspaces"
TOPICS = ("jobs", "backfills")
# The tabs in order: the end of the address, and what it is called.
TABS: Mapping[str, str] = {
    "": "Overview",
    "repositories": "Repositories",
    "contributors": "Contributors",
    "settings": "Settings",
}
# The button of a backfill, as it may look: plain names for those of other libraries.
VARIANTS, SIZES = ("default", "outline", "ghost", "secondary"), ("default", "sm", "lg", "icon")


def listed(ask: Ask) -> WebPage:
    """Show all workspaces, and how one begins."""
    found = workspace.listed(ask.db)
    return WebPage(
        template="workspaces.html",
        data={"workspaces": found},
        json={"workspaces": [workspaces.row_of(each) for each in found]},
        topics=TOPICS,
        place=PLACE,
    )


def tab(name: str) -> Callable[[Ask], WebPage]:
    """Return what shows a tab of a workspace."""
    return partial(_page, name)


def _page(name: str, ask: Ask) -> WebPage:
    slug = ask.path["slug"]
    found = workspace.workspace(ask.db, slug.lower(), ask.now)
    if found is None:
        return _unknown(ask, slug, name)
    return shown(found, name, fetches=ask.context.events is not None and ask.context.events.possible)


def shown(found: WorkspacePage, name: str, *, fetches: bool = False) -> WebPage:
    """Return a tab of a workspace that was read; `fetches` says that this machine fetches what is asked for."""
    return WebPage(
        template="workspace.html",
        data={
            "page": found,
            "own": found.workspace,
            "tab": name,
            "tabs": TABS,
            "fetches": fetches,
            "days": DAYS,
            "most_days": MOST_DAYS,
            "every": [each.value for each in Every],
        },
        json=found.as_json(),
        topics=TOPICS,
        place=PLACE,
    )


def _unknown(ask: Ask, slug: str, name: str) -> WebPage:
    """Say that there is no such workspace; somebody at GitHub may be called `i`, and have a repository of that name."""
    if not name:
        other = repository.page(_as_repository(ask, slug))
        if other.status == 200:
            return other
    return WebPage(
        template="no_workspace.html",
        data={"slug": slug},
        json={"error": f"there is no workspace {slug}"},
        topics=TOPICS,
        place=PLACE,
        status=404,
    )


def _as_repository(ask: Ask, slug: str) -> Ask:
    path = {"owner": "i", "name": slug}
    return Ask(db=ask.db, path=path, query=ask.query, now=ask.now, viewer=ask.viewer, context=ask.context)


def backfill(ask: Ask, form: Form) -> WebPage | Goto:
    """Ask for the events of the chosen repositories; what waits or runs already goes on."""
    chosen = list(dict.fromkeys(form.all("repository")))
    if not chosen:
        return Goto(address=_back(form), said="Choose at least one repository.")
    days = form.one("days")
    if days and not (days.isdecimal() and len(days) < 6):
        raise ConfigurationError(f"days must be a whole number from 1 to {MOST_DAYS:,}, not {days[:20]}")
    known = workspaces.known(ask.db, chosen)
    ids = [each for each in known.values() if each is not None]
    done = asked.ask(ask.db, ids, days=int(days) if days else None, who=actor_of(ask).who, now=ask.now)
    events = ask.context.events
    if events is not None and events.possible:
        events.wake()
        return Goto(address=_back(form), said=done.text)
    later = "" if not done.new else " They begin with the next run of the workflow Backfill Workspace Events."
    return Goto(address=_back(form), said=f"{done.text}{later}")


def cancel(ask: Ask, form: Form) -> WebPage | Goto:
    """Cancel what is not over of the chosen repositories; what was read stays."""
    known = workspaces.known(ask.db, form.all("repository"))
    ids = [each for each in known.values() if each is not None]
    done = asked.cancel(ask.db, ids, who=actor_of(ask).who)
    return Goto(address=_back(form), said=f"{counted(done, 'backfill')} cancelled; what was read stays.")


def create(ask: Ask, form: Form) -> WebPage | Goto:
    """Create a workspace."""
    made = workspaces.create(
        ask.db,
        form.one("slug"),
        name=form.one("name"),
        description=None,
        owner=form.one("owner"),
        private=form.one("private") == "yes",
    )
    return Goto(address=f"/i/{made.slug}/settings", said=f"{made.name} is there. Add repositories to it.")


def schedule(ask: Ask, form: Form) -> WebPage | Goto:
    """Say how often the events of a workspace are fetched by themselves."""
    word, days = form.one("every"), form.one("days") or str(DAYS)
    if word not in (*Every, "never") or not (days.isdecimal() and len(days) < 6 and 1 <= int(days) <= MOST_DAYS):
        raise ConfigurationError(f"daily, weekly, monthly or never, and 1 to {MOST_DAYS:,} days")
    every = None if word == "never" else Every(word)
    found = workspaces.schedule(ask.db, form.one("slug"), every, days=int(days), now=ask.now)
    return Goto(address=_back(form), said=f"Events are fetched {found.every or 'when somebody asks'}.")


def members(ask: Ask, form: Form) -> WebPage | Goto:
    """Add repositories that are here to a workspace, or remove some."""
    slug, given = form.one("slug"), " ".join(form.all("names")).replace(",", " ").split()
    if form.one("do") == "remove":
        gone = workspaces.remove(ask.db, slug, form.all("repository"))
        return Goto(address=_back(form), said=f"{counted(len(gone.changed), 'repository')} removed.")
    known = workspaces.known(ask.db, given)
    strangers = [name for name, own in known.items() if own is None]
    if strangers or not given:
        raise ConfigurationError(
            f"not here yet: {', '.join(strangers) or 'no name was given'}; add them under Add first"
        )
    changed = workspaces.add(ask.db, slug, [own for own in known.values() if own is not None])
    return Goto(address=_back(form), said=f"{counted(len(changed.changed), 'repository')} added.")


def _back(form: Form) -> str:
    """Return the page that a form was on: it is one of ours, whatever the form says."""
    slug, name = form.one("slug"), form.one("name")
    if slug and slug.replace("-", "").isalnum():
        place = form.one("tab")
        return f"/i/{slug}/{place}".rstrip("/") if place in TABS else f"/i/{slug}"
    owner, _, own = name.partition("/")
    fits = all(part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in (owner, own))
    return f"/{owner}/{own}#events" if fits else PLACE
