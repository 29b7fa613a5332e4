"""This process must not tell what it knows of secrets and of the names of private repositories: both are kept here.

Whoever reads a setting or a repository notes it here; whatever writes for others (`output`) looks here.  A name that
was given and is not known yet is hidden like a private one, for it may be one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

SHORTEST = 8
# Every variable of ours, of vendors and of the guide that holds a secret, by its name.
_HOLDS_A_SECRET = re.compile(
    r"TOKENS?$|SECRET|PASSWORD|DATABASE_URL|_DB_URL|NOTIFY_URLS|WEBHOOK_URL|(API|SERVICE|ROLE|EVENT|SIGNING|PRIVATE|DATPIPE)_KEY"
)
# A word says nothing and is everywhere: hiding the password "postgres" would only make every message unreadable.
_WORD = re.compile(r"[a-z]{1,15}")
_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#]*?:([^/?#]*)@|\bpassword=('[^']*'|\S+)", re.IGNORECASE)


@dataclass(slots=True)
class _Notes:
    private: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    names: dict[str, str] | None = None
    values: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)


_notes = [_Notes()]


def repository(full_name: str, shown: str, *, is_private: bool) -> None:
    """Note a repository: a private one is written as `shown`, for good; of a public one the name may be read."""
    name = full_name.lower()
    if is_private:
        _notes[0].private.setdefault(name, shown)
    else:
        _notes[0].public.add(name)
    _notes[0].names = None


def unknown(full_name: str, shown: str | None = None) -> None:
    """Note a name of which nothing is known; it is hidden until somebody says that it is public."""
    _notes[0].unknown.setdefault(full_name.lower(), shown or f"<given name {len(_notes[0].unknown) + 1}>")
    _notes[0].names = None


def private_names() -> Mapping[str, str]:
    """Return what to show for each name of a repository that is private."""
    return dict(_notes[0].private)


def given() -> tuple[str, ...]:
    """Return the names, in lower case, of which nothing was known when they were noted."""
    return tuple(_notes[0].unknown)


def secrets_among(settings: Mapping[str, str]) -> None:
    """Note what of settings, each by its name, is secret: the value, and each of those that a list has."""
    for name, value in settings.items():
        if _HOLDS_A_SECRET.search(name):
            secret(value, name)
            for each in re.split(r"[\s,]+", value) if name.endswith("S") else ():
                secret(each)


def secret(value: str, setting: str | None = None) -> None:
    """Note a secret: the value, each of its lines, and the password in it where it is an address."""
    if setting is not None:
        _notes[0].settings[setting] = value
    found = _PASSWORD.search(value)
    parts = {value, *value.splitlines()} if found is None else {found[1] or found[2], unquote(found[1] or "")}
    if found is not None:
        parts.add(value)
    clean = {part.strip().strip("'") for part in parts}
    _notes[0].secrets |= {part for part in clean if len(part) >= SHORTEST and not _WORD.fullmatch(part)}
    _notes[0].values = tuple(sorted(_notes[0].secrets, key=len, reverse=True))


def names() -> Mapping[str, str]:
    """Return what to show for each name to hide, in lower case, the longest name first."""
    if _notes[0].names is None:
        open_names = {name: shown for name, shown in _notes[0].unknown.items() if name not in _notes[0].public}
        every = open_names | dict(_notes[0].private)
        _notes[0].names = dict(sorted(every.items(), key=lambda item: -len(item[0])))
    return _notes[0].names


def secrets() -> Sequence[str]:
    """Return the values to hide, the longest first."""
    return _notes[0].values


def settings_within(text: str) -> list[str]:
    """Return the settings whose secret value, or a line of it, stands somewhere in a text, however short it is."""
    return sorted(
        name
        for name, value in _notes[0].settings.items()
        if any(line.strip() in text for line in value.splitlines() if line.strip())
    )


def forget() -> None:
    """Forget everything, as a new process would begin."""
    _notes[0] = _Notes()
