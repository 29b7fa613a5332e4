"""The embedder of a model on this machine: a real small one, and what is said where something of it is missing."""

from __future__ import annotations

import json
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from gh_backfill.clients.embedders.local import BATCH, LocalEmbedder
from gh_backfill.errors import EmbedderDenied
from tests import minilm

SENTENCE = "the worker loses its claim when a lease is over and another one takes the chunk"
WORDS = SENTENCE.split(" ")
# Of each length from one word up to beyond what is read, the lengths mixed.
TEXTS = [" ".join(WORDS[n % 7 :] * (1 + n * 7 % 5) + [f"number {n}"]) for n in range(2 * BATCH + 3)] + ["x " * 400]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return minilm.directory(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def embedder(folder: Path) -> LocalEmbedder:
    return LocalEmbedder(folder, threads=1)


def likeness(one: object, other: object) -> float:
    assert isinstance(one, list)
    assert isinstance(other, list)
    return float(sum(a * b for a, b in zip(one, other, strict=True)))


def test_a_paraphrase_is_nearer_than_another_matter(embedder: LocalEmbedder) -> None:
    embedder.preflight()
    question, paraphrase, other = embedder.embed(
        ["The login fails after a restart", "Users can't sign in once the server rebooted", "Add a logo to the footer"]
    ).each
    assert likeness(question, question) == pytest.approx(1)
    assert likeness(question, paraphrase) > 2 * likeness(question, other)


def test_each_text_gets_the_vector_that_it_gets_alone_whatever_stands_beside_it(embedder: LocalEmbedder) -> None:
    texts = [f"{'many words ' * (number * 7 % 30)} number {number}" for number in range(BATCH + 5)]
    together = embedder.embed(texts).each
    for place in (0, 3, BATCH, BATCH + 4):
        (alone,) = embedder.embed([texts[place]]).each
        assert likeness(together[place], alone) == pytest.approx(1, abs=1e-3)


def test_a_text_is_cut_at_128_tokens_by_its_own_tokenizer(embedder: LocalEmbedder) -> None:
    beginning = "word " * 126
    assert (embedder.count("word"), embedder.count(beginning), embedder.count(beginning * 9)) == (3, 128, 128)
    one, other = embedder.embed([beginning, beginning + "and something else altogether"]).each
    assert likeness(one, other) == pytest.approx(1)
    assert embedder.embed([beginning * 9]).tokens == 128


def copied(folder: Path, at: Path) -> Path:
    made = at / "other-model"
    shutil.copytree(folder, made)
    return made


def test_other_pooling_and_another_prefix_make_other_vectors_and_another_fingerprint(
    folder: Path, embedder: LocalEmbedder, tmp_path: Path
) -> None:
    other = copied(folder, tmp_path)
    (other / "1_Pooling").mkdir()
    (other / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    first = LocalEmbedder(other)
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}}
    (other / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    prefixed = LocalEmbedder(other)
    assert len({each.recipe.fingerprint for each in (embedder, first, prefixed)}) == 3
    assert prefixed.recipe.prefix == "passage: "
    (as_text,), (as_query,) = prefixed.embed(["words"]).each, prefixed.embed(["words"], query=True).each
    assert likeness(as_text, as_query) < 0.999
    assert likeness(as_text, first.embed(["passage: words"]).each[0]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("missing", "said"), [("model.onnx", "has no model.onnx"), ("tokenizer.json", "has no tokenizer.json")]
)
def test_a_file_that_is_missing_is_named(folder: Path, tmp_path: Path, missing: str, said: str) -> None:
    other = copied(folder, tmp_path)
    (other / missing).unlink()
    with pytest.raises(EmbedderDenied, match=said):
        LocalEmbedder(other)


@pytest.mark.parametrize("spoilt", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_none_is_named_in_one_line(folder: Path, tmp_path: Path, spoilt: str) -> None:
    other = copied(folder, tmp_path)
    (other / spoilt).unlink()
    (other / spoilt).write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(EmbedderDenied, match=spoilt) as caught:
        LocalEmbedder(other)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_a_package_that_is_missing_is_told_with_what_installs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EmbedderDenied, match=r"-m pip install numpy onnxruntime tokenizers$"):
        LocalEmbedder(folder)


def test_sixteen_texts_of_about_one_length_go_together(
    embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, int]] = []
    true = embedder._run  # noqa: SLF001  (what goes to the model at once shows nowhere else)

    def noted(encoded: list[object]) -> list[list[float]]:
        lengths = [len(each.ids) for each in encoded]  # type: ignore[attr-defined]
        shapes.append((min(lengths), max(lengths)))
        assert len(encoded) <= BATCH
        return true(encoded)

    monkeypatch.setattr(embedder, "_run", noted)
    embedder.embed(TEXTS)
    assert len(shapes) == -(-len(TEXTS) // BATCH)
    assert shapes == sorted(shapes)
    assert all(longest <= least for (_, longest), (least, _) in pairwise(shapes))


def test_without_a_text_there_is_nothing_to_do(embedder: LocalEmbedder) -> None:
    assert embedder.embed([]).each == []


def test_a_model_may_lie_where_hugging_face_keeps_it(folder: Path, tmp_path: Path) -> None:
    there = copied(folder, tmp_path)
    (there / "onnx").mkdir()
    (there / "model.onnx").rename(there / "onnx" / "model.onnx")
    LocalEmbedder(there).preflight()


def test_a_model_of_other_dimensions_is_told_by_the_preflight(
    embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder.preflight()
    monkeypatch.setattr(embedder, "_run", lambda encoded: [[0.5] * 768 for _ in encoded])
    with pytest.raises(EmbedderDenied, match="768 dimensions, and the database keeps 384: choose another directory"):
        embedder.preflight()
