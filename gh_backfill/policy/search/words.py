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
# As text that is copied or typed on a phone has them.
_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"'})
_SIGNS = str.maketrans(string.punctuation, " " * len(string.punctuation))
_CONTROL = re.compile(r"[\x00-\x1f\x7f\s\ud800-\udfff]+")
_TERM = re.compile(r'(-?)"([^"]*)(?:"|$)|(\S+)')
_EXCLUDED = re.compile(r"-\w")
_NUMBER = re.compile(r"#?0*(\d{1,9})")


@dataclass(frozen=True, kw_only=True, slots=True)
class WordQuery:
    """Words as they were asked for, and `loose`: those of each phrase in any order, so that more is found, never less.

    A text has the phrases where all `patterns` fit it (one, where `either`), and none of those that are `excluded`.
    """

    as_asked: str
    loose: str
    patterns: tuple[str, ...]
    excluded: tuple[str, ...]
    either: bool

    @property
    def phrased(self) -> bool:
        """Say whether there is a phrase in it."""
        return self.as_asked != self.loose


@dataclass(frozen=True, kw_only=True, slots=True)
class WordsAsked:
    """What is looked for: the `text` itself, `every` word of it, `some` of them, and the number of an item it may be.

    `some` is None where it would be the same; `literal` is the text without quotes around it.
    """

    text: str
    literal: str
    every: WordQuery
    some: WordQuery | None
    number: int | None


def asked(given: str) -> WordsAsked:
    """Read what somebody typed; raises ConfigurationError where there is no word in it to look for."""
    text = _CONTROL.sub(" ", given).translate(_QUOTES).strip()[:LONGEST].strip()
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
        left = any(each.startswith("-") for each in every) and not wanted
        what = "are words to leave out in that and nothing" if left else "is no word in that"
        raise ConfigurationError(f"there {what} to look for: give a word that is to be found")
    found = _NUMBER.fullmatch(text)
    several = len(wanted) > 1 and "or" not in every
    return WordsAsked(
        text=text,
        literal=text.strip('"') or text,
        every=_query(every, " "),
        some=_query(wanted, " or ") if several else None,
        number=int(found[1]) if found else None,
    )


def _term(pieces: list[str]) -> str:
    """Return pieces as one word, or as a phrase; a word that means something to the function is a phrase, too."""
    plain = len(pieces) == 1 and pieces[0].lower() != "or"
    return pieces[0] if plain else f'"{" ".join(pieces)}"' if pieces else ""


def _query(terms: list[str], between: str) -> WordQuery:
    """Put terms together; of an index a phrase is asked for by its words, and one to leave out is not."""
    known = [_loose(each) for each in terms if not each.startswith('-"')]
    left = [each for each in known if each]
    as_asked = between.join(terms)
    found = any(each != "or" and not each.startswith("-") for each in left)
    either = "or" in terms or between != " "
    wanted = [each for each in terms if each != "or" and not each.startswith("-")]
    return WordQuery(
        as_asked=as_asked,
        loose=between.join(left) if found else as_asked,
        patterns=tuple(_pattern(each) if '"' in each else _beginning(each) for each in wanted if either or '"' in each),
        excluded=tuple(_pattern(each[1:]) for each in terms if each.startswith('-"')),
        either=either,
    )


def _loose(term: str) -> str:
    """Return the pieces of a phrase as words of their own, without what would mean something else then."""
    return " ".join(each for each in _pieces(term) if each.lower() != "or") if '"' in term else term


def _pattern(term: str) -> str:
    """Return the regular expression of pieces that stand beside each other, whatever signs are between them."""
    return f"(^|[^[:alnum:]]){'[^[:alnum:]]+'.join(_pieces(term))}($|[^[:alnum:]])"


def _beginning(word: str) -> str:
    """Return the regular expression of a word in any form; the index knows which ones, and has been asked."""
    return f"(^|[^[:alnum:]]){word[: max(3, (len(word) + 1) // 2)]}"


def _pieces(term: str) -> list[str]:
    return term.strip('"').split()
