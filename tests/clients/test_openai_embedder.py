"""The embedder of OpenAI-compatible services: what comes is whole and fits, or nothing of it is used."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_backfill import settings
from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.clients.embedders.openai import LONGEST_WAIT, TRIES, TRIES_WRONG, OpenAIEmbedder
from gh_backfill.errors import (
    ConfigurationError,
    EmbedderAway,
    EmbedderDenied,
    EmbedderError,
    EmbedderWrong,
    NoTimeToWait,
    TextRefused,
)
from gh_backfill.policy.embedding.tokens import estimated
from gh_backfill.tasks.embedding import choosing
from tests.embedding_service import KEY, EmbeddingService, Turn, serving

TEXTS = ["the first text", "another text", "and a third one"]


@pytest.fixture
def service() -> Iterator[EmbeddingService]:
    with serving() as found:
        yield found


class Slept(list[float]):
    """Notes the waits, and lets no time pass."""


def embedder(service: EmbeddingService, slept: list[float] | None = None, **more: str) -> OpenAIEmbedder:
    read = settings.load(service.settings(**more), dotenv=None)
    found = choosing.embedder(read, sleep=Slept().append if slept is None else slept.append)
    assert isinstance(found, OpenAIEmbedder)
    return found


def expected() -> list[list[float]]:
    return [[round(value, 6) for value in each] for each in HashEmbedder().embed(TEXTS).each]


def made(by: OpenAIEmbedder) -> list[list[float]]:
    return [[round(value, 6) for value in each] for each in by.embed(TEXTS).each]


def test_each_text_gets_its_vector_with_the_key_the_model_and_as_many_dimensions_as_are_kept(
    service: EmbeddingService,
) -> None:
    assert made(embedder(service)) == expected()
    (asked,) = service.asked
    assert (asked["model"], asked["dimensions"], asked["input"]) == ("text-embedding-3-small", 384, TEXTS)
    assert service.keys == [f"Bearer {KEY}"]


def test_vectors_that_come_in_another_order_are_put_in_the_order_of_their_index(service: EmbeddingService) -> None:
    service.turns = [Turn.SHUFFLED]
    assert made(embedder(service)) == expected()
    assert len(service.asked) == 1


BAD = [Turn.FEWER, Turn.TWICE, Turn.SHORT, Turn.NAN, Turn.ZERO, Turn.NO_JSON]


@pytest.mark.parametrize("turn", [*BAD, Turn.BROKEN, Turn.CUT, Turn.LIMITED])
def test_what_is_wrong_once_is_asked_for_again(service: EmbeddingService, turn: Turn) -> None:
    service.turns = [turn]
    slept: list[float] = []
    assert made(embedder(service, slept)) == expected()
    assert len(service.asked) == 2
    assert slept == [7.0 if turn is Turn.LIMITED else 1.0]


@pytest.mark.parametrize("turn", BAD)
def test_what_is_wrong_twice_is_refused_as_a_whole(service: EmbeddingService, turn: Turn) -> None:
    service.turns = [turn] * TRIES
    with pytest.raises(EmbedderWrong):
        embedder(service).embed(TEXTS)
    assert len(service.asked) == TRIES_WRONG


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ({"message": "Rate limit exceeded", "code": 429}, EmbedderAway, "takes no more just now (status 429: Rate"),
        ({"message": "No auth", "code": 401}, EmbedderDenied, "does not accept OPENAI_API_KEY (status 401: No auth)"),
        ({"message": "no model", "code": 404}, EmbedderDenied, "has no model text-embedding-3-small"),
        ({"message": "Used up", "code": "insufficient_quota"}, EmbedderDenied, "the quota of OPENAI_API_KEY is used"),
        ({"message": "Upstream is asleep"}, EmbedderAway, "fails just now (an error: Upstream is asleep)"),
        ("asleep", EmbedderAway, "fails just now (an error: asleep)"),
    ],
)
def test_an_error_in_an_answer_that_calls_itself_good_is_told_as_what_it_is(
    service: EmbeddingService, monkeypatch: pytest.MonkeyPatch, error: object, kind: type[EmbedderError], said: str
) -> None:
    monkeypatch.setattr(service, "answer", lambda _: (200, {}, json.dumps({"error": error}).encode()))
    with pytest.raises(kind, match=re.escape(said)):
        embedder(service).embed(TEXTS)


def test_a_refusal_that_repeats_a_text_is_told_without_it_and_so_that_a_database_takes_it(
    service: EmbeddingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "'the secret plan' and 'Frida buys the whole' are\x00 not\ud800 fine\n"
    body = json.dumps({"error": {"message": told}}).encode()
    monkeypatch.setattr(service, "answer", lambda _: (400, {}, body))
    with pytest.raises(TextRefused) as caught:
        embedder(service).embed(["the secret plan\n\nNext year Frida buys the whole company", "another"])
    assert "(status 400: '<text>' and '<text>' are\ufffd not\ufffd fine)" in str(caught.value)


def test_a_limit_that_is_waited_for_is_told_before(service: EmbeddingService, caplog: pytest.LogCaptureFixture) -> None:
    service.turns = [Turn.LIMITED]
    made(embedder(service))
    (line,) = caplog.messages
    assert line.endswith("takes no more just now (status 429: Rate limit reached); it is asked again in 7 s")


@pytest.mark.parametrize(
    ("turn", "kind", "said"),
    [
        (Turn.DENIED, EmbedderDenied, "does not accept OPENAI_API_KEY"),
        (Turn.NO_QUOTA, EmbedderDenied, "the quota of OPENAI_API_KEY is used up"),
        (Turn.BROKEN, EmbedderAway, "fails just now"),
        (Turn.LIMITED, EmbedderAway, "takes no more just now"),
    ],
)
def test_a_used_up_quota_and_a_limit_and_a_failure_are_told_apart_and_no_message_holds_the_key(
    service: EmbeddingService, turn: Turn, kind: type[EmbedderError], said: str
) -> None:
    service.turns = [turn] * TRIES
    with pytest.raises(kind, match=said) as caught:
        embedder(service).embed(TEXTS)
    assert KEY not in str(caught.value)
    assert len(service.asked) == (1 if kind is EmbedderDenied else TRIES)


def test_a_limit_that_is_told_beforehand_is_waited_for_before_the_next_request(service: EmbeddingService) -> None:
    service.headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2s500ms"}
    slept: list[float] = []
    by = embedder(service, slept)
    by.embed(TEXTS)
    assert slept == []
    by.embed(TEXTS)
    assert slept == [62.5]


def test_a_limit_that_is_told_beforehand_holds_where_there_is_no_time_to_wait_for_it(service: EmbeddingService) -> None:
    service.headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "50s"}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    by = embedder(service)
    by.sleep = choosing.in_time(now + timedelta(seconds=20), lambda _: None, lambda: now)
    by.embed(TEXTS)
    with pytest.raises(NoTimeToWait):
        by.embed(TEXTS)
    assert len(service.asked) == 1


def test_a_limit_that_lasts_too_long_ends_it_and_says_how_long(service: EmbeddingService) -> None:
    service.headers = {"x-ratelimit-remaining-tokens": "3", "x-ratelimit-reset-tokens": "6m0s"}
    by = embedder(service)
    by.embed(TEXTS)
    with pytest.raises(EmbedderAway) as caught:
        by.embed(TEXTS)
    assert caught.value.wait == 360 > LONGEST_WAIT


@pytest.mark.parametrize(("asked", "said"), [("3600", "; it asks to wait 3600 s"), ("7", "")])
def test_a_refusal_says_how_long_it_asks_to_wait_where_nobody_waits_that_long(
    service: EmbeddingService, monkeypatch: pytest.MonkeyPatch, asked: str, said: str
) -> None:
    refused = 429, {"retry-after": asked}, b'{"error": {"message": "Rate limit reached"}}'
    monkeypatch.setattr(service, "answer", lambda _: refused)
    with pytest.raises(EmbedderAway) as caught:
        embedder(service).embed(TEXTS)
    assert str(caught.value).endswith(f"(status 429: Rate limit reached){said}")


def test_a_text_that_is_too_long_for_the_model_is_halved_alone_and_refused_among_others(
    service: EmbeddingService,
) -> None:
    service.longest = 20
    by = embedder(service)
    assert len(by.embed(["word " * 20]).each) == 1
    assert [len(asked["input"][0]) for asked in service.asked] == [100, 50, 25, 12]
    with pytest.raises(TextRefused, match="a text is too long for text-embedding-3-small"):
        by.embed(["word " * 20, "short"])


@pytest.mark.parametrize("as_good", [False, True], ids=["status 400", "status 200"])
def test_a_model_that_cannot_shorten_its_vectors_is_asked_without_dimensions(
    service: EmbeddingService, as_good: bool
) -> None:
    service.shortens, service.refuses_as_good = False, as_good
    assert made(embedder(service)) == expected()
    assert ["dimensions" in asked for asked in service.asked] == [True, False]
    by = embedder(service, GH_BACKFILL_EMBEDDING_MODEL="bge-small-en-v1.5")
    assert made(by) == expected()
    assert "dimensions" not in service.asked[-1]


def test_a_model_with_other_dimensions_is_told_by_the_preflight_with_what_to_do(service: EmbeddingService) -> None:
    service.dimensions, service.shortens = 256, False
    with pytest.raises(EmbedderDenied, match=r"256 dimensions in place of 384: the database keeps 384.*_MODEL"):
        embedder(service).preflight()


@pytest.mark.parametrize("turn", [Turn.NO_JSON, Turn.NAN, Turn.ZERO, Turn.FEWER])
def test_a_preflight_blames_the_model_for_its_dimensions_alone(service: EmbeddingService, turn: Turn) -> None:
    service.preflight = turn
    with pytest.raises(EmbedderWrong) as caught:
        embedder(service).preflight()
    assert "choose another model" not in str(caught.value)


def test_long_texts_are_cut_at_the_tokens_of_the_recipe(service: EmbeddingService) -> None:
    embedder(service).embed(["word " * 1000])
    assert estimated(service.asked[0]["input"][0]) == 128


def test_a_service_without_a_key_is_shown_none(service: EmbeddingService) -> None:
    read = settings.load({"OPENAI_BASE_URL": service.url}, dotenv=None)
    choosing.embedder(read).embed(TEXTS)
    assert service.keys == [None]


def test_nobody_there_is_told_with_the_setting_to_look_at() -> None:
    by = OpenAIEmbedder(url="http://127.0.0.1:9", key=KEY, sleep=Slept().append, now=lambda: datetime.now(UTC))
    with pytest.raises(EmbedderAway, match="OPENAI_BASE_URL"):
        by.embed(TEXTS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"OPENAI_BASE_URL": "http://example.test/v1"}, "would show the key and all texts to all on the way"),
        ({"OPENAI_BASE_URL": "https://u:p@example.test"}, "an address without user"),
        ({"OPENAI_API_KEY": "two words"}, "paste it again"),
        ({"GH_BACKFILL_EMBEDDING_PROVIDER": "magic"}, "GH_BACKFILL_EMBEDDING_PROVIDER"),
        ({"GH_BACKFILL_EMBEDDING_BATCH": "0"}, "GH_BACKFILL_EMBEDDING_BATCH"),
    ],
)
def test_settings_that_can_not_be_right_are_named(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        settings.load(given, dotenv=None)


def test_a_service_without_https_in_ones_own_network_takes_insisting() -> None:
    given = {"OPENAI_BASE_URL": "http://ollama:11434/v1/", "GH_DATPIPE_API_URL": "http://datpipe:8080"}
    with pytest.raises(ConfigurationError, match=r"GH_DATPIPE_API_URL would .* GH_BACKFILL_ALLOW_INSECURE=1"):
        settings.load(given, dotenv=None)
    read = settings.load({**given, "GH_BACKFILL_ALLOW_INSECURE": "1"}, dotenv=None)
    assert (read.openai_base_url, read.datpipe_api_url) == ("http://ollama:11434/v1", "http://datpipe:8080")
    with pytest.raises(ConfigurationError, match="would show the key and all texts"):
        settings.load({**given, "GH_BACKFILL_ALLOW_INSECURE": "0"}, dotenv=None)


def test_a_file_of_the_folder_does_not_choose_where_the_environments_key_goes(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("OPENAI_BASE_URL=https://evil.test\n")
    with pytest.raises(ConfigurationError, match=r"OPENAI_BASE_URL of the .env here would send OPENAI_API_KEY"):
        settings.load({"OPENAI_API_KEY": KEY}, dotenv=dotenv)


def test_who_makes_vectors_follows_from_what_is_set(tmp_path: Path) -> None:
    def chosen(**given: str) -> str:
        return str(choosing.provider(settings.load(given, dotenv=None)))

    assert chosen() == "off"
    assert chosen(OPENAI_API_KEY=KEY) == "openai"
    assert chosen(GH_BACKFILL_EMBEDDING_MODEL=str(tmp_path)) == "local"
    assert chosen(OPENAI_API_KEY=KEY, GH_BACKFILL_EMBEDDING_PROVIDER="hash") == "hash"
    with pytest.raises(ConfigurationError, match="embeddings are off: nobody is set to make them: set OPENAI_API_KEY"):
        choosing.embedder(settings.load({}, dotenv=None))


def test_vectors_have_the_length_one(service: EmbeddingService) -> None:
    for vector in embedder(service).embed(TEXTS).each:
        assert math.isclose(math.sqrt(sum(value * value for value in vector)), 1, rel_tol=1e-6)
