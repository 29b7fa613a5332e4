"""The demo as it is watched on the page: a slow invented GitHub, and backfills that are under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.github import NotFound
from gh_backfill.policy.initial import Wish
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.settings import Settings
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running as serving
from gh_backfill.store import repositories
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect, demo, workspaces
from gh_backfill.tasks.events import asked
from gh_backfill.tasks.initial import batches
from gh_backfill.tasks.untrack import untrack

# What else the invented GitHub has: somebody may add it on the page.
MORE = (
    *("octo-demo/mobile:700", "octo-demo/infra:450", "octo-demo/api:260"),
    *("octo-demo/handbook:90", "octo-demo/tools:35"),
)
# The demo's repositories together, and how many stars and forks each has in all.
WORKSPACE, FANS = "octo-demo", ":stars=6000:forks=600"
# In seconds: so slow that it can be watched, and done in a few minutes.
LATENCY, LATENCY_PER_NODE = 0.4, 0.003


@contextmanager
def watched(settings: Settings) -> Iterator[Settings]:
    """Run a slow invented GitHub beside the block, with backfills to watch, and yield settings that lead there.

    Where the demo's histories are here already, they are forgotten and begin again.
    """
    with serving(
        load(recipes=(*(f"{each}{FANS}" for each in demo.DEMO), *MORE)),
        Options(latency=LATENCY, latency_per_node=LATENCY_PER_NODE),
    ) as simulator:
        invented = demo.settings_of(settings).model_copy(update={"github_api_url": simulator.url})
        with connect.github(invented) as graphql, connect.database(invented) as db:
            _begin(db, graphql, connect.actor(invented))
        yield invented


def _begin(db: Database, graphql: GraphQL, actor: Actor) -> None:
    """Open the backfills of the demo, anew where they are over."""
    with db.reading() as tx:
        here = {name: found.id for name, found in repositories.find(tx, demo.names()).items() if found is not None}
        states = repositories.status(tx, list(here.values())) if here else []
    over = [state.full_name for state in states if state.status != BackfillStatus.ACTIVE]
    if over:
        untrack(db, over, delete_rows=True, actor=actor)
    now = datetime.now(UTC)
    batches.begin(db, graphql, demo.names(), Wish(max_prs=None), name_of=lambda _: NotFound(), actor=actor, now=now)
    if not any(each.slug == WORKSPACE for each in workspaces.listed(db)):
        workspaces.create(db, WORKSPACE, name="Octo demo", description=None, owner=None, private=False)
    ids = [own for own in workspaces.known(db, demo.names()).values() if own is not None]
    workspaces.add(db, WORKSPACE, ids)
    asked.ask(db, ids, days=None, who=actor.who, now=now)
