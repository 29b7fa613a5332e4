"""Texts without what others must not read: credentials, connection strings, host names, names of private repositories.

And what must not be obeyed: control characters, and text that a workflow's log would take for a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SHORTEST_BARE_NAME = 4
_KEY = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s,;\"'&)\]}]+)"
# A sign that ends a sentence, or a bracket around an address, does not belong to the address.
_REST = r"[^\s\"']*[^\s\"'.,:;)]"
_PLAIN_WORDS = r"(?-i:[a-z']+,?\s+[A-Za-z])"  # "the token: it is wrong" tells no token


def _compiled(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), shown) for pattern, shown in pairs)


_SECRETS = _compiled(
    (rf"(?s){_KEY}.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", "<private key>"),
    (r"\bhttps://(?:hooks\.slack(?:-gov)?\.com|(?:\w+\.)?discord(?:app)?\.com/api)/[^\s\"'<>]+", "<webhook>"),
    (r"\bhttps://(?:[\w.-]+\.webhook\.office\.com|chat\.googleapis\.com)[^\s\"'<>]+", "<webhook>"),
    (r"\bhttps://api\.telegram\.org/bot[^\s\"'<>]+", "<webhook>"),
    (r"\b(?:slack|discord|tgram|msteams|gchat|mmosts?|rockets?|pover|ntfys?)://[^\s\"'<>]+", "<webhook>"),
    (r"\b([a-z][a-z0-9+.-]{0,20}://[^\s/@:\"']{0,200}):[^\s\"'<>]{0,500}@", r"\1:<hidden>@"),
    (r"\b(https?://)(?!git@)[^\s/@:\"'<>]{1,500}@", r"\1<hidden>@"),
    (r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|sk-[\w-]{16,}|eyJ[\w-]{8,500}\.[\w-]+\.[\w-]+)", "<credential>"),
    (r"\b(?:xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|whsec_\S{16,}|signkey-\w+-\w{16,}|sb[p_]\w{20,})", "<credential>"),
    (r"\b(bearer|basic)\s+[\w.~+/=-]{16,}", r"\1 <hidden>"),
    (rf"\b(\w*(?:password|passwd|passphrase|token|secret|api_?key)) ?=(?![\s…<]|$)\s*{_VALUE}", r"\1=<hidden>"),
    (rf"(?<!/)\b(password|passwd|token|secret|api_?key):\s*(?!{_PLAIN_WORDS}|[<…]){_VALUE}", r"\1: <hidden>"),
    (r"([?&](?:sig|signature|key|code))=[^\s&\"'<>]+", r"\1=<hidden>"),
)
_HOSTS = _compiled(
    (r"\b[a-z][a-z0-9+]{0,20}://[^\s/@]{0,200}:[^\s\"']{0,500}@" + _REST, "<address>"),
    (r"\bpostgres(?:ql)?://" + _REST, "<database>"),
    (r'\bserver (?:at|on) "[^"]*"(?: \([^)]{0,200}\))?(?:, port \d+)?', "the server"),
    (r'\bhost(?:name)?s? "[^"]*"(?: \([^)]{0,200}\))?', "the host"),
    (r"\b(host|hostaddr|user|dbname|port)=('[^']*'|\"[^\"]*\"|[^\s,)\"']*[^\s,)\"'.:;])", r"\1=<hidden>"),
    (r'\b(user|role|database) "[^"]*"', r"the \1"),
    (
        r"\b(?:https?|wss?)://(?!(?:[\w-]{1,63}\.){0,5}github\.com(?![\w@-]|[.:]\S))[^\s/\"']*[^\s/\"'.,:;)]",
        "<address>",
    ),
    (
        r"\b(?:[\w-]{1,63}\.){1,9}(?:supabase\.(?:com?|in|net)|amazonaws\.com|internal|local|neon\.tech)\b(?::\d+)?",
        "<host>",
    ),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?", "<host>"),
    (r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b|(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}:[0-9a-f:]*", "<host>"),
)
# Line ends other than \n, what moves the cursor or colours, and what turns the direction of text.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# A progress bar needs these sequences and no others: colours, hide and show the cursor, go lines up, clear a line.
_STYLES = re.compile("(\x1b\\[[0-9;]*m|\x1b\\[[0-9]{0,3}A|\r?\x1b\\[2K|\x1b\\[\\?25[lh])")
_COMMAND = re.compile(r"^(\s*)(::)|##(?=\[)", re.MULTILINE)


def redacted(text: str, private: Mapping[str, str] | None = None) -> str:
    """Return the text without addresses and secrets; `private` gives the id to show for each name to hide."""
    return without_hosts(without_secrets(without_names(text, private or {})))


def without_secrets(text: str, values: Iterable[str] = ()) -> str:
    """Return the text without anything that looks like a credential, and without these values."""
    for value in values:
        if value in text:
            text = text.replace(value, "<hidden>")
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text


def without_hosts(text: str) -> str:
    """Return the text without what leads to a server; GitHub's own addresses are no secret."""
    for pattern, shown in _HOSTS:
        text = pattern.sub(shown, text)
    return text


def without_names(text: str, names: Mapping[str, str]) -> str:
    """Return the text with `names` replaced, in any case, in an address, a file's name or Markdown too.

    The name without its owner is replaced where a path ends in it.
    """
    low = text.lower().replace("\\", "").replace("%2f", "/")
    files = low.replace("__", "/")
    for name, shown in names.items():
        owner, slash, bare = name.lower().partition("/")
        if name.lower() in low or name.lower().replace("__", "/") in files:
            between = r"(?:/|%2f|__)" if slash else ""
            text = _replaced(text, rf"(?<![a-z0-9-]){_spelled(owner)}{between}{_spelled(bare)}(?![a-z0-9-])", shown)
        if len(bare) >= SHORTEST_BARE_NAME and f"/{bare}" in low:
            text = _replaced(text, rf"(?<=/){_spelled(bare)}(?![a-z0-9_-])", shown)
    return text


def visible(text: str, *, styled: bool = False) -> str:
    """Return the text with control, escape and bidirectional characters written out; `styled` keeps a terminal's."""
    if not styled:
        return _UNSEEN.sub(_written_out, text)
    return "".join(part if _STYLES.fullmatch(part) else _UNSEEN.sub(_written_out, part) for part in _STYLES.split(text))


def harmless(text: str) -> str:
    """Return the text so that no line of it is a command to GitHub Actions.

    The runner takes `::` at the start of a line, after blanks too, and `##[` anywhere in it:
    https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    """
    return _COMMAND.sub(lambda found: f"{found[1]}\\::" if found[2] else "# #", text)


def _replaced(text: str, pattern: str, shown: str) -> str:
    return re.sub(pattern, lambda _: shown, text, flags=re.IGNORECASE)


def _spelled(name: str) -> str:
    """Return a pattern for a name, also where Markdown has put backslashes before its signs."""
    return r"\\?".join(re.escape(letter) for letter in name)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return {10: "\\n", 13: "\\r"}.get(code) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
