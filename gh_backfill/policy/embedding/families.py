"""Families of small models: how each pools its tokens, and what it wants to be told before a text.

A directory that says it itself, in the files of sentence-transformers, is believed first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Pooling(StrEnum):
    """How one vector is made of those of the tokens."""

    MEAN = "mean"
    FIRST = "first"


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """What models of one kind have in common; `query` goes before what looks, `passage` before what is to be found."""

    pooling: Pooling = Pooling.MEAN
    query: str = ""
    passage: str = ""


_BGE = "Represent this sentence for searching relevant passages: "
# By a part of the name of the directory, the first that fits.
FAMILIES: Mapping[str, Family] = {
    "e5": Family(query="query: ", passage="passage: "),
    "bge-m3": Family(pooling=Pooling.FIRST),
    "bge": Family(pooling=Pooling.FIRST, query=_BGE),
    "arctic-embed": Family(pooling=Pooling.FIRST, query=_BGE),
    "gte": Family(pooling=Pooling.FIRST),
    "granite-embedding": Family(pooling=Pooling.FIRST),
    "nomic": Family(query="search_query: ", passage="search_document: "),
}


def family(name: str, pooling: Mapping[str, Any], prompts: Mapping[str, Any]) -> Family:
    """Return how a model is used: by its name, `1_Pooling/config.json`, and the prompts of sentence-transformers."""
    found = next((each for part, each in FAMILIES.items() if part in name.lower()), Family())
    if pooling.get("pooling_mode_cls_token") is True:
        found = replace(found, pooling=Pooling.FIRST)
    elif pooling.get("pooling_mode_mean_tokens") is True:
        found = replace(found, pooling=Pooling.MEAN)
    told = {name: text for name, text in prompts.items() if isinstance(text, str)}
    query = told.get("query", found.query)
    passage = next((told[each] for each in ("document", "passage") if each in told), found.passage)
    return replace(found, query=query, passage=passage)
