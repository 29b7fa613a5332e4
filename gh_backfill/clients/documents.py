"""Put GraphQL documents together from the operations, alias templates and fragments of `queries/`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from gh_backfill.resources import names, text

_DEFINITION = re.compile(r"^(?:query|fragment) (\w+).*?^\}$", re.MULTILINE | re.DOTALL)
_SPREAD = re.compile(r"\.\.\.(\w+)")
_HEAD = re.compile(r"^query \w+\((.*?)\) \{\n(.*)\n\}$", re.DOTALL)
_NUMBERED = re.compile(r"(?<![\w$])(a|\$(?!q0)[A-Za-z]+)0\b")
_ONE_NUMBER = "$q0: Int!"
_NUMBER_LINE = re.compile(r"^ *q0: .*\n", re.MULTILINE)
# What a template calls the thing that it names by its number, and the place where numbers are asked about.
ONE = "one"
NUMBERS = "numbers"
DISCUSSIONS = "discussions"


def names_one(path: Sequence[str | int]) -> bool:
    """Say whether a path of an answer leads to one thing that its query named: by an id, in a list, or by a number."""
    of_numbers = path[0] in (NUMBERS, DISCUSSIONS) if path else False
    return len(path) == 1 or (len(path) == 2 and (isinstance(path[1], int) or path[1] == ONE or of_numbers))


@lru_cache(maxsize=64)
def aliases(templates: tuple[str, ...], *, numbers: int = 0, dry_run: bool = False) -> str:
    """Return one operation made of one numbered copy of each template, in order, and the budget.

    Names that end in 0 get the number of their place: `$id0` of the third template becomes `$id2`.  A template without
    such names (`nodes(ids:)`, a page) may occur once, else it is a ValueError; a line for `q0` is repeated for so many
    `numbers`.  The operation is called after its last template, for GitHub's support and for whoever reads a log of
    requests.  A dry run asks for its price only, and is called Prices.
    """
    heads: list[str] = []
    bodies: list[str] = []
    for number, template in enumerate(templates):
        head, body = _numbered(template, number)
        if template in templates[:number] and not _NUMBERED.search(_definitions()[template]):
            raise ValueError(f"{template} has no name that ends in 0: it may stand in a query once")
        if _ONE_NUMBER in head:
            head, body = _for_numbers(head, body, numbers)
        heads += (each for each in head if each not in heads)
        bodies.append(body)
    name, first = ("Prices", "DryRun") if dry_run else (templates[-1], "Budget")
    query = "query {}({}) {{\n  ...{}\n{}\n}}".format(name, ", ".join(heads), first, "\n".join(bodies))
    return _with_fragments(query)


def _for_numbers(head: list[str], body: str, count: int) -> tuple[list[str], str]:
    """Repeat the line of `q0`, and its variable, for each number."""
    variables = [_ONE_NUMBER.replace("q0", f"q{number}") for number in range(count)]
    lines = _NUMBER_LINE.sub(
        lambda line: "".join(line.group(0).replace("q0", f"q{number}") for number in range(count)), body
    )
    return [each for each in head if each != _ONE_NUMBER] + variables, lines


@cache
def _numbered(template: str, number: int) -> tuple[list[str], str]:
    """Return the variables and the body of one copy of a template."""
    match = _HEAD.match(_definitions()[template])
    if match is None:
        raise ValueError(f"{template} is no template")
    head, body = (_NUMBERED.sub(rf"\g<1>{number}", part) for part in match.groups())
    return head.split(", "), body


def _with_fragments(definition: str) -> str:
    wanted = _spreads([definition])
    parts = [definition, *(_definitions()[name] for name in wanted)]
    return "\n\n".join(parts)


def _spreads(definitions: Sequence[str]) -> list[str]:
    """Return the fragments that the definitions name, and those that these name, each once."""
    found: list[str] = []
    waiting = list(definitions)
    while waiting:
        for name in _SPREAD.findall(waiting.pop()):
            if name not in found:
                found.append(name)
                waiting.append(_definitions()[name])
    return found


@cache
def _definitions() -> dict[str, str]:
    whole = "\n".join(text(f"clients/queries/{name}.graphql") for name in names("clients/queries", "graphql"))
    return {match.group(1): match.group(0) for match in _DEFINITION.finditer(whole)}
