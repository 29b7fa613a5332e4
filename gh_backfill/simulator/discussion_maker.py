"""Makes the discussions of a made-up repository, with their comments, replies, categories and answers."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from gh_backfill.simulator import derive
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.discussion_rows import CategoryRow, DiscussionCommentRow, DiscussionRow
from gh_backfill.simulator.maker import START, Maker, text_of
from gh_backfill.simulator.prose import paragraphs, title
from gh_backfill.simulator.rows import RepositoryRow

# The first discussions are the extreme ones, where there are so many.
MANY_COMMENTS, MANY_REPLIES, A_GHOST, A_BOT, DELETED = range(5)
_COMMENTS, _REPLIES = 130, 120
_KINDS = (
    ("Announcements", "Updates from maintainers", ":mega:", False),
    ("General", None, ":speech_balloon:", False),
    ("Q&A", "Ask the community for help", ":pray:", True),
    ("Idéas 例", "Share ideas for new features", ":bulb:", False),
)


class DiscussionMaker:
    """Makes the discussions of one repository under the numbers after its pull requests and issues."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._count = maker.recipe.discussions
        self._categories = categories(maker.identity)

    def discussions(self) -> list[DiscussionRow]:
        """Make all discussions."""
        return [self._discussion(index) for index in range(self._count)]

    def _discussion(self, index: int) -> DiscussionRow:
        maker, number = self._maker, self._maker.last + 1 + index
        luck, identity = maker.luck("discussion", number), maker.first_id(number)
        created = maker.spread(index / self._count)
        comments = self._comments(maker.luck("discussion comments", number), index, number, created)
        category = luck.choice(self._categories)
        answer = self._answer(luck, comments) if category.answerable else None
        closed = luck.random() < 0.2
        last = max([text_of(created), *(row.created_at for row in comments)])
        ended = text_of(datetime.fromisoformat(last) + timedelta(hours=luck.randrange(1, 900)))
        author = maker.people[0] if index == A_BOT else maker.person(luck)
        return DiscussionRow(
            repository_id=maker.identity,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.DISCUSSION, maker.identity, number, identity),
            author=None if index == A_GHOST else author,
            title=title(luck),
            body=paragraphs(luck, 3),
            category=category,
            open=not closed,
            state_reason=luck.choice(("resolved", "outdated", "duplicate")) if closed else None,
            locked=luck.random() < 0.1,
            created_at=text_of(created),
            updated_at=ended if closed else last,
            closed_at=ended if closed else None,
            answer=None if answer is None else answer.id,
            answer_chosen_at=None if answer is None else last,
            answer_chosen_by=None if answer is None else maker.person(luck),
            upvotes=int(luck.paretovariate(1.2)),
            comments=comments,
        )

    def _comments(
        self, luck: random.Random, index: int, number: int, created: datetime
    ) -> tuple[DiscussionCommentRow, ...]:
        many = _COMMENTS if index == MANY_COMMENTS else min(int(luck.paretovariate(1.1)) - 1, 60)
        rows: list[DiscussionCommentRow] = []
        for place in range(max(many, 1) if index in (MANY_REPLIES, DELETED) else many):
            first = self._comment(luck, number, len(rows), created, None, deleted=index == DELETED and place == 0)
            rows.append(first)
            replies = min(int(luck.paretovariate(1.3)) - 1, 20)
            if place == 0 and index in (MANY_REPLIES, DELETED):
                replies = _REPLIES if index == MANY_REPLIES else 2
            rows += [
                self._comment(luck, number, below, created, first.id) for below in range(len(rows), len(rows) + replies)
            ]
        return tuple(rows)

    def _comment(
        self,
        luck: random.Random,
        number: int,
        index: int,
        created: datetime,
        reply_to: int | None,
        *,
        deleted: bool = False,
    ) -> DiscussionCommentRow:
        identity, time = self._maker.first_id(number) + 1 + index, text_of(created + timedelta(minutes=7 * (index + 1)))
        author, body = self._maker.person(luck), paragraphs(luck, 2)
        return DiscussionCommentRow(
            repository_id=self._maker.identity,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.DISCUSSION_COMMENT, self._maker.identity, number, identity),
            author=None if deleted else author,
            body="" if deleted else body,
            created_at=time,
            updated_at=time,
            deleted_at=time if deleted else None,
            reply_to=reply_to,
            upvotes=int(luck.paretovariate(1.5)) - 1,
        )

    @staticmethod
    def _answer(luck: random.Random, comments: tuple[DiscussionCommentRow, ...]) -> DiscussionCommentRow | None:
        return luck.choice(comments) if comments and luck.random() < 0.6 else None


def categories(repository_id: int) -> tuple[CategoryRow, ...]:
    """Return the categories of a repository, which every one has alike."""
    return tuple(
        CategoryRow(
            repository_id=repository_id,
            id=index + 1,
            node_id=f"DIC_{derive.derived_oid(repository_id, 'category', index)[:16]}",
            name=name,
            description=description,
            emoji=emoji,
            answerable=answerable,
            created_at=START,
        )
        for index, (name, description, emoji, answerable) in enumerate(_KINDS)
    )


def general(home: RepositoryRow) -> CategoryRow:
    """Return the category of what nobody put into another one."""
    return categories(home.id)[1]
