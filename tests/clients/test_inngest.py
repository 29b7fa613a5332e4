"""Events that are sent to Inngest: what they hold, and what is said where they are not taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from pydantic import BaseModel

from gh_backfill import settings
from gh_backfill.errors import InngestError, InngestRefused, InngestUnreachable
from gh_backfill.models.inngest_events import (
    LARGEST_EVENT,
    AnyEvent,
    Cancelled,
    InitialBackfill,
    PullRequestSync,
    RepositorySync,
)
from gh_backfill.tasks.inngest_client import sends
from tests.web.inngest_executor import EVENT_KEY, Events, taking_events

ID = "16fd2706-8baf-433b-82eb-8c7fada847da"
OF = {"repositoryId": ID, "owner": "octo", "name": "engine", "requestId": "r-1"}


@pytest.fixture
def server() -> Iterator[Events]:
    with taking_events() as events:
        yield events


def sending(url: str, **more: str) -> Callable[[Sequence[AnyEvent]], None]:
    given = {"INNGEST_EVENT_KEY": EVENT_KEY, "INNGEST_BASE_URL": url, **more}
    return sends(settings.load({name: value for name, value in given.items() if value}, dotenv=None))


@pytest.mark.parametrize(
    "event",
    [
        InitialBackfill.model_validate({**OF, "maxPRs": 50, "userId": "u"}),
        InitialBackfill.model_validate({**OF, "maxPRs": None}),
        PullRequestSync.model_validate({**OF, "days": 7, "priority": "high", "reason": "manual"}),
        RepositorySync.model_validate({**OF, "days": 7}),
        Cancelled.model_validate({"repositoryId": ID}),
    ],
    ids=["backfill", "as far as it goes", "pull requests", "all kinds", "cancelled"],
)
def test_what_is_sent_is_what_the_functions_read(server: Events, event: AnyEvent) -> None:
    sending(server.url)([event])
    (taken,) = server.taken
    assert (taken["name"], server.keys) == (event.EVENT, [EVENT_KEY])
    assert type(event).model_validate(taken["data"]) == event


def test_no_event_has_room_for_a_secret_or_is_larger_than_inngest_takes() -> None:
    schemas: list[type[BaseModel]] = [InitialBackfill, PullRequestSync, RepositorySync, Cancelled]
    names = {name for each in schemas for name in each.model_fields}
    assert not [name for name in names if any(word in name for word in ("token", "secret", "password"))]
    full = {**dict.fromkeys(("owner", "name", "requestId", "userId", "reason"), "é" * 200), "repositoryId": ID}
    for each in schemas:
        sent = each.model_validate({**full, "github_token": "ghp_secret"}).model_dump_json(by_alias=True)
        assert "ghp_secret" not in sent
        assert len(sent.encode()) < LARGEST_EVENT


def test_many_events_go_in_few_requests(server: Events) -> None:
    sending(server.url)([RepositorySync.model_validate({**OF, "requestId": str(n)}) for n in range(501)])
    assert (len(server.taken), len(server.keys)) == (501, 2)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((401, b'{"error": "Event key not found", "status": 401}'), InngestRefused, "Event key not found"),
        ((404, b"<html>nothing here</html>"), InngestUnreachable, "what answers is not Inngest"),
    ],
    ids=["a wrong key", "another server"],
)
def test_what_is_not_taken_is_told_in_a_line(
    server: Events, answer: tuple[int, bytes], error: type[InngestError], said: str
) -> None:
    server.answers.append(answer)
    with pytest.raises(error) as raised:
        sending(server.url)([RepositorySync.model_validate(OF)])
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert EVENT_KEY not in str(raised.value)


def test_without_a_key_it_says_which_one_is_missing() -> None:
    with pytest.raises(InngestRefused, match="INNGEST_EVENT_KEY is missing"):
        sending("http://127.0.0.1:1", INNGEST_EVENT_KEY="")([RepositorySync.model_validate(OF)])


def test_the_names_of_events_are_the_customers() -> None:
    names = {each.EVENT for each in (InitialBackfill, PullRequestSync, RepositorySync, Cancelled)}
    assert names == {
        "repository/backfill.initial",
        "capture/repository.sync.graphql",
        "github/repository.sync",
        "backfill/cancelled",
    }
