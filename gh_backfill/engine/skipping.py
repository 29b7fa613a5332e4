"""Pass over what is newer than a goal: a hundred items for a point, and for little of GitHub's time."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.item_queries import ItemQueries
from gh_backfill.clients.pages import Page, PageAsked
from gh_backfill.errors import TooBig
from gh_backfill.models.work import Goal
from gh_backfill.policy.goals import newer
from gh_backfill.policy.progress import why_no_progress

log = logging.getLogger(__name__)


def passed_over(
    graphql: GraphQL, queries: ItemQueries, asked: PageAsked, goal: Goal, been: Collection[str | None]
) -> Page | None:
    """Return the items after a cursor that are newer than the goal, none where the next one is not, by their outlines.

    None where that is too much for GitHub, or its list does not lead on from the cursors it was at: then the walk reads
    whole pages, and leaves out what it does not want.  Raises what else `GraphQL.execute` raises.
    """
    try:
        page = github.outline(graphql, queries, asked)
    except TooBig as error:
        log.warning("what is newer than the goal is read in whole pages: %s", error)
        return None
    late = newer(goal, page.slots)
    if late < len(page.slots):
        following = page.slots[late].after
        page = replace(page, slots=page.slots[:late], next=following, end=following, more=True)
    if page.slots and page.more and why_no_progress(page.next, {asked.after, *been}, listed=len(page.slots)):
        return None
    return page
