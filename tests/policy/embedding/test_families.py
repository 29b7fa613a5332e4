"""How a model is used: by its name, and by the files of sentence-transformers, which are believed first."""

from __future__ import annotations

import pytest

from gh_backfill.policy.embedding.families import Family, Pooling, family

QUERY = "Represent this sentence for searching relevant passages: "


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all-MiniLM-L6-v2", Family()),
        ("multilingual-e5-small", Family(query="query: ", passage="passage: ")),
        ("bge-small-en-v1.5", Family(pooling=Pooling.FIRST, query=QUERY)),
        ("bge-m3", Family(pooling=Pooling.FIRST)),
        ("Snowflake-Arctic-Embed-S", Family(pooling=Pooling.FIRST, query=QUERY)),
    ],
)
def test_a_name_tells_what_is_known_of_its_kind(name: str, expected: Family) -> None:
    assert family(name, {}, {}) == expected


def test_the_files_of_the_model_are_believed_first() -> None:
    told = family("bge-small", {"pooling_mode_mean_tokens": True}, {"query": "q: ", "document": "d: ", "other": 5})
    assert told == Family(pooling=Pooling.MEAN, query="q: ", passage="d: ")
    assert family("any", {"pooling_mode_cls_token": True}, {"passage": ""}) == Family(pooling=Pooling.FIRST)
