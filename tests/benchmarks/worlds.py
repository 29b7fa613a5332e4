"""What is measured: repositories of the corpus and made-up ones, with the fewest points that each can cost.

Counts come straight from the rows that the simulated GitHub serves; nothing here asks the product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.rows import PullRequest
from gh_backfill.simulator.threads import threads
from tests.conftest import SHARED

CORPUS = SHARED / "corpus"
LARGEST_PAGE = 74
UNITS = 149
FIRST = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where the simulated GitHub gets its repositories from: folders of the corpus, and recipes `owner/name:N`."""

    folders: tuple[Path, ...] = ()
    recipes: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class Shape:
    """A repository in the numbers that decide its price, and its rows by kind."""

    name: str
    pull_requests: int = 0
    units: int = 0
    overflow: int = 0
    reviews: int = 0
    review_comments: int = 0
    comments: int = 0
    ids: dict[str, set[int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Return how many rows a complete capture stores, people not counted."""
        return self.pull_requests + self.reviews + self.review_comments + self.comments

    @property
    def floor(self) -> int:
        """Return the fewest points for pages, review comments and overflow, each in full queries of one point."""
        pages = _queries(self.pull_requests, LARGEST_PAGE)
        return pages + _queries(self.units, UNITS) + _queries(self.overflow, UNITS)

    @property
    def target(self) -> float:
        """Return what a capture may cost, its catch-up included."""
        return 1.1 * self.floor + 2


def corpus(*names: str) -> Source:
    """Return the corpus, or those of its folders that are named; no folders where there is no corpus."""
    found = sorted(path.parent for path in CORPUS.glob("*/repository.json"))
    with_pull_requests = [folder for folder in found if list(folder.glob("pull_requests.jsonl*"))]
    return Source(folders=tuple(each for each in with_pull_requests if not names or each.name in names))


def shapes(source: Source) -> list[Shape]:
    """Return the shape of every repository of a source, in order."""
    world = load(source.folders, source.recipes)
    found: list[Shape] = []
    for identity, repository in world.repositories.items():
        shelf = world.shelves[identity]
        if len(shelf):
            pulls = (shelf.pull(outline.number) for outline in shelf.outlines())
            found.append(shape(repository.full_name, (pull for pull in pulls if pull is not None)))
    return found


def shape(name: str, pulls: Iterable[PullRequest]) -> Shape:
    """Count the rows of a repository, and what it takes to read them."""
    made = Shape(name=name, ids={"pull_requests": set(), "reviews": set(), "review_comments": set(), "comments": set()})
    for pull in pulls:
        made.pull_requests += 1
        made.reviews += len(pull.reviews)
        made.review_comments += len(pull.review_comments)
        made.comments += len(pull.comments)
        made.ids["pull_requests"].add(pull.id)
        made.ids["reviews"].update(row.id for row in pull.reviews)
        made.ids["review_comments"].update(row.id for row in pull.review_comments)
        made.ids["comments"].update(row.id for row in pull.comments)
        units, overflow = _top_up(pull)
        made.units += units
        made.overflow += overflow
    return made


def _top_up(pull: PullRequest) -> tuple[int, int]:
    """Return the units of a pull request's review comments, and the connections that have more than one page."""
    by_review = Counter(comment.review_id for comment in pull.review_comments)
    by_thread = [len(thread.comments) for thread in threads(pull)]
    overflow = sum(_queries(count, FIRST) - 1 for count in (len(pull.reviews), len(pull.comments)) if count)
    if not by_review:
        return 0, overflow
    if None in by_review or 1 + len(by_thread) < len(by_review):
        overflow += sum(_queries(count, FIRST) - 1 for count in by_thread)
        return 1 + len(by_thread), overflow
    return len(by_review), overflow + sum(_queries(count, FIRST) - 1 for count in by_review.values())


def _queries(count: int, most: int) -> int:
    return -(-count // most)
