"""What must not be read by others: connection strings, host names, credentials, names of private repositories."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), shown)
    for pattern, shown in (
        (r"\b[a-z][a-z0-9+]*://[^\s/@]*:[^\s]*@\S+", "<address>"),
        (r"\bpostgres(?:ql)?://\S+", "<database>"),
        (r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|sk-[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]+)", "<credential>"),
        (r"\b(password|passwd|token|secret|apikey|api_key)\s*[=:]\s*\S+", r"\1=<hidden>"),
        (r'\bserver (?:at|on) "[^"]*"(?: \([^)]*\))?(?:, port \d+)?', "the server"),
        (r'\bhost(?:name)?s? "[^"]*"(?: \([^)]*\))?', "the host"),
        (r"\b(host|hostaddr|user|dbname|port)=('[^']*'|\"[^\"]*\"|[^\s,)]+)", r"\1=<hidden>"),
        (r'\b(user|role|database) "[^"]*"', r"the \1"),
        (r"\b(?:https?|wss?)://[^\s/]+", "<address>"),
        (r"\b(?:[\w-]+\.)+(?:supabase\.(?:com?|in|net)|amazonaws\.com|internal|local|neon\.tech)\b(?::\d+)?", "<host>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?", "<host>"),
        (r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b|(?<![\w:])(?:[0-9a-f]{1,4}:){2,}:[0-9a-f:]*", "<host>"),
    )
)


def redacted(text: str, private: Mapping[str, str] | None = None) -> str:
    """Return the text without addresses and secrets; `private` gives the id to show for each name to hide."""
    for name, shown in (private or {}).items():
        text = re.sub(re.escape(name), shown, text, flags=re.IGNORECASE)
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text
