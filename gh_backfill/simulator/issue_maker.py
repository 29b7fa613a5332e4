"""Makes the issues of a made-up repository, with their comments, labels, assignees and milestones."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from gh_backfill.simulator import derive
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.maker import ISSUE_EVERY, START, Maker, text_of
from gh_backfill.simulator.prose import paragraphs, title
from gh_backfill.simulator.rows import IssueRow, LabelRow, MilestoneRow

# The first issues are the extreme ones, in repositories that have so many numbers.
MANY_COMMENTS, MANY_LABELS, MANY_ASSIGNEES, A_BOT_ASSIGNED, A_GHOST = (n * ISSUE_EVERY for n in range(1, 6))
_COMMENTS, LABELS = 130, 104
MOST_ASSIGNEES = 10  # GitHub admits no more
USUAL = (
    ("bug", "d73a4a", True, "Something isn't working"),
    ("enhancement", "a2eeef", True, "New feature or request"),
    ("question", "d876e3", True, ""),
    ("needs: 例", "0e8a16", False, None),
    ("wontfix", "ffffff", True, "This will not be worked on"),
)
_MILESTONES = 4
_MILESTONE_IDS = 1_000


class IssueMaker:
    """Makes the issues of one repository; the maker of its pull requests gives numbers, ids and people."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._users = [person.id for person in maker.accounts if person.type == "User"]
        used = max(maker.numbers(), default=0)
        self._numbers = range(ISSUE_EVERY, used, ISSUE_EVERY)
        self.labels = tuple(self.label(index) for index in range(self._label_count()))
        self.milestones = [self._milestone(index) for index in range(_MILESTONES)]

    def issues(self) -> list[IssueRow]:
        """Make all issues."""
        return [self._issue(number) for number in self._numbers]

    def _issue(self, number: int) -> IssueRow:
        maker = self._maker
        luck, identity, created = maker.luck("issue", number), maker.first_id(number), maker.created(number)
        author = maker.person(luck)
        details = maker.luck("issue details", number)
        comments = maker.comments(details, number, _comment_count(details, number))
        closed = details.random() < 0.6
        last = max([text_of(created), *(comment.created_at for comment in comments)])
        ended = text_of(datetime.fromisoformat(last) + timedelta(hours=details.randrange(1, 2_000)))
        reasons = ("completed", "not_planned", "duplicate") if closed else (None, "reopened")
        return IssueRow(
            repository_id=maker.identity,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.ISSUE, maker.identity, number, identity),
            author=None if number == A_GHOST else author,
            association="NONE",
            title=title(maker.luck("issue", number)),
            body=paragraphs(details, 3) if details.random() < 0.9 else "",
            open=not closed,
            state_reason=details.choices(reasons, (80, 15, 5)[: len(reasons)])[0],
            locked=False,
            created_at=text_of(created),
            updated_at=ended if closed or details.random() < 0.3 else last,
            closed_at=ended if closed else None,
            closed_by=maker.person(details) if closed else None,
            labels=self._labels(details, number),
            assignees=self._assignees(details, number),
            milestone=details.choice(self.milestones) if details.random() < 0.3 else None,
            comments=comments,
        )

    def _labels(self, luck: random.Random, number: int) -> tuple[LabelRow, ...]:
        if number == MANY_LABELS:
            return self.labels[:LABELS]
        count = luck.choices((0, 1, 2, 3), (40, 35, 20, 5))[0]
        return tuple(self.labels[index] for index in sorted(luck.sample(range(len(USUAL)), count)))

    def _assignees(self, luck: random.Random, number: int) -> tuple[int, ...]:
        """Nobody as a rule; now and then a bot, which GraphQL leaves out of the users."""
        if number == MANY_ASSIGNEES:
            return tuple(self._users[:MOST_ASSIGNEES])
        people = luck.sample(self._users, luck.choices((0, 1, 2), (65, 30, 5))[0])
        bot = number == A_BOT_ASSIGNED or luck.random() < 0.04
        return (*people, self._maker.people[0]) if bot else tuple(people)

    def _label_count(self) -> int:
        return LABELS if MANY_LABELS in self._numbers else len(USUAL) if self._numbers else 0

    def label(self, index: int) -> LabelRow:
        """Make a label of the repository; the first ones are those that every repository has."""
        if index < len(USUAL):
            name, color, default, description = USUAL[index]
        else:
            name, color, default, description = f"area: {index:03}", f"{index * 4_099:06x}", False, f"Part {index}"
        return LabelRow(
            id=self._maker.first_id(0) + index,
            node_id=derive.label_node_id(self._maker.recipe.full_name, name),
            name=name,
            color=color,
            default=default,
            description=description,
        )

    def _milestone(self, index: int) -> MilestoneRow:
        full_name, number = self._maker.recipe.full_name, index + 1
        done = index < _MILESTONES // 2
        return MilestoneRow(
            repository_id=self._maker.identity,
            id=self._maker.first_id(0) + _MILESTONE_IDS + index,
            node_id=f"MI_{derive.derived_oid(full_name, 'milestone', number)[:16]}",
            number=number,
            title=f"{number}.0",
            description=f"What is planned for {number}.0" if index % 2 else None,
            open=not done,
            created_at=START,
            updated_at=START,
            closed_at=START if done else None,
            due_on=f"20{20 + index}-06-30T07:00:00Z" if index % 3 else None,
        )


def _comment_count(luck: random.Random, number: int) -> int:
    heavy = min(int(luck.paretovariate(1.1)) - 1, 60)
    return _COMMENTS if number == MANY_COMMENTS else heavy
