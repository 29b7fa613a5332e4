"""Answers of REST that are remembered with their ETag: asked again, GitHub may say that nothing changed, which is free.

https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass

import requests

# Few and small ones: what is asked again and again is short, and long lists are read once.
MOST, LARGEST_BODY = 256, 2**18
NOT_MODIFIED = 304
# What an answer without a body leaves out, and its reader needs.
KEPT = ("Content-Type", "Link")
Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    tag: str
    body: bytes
    headers: dict[str, str]


class Remembered:
    """The last answers of this process, by address and credential.  Several threads may ask."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def ask_for_change(self, request: requests.PreparedRequest) -> None:
        """Let a request that reads say which answer is here."""
        with self._lock:
            known = self._known.get(_key(request)) if request.method == "GET" else None
        if known is not None and "If-None-Match" not in request.headers:
            request.headers["If-None-Match"] = known.tag

    def whole(self, request: requests.PreparedRequest, response: requests.Response, body: bytes) -> bytes:
        """Return the body of an answer; where nothing changed, the remembered one, and the answer is whole again."""
        if request.method != "GET":
            return body
        with self._lock:
            known = self._known.get(_key(request))
            if response.status_code == NOT_MODIFIED and known is not None:
                self._known.move_to_end(_key(request))
                response.status_code, response.reason = 200, "OK"
                response.headers.update(known.headers)
                return known.body
            tag = response.headers.get("ETag")
            if response.status_code == 200 and tag and len(body) <= LARGEST_BODY and _is_whole(body):
                kept = {name: response.headers[name] for name in KEPT if name in response.headers}
                self._known[_key(request)] = _Known(tag=tag, body=body, headers=kept)
                if len(self._known) > MOST:
                    self._known.popitem(last=False)
        return body


def _is_whole(body: bytes) -> bool:
    """Say whether a body is JSON to its end: one that was cut on its way would come back for ever."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _key(request: requests.PreparedRequest) -> Key:
    return request.url or "", str(request.headers.get("Authorization", ""))
