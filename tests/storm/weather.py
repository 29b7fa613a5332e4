"""The faults and the changes of the world that blow while the workers are at it.  All of it follows from the seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gh_backfill.simulator import changes, discussing
from gh_backfill.simulator.discussion_rows import DiscussionRow
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.rows import IssueRow
from gh_backfill.simulator.world import World

# What a fault's size means differs; these keep the waits short and the pages small.
_SIZES = {"secondary_a": 1.0, "secondary_b": 1.0, "resource_limits": 5.0}


def faults(seed: int, rounds: int, *, one_in: int = 10) -> list[Fault]:
    """Return faults that strike one request in so many for as long as they are on.

    Every kind comes once in a round; each round has its own order, and after the last one the first comes again.
    """
    luck = random.Random(f"faults:{seed}")  # noqa: S311  (a dice, no secret)
    kinds = sorted(EFFECTS)
    order = [name for _ in range(rounds) for name in luck.sample(kinds, len(kinds))]
    return [
        Fault(
            name=name,
            skip=one_in * number + luck.randrange(one_in),
            every=one_in * len(order),
            seed=number,
            size=_SIZES.get(name),
        )
        for number, name in enumerate(order)
    ]


Moves = tuple[tuple[Callable[[str, int], object], int], ...]


class Mover:
    """People at work in the simulated world, on pull requests, on issues and in discussions."""

    def __init__(self, world: World, names: tuple[str, ...], seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.deleted: set[int] = set()
        self._world = world
        self._luck = random.Random(f"moves:{seed}")  # noqa: S311  (a dice, no secret)
        self._ids = [home.id for home in world.repositories.values() if home.full_name in names]
        self._over = threading.Event()

    @contextmanager
    def at_work(self, every: float) -> Iterator[None]:
        """Change something every so many seconds until the block ends."""
        thread = threading.Thread(target=self._work, args=(every,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _work(self, every: float) -> None:
        while not self._over.wait(every):
            self.move()

    def move(self) -> None:
        """Change one thing."""
        home = self._world.repositories[self._luck.choice(self._ids)]
        shelf = self._world.shelves[home.id]
        place = self._luck.random()
        if place < 0.2 and shelf.discussions:
            moves, numbers = self._moves_of_discussions(), sorted(shelf.discussions)
        elif place < 0.5:
            moves, numbers = self._moves_of_issues(), sorted(shelf.issues)
        else:
            moves, numbers = self._moves(), [outline.number for outline in shelf.outlines()]
        (move,) = self._luck.choices([each for each, _ in moves], [weight for _, weight in moves])
        move(home.full_name, self._luck.choice(numbers or [0]))
        self.done[move.__name__.strip("_")] += 1

    def _moves(self) -> Moves:
        return (
            (self._open, 4),
            (self._edit, 6),
            (self._comment, 6),
            (self._review, 6),
            (self._close, 3),
            (self._delete, 1),
            (self._rename_person, 1),
            (self._rename_repository, 1),
        )

    def _moves_of_issues(self) -> Moves:
        return (
            (self._open_issue, 3),
            (self._edit_issue, 4),
            (self._comment_on_issue, 6),
            (self._label, 4),
            (self._assign, 4),
            (self._plan, 2),
            (self._close_or_reopen, 3),
            (self._edit_comment, 3),
            (self._delete_comment, 1),
            (self._delete_issue, 1),
        )

    def _moves_of_discussions(self) -> Moves:
        return (
            (self._open_discussion, 3),
            (self._edit_discussion, 4),
            (self._say, 6),
            (self._edit_said, 3),
            (self._unsay, 1),
            (self._delete_discussion, 1),
        )

    def _open(self, name: str, number: int) -> None:
        changes.open_pull_request(self._world, name, author="newcomer", title=f"While you were at #{number}")

    def _edit(self, name: str, number: int) -> None:
        changes.edit(self._world, name, number, title=f"Edited {self._luck.randrange(10**6)}")

    def _comment(self, name: str, number: int) -> None:
        changes.comment(self._world, name, number, author="newcomer", body=f"Seen {self._luck.randrange(10**6)}")

    def _review(self, name: str, number: int) -> None:
        changes.review(self._world, name, number, author="reviewer", state="APPROVED", comments=["Why?", "Why not?"])

    def _close(self, name: str, number: int) -> None:
        changes.close(self._world, name, number, merged_by="merger")

    def _delete(self, name: str, number: int) -> None:
        """What had been read before stays stored: its ids are noted."""
        home = next(each for each in self._world.repositories.values() if each.full_name == name)
        pull = self._world.pull(home.id, number)
        assert pull is not None
        below = (*(row.id for row in pull.reviews), *(row.id for row in pull.review_comments))
        self.deleted |= {pull.number, pull.id, *below, *(row.id for row in pull.comments)}
        changes.delete(self._world, name, number)

    def _rename_person(self, name: str, number: int) -> None:
        person = self._luck.choice([each for each in self._world.accounts.values() if each.type == "User"])
        changes.rename_account(self._world, person.login, to=f"{person.login[:30]}-{self.done['rename_person']}")

    def _rename_repository(self, name: str, number: int) -> None:
        first_name = name.partition("/")[2].partition(".")[0]
        changes.rename_repository(self._world, name, name=f"{first_name}.{self.done['rename_repository']}")

    def _open_issue(self, name: str, number: int) -> None:
        changes.open_issue(self._world, name, title=f"Seen at #{number}", author="newcomer", labels=["bug"])

    def _edit_issue(self, name: str, number: int) -> None:
        self._change_issue(name, number, body=f"Edited {self._luck.randrange(10**6)}")

    def _comment_on_issue(self, name: str, number: int) -> None:
        if self._issue(name, number) is not None:
            self._comment(name, number)

    def _label(self, name: str, number: int) -> None:
        self._change_issue(name, number, labels=self._luck.sample(("bug", "question", "new: label", "ja 例"), 2))

    def _assign(self, name: str, number: int) -> None:
        self._change_issue(name, number, assignees=self._luck.choice(([], ["newcomer"], ["reviewer", "newcomer"])))

    def _plan(self, name: str, number: int) -> None:
        self._change_issue(name, number, milestone=self._luck.choice(("", "1.0", "9.0")))

    def _close_or_reopen(self, name: str, number: int) -> None:
        issue = self._issue(name, number)
        self._change_issue(name, number, state="closed" if issue is not None and issue.open else "open")

    def _edit_comment(self, name: str, number: int) -> None:
        issue = self._issue(name, number)
        if issue is not None and issue.comments:
            body = f"Edited {self._luck.randrange(10**6)}"
            changes.edit_comment(self._world, name, number, self._luck.choice(issue.comments).id, body=body)

    def _delete_comment(self, name: str, number: int) -> None:
        """Nothing tells of it: the comment stays stored, and its issue is not read again for that."""
        issue = self._issue(name, number)
        if issue is not None and issue.comments:
            gone = self._luck.choice(issue.comments).id
            self.deleted.add(gone)
            changes.delete_comment(self._world, name, number, gone)

    def _delete_issue(self, name: str, number: int) -> None:
        issue = self._issue(name, number)
        if issue is not None:
            self.deleted |= {number, issue.id, *(row.id for row in issue.comments)}
            changes.delete_issue(self._world, name, number)

    def _open_discussion(self, name: str, number: int) -> None:
        discussing.open_discussion(self._world, name, author="newcomer", title=f"Seen at #{number}")

    def _edit_discussion(self, name: str, number: int) -> None:
        discussing.edit_discussion(self._world, name, number, title=f"Edited {self._luck.randrange(10**6)}")

    def _say(self, name: str, number: int) -> None:
        """Comment, or reply to a comment of somebody."""
        comments = self._discussion(name, number).replies(None)
        to = self._luck.choice([None, *(each.id for each in comments)])
        body = f"Said {self._luck.randrange(10**6)}"
        discussing.say(self._world, name, number, author="newcomer", body=body, reply_to=to)

    def _edit_said(self, name: str, number: int) -> None:
        said = [each for each in self._discussion(name, number).comments if each.deleted_at is None]
        if said:
            body = f"Edited {self._luck.randrange(10**6)}"
            discussing.edit_said(self._world, name, number, self._luck.choice(said).id, body=body)

    def _unsay(self, name: str, number: int) -> None:
        """Nothing tells of it: what nobody replied to, and is no answer, stays stored."""
        row = self._discussion(name, number)
        alone = [each.id for each in row.comments if not row.replies(each.id) and each.id != row.answer]
        if alone:
            gone = self._luck.choice(alone)
            self.deleted.add(gone)
            discussing.unsay(self._world, name, number, gone)

    def _delete_discussion(self, name: str, number: int) -> None:
        row = self._discussion(name, number)
        self.deleted |= {number, row.id, *(each.id for each in row.comments)}
        discussing.delete_discussion(self._world, name, number)

    def _discussion(self, name: str, number: int) -> DiscussionRow:
        home = self._world.repository(*name.split("/"))
        assert home is not None
        found = self._world.discussion(home.id, number)
        assert found is not None
        return found

    def _change_issue(self, name: str, number: int, **fields: Any) -> None:
        if self._issue(name, number) is not None:
            changes.edit_issue(self._world, name, number, **fields)

    def _issue(self, name: str, number: int) -> IssueRow | None:
        home = self._world.repository(*name.split("/"))
        return None if home is None else self._world.issue(home.id, number)
