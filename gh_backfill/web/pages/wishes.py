"""Wishes for repositories that are added, as a form or a program says it; what is wrong is a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.initial import NEWEST, Wish
from gh_backfill.policy.names import names_in, without_credentials
from gh_backfill.policy.schedule import Priority
from gh_backfill.web.page import Form

STATES = ("open", "closed", "merged")
MOST_NAMES = 500
_LARGEST = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """The form of the page as somebody filled it in, to be shown again as it was."""

    names: str = ""
    backfill: bool = True
    max_prs: str = str(NEWEST)
    since: str = ""
    until: str = ""
    state: str = ""
    smart: bool = False
    only_newest: bool = False
    one_per_owner: bool = False
    priority: str = ""

    @property
    def given(self) -> list[str]:
        """Return the names, without tokens that stood in pasted addresses.  Raises ConfigurationError for too many."""
        names = [without_credentials(name) for name in names_in(self.names)]
        if len(names) > MOST_NAMES:
            raise ConfigurationError(f"{len(names):,} names are too many at once: give at most {MOST_NAMES}")
        return names

    @property
    def wish(self) -> Wish:
        """Return what is wanted.  Raises ConfigurationError for what is no number, no day, or no state."""
        since, until = day("From", self.since), day("Until", self.until)
        if since is not None and until is not None and since >= until:
            raise ConfigurationError(f"From {since} is not before {until}: nothing lies between them.")
        return Wish(
            max_prs=NEWEST if self.smart else most(self.max_prs),
            since=since,
            until=until,
            states=states([self.state]),
            smart=self.smart,
            only_newest=self.only_newest,
            one_per_owner=self.one_per_owner,
            priority=priority(self.priority),
        )


def filled(form: Form) -> Filled:
    """Return what a form says: names that were pasted, and those of a file."""
    return Filled(
        names="\n".join([*form.all("names"), *form.all("file")]).strip(),
        backfill=form.one("backfill") != "",
        max_prs=form.one("max_prs"),
        since=form.one("since"),
        until=form.one("until"),
        state=form.one("state"),
        smart=form.one("smart") != "",
        only_newest=form.one("only_newest") != "",
        one_per_owner=form.one("one_per_owner") != "",
        priority=form.one("priority"),
    )


def most(text: str) -> int | None:
    """Read how many pull requests are wanted; `all` is None.  Raises ConfigurationError for anything else."""
    text = text.strip().replace(",", "")
    if not text:
        return NEWEST
    if text.lower() == "all":
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 12 or not 1 <= int(text) <= _LARGEST:
        raise ConfigurationError(f"The number of pull requests is a whole number or “all”, not {text[:40]}.")
    return int(text)


def day(name: str, text: str) -> date | None:
    """Read a day; empty means any time.  Raises ConfigurationError for anything else."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ConfigurationError(f"{name} is a day such as 2026-01-31, not {text[:40]}.") from None


def priority(text: str) -> Priority | None:
    """Read a priority; empty means that nothing is said.  Raises ConfigurationError for another word."""
    word = text.strip().lower()
    if word and word not in tuple(Priority):
        raise ConfigurationError(f"A priority is one of {', '.join(Priority)}, not {word[:40]}.")
    return Priority(word) if word else None


def states(given: Sequence[str]) -> tuple[str, ...]:
    """Read states of pull requests; none, or all of them, mean any.  Raises ConfigurationError for another word."""
    words = {word for text in given for word in text.lower().replace(",", " ").split()}
    wrong = sorted(words - {*STATES, "all"})
    if wrong:
        raise ConfigurationError(f"A state is one of {', '.join(STATES)}, not {wrong[0][:40]}.")
    chosen = tuple(each for each in STATES if each in words)
    return () if "all" in words or len(chosen) == len(STATES) else chosen
