"""Odd rows of repositories, as captures, imports and an application leave them: random, and by a seed the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from gh_backfill.store.db import Row, Transaction

TABLES = (
    "repositories",
    "contributors",
    "pull_requests",
    "reviews",
    "issues",
    "comments",
    "discussions",
    "discussion_comments",
)
PULL = """
    insert into pull_requests (id, github_id, number, title, state, merged, draft, repository_id,
                               repository_full_name, author_id, author_github_id, author_login, head_branch,
                               created_at, updated_at, merged_at, closed_at, gone_at)
    values (%(id)s, %(github_id)s, %(github_id)s, 't', %(state)s, %(merged)s, %(draft)s, %(repository)s, 'o/r',
            %(author)s, %(author_number)s, %(login)s, 'b', %(opened)s, %(opened)s, %(merged_at)s,
            %(closed_at)s, %(gone)s)
"""
REVIEW = """
    insert into reviews (id, github_id, pull_request_id, repository_id, author_id, reviewer_id, state, submitted_at,
                         gone_at)
    values (%(id)s, %(github_id)s, %(pull)s, %(repository)s, %(who)s, %(who)s, %(state)s, %(at)s, %(gone)s)
"""
ISSUE = """
    insert into issues (id, github_id, number, title, state, repository_id, author_id, created_at, updated_at,
                        closed_at, is_pull_request, gone_at)
    values (%(id)s, %(github_id)s, %(github_id)s, 't', %(state)s, %(repository)s, %(author)s, %(opened)s, %(opened)s,
            %(closed_at)s, %(pull)s, %(gone)s)
"""
COMMENT = """
    insert into comments (id, github_id, repository_id, pull_request_id, issue_id, commenter_id, body, comment_type,
                          review_github_id, created_at, updated_at, gone_at)
    values (%(id)s, %(github_id)s, %(repository)s, %(pull)s, %(issue)s, %(who)s, '', %(type)s, %(review)s, %(at)s,
            %(at)s, %(gone)s)
"""
DISCUSSION = """
    insert into discussions (id, github_id, repository_id, number, title, author_id, created_at, updated_at,
                             is_answered, answer_chosen_at, url, gone_at)
    values (%(id)s, %(github_id)s, %(repository)s, %(github_id)s, 't', %(author)s, %(opened)s, %(opened)s,
            %(answered)s, %(answered_at)s, '', %(gone)s)
"""
REMARK = """
    insert into discussion_comments (id, github_id, discussion_id, discussion_number, author_github_id, is_answer,
                                     created_at, updated_at, deleted_at, gone_at)
    values (%(id)s, %(github_id)s, %(discussion)s, 1, %(author)s, %(answer)s, %(at)s, %(at)s, %(deleted)s, %(gone)s)
