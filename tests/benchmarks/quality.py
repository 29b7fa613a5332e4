"""How well vectors find what belongs together: from an issue to the pull request that says it fixes it.

Every issue of a real repository that a pull request names with a closing word looks for it among all pull requests of
its repository, by its text alone: the words that name the issue are taken out of what is looked through.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pytest

from gh_backfill.clients.embedders.embedder import Embedder
from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.clients.embedders.local import LocalEmbedder
from gh_backfill.policy.embedding.text import prepared
from tests import minilm
from tests.benchmarks.tables import Table
from tests.corpus import folders, lines

FEWEST_PAIRS = 60
FIRST = 10
# A little below what was measured (docs/performance.md): another processor rounds otherwise.
MEAN_RECALL, MEAN_MRR = 0.70, 0.51

_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    r"(?:(?P<name>[\w.-]+/[\w.-]+)?#(?P<number>\d+)|https?://github\.com/(?P<of>[\w.-]+/[\w.-]+)/issues/(?P<at>\d+))",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """A repository: the texts of all its pull requests, of issues that some of them fix, and which ones do."""

    name: str
    pull_requests: Mapping[int, str]
    issues: Mapping[int, str]
    fixed_by: Mapping[int, frozenset[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """Of `pairs` issues, the share whose pull request is among the first ten, and the mean of one over its place."""

    name: str
    candidates: int
    pairs: int
    recall: float
    mrr: float


def pairs(folder: Path) -> Pairs:
    """Read a folder of the corpus."""
    name = json.loads((folder / "repository.json").read_text(encoding="utf-8"))["full_name"]
    issues = {row["number"]: row for row in lines(folder, "issues")}
    fixed_by: dict[int, set[int]] = {}
    texts: dict[int, str] = {}
    for row in lines(folder, "pull_requests"):
        closed = [*named(row["title"], name), *named(row.get("body") or "", name)]
        for issue in issues.keys() & closed:
            fixed_by.setdefault(issue, set()).add(row["number"])
        texts[row["number"]] = prepared(_without(row["title"], closed), _without(row.get("body") or "", closed))
    return Pairs(
        name=name,
        pull_requests=texts,
        issues={number: prepared(issues[number]["title"], issues[number].get("body")) for number in sorted(fixed_by)},
        fixed_by={number: frozenset(found) for number, found in fixed_by.items()},
    )


def every() -> list[Pairs]:
    """Return the repositories of the corpus that have enough pairs."""
    return [found for folder in folders() if len((found := pairs(folder)).fixed_by) >= FEWEST_PAIRS]


def quality(embedder: Embedder, given: Pairs) -> Quality:
    """Measure one repository."""
    np = pytest.importorskip("numpy", reason="numpy is not installed")
    numbers = list(given.pull_requests)
    place = {number: at for at, number in enumerate(numbers)}
    candidates = np.array(embedder.embed(list(given.pull_requests.values())).each)
    queries = np.array(embedder.embed(list(given.issues.values()), query=True).each)
    ranks = []
    for issue, scores in zip(given.issues, queries @ candidates.T, strict=True):
        best = max(scores[place[each]] for each in given.fixed_by[issue])
        ranks.append(1 + int((scores > best).sum()))
    return Quality(
        name=given.name,
        candidates=len(numbers),
        pairs=len(ranks),
        recall=fmean(rank <= FIRST for rank in ranks),
        mrr=fmean(1 / rank for rank in ranks),
    )


def qualities() -> list[Table]:
    """Measure every repository with the small model, and with hashing beside it; nothing where either is not here."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            model = LocalEmbedder(minilm.directory(Path(folder)))
            given = every()
            found = [quality(model, each) for each in given]
            hashed = [quality(HashEmbedder(), each) for each in given]
    except pytest.skip.Exception as missing:
        print(f"quality: {missing}")
        return []
    return [_table(found, hashed)]


def mean(found: Sequence[Quality]) -> tuple[float, float]:
    """Return recall and MRR in the mean of the repositories, each with the same weight."""
    return fmean(each.recall for each in found), fmean(each.mrr for each in found)


def _table(found: Sequence[Quality], hashed: Sequence[Quality]) -> Table:
    rows = [
        (one.name, one.candidates, one.pairs, one.recall, one.mrr, other.recall, other.mrr)
        for one, other in zip(found, hashed, strict=True)
    ]
    recall, mrr = mean(found)
    missed = [f"{told} is {value:.3f} in the mean, the bound is {bound}"
              for told, value, bound in (("recall at 10", recall, MEAN_RECALL), ("MRR", mrr, MEAN_MRR))
              if value < bound]  # fmt: skip
    return Table(
        section="quality",
        title="from an issue to the pull request that fixes it",
        columns=("repository", "pull requests", "issues", "recall at 10", "MRR", "hash: recall at 10", "hash: MRR"),
        rows=(*rows, ("mean", None, None, recall, mrr, *mean(hashed))),
        missed=tuple(missed),
    )


def named(text: str, name: str) -> list[int]:
    """Return the numbers of the issues of a repository that a text says it closes."""
    return [
        int(found["number"] or found["at"])
        for found in _CLOSES.finditer(text)
        if (found["name"] or found["of"] or name).lower() == name.lower()
    ]


def _without(text: str, closed: Sequence[int]) -> str:
    """Return a text without what names these issues, with the closing word or without."""
    text = _CLOSES.sub("", text)
    for number in closed:
        text = re.sub(rf"(?:[\w.-]+/[\w.-]+)?#{number}\b|https?://github\.com/\S+/{number}\b", "", text)
    return text
