"""A fault: which one, and when it is to strike.  `effects.EFFECTS` is the table of what each one does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault to strike.

    It strikes a request with `probability`, at most `count` times (None: for ever), after letting the first `skip`
    matching requests pass, then only the first of each `every`, and only where every pattern of `match` is found in
    what it is named after: `path`, `query` (the document), `operation`, `variables`, `token` or `identity`.  `size`
    means what the fault's description says, and so do `on`, the name of a connection, and `cursor`.
    The same `seed` strikes the same requests.
    """

    name: str
    probability: float = 1.0
    count: int | None = None
    skip: int = 0
    every: int = 1
    seed: int = 0
    size: float | None = None
    on: str = ""
    cursor: str | None = None
    match: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Fault:
        """Make a fault of JSON; ValueError where it is none."""
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"not a fault: {dict(given)}") from error
