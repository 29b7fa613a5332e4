"""Words of what somebody looks for, written so that PostgreSQL's `websearch_to_tsquery` reads what was meant.

Signs stand for spaces, in the texts as in the question, so that an identifier such as `foo.bar()` is a phrase of its
pieces.  What the function knows stays: "a phrase", -without, or.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from gh_backfill.errors import ConfigurationError

# In characters.  PostgreSQL refuses a word of over 2,046 bytes.
LONGEST = 500
_SIGNS = str.maketrans(string.punctuation, " " * len(string.punctuation))
_CONTROL = re.compile(r"[\x00-\x1f\x7f\s\ud800-\udfff]+")
_TERM = re.compile(r'(-?)"([^"]*)(?:"|$)|(\S+)')
_EXCLUDED = re.compile(r"-\w")
_NUMBER = re.compile(r"#?0*(\d{1,9})")


@dataclass(frozen=True, kw_only=True, slots=True)
class WordsAsked:
    """What is looked for: the `text` itself, `every` word of it, `some` of them, and the number of an item it may be.

    `some` is empty where it would be the same.
    """

    text: str
    every: str
    some: str
    number: int | None


def asked(given: str) -> WordsAsked:
    """Read what somebody typed; raises ConfigurationError where there is no word in it to look for."""
    text = _CONTROL.sub(" ", given).strip()[:LONGEST].strip()
    if not text:
        raise ConfigurationError("what is to be searched for? Give a few words, or an identifier, in quotes")
    every: list[str] = []
    wanted: list[str] = []
    for minus, phrase, word in _TERM.findall(text):
        if word.lower() == "or":
            every.append("or")
            continue
        excluded = bool(minus) or _EXCLUDED.match(word) is not None
        term = _term((phrase or word).translate(_SIGNS).split())
        if not term:
            continue
        every.append(f"-{term}" if excluded else term)
        if not excluded:
            wanted.append(term)
    if not any(each.isalnum() for term in wanted for each in term):
        left = "words to leave out" if every and not wanted else "no word"
        raise ConfigurationError(f"there is {left} in that and nothing to look for: give a word that is to be found")
    found = _NUMBER.fullmatch(text)
    several = len(wanted) > 1 and "or" not in every
    return WordsAsked(
        text=text,
        every=" ".join(every),
        some=" or ".join(wanted) if several else "",
        number=int(found[1]) if found else None,
    )


def _term(pieces: list[str]) -> str:
    """Return pieces as one word, or as a phrase; a word that means something to the function is a phrase, too."""
    plain = len(pieces) == 1 and pieces[0].lower() != "or"
    return pieces[0] if plain else f'"{" ".join(pieces)}"' if pieces else ""
