"""Embedder on this machine: a directory with `model.onnx` and `tokenizer.json`, run by ONNX Runtime.

Memory is bounded: texts of about one length go together, 16 at a time, cut at 128 tokens, and the runtime keeps no
arena (with one, it grew to 1.6 GB at 32 texts of 256 tokens).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gh_backfill.clients.embedders.embedder import EmbeddedTexts, checked
from gh_backfill.errors import EmbedderDenied
from gh_backfill.policy.embedding.families import Family, Pooling, family
from gh_backfill.policy.embedding.recipe import DIMENSIONS, VectorRecipe

BATCH = 16
PACKAGES = (
    f"a local model takes packages that are not installed: {sys.executable} -m pip install numpy onnxruntime tokenizers"
)
# Where exports of sentence-transformers keep the model.
_PLACES = ("model.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class LocalEmbedder:
    """Makes vectors with a model of this machine."""

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        """Load the model; raises EmbedderDenied where a package, a file or its shape is not there."""
        model = next((folder / each for each in _PLACES if (folder / each).is_file()), None)
        tokenizer = folder / "tokenizer.json"
        if model is None or not tokenizer.is_file():
            missing = "tokenizer.json" if model else "model.onnx"
            raise EmbedderDenied(
                f"{folder} has no {missing}: GH_BACKFILL_EMBEDDING_MODEL must be a directory with both"
            )
        self._family = _family(folder)
        self._session = _session(model, threads)
        self._names = [each.name for each in self._session.get_inputs()]
        unknown = sorted(set(self._names) - set(_INPUTS))
        if unknown:
            raise EmbedderDenied(f"the model in {folder} wants inputs that are not known: {', '.join(unknown)}")
        self.recipe = VectorRecipe(
            provider="local",
            model=f"{folder.resolve().name}@{_digest(model, self._family)}",
            prefix=self._family.passage,
        )
        self._tokenizer = _tokenizer(tokenizer, self.recipe.tokens)

    def count(self, text: str) -> int:
        """Return how many tokens of a text are read."""
        return len(self._tokenizer.encode(self._family.passage + text).ids)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> EmbeddedTexts:
        """Return the vector of each text."""
        prefix = self._family.query if query else self._family.passage
        encoded = self._tokenizer.encode_batch([prefix + text for text in texts])
        order = sorted(range(len(texts)), key=lambda place: len(encoded[place].ids))
        found: dict[int, list[float]] = {}
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            found |= zip(places, self._run([encoded[each] for each in places]), strict=True)
        vectors = checked([found[place] for place in range(len(texts))], texts=len(texts), dimensions=DIMENSIONS)
        return EmbeddedTexts(each=vectors, tokens=sum(len(each.ids) for each in encoded))

    def preflight(self) -> None:
        """Find out with one word how long its vectors are."""
        (vector,) = self._run(self._tokenizer.encode_batch(["preflight"]))
        if len(vector) != DIMENSIONS:
            raise EmbedderDenied(
                f"{self.recipe.model} makes vectors of {len(vector)} dimensions, and the database keeps {DIMENSIONS}: "
                "choose another directory with GH_BACKFILL_EMBEDDING_MODEL"
            )

    def _run(self, encoded: Sequence[Any]) -> list[list[float]]:
        import numpy as np  # noqa: PLC0415  (an extra)

        longest = max(len(each.ids) for each in encoded)

        def padded(name: str) -> Any:
            rows = np.zeros((len(encoded), longest), dtype=np.int64)
            for row, each in zip(rows, encoded, strict=True):
                values = {"input_ids": each.ids, "attention_mask": each.attention_mask}.get(name, each.type_ids)
                row[: len(values)] = values
            return rows

        inputs = {name: padded(name) for name in self._names}
        output = self._session.run(None, inputs)[0]
        if output.ndim == 3:
            output = output[:, 0] if self._family.pooling is Pooling.FIRST else _mean(output, padded("attention_mask"))
        vectors: list[list[float]] = output.astype(float).tolist()
        return vectors


def _mean(output: Any, mask: Any) -> Any:
    """Return the mean of the vectors of each text's own tokens."""
    weights = mask[:, :, None].astype(output.dtype)
    return (output * weights).sum(axis=1) / weights.sum(axis=1).clip(min=1e-9)


def _session(model: Path, threads: int) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise EmbedderDenied(PACKAGES) from error
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own errors have no common class
        raise EmbedderDenied(f"{model} can't be loaded: {' '.join(str(error).split())[:200]}") from error


def _tokenizer(file: Path, tokens: int) -> Any:
    try:
        import tokenizers  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise EmbedderDenied(PACKAGES) from error
    try:
        found = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # it raises Exception itself
        raise EmbedderDenied(f"{file} can't be read: {' '.join(str(error).split())[:200]}") from error
    found.no_padding()
    found.enable_truncation(max_length=tokens)
    return found


def _family(folder: Path) -> Family:
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts")
    return family(
        folder.resolve().name, _json(folder / "1_Pooling" / "config.json"), prompts if isinstance(prompts, dict) else {}
    )


def _json(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(model: Path, used: Family) -> str:
    """Return what stands for the weights and the pooling: a name alone would hide that they changed."""
    digest = hashlib.sha256(used.pooling.encode())
    with model.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:12]
