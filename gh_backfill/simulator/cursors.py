"""Cursors that only the simulator can make: a place in an order, sealed with a key.

GitHub's are predicates on the sort key: `after` means the rows strictly past (value, id), whether or not the row is
still there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

_TAG = 9


class InvalidCursor(Exception):
    """Not a cursor of this server, or one of another order."""


class Cursors:
    """Seals and opens cursors under one key; with the same key, another process opens them too."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, order: str, value: str, identity: int) -> str:
        """Return the cursor of a row's place in an order."""
        place = json.dumps([order, value, identity], separators=(",", ":")).encode()
        tag = self._digest(b"tag", place)[:_TAG]
        return base64.b64encode(tag + self._mask(tag, place)).decode()

    def open(self, order: str, cursor: str) -> tuple[str, int]:
        """Return (value, id) of the place that a cursor names; InvalidCursor where it was not made for this order."""
        try:
            sealed = base64.b64decode(cursor, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidCursor(cursor) from error
        tag, place = sealed[:_TAG], self._mask(sealed[:_TAG], sealed[_TAG:])
        if not hmac.compare_digest(tag, self._digest(b"tag", place)[:_TAG]):
            raise InvalidCursor(cursor)
        made_for, value, identity = json.loads(place)
        if made_for != order:
            raise InvalidCursor(cursor)
        return value, identity

    def _mask(self, tag: bytes, text: bytes) -> bytes:
        stream = b"".join(self._digest(b"mask%d" % block, tag) for block in range(len(text) // 32 + 1))
        return bytes(left ^ right for left, right in zip(text, stream, strict=False))

    def _digest(self, purpose: bytes, text: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + text, hashlib.sha256)
