"""The answer to a program's wrong shape: which field it is, what it must be, and what came instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import shortened
from gh_backfill.web import answers
from gh_backfill.web.api_models import A_NAME, MUST_BE

LONGEST_SHOWN = 60
# The types of pydantic's errors that say more than "not like that".
_MISSING, _UNKNOWN, _NO_JSON = "missing", "extra_forbidden", "json_invalid"


async def of_validation(request: Request, raised: Exception) -> Response:
    """Answer with the first thing that is wrong, in a sentence."""
    assert isinstance(raised, RequestValidationError)
    return answers.error(request, 422, f"{_sentence(_first(raised.errors()))}.")


def _first(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the first error; of those about its field the one that lies deepest: it knows which item is wrong."""
    field = found[0]["loc"][:2]
    return max((each for each in found if each["loc"][:2] == field), key=lambda each: len(each["loc"]))


def _sentence(error: Mapping[str, Any]) -> str:
    kind, place = error["type"], error["loc"][1:]
    if kind == _NO_JSON:
        return f"what was sent is no JSON: it can't be read from character {int(place[0]) + 1:,} on"
    if not place:
        return "send a JSON object, with Content-Type: application/json"
    field = str(place[0])
    if kind == _UNKNOWN:
        return f"{shortened(field, LONGEST_SHOWN)} is no field of this request: /openapi.json describes those there are"
    if kind == _MISSING:
        return f"{field} is missing: it must be {MUST_BE[field]}"
    if len(place) > 1 and isinstance(place[1], int):
        return f"{field}[{place[1]}] must be {A_NAME}, not {_shown(error['input'])}"
    return f"{field} must be {MUST_BE[field]}, not {_shown(error['input'])}"


def _shown(given: object) -> str:
    """Return what came, where it is short enough to be recognised."""
    match given:
        case list():
            return f"a list of {len(given):,}"
        case dict():
            return "an object"
        case _:
            return shortened(json_text(given), LONGEST_SHOWN)
