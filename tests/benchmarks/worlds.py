"""What is measured: repositories of the corpus and made-up ones, with the fewest points that each can cost.

Counts come straight from the rows that the simulated GitHub serves; nothing here asks the product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.pricing import Charges
from gh_backfill.simulator.rows import PullRequestRow
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
    by_id: int = 0
    lists: int = 0
    overflow: int = 0
    marks: int = 0
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
        """Return the fewest points for pages, what completes them, and overflow, each in full queries of one point."""
        pages = _queries(self.pull_requests, LARGEST_PAGE)
        return pages + _queries(self.units + self.marks, UNITS) + _queries(self.overflow, UNITS)

    def floor_by(self, charges: Charges) -> int:
        """Return the fewest points by a price list that charges more: its full queries, in the shapes that we send.

        Where not even two pull requests fit into one point, review comments take the room that is left beside one.
        """
        room = UNITS * 100 // (100 + charges.percent)
        each = 2 + (7 + FIRST) * charges.counts
        lists = charges.ids * (_queries(self.by_id, FIRST) + _queries(self.marks, FIRST))
        units = self.units + self.marks + charges.aliases * (self.lists + _queries(self.marks, FIRST)) + lists
        overflow = self.overflow * (1 + charges.aliases)
        if 1 + 2 * each <= room:
            page = min(FIRST, (room - 1) // each)
            return _queries(self.pull_requests, page) + _queries(units, room) + _queries(overflow, room)
        left = max(0, units + overflow - self.pull_requests * max(0, room - 1 - each))
        return self.pull_requests + _queries(left, room)

    @property
    def target(self) -> float:
        """Return what a capture may cost, its catch-up included."""
        return 1.1 * self.floor + 2


def corpus(*names: str) -> Source:
    """Return the corpus, or those of its folders that are named; no folders where there is no corpus."""
    found = sorted(path.parent for path in CORPUS.glob("*/repository.json"))
    with_pull_requests = [folder for folder in found if list(folder.glob("pull_requests.jsonl*"))]
    return Source(folders=tuple(each for each in with_pull_requests if not names or each.name in names))


def one_by_one(source: Source) -> list[Source]:
    """Return each folder and each recipe of a source as one of its own."""
    folders = [Source(folders=(each,)) for each in source.folders]
    return folders + [Source(recipes=(each,)) for each in source.recipes]


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


def shape(name: str, pulls: Iterable[PullRequestRow]) -> Shape:
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
        by_id, by_thread, overflow = _top_up(pull)
        made.units += by_id + by_thread
        made.by_id += by_id
        made.lists += by_thread > 0
        made.overflow += overflow
        made.marks += sum(_queries(len(each), FIRST) for each in (pull.labels, pull.assignees, pull.review_requests))
    return made


def _top_up(pull: PullRequestRow) -> tuple[int, int, int]:
    """Return the units of a pull request's review comments, by review or by thread, and the further pages of lists."""
    by_review = Counter(comment.review_id for comment in pull.review_comments)
    by_thread = [len(thread.comments) for thread in threads(pull)]
    overflow = sum(_queries(count, FIRST) - 1 for count in (len(pull.reviews), len(pull.comments)) if count)
    if not by_review:
        return 0, 0, overflow
    if None in by_review or 1 + len(by_thread) < len(by_review):
        overflow += sum(_queries(count, FIRST) - 1 for count in by_thread)
        return 0, 1 + len(by_thread), overflow
    return len(by_review), 0, overflow + sum(_queries(count, FIRST) - 1 for count in by_review.values())


def _queries(count: int, most: int) -> int:
    return -(-count // most)
