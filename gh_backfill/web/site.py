"""The monitor as files: the pages without the server, for GitHub Pages or any other place that serves files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gh_backfill import resources
from gh_backfill.policy import names
from gh_backfill.policy.json_text import json_text
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks.pages import badge_figures, listing, monitor, repository
from gh_backfill.tasks.pages.costs import KeptMonth
from gh_backfill.tasks.pages.listing import RepositoryList
from gh_backfill.tasks.pages.monitor import Monitor
from gh_backfill.tasks.pages.rows import BackfillRow
from gh_backfill.web import badge_files, badges, site_folder
from gh_backfill.web.page import WebPage
from gh_backfill.web.pages import monitor as monitor_page
from gh_backfill.web.pages import repositories as list_page
from gh_backfill.web.pages import repository as repository_page
from gh_backfill.web.site_folder import SiteFolder
from gh_backfill.web.templating import INDEX, NAVIGATION, STATIC, Shell, fingerprint, folder_of, render

JSON = "index.json"
ASSETS = ("style.css", "favicon.svg")
PUBLIC = "shown are repositories that are known to be public, without errors and persons"
ALL = "shown are all repositories, private ones too"
_PAGES = tuple(each for each in NAVIGATION if each[1] in ("/monitor", "/repositories"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What was written (or would be) into a folder: files, their bytes, and how many old ones were removed.

    `left_out` are repositories whose names can be no folder, or that went while the site was written.
    """

    folder: str
    at: datetime
    repositories: int
    files: int
    bytes: int
    removed: int
    private: bool
    dry_run: bool
    left_out: tuple[str, ...]


def write(
    db: Database, out: Path, now: datetime, *, settings: Settings, private: bool = False, dry_run: bool = False
) -> Site:
    """Write the site into a folder: pages last that lead to others, so that a reader finds what they lead to.

    Without `private` it holds what is known to be public, and no errors.  Nothing is written to the database, and with
    `dry_run` nothing at all.  Raises ConfigurationError for a folder that is not ours, and StoreError.
    """
    folder = site_folder.opened(out, dry_run=dry_run)
    writing = _Writing(db=db, folder=folder, now=now, private=private)
    for name in ASSETS:
        folder.write(f"static/{fingerprint(name)}/{name}", resources.text(f"{STATIC}/{name}"))
    costs = KeptMonth(settings).month if private else None  # what private repositories cost is no figure for everybody
    issues_at = monitor_page.issues_at(settings) if private else None
    overview = monitor.monitor(db, {}, now, costs=costs, issues_at=issues_at, public_only=not private)
    whole = listing.whole(db, now, public_only=not private)
    wanted = {row.full_name: row for row in whole.rows} | dict.fromkeys(_named(overview, whole))
    left_out = tuple(name for name, row in wanted.items() if not writing.repository(name, row))
    writing.page("repositories", list_page.shown(whole))
    for place in ("monitor", ""):
        writing.page(place, replace(monitor_page.shown(overview), json=_alone(overview).as_json()))
    folder.close()
    return Site(
        folder=str(out),
        at=now,
        repositories=len(wanted) - len(left_out),
        files=len(folder.written),
        bytes=folder.bytes,
        removed=folder.removed,
        private=private,
        dry_run=dry_run,
        left_out=left_out,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Writing:
    """One writing of a site."""

    db: Database
    folder: SiteFolder
    now: datetime
    private: bool

    def repository(self, name: str, row: BackfillRow | None) -> bool:
        """Write what belongs to a repository; False where it is left out."""
        if names.key(name) is None or name.rpartition("/")[2] in (INDEX, JSON):
            return False
        found = repository.repository(self.db, name, {}, self.now, public_only=not self.private)
        if found is None:
            return False
        place = folder_of(name)
        figures = badge_figures.of_row(row, found.proof) if row else None
        for figure in badges.FIGURES:
            self.folder.write(f"{place}/{figure}.svg", badge_files.picture(figure, figures, self.now))
        self.page(place, repository_page.shown(replace(found, story_next=None)))
        return True

    def page(self, place: str, page: WebPage) -> None:
        """Write a page and its twin into their folder."""
        depth = place.count("/") + 1 if place else 0
        shell = Shell(
            now=self.now,
            place=page.place,
            json=JSON,
            live=False,
            written=True,
            root="/".join([".."] * depth) or ".",
            note=ALL if self.private else PUBLIC,
            offers_changes=False,
            navigation=_PAGES,
        )
        before = f"{place}/" if place else ""
        self.folder.write(f"{before}{JSON}", json_text(page.json))
        self.folder.write(f"{before}{INDEX}", render(page.template, shell, page.data))


def _named(found: Monitor, whole: RepositoryList) -> Iterator[str]:
    """Yield the names that the monitor leads to and the list does not have."""
    listed = {row.full_name for row in whole.rows}
    yield from (job.name for job in found.jobs if job.repository_id and job.name not in listed)
    yield from (need.full_name for need in found.needs if need.full_name not in listed)


def _alone(found: Monitor) -> Monitor:
    """Return the monitor without what only a server answers: other filters, and where lists go on."""
    rest = replace(found.backfills, filters=(), next=None, first=None)
    return replace(found, backfills=rest, jobs_next=None, runs_next=None)
