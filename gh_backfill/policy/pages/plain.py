"""Values of pages as JSON has them: every field by its name; times stay times until they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Protocol, runtime_checkable


@runtime_checkable
class Jsonable(Protocol):
    """What says itself how it goes into JSON."""

    def as_json(self) -> Mapping[str, object]: ...  # noqa: D102  (said by the class)


def plain(value: object) -> object:
    """Return a value without types of ours: of what says itself how, what it says; of a dataclass its fields."""
    if isinstance(value, Jsonable):
        return value.as_json()
    if is_dataclass(value) and not isinstance(value, type):
        return of_fields(value)
    match value:
        case Enum():
            return value.value
        case None | str() | int() | float() | datetime() | date():
            return value
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
