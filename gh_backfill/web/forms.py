"""The contents of a form, whichever way; nothing of it is believed yet."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.requests import Request

from gh_backfill.web.answers import Refused
from gh_backfill.web.page import Form

MOST_FIELDS = 2000
MOST_FILES = 5
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def form_of(request: Request) -> Form:
    """Return what was filled in.  Raises Refused for what is no form."""
    if not request.headers.get("content-type", "").lower().startswith(KINDS):
        raise Refused(400, "this is no form")
    fields: dict[str, list[str]] = {}
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=1024 * 1024) as read:
        for name, value in read.multi_items():
            text = (await value.read()).decode("utf-8", "replace") if isinstance(value, UploadFile) else value
            fields.setdefault(name, []).append(text.replace("\x00", ""))
    return Form(fields=fields)
