"""Let Inngest capture what was added: one event for each repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

from gh_backfill.errors import ConfigurationError, InngestError, PartlyFailed
from gh_backfill.models.inngest_events import AnyEvent, InitialBackfill
from gh_backfill.settings import Settings
from gh_backfill.store.backfill_events import Actor
from gh_backfill.tasks.track import NEWS, Tracked

Send = Callable[[Sequence[AnyEvent]], None]


def require_keys(settings: Settings) -> None:
    """Raise ConfigurationError where no event can be sent."""
    if not settings.inngest_sends:
        raise ConfigurationError("--via inngest needs INNGEST_EVENT_KEY (sends events; in Inngest, Manage, Event keys)")


def send(send_events: Send, tracked: Sequence[Tracked], actor: Actor) -> int:
    """Send an event for each repository that was added, or whose goal was raised; returns how many.

    Raises PartlyFailed where Inngest did not take them: what was added is, and waits.
    """
    events = [_event(each, actor) for each in tracked if each.result in NEWS and each.repository is not None]
    try:
        send_events(events)
    except InngestError as error:
        waits = "what was added stays, and waits for the next run or gh-backfill work"
        raise PartlyFailed(f"{error}; {waits}") from error
    return len(events)


def _event(each: Tracked, actor: Actor) -> AnyEvent:
    assert each.repository is not None
    return InitialBackfill.model_validate(
        {
            "repositoryId": each.repository_id,
            "owner": each.repository.owner,
            "name": each.repository.name,
            "maxPRs": None,  # its backfill was opened, and knows
            "userId": actor.who[:200] or None,
            "requestId": uuid4().hex,
        }
    )
