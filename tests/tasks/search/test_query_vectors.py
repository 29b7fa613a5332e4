"""The vector of what is searched for: asked for once, by whoever made those that are stored, and never waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gh_backfill import settings
from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.clients.embedders.openai import OpenAIEmbedder
from gh_backfill.errors import ConfigurationError, EmbedderAway
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.store.search import SearchScope
from gh_backfill.tasks.embedding import choosing
from gh_backfill.tasks.embedding.run import run
from gh_backfill.tasks.search import query_vectors
from gh_backfill.tasks.search.find import find, similar
from gh_backfill.tasks.search.query_vectors import REST, QueryVectors
from tests.embedding_service import EmbeddingService, Turn, serving
from tests.search_rows import Item, hashed, names, store


@pytest.fixture
def service() -> Iterator[EmbeddingService]:
    with serving() as found:
        yield found


@pytest.fixture
def chosen(service: EmbeddingService) -> Settings:
    return settings.load(service.settings(), dotenv=None)


def embedded(db: Database, chosen: Settings) -> None:
    store(db, "octo/one", [Item(number=1, title="the lock is dead"), Item(number=2, title="unrelated matter")])
    embedder = choosing.embedder(chosen, sleep=lambda _: None)
    assert isinstance(embedder, OpenAIEmbedder)
    assert run(db, embedder).done == 2


def test_what_embed_stored_is_found_by_the_vector_of_a_service_that_is_asked_once(
    db: Database, service: EmbeddingService, chosen: Settings
) -> None:
    embedded(db, chosen)
    service.embedded.clear()
    vectors = QueryVectors()
    for _ in range(3):
        told = find(db, "lock the door", SearchScope(), lambda text: vectors.of(chosen, text))
        assert names(told)[0] == "octo/one#1"
        assert (told.by_vectors, told.notes) == (True, ())
        assert (told.items[0].by_words, told.items[0].by_vector) == (None, 1)
    assert service.embedded == ["lock the door"]


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (Turn.LIMITED, "takes no more just now (status 429"),
        (Turn.BROKEN, "fails just now (status 500"),
        (Turn.NO_QUOTA, "the quota of OPENAI_API_KEY is used up"),
        (Turn.DENIED, "does not accept OPENAI_API_KEY"),
        (Turn.SHORT, "a vector has 383 dimensions in place of 384"),
        (Turn.NO_JSON, "the answer is none with vectors"),
    ],
)
def test_a_service_that_does_not_serve_costs_the_meaning_and_not_the_search_and_it_says_why(
    db: Database, service: EmbeddingService, chosen: Settings, turn: Turn, said: str
) -> None:
    embedded(db, chosen)
    service.turns = [turn] * 9
    vectors = QueryVectors()
    told = find(db, "lock", SearchScope(), lambda text: vectors.of(chosen, text))
    assert names(told) == ["octo/one#1"]
    (note,) = told.notes
    assert note.startswith("searched by words alone: ")
    assert said in note
    assert "\n" not in note
    assert len(service.turns) == 8


def test_a_model_that_cannot_shorten_its_vectors_gives_the_first_search_its_vector(
    db: Database, service: EmbeddingService, chosen: Settings
) -> None:
    embedded(db, chosen)
    service.shortens = False
    assert find(db, "lock", SearchScope(), lambda text: QueryVectors().of(chosen, text)).by_vectors


def test_a_service_that_gave_no_answer_is_asked_again_after_half_a_minute(
    service: EmbeddingService, chosen: Settings
) -> None:
    service.turns = [Turn.BROKEN]
    clock = [0.0]
    vectors = QueryVectors(now=lambda: clock[0])
    for _ in range(3):
        with pytest.raises(EmbedderAway, match="fails just now"):
            vectors.of(chosen, "lock")
    assert len(service.asked) == 1
    clock[0] = REST + 1
    assert vectors.of(chosen, "lock").recipe.provider == "openai"
    assert len(service.asked) == 2


def test_a_search_waits_not_long_for_the_vector_of_another_one(
    service: EmbeddingService, chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_vectors, "QUEUE", 0.01)
    asked, answered = threading.Event(), threading.Event()

    def hang(_: list[str]) -> None:
        asked.set()
        answered.wait(30)

    service.before = hang
    vectors = QueryVectors()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(vectors.of, chosen, "lock")
        asked.wait(30)
        with pytest.raises(EmbedderAway, match="other searches are waiting"):
            vectors.of(chosen, "door")
        answered.set()
        assert first.result().recipe.provider == "openai"


def test_poison_is_refused_in_one_line_and_the_words_are_searched_for(
    db: Database, service: EmbeddingService, chosen: Settings
) -> None:
    embedded(db, chosen)
    service.poison = "dead"
    vectors = QueryVectors()
    told = find(db, "dead lock", SearchScope(), lambda text: vectors.of(chosen, text))
    assert names(told) == ["octo/one#1"]
    assert told.notes[0].startswith("searched by words alone: ")


def test_hashing_finds_nothing_by_chance_and_a_search_with_it_goes_by_words(db: Database) -> None:
    store(db, "octo/one", [
        Item(number=n, title=title, vector=hashed(title), recipe=HashEmbedder.recipe)
        for n, title in enumerate(("the lock is dead", "session is kept", "unrelated matter"), start=1)
    ])  # fmt: skip
    vectors, given = QueryVectors(), settings.load({"GH_BACKFILL_EMBEDDING_PROVIDER": "hash"}, dotenv=None)
    told = find(db, "xylophone", SearchScope(), lambda text: vectors.of(given, text))
    assert (told.items, told.by_vectors) == ((), False)
    assert told.notes == ("searched by words alone: the vectors of hashing are made of words, and tell no meaning",)
    assert names(find(db, "dead lock", SearchScope(), lambda text: vectors.of(given, text))) == ["octo/one#1"]
    assert names(similar(db, "octo/one#1"))[0] == "octo/one#2"


def test_nobody_set_to_make_vectors_is_said(db: Database, chosen: Settings) -> None:
    embedded(db, chosen)
    off = settings.load({}, dotenv=None)
    with pytest.raises(ConfigurationError, match="embeddings are off: nobody is set"):
        QueryVectors().of(off, "lock")
    told = find(db, "lock", SearchScope(), lambda text: QueryVectors().of(off, text))
    assert told.notes[0].startswith("searched by words alone: embeddings are off: nobody is set to make them")
