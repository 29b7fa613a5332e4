"""Makes labels, assignees, milestones and requests for a review of the pull requests of a made-up repository."""

from __future__ import annotations

import random
from dataclasses import replace

from gh_backfill.simulator import derive
from gh_backfill.simulator.issue_maker import LABELS, MOST_ASSIGNEES, USUAL, IssueMaker
from gh_backfill.simulator.maker import Maker
from gh_backfill.simulator.new_rows import new_review_request
from gh_backfill.simulator.request_rows import ReviewRequestRow, TeamRow
from gh_backfill.simulator.rows import LabelRow, PullRequestRow

# The first ones are extreme.
MANY_LABELS, MANY_ASSIGNEES, ALL_REVIEWERS, MANY_REVIEWERS = 1, 2, 3, 4
_REVIEWERS = 103


class MarkMaker:
    """Marks so many per cent of the pull requests as the recipe says; the makers give dice, people and labels."""

    def __init__(self, maker: Maker, issues: IssueMaker) -> None:
        self._maker, self._issues = maker, issues
        self._share = maker.recipe.marked / 100
        self._users = [person.id for person in maker.accounts if person.type == "User"]
        many = LABELS if self._share else len(issues.labels)
        self.labels = (
            issues.labels if len(issues.labels) >= many else tuple(issues.label(index) for index in range(many))
        )

    def pull(self, number: int) -> PullRequestRow:
        """Make a pull request with its marks."""
        made = self._maker.pull(number)
        if not self._share:
            return made
        luck = self._maker.luck("marks", number)
        return replace(
            made,
            labels=self._labels(luck, number),
            assignees=self._assignees(luck, number),
            milestone=luck.choice(self._issues.milestones) if luck.random() < self._share else None,
            review_requests=self._requests(luck, number),
        )

    def _labels(self, luck: random.Random, number: int) -> tuple[LabelRow, ...]:
        if number == MANY_LABELS:
            return self.labels[:LABELS]
        count = luck.choice((1, 2, 3)) if luck.random() < self._share else 0
        return tuple(self.labels[index] for index in sorted(luck.sample(range(len(USUAL)), count)))

    def _assignees(self, luck: random.Random, number: int) -> tuple[int, ...]:
        if number == MANY_ASSIGNEES:
            return tuple(self._users[:MOST_ASSIGNEES])
        return (luck.choice(self._users),) if luck.random() < self._share / 2 else ()

    def _requests(self, luck: random.Random, number: int) -> tuple[ReviewRequestRow, ...]:
        """Ask users as a rule; all sorts of reviewers once, and once more than a page of a list has room for."""
        identity, users = self._maker.identity, self._users
        if number == ALL_REVIEWERS:
            name = f"{self._maker.recipe.name} people"
            team = TeamRow(
                id=derive.whole(f"team {name}") % 2**31, node_id=f"T_{derive.derived_oid('team', name)[:16]}", name=name
            )
            return (
                new_review_request(identity, number, 0, account=users[0]),
                new_review_request(identity, number, 1, account=self._maker.people[0]),
                new_review_request(identity, number, 2, team=team),
                new_review_request(identity, number, 3),
            )
        many = _REVIEWERS if number == MANY_REVIEWERS else int(luck.random() < self._share / 3)
        return tuple(
            new_review_request(identity, number, index, account=users[(number + index) % len(users)])
            for index in range(many)
        )
