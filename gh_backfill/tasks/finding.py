"""The finding of one check."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found; `text` is what holds, or what to do."""

    name: str
    ok: bool
    text: str

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return asdict(self)
