"""The recipe of a made-up repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

FORM = "OWNER/NAME:N[:SEED][:stars=N][:forks=N][:discussions=N][:marked=PERCENT][:since=YYYY-MM-DD][:until=YYYY-MM-DD]"
_SPEC = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+):(?P<count>\d+)(?::(?P<seed>\d+))?(?P<more>(?::\w+=[\w-]+)*)")
_MOST = {"pull requests": 900_000, "stars": 1_000_000, "forks": 500_000, "discussions": 100_000}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A repository to make: its name, how many pull requests, and the seed.

    So many per cent of its pull requests are `marked`: with labels, assignees, a milestone and requests for a review.
    Its stars and forks come from the day `since` to the one before `until`; without these, from 2015 to yesterday.
    """

    owner: str
    name: str
    count: int
    seed: int = 0
    stars: int = 0
    forks: int = 0
    discussions: int = 0
    marked: int = 0
    since: date | None = None
    until: date | None = None

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """Read a recipe of the form FORM; ValueError for anything else."""
        found = _SPEC.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not of the form {FORM}")
        more = [part.partition("=") for part in found["more"].split(":")[1:]]
        given = {name: value for name, _, value in more}
        if len(given) < len(more) or not given.keys() <= {"stars", "forks", "discussions", "marked", "since", "until"}:
            raise ValueError(f"{text!r} is not of the form {FORM}")
        made = cls(
            owner=found["owner"],
            name=found["name"],
            count=int(found["count"]),
            seed=int(found["seed"] or 0),
            stars=_number(text, given.get("stars", "0")),
            forks=_number(text, given.get("forks", "0")),
            discussions=_number(text, given.get("discussions", "0")),
            marked=_number(text, given.get("marked", "0")),
            since=_day(text, given.get("since")),
            until=_day(text, given.get("until")),
        )
        _check(text, made)
        return made


def _check(text: str, made: Recipe) -> None:
    counts = (made.count, made.stars, made.forks, made.discussions)
    for what, count in zip(_MOST, counts, strict=True):
        if count > _MOST[what]:
            raise ValueError(f"{text!r}: at most {_MOST[what]} {what}")
    if made.marked > 100:
        raise ValueError(f"{text!r}: at most 100 per cent are marked")
    if made.since and made.until and made.since >= made.until:
        raise ValueError(f"{text!r}: until must be a day after since")


def _number(text: str, value: str) -> int:
    if not value.isdecimal():
        raise ValueError(f"{text!r}: {value!r} is no number")
    return int(value)


def _day(text: str, value: str | None) -> date | None:
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{text!r}: {value!r} is no day") from None
