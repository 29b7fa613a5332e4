"""Values of pages as JSON has them: every field by its name; times stay times until they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum

# A page has thousands of these, so they are looked at first.
_AS_THEY_ARE = (int, float, date, type(None))


def plain(value: object) -> object:
    """Return a value without types of ours: of what says itself how, by `as_json`, what it says; else its fields."""
    if isinstance(value, str):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, _AS_THEY_ARE):
        return value
    own = getattr(value, "as_json", None)
    if own is not None:
        return own()
    if is_dataclass(value):
        return of_fields(value)
    match value:
        case Mapping():
            return {str(plain(key)): plain(each) for key, each in value.items()}
        case Iterable():
            return [plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no place on a page")


def of_fields(value: object, *further: str) -> dict[str, object]:
    """Return the fields of a dataclass, and properties that are named, in plain values."""
    assert is_dataclass(value)
    names = (*(each.name for each in fields(value)), *further)
    return {name: plain(getattr(value, name)) for name in names}
