"""The lists of one item that are being read: what is still to be asked, what failed, and what came short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Protocol, TypeVar

from gh_backfill.models.github import Listing, NodeId, Unknown, Unreadable
from gh_backfill.policy.followed import Followed
from gh_backfill.policy.items import TRIES, FollowUp


class Identified(Protocol):
    """Whatever GitHub numbers."""

    @property
    def github_id(self) -> int:
        """Return GitHub's number of it."""


Kept = TypeVar("Kept", bound=Identified)
Thing = TypeVar("Thing")
Key = TypeVar("Key", int, str)
_BY_NUMBER = attrgetter("github_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListWords:
    """What a list has, as the quarantine calls one of it, and what messages call the list.

    `shared` says that several items may have the same one.
    """

    item: str
    items: str
    shared: bool = False


@dataclass(kw_only=True, slots=True)
class OpenLists:
    """The lists of the item with this number; `words` are those of each list that can be asked for."""

    number: int
    words: Mapping[type[FollowUp], ListWords]
    follow_ups: list[FollowUp] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    _failures: Counter[FollowUp] = field(default_factory=Counter)
    _followed: dict[tuple[type[FollowUp], NodeId], Followed] = field(default_factory=dict)

    def ask(self, follow_up: FollowUp) -> None:
        """Ask for a list, or for the rest of it."""
        self.follow_ups.append(follow_up)

    def keep(self, held: MutableMapping[int, Kept], listing: Listing[Kept], asked: FollowUp) -> None:
        """Add to what is held what a page of a list brought, and ask for the next page where there is one."""
        self.keep_by(_BY_NUMBER, held, listing, asked)

    def keep_by(
        self, key: Callable[[Thing], Key], held: MutableMapping[Key, Thing], listing: Listing[Thing], asked: FollowUp
    ) -> None:
        """Do what `keep` does for things that GitHub does not number; they are in the order of the last reading."""
        keys = [key(item) for item in listing.items]
        for each, item in zip(keys, listing.items, strict=True):
            held.pop(each, None)
            held[each] = item
        self.lose(listing.unreadable)
        if self.leads_on(asked, listing, keys):
            self.ask(asked.at(listing.next))

    def lose(self, lost: Sequence[Unreadable]) -> None:
        """Note what could not be read."""
        self.unreadable += [replace(each, number=self.number, identity=self._identity(each)) for each in lost]

    def _identity(self, lost: Unreadable) -> str:
        """Return by what a part is known: one that other items have too, or without an id, by this item as well."""
        shared = any(words.shared for words in self.words.values() if words.item == lost.kind)
        return f"{lost.identity} of #{self.number}" if shared or lost.identity == lost.kind else lost.identity

    def leads_on(self, asked: FollowUp, listing: Listing[object], ids: Sequence[int | str]) -> bool:
        """Say whether the page after this one, which brought these ids, is to be asked for."""
        key = (type(asked), asked.node_id)
        followed = self._followed.get(key)
        if followed is None:
            beginning = asked if asked.after is None else asked.at(None)
            followed = self._followed[key] = Followed(beginning=beginning)
        elif asked.after is None:
            followed.begin()
        return followed.take(ids, lost=len(listing.unreadable), total=listing.total, following=listing.next)

    def taken(self, follow_up: FollowUp, answer: Listing[object]) -> Listing[object]:
        """Return an answer as it is to be kept; where something of it could not be read, it is asked for once more."""
        if answer.unreadable and self._try_again(follow_up):
            return replace(answer, unreadable=(), next=None)
        return answer

    def unanswered(self, follow_up: FollowUp, answer: object) -> None:
        """Note a follow-up without an answer: what is unknown is asked, at most `TRIES` times in all, then reported.

        What GitHub does not find is not there, and not missed.
        """
        if isinstance(answer, Unknown) and not self._try_again(follow_up):
            reason = f"GitHub gave no answer, {TRIES} times"
            item = self.words[type(follow_up)].item
            self.unreadable.append(Unreadable(kind=item, identity=follow_up.node_id, reason=reason, number=self.number))

    def short(self) -> list[FollowUp]:
        """Return what asks once more, from their beginning, for the lists that ended before their own count."""
        return [each.beginning for each in self._followed.values() if each.short]

    def short_words(self) -> list[str]:
        """Name the lists that ended before their own count, with both counts."""
        found: dict[str, list[Followed]] = {}
        for (kind, _), followed in self._followed.items():
            if followed.short:
                found.setdefault(self.words[kind].items, []).append(followed)
        if not found:
            return []
        return [
            f"{sum(each.total for each in lists)} {items} counted, {sum(each.held for each in lists)} listed"
            for items, lists in found.items()
        ]

    def _try_again(self, follow_up: FollowUp) -> bool:
        self._failures[follow_up] += 1
        again = self._failures[follow_up] < TRIES
        if again:
            self.ask(follow_up)
        return again


def short_counts(counts: Sequence[tuple[str, int, int]]) -> list[str]:
    """Name what is short of its count: (what, how many GitHub counts, how many are held)."""
    return [f"{counted} {what} counted, {held} listed" for what, counted, held in counts if counted > held]