"""


class Odd:
    """Writes the rows of some repositories, around a moment."""

    def __init__(self, tx: Transaction, seed: int, now: datetime, *, spam: bool = False) -> None:
        """Make the people; `spam`: an application marks what it holds for such."""
        self._tx, self._dice, self._now, self._spam = tx, random.Random(seed), now, spam  # noqa: S311 (no secret)
        self._number = 5_000_000 + 100_000 * seed
        self.people = [self._person(name) for name in ("ada", "Bob", "cy", "dee", "ed", "robot", "ci[bot]")]
        self._talking = random.Random(f"talk:{seed}")  # noqa: S311 (no secret)
        # They open discussions and comment on them, and do nothing else.
        with self._other_dice():
            self.talkers = [self._person(name) for name in ("fay", "gil")]

    def repository(self, *, private: bool | None = False, items: int = 60) -> str:
        """Write a repository with so many pull requests, half as many issues, and discussions; returns our id."""
        own, number = self._id(), self._next()
        name = f"r{number}"
        self._tx.run(
            "insert into repositories (id, github_id, full_name, owner, name, is_private, stargazers_count, "
            "forks_count) values (%(id)s, %(number)s, 'odd/' || %(name)s, 'odd', %(name)s, %(private)s, 100, 10)",
            id=own,
            number=number,
            name=name,
            private=private,
        )
        self.fill(own, items)
        return own

    def fill(self, repository: str, items: int) -> None:
        """Write the pull requests and issues of a repository that is there."""
        for _ in range(items):
            self._pull(repository)
        for _ in range(items // 2):
            self._issue(repository)
        with self._other_dice():
            for _ in range(items // 2):
                self._discussion(repository)

    @contextmanager
    def _other_dice(self) -> Iterator[None]:
        """Let discussions have luck of their own: everything else is what it is without them."""
        self._dice, self._talking = self._talking, self._dice
        yield
        self._dice, self._talking = self._talking, self._dice

    def _person(self, login: str) -> tuple[str, int]:
        own, number = self._id(), self._next()
        self._tx.run(
            "insert into contributors (id, github_id, username, is_bot) "
            "values (%(id)s, %(number)s, %(login)s, %(bot)s)",
            id=own,
            number=number,
            login=f"{number}-{login}",
            bot=True if login == "robot" else self._dice.choice([False, None]),
        )
        return own, number

    def _pull(self, repository: str) -> None:
        dice = self._dice
        opened = self._time()
        state = dice.choice(["open", "closed", "merged", "merged"])
        ended = opened + timedelta(hours=dice.choice([-2, 1, 3, 30, 400]))
        author, number = dice.choice(self.people)
        known = dice.choice(["id", "id", "id", "number", "login", "nobody"])
        own = self._id()
        self._tx.run(
            PULL,
            id=own,
            github_id=self._next(),
            state=dice.choice(["closed", "merged"]) if state == "merged" else state,
            merged=state == "merged",
            draft=dice.random() < 0.3,
            repository=repository,
            author=author if known == "id" else None,
            author_number=number if known == "number" else None,
            login="old[bot]" if known == "login" else None,
            opened=opened,
            merged_at=ended if state == "merged" and dice.random() < 0.9 else None,
            closed_at=ended if state != "open" and dice.random() < 0.9 else None,
            gone=self._gone(),
        )
        if self._spam:
            self._tx.run(
                "update pull_requests set is_spam = %(spam)s where id = %(id)s",
                spam=dice.choice([True, False, False, None]),
                id=own,
            )
        for _ in range(dice.randrange(4)):
            self._review(repository, own, opened)
        for _ in range(dice.randrange(3)):
            self._comment(repository, opened, pull=own)

    def _review(self, repository: str, pull: str, opened: datetime) -> None:
        self._tx.run(
            REVIEW,
            id=self._id(),
            github_id=self._next(),
            pull=pull,
            repository=repository,
            who=self._dice.choice(self.people)[0],
            state=self._dice.choice(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]),
            at=opened + timedelta(minutes=self._dice.randrange(-300, 9_000)),
            gone=self._gone(),
        )

    def _comment(self, repository: str, opened: datetime, *, pull: str | None = None, issue: str | None = None) -> None:
        dice = self._dice
        self._tx.run(
            COMMENT,
            id=self._id(),
            github_id=self._next(),
            repository=repository,
            pull=pull,
            issue=issue,
            who=dice.choice([*self.people, (None, 0)])[0],
            type=dice.choice(["issue_comment", "review_comment"]) if pull else "issue_comment",
            review=dice.choice([None, 77]),
            at=opened + timedelta(minutes=dice.randrange(-60, 5_000)),
            gone=self._gone(),
        )

    def _issue(self, repository: str) -> None:
        dice = self._dice
        opened, state = self._time(), dice.choice(["open", "closed", "closed"])
        own = self._id()
        self._tx.run(
            ISSUE,
            id=own,
            github_id=self._next(),
            state=state,
            repository=repository,
            author=dice.choice([*self.people, (None, 0)])[0],
            opened=opened,
            closed_at=opened + timedelta(hours=dice.randrange(-3, 500)) if dice.random() < 0.8 else None,
            pull=dice.choice([False, False, None, True]),
            gone=self._gone(),
        )
        for _ in range(dice.randrange(3)):
            self._comment(repository, opened, issue=own)

    def _discussion(self, repository: str) -> None:
        dice = self._dice
        opened, answered, people = self._time(), dice.choice([True, False, None]), [*self.people, *self.talkers]
        own = self._id()
        self._tx.run(
            DISCUSSION,
            id=own,
            github_id=self._next(),
            repository=repository,
            author=dice.choice([*people, (None, None)])[1],
            opened=opened,
            answered=answered,
            answered_at=opened + timedelta(hours=dice.randrange(-3, 500)) if dice.random() < 0.8 else None,
            gone=self._gone(),
        )
        for _ in range(dice.randrange(4)):
            self._tx.run(
                REMARK,
                id=self._id(),
                github_id=self._next(),
                discussion=own,
                author=dice.choice([*people, (None, None)])[1],
                answer=dice.choice([True, False, None]),
                at=opened + timedelta(minutes=dice.randrange(-60, 5_000)),
                deleted=self._gone(),
                gone=self._gone(),
            )

    def _gone(self) -> datetime | None:
        return self._now if self._dice.random() < 0.1 else None

    def _time(self) -> datetime:
        return self._now - timedelta(minutes=self._dice.choice([20, 100, 400]) * self._dice.randrange(1, 720))

    def _id(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def _next(self) -> int:
        self._number += 1
        return self._number


def tables(tx: Transaction) -> dict[str, list[Row]]:
    """Return all rows of the tables that figures are made of."""
    return {name: tx.rows(f"select * from {name}") for name in TABLES}  # noqa: S608 (names of ours)
