"""Makes the pull requests of a made-up repository, each from the seed and its number alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from gh_backfill.simulator import derive
from gh_backfill.simulator.accounts import invented
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.prose import hunk, paragraphs, path, title
from gh_backfill.simulator.recipe import Recipe
from gh_backfill.simulator.rows import AccountRow, CommitRow, IssueComment, PullRequestRow, ReviewCommentRow, ReviewRow
from gh_backfill.simulator.shelf import Outline
from gh_backfill.simulator.world import World

START = "2015-01-01T00:00:00Z"
_BEGIN = datetime.fromisoformat(START)
_SPAN = timedelta(days=3650)
ISSUE_EVERY = 13
_MANY_REVIEWS, _MANY_COMMENTS = 7, 11
# Ids rise with the number, each repository's in a range of its own, above GitHub's and below those of `derive`.
_FIRST_ID, _ID_RANGE, _ID_STEP = 10**10, 5 * 10**9, 5_000
_MOST_REVIEW_COMMENTS = 1_400


class Maker:
    """Makes the rows of one repository.  Each number has its own dice, so the order of asking does not matter."""

    def __init__(self, recipe: Recipe, identity: int, people: Iterable[AccountRow]) -> None:
        self.recipe, self.identity = recipe, identity
        self.accounts = tuple(people)
        self.people = [person.id for person in self.accounts]
        self.last = recipe.count + recipe.count // (ISSUE_EVERY - 1) + 2

    def numbers(self) -> Iterator[int]:
        """The numbers of the pull requests."""
        numbers = (number for number in range(1, self.last + 1) if number % ISSUE_EVERY)
        return (number for number, _ in zip(numbers, range(self.recipe.count), strict=False))

    def outline(self, number: int) -> Outline:
        """Say what the orders need of a pull request; `pull` makes the same."""
        luck = self.luck("outline", number)
        created = self.created(number)
        closed = luck.random() < 0.9
        merged = closed and luck.random() < 0.8
        updated = created + timedelta(seconds=int(luck.paretovariate(0.6) * 3600) % 40_000_000)
        state = "MERGED" if merged else "CLOSED" if closed else "OPEN"
        return Outline(number, self.first_id(number), text_of(created), text_of(updated), state)

    def pull(self, number: int) -> PullRequestRow:
        """Make a pull request with everything below it."""
        luck, outline = self.luck("pull", number), self.outline(number)
        reviews, review_comments = self._reviews(luck, number)
        comments = self.comments(luck, number, self._size(luck, 1.3, 260, number == _MANY_COMMENTS))
        commits = self._commits(luck, outline)
        done = None if outline.state == "OPEN" else outline.updated_at
        merged = done if outline.state == "MERGED" else None
        return PullRequestRow(
            repository_id=self.identity,
            number=number,
            id=outline.id,
            node_id=derive.derived_node_id(NodeKind.PULL_REQUEST, self.identity, number, outline.id),
            author=self.person(luck),
            association="CONTRIBUTOR",
            title=title(luck),
            body=paragraphs(luck, 3),
            open=done is None,
            draft=luck.random() < 0.05,
            locked=False,
            created_at=outline.created_at,
            updated_at=outline.updated_at,
            closed_at=done,
            merged_at=merged,
            merged_by=self.person(luck) if merged else None,
            merge_commit=derive.derived_oid(self.identity, number, "merge") if merged else None,
            additions=int(luck.paretovariate(0.8) * 5) % 100_000,
            deletions=int(luck.paretovariate(0.8) * 2) % 100_000,
            changed_files=int(luck.paretovariate(1.1)) % 3_000,
            commit_count=len(commits),
            commits=commits,
            base_ref="main",
            base_oid=derive.derived_oid(self.identity, number, "base"),
            head_ref=derive.head_ref(number),
            head_oid=derive.derived_oid(self.identity, number, "head"),
            labels=(),
            reviews=reviews,
            review_comments=review_comments,
            comments=comments,
        )

    def _reviews(self, luck: random.Random, number: int) -> tuple[tuple[ReviewRow, ...], tuple[ReviewCommentRow, ...]]:
        reviews: list[ReviewRow] = []
        comments: list[ReviewCommentRow] = []
        for index in range(self._size(luck, 1.2, 150, False) if number != _MANY_REVIEWS else 337):
            reviews.append(self._review(luck, number, index))
            for _ in range(min(int(luck.paretovariate(1.5)) - 1, _MOST_REVIEW_COMMENTS - len(comments))):
                comments.append(self._review_comment(luck, number, len(comments), reviews[-1], comments))
        if luck.random() < 0.02:
            comments.append(self._review_comment(luck, number, len(comments), None, []))
        return tuple(reviews), tuple(comments)

    def _review(self, luck: random.Random, number: int, index: int) -> ReviewRow:
        identity = self.first_id(number) + 1 + index
        time = self._later(number, index)
        states = ("COMMENTED", "APPROVED", "CHANGES_REQUESTED", "DISMISSED")
        return ReviewRow(
            repository_id=self.identity,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.REVIEW, self.identity, number, identity),
            author=self.person(luck),
            association="MEMBER",
            state=luck.choices(states, (60, 30, 8, 2))[0],
            body=paragraphs(luck, 1) if luck.random() < 0.4 else "",
            commit_id=derive.derived_oid(self.identity, number, "head"),
            created_at=time,
            updated_at=time,
            submitted_at=time,
        )

    def _review_comment(
        self, luck: random.Random, number: int, index: int, review: ReviewRow | None, earlier: list[ReviewCommentRow]
    ) -> ReviewCommentRow:
        identity = self.first_id(number) + 1_000 + index
        time = review.created_at if review else self._later(number, 0)
        answered = luck.choice(earlier) if earlier and luck.random() < 0.4 else None
        line = luck.randrange(1, 500)
        return ReviewCommentRow(
            repository_id=self.identity,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.REVIEW_COMMENT, self.identity, number, identity),
            author=review.author if review else self.person(luck),
            association="MEMBER",
            body=paragraphs(luck, 1),
            created_at=time,
            updated_at=time,
            review_id=review.id if review else None,
            # An answer to an answer names the first comment, as GitHub's do.
            reply_to=(answered.reply_to or answered.id) if answered else None,
            path=answered.path if answered else path(luck),
            diff_hunk=answered.diff_hunk if answered else hunk(luck, line),
            position=line if luck.random() < 0.7 else None,
            original_position=line,
            line=line,
            original_line=line,
            start_line=None,
            original_start_line=None,
            commit_id=derive.derived_oid(self.identity, number, "head"),
            original_commit_id=derive.derived_oid(self.identity, number, "first"),
        )

    def comments(self, luck: random.Random, number: int, count: int) -> tuple[IssueComment, ...]:
        """Make so many conversation comments of a pull request or an issue."""
        return tuple(self._comment(luck, number, index) for index in range(count))

    def _comment(self, luck: random.Random, number: int, index: int) -> IssueComment:
        identity, time = self.first_id(number) + 2_500 + index, self._later(number, index)
        return IssueComment(
            repository_id=self.identity,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.ISSUE_COMMENT, self.identity, number, identity),
            author=self.person(luck),
            association="NONE",
            body=paragraphs(luck, 2),
            created_at=time,
            updated_at=time,
        )

    def _commits(self, luck: random.Random, outline: Outline) -> tuple[CommitRow, ...]:
        count = min(int(luck.paretovariate(1.2)), 250)
        oids = [derive.derived_oid(self.identity, outline.number, index) for index in range(count)]
        time = outline.created_at
        return tuple(CommitRow(oid=oid, message=title(luck), authored_at=time, committed_at=time) for oid in oids)

    def _size(self, luck: random.Random, shape: float, most: int, huge: bool) -> int:
        return most if huge else min(int(luck.paretovariate(shape)) - 1, most)

    def person(self, luck: random.Random) -> int | None:
        """Pick who did it: a few do most; one in fifty has deleted the account."""
        if luck.random() < 0.02:
            return None
        return self.people[int(len(self.people) * luck.random() ** 3)]

    def created(self, number: int) -> datetime:
        """When a pull request or an issue was opened: the numbers are spread evenly."""
        return self.spread(number / self.last)

    def spread(self, share: float) -> datetime:
        """When so much of the time of a made-up repository was over."""
        return _BEGIN + _SPAN * share

    def _later(self, number: int, index: int) -> str:
        return text_of(self.created(number) + timedelta(minutes=7 * (index + 1)))

    def first_id(self, number: int) -> int:
        """The id of a pull request or an issue; those of its rows follow it, and 0 is before all of them."""
        return _FIRST_ID + derive.slot(self.recipe.full_name) * _ID_RANGE + number * _ID_STEP

    def luck(self, purpose: str, number: int) -> random.Random:
        """The dice of a number for one purpose."""
        return random.Random(f"{self.recipe.full_name.lower()}:{self.recipe.seed}:{purpose}:{number}")  # noqa: S311 - a dice, no secret


def text_of(time: datetime) -> str:
    """Write a time as GitHub does."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def settle(recipe: Recipe, world: World) -> tuple[AccountRow, ...]:
    """Let those who work on a repository live in the world, and return them."""
    count = max(5, min(recipe.count // 4, 3_000))
    logins = [f"{recipe.name.lower()}-dev-{index}" for index in range(count)]
    people = [invented(login) for login in ["dependabot[bot]", *logins]]
    for person in people:
        if world.account_by_login(person.login) is None:
            world.add_account(person)
    return tuple(known for person in people if (known := world.account_by_login(person.login)) is not None)
