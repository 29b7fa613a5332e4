"""What a made-up repository is to be like."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPEC = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+):(?P<count>\d+)(?::(?P<seed>\d+))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A repository to make: its name, how many pull requests, and the seed."""

    owner: str
    name: str
    count: int
    seed: int = 0

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """Read `owner/name:N` or `owner/name:N:SEED`; ValueError for anything else."""
        found = _SPEC.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not of the form OWNER/NAME:N or OWNER/NAME:N:SEED")
        seed = int(found["seed"] or 0)
        if int(found["count"]) > 900_000:
            raise ValueError(f"{text!r}: at most 900000 pull requests")
        return cls(owner=found["owner"], name=found["name"], count=int(found["count"]), seed=seed)
