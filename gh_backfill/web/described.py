"""The description of what programs may ask: the API, and the twin of every page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gh_backfill import __version__
from gh_backfill.web.page import Showing

WORDS = (
    "Every page has a twin in JSON: the same address with .json behind it.  What changes something needs a token: "
    "Authorization: Bearer with the one of GH_BACKFILL_WEB_TOKEN, or of the address that serve printed."
)
_NAMED = re.compile(r"\{(\w+)\}")
_TEXT = {"type": "string", "maxLength": 300}
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorSentence"}}}


def description(app: FastAPI, pages: Sequence[Showing]) -> Mapping[str, Any]:
    """Return the OpenAPI description of an application and its pages."""
    made = get_openapi(title="gh_backfill", version=__version__, description=WORDS, routes=app.routes)
    for page in pages:
        made["paths"][f"{page.path}.json"] = {"get": _twin(page)}
    return made


def _twin(page: Showing) -> Mapping[str, Any]:
    """Describe the twin of a page: its path and its query."""
    in_path = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in _NAMED.findall(page.path)]
    in_query = [
        {"name": name, "in": "query", "required": False, "schema": _TEXT, "description": words}
        for name, words in page.query.items()
    ]
    failures = {"400": "What was asked can't be read.", "401": "Sign in first.", "404": "Nothing here."}
    return {
        "tags": ["pages"],
        "summary": page.summary or page.path,
        "operationId": f"page_{re.sub(r'[^a-z]+', '_', page.path.lower()).strip('_')}",
        "parameters": [*in_path, *in_query],
        "responses": {
            "200": {"description": "The figures of the page.", "content": {"application/json": {"schema": {}}}},
            **{status: {"description": words, "content": _ERROR} for status, words in failures.items()},
        },
    }
