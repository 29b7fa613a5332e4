"""What leaves the process: cleaned of secrets, of private names in a workflow, and of whatever a reader would obey."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

import gh_backfill
from gh_backfill import hidden
from gh_backfill.output import Writer, install
from gh_backfill.policy.redaction import redacted, visible, without_names, without_secrets

PACKAGE = Path(gh_backfill.__file__).parent


class Terminal(io.StringIO):
    """Where somebody looks at it."""

    def isatty(self) -> bool:
        return True


def written(*pieces: str, in_actions: bool = True, terminal: bool = False) -> str:
    """Return what comes out of pieces that are printed one after the other."""
    out = Terminal() if terminal else io.StringIO()
    writer = Writer(out, in_actions=in_actions)
    for piece in pieces:
        writer.write(piece)
        writer.flush()
    writer.finish()
    return out.getvalue()


@pytest.fixture
def private() -> None:
    hidden.repository("Octo/Secret-Engine", "id-1", is_private=True)


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("octo/secret-engine: 3 of 5", "id-1: 3 of 5"),
        ("the name 'OCTO/Secret-Engine'.", "the name 'id-1'."),
        ("https://api.github.com/repos/octo/secret-engine/pulls", "https://api.github.com/repos/id-1/pulls"),
        ("repos/Octo%2FSecret-Engine?per_page=1", "repos/id-1?per_page=1"),
        ("see logs/Octo__Secret-Engine.log", "see logs/id-1.log"),
        ("git@github.com:octo/secret-engine.git", "git@github.com:id-1.git"),
        (r"| octo/secret\-engine | 3 |", "| id-1 | 3 |"),
        ("a path that ends in /secret-engine", "a path that ends in /id-1"),
        ("octo/secret-engine-2 is another one", "octo/secret-engine-2 is another one"),
    ],
)
def test_a_private_name_is_its_id_in_every_spelling(text: str, shown: str) -> None:
    assert written(text + "\n") == shown + "\n"


@pytest.mark.usefixtures("private")
def test_a_name_that_comes_in_pieces_is_hidden_all_the_same() -> None:
    assert written("octo/sec", "ret-engine", ": done\n") == "id-1: done\n"


@pytest.mark.usefixtures("private")
def test_on_a_laptop_names_stay_and_secrets_do_not() -> None:
    assert written("octo/secret-engine ghp_0123456789abcdef01234567\n", in_actions=False) == (
        "octo/secret-engine <credential>\n"
    )


@pytest.mark.usefixtures("private")
def test_json_stays_json() -> None:
    text = json.dumps({"full_name": "octo/secret-engine", "error": "password: abc", "x": "##[group]"})
    assert json.loads(written(text + "\n")) == {
        "full_name": "id-1",
        "error": "password: <hidden>",
        "x": "# #[group]",
    }


def test_a_name_that_was_given_is_hidden_until_it_is_known_to_be_public() -> None:
    hidden.unknown("octo/thing")
    assert written("octo/thing is not tracked here\n") == "<given name 1> is not tracked here\n"
    hidden.repository("octo/thing", "7", is_private=False)
    assert written("octo/thing is tracked\n") == "octo/thing is tracked\n"


def test_private_once_is_private_for_good() -> None:
    hidden.repository("octo/thing", "id-1", is_private=True)
    hidden.repository("octo/thing", "7", is_private=False)
    assert written("octo/thing\n") == "id-1\n"


def test_what_was_given_to_the_process_is_hidden_in_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    given = {"GH_BACKFILL_REPOSITORY_IDS": '["octo/one", "repos/octo/two"]', "GITHUB_ACTIONS": "true"}
    install(given, ["track", "https://t0ken-of-mine@github.com/octo/three/pulls", "git@github.com:octo/four.git"])
    text = written("octo/one octo/two octo/three octo/four t0ken-of-mine\n")
    assert [name for name in ("one", "two", "three", "four", "t0ken") if name in text] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::boo", r"\::error::boo"),
        ("\u00a0 ::add-mask::x", "\u00a0 \\::add-mask::x"),
        ("GitHub says ##[error]boo", "GitHub says # #[error]boo"),
        ("bad\r::stop-commands::x", r"bad\r::stop-commands::x"),
        ("a :: b", "a :: b"),
    ],
)
def test_no_text_of_others_is_a_command_to_the_runner(text: str, shown: str) -> None:
    assert written("ok\n" + text + "\n") == "ok\n" + shown + "\n"


def test_our_own_command_is_one_line_and_cleaned() -> None:
    hidden.repository("octo/thing", "id-1", is_private=True)
    out = io.StringIO()
    Writer(out, in_actions=True).command("::error::octo/thing: token=abc ##[group]")
    assert out.getvalue() == "::error::id-1: token=<hidden> # #[group]\n"


def test_control_and_bidirectional_characters_are_written_out() -> None:
    assert written("a\x1b[31mb\u202ec\x07\x9bd\ud800\n", in_actions=False) == r"a\x1b[31mb\u202ec\x07\x9bd\ud800" + "\n"


def test_a_terminal_gets_its_bars_and_no_other_escapes() -> None:
    bar = "\r\x1b[2K\x1b[1A\x1b[?25l\x1b[1;32mdone\x1b[0m\n"
    assert written(bar, in_actions=False, terminal=True) == bar
    title = "\x1b]0;title\x07 \x1b[5;5H \rover"
    assert written(title, in_actions=False, terminal=True) == visible(title)


def test_a_private_key_is_hidden_in_one_piece_and_line_by_line() -> None:
    lines = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA", "abcdefgh0123", "-----END RSA PRIVATE KEY-----"]
    for text in (written("\n".join(lines) + "\nafter\n"), written(*(f"{line}\n" for line in lines), "after\n")):
        assert "MIIE" not in text
        assert "abcdefgh" not in text
        assert text.endswith("after\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_a_terminal_lacks_are_replaced(encoding: str) -> None:
    raw = io.BytesIO()
    writer = Writer(io.TextIOWrapper(raw, encoding=encoding), in_actions=False)
    writer.write("waiting… ✅ \u4f60 it\u2019s\n")
    writer.finish()
    assert raw.getvalue().decode(encoding) == "waiting... ? ? it's\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        writer = Writer(stream, in_actions=False)
        os.close(reading)
        writer.write("one\n")
        writer.write("two\n")
        writer.finish()
    assert isinstance(writer.failure, BrokenPipeError)


def test_secrets_that_settings_hold_are_hidden_by_their_value() -> None:
    hidden.secret("postgresql://postgres.ref:p%40ss%20word@db.example.com/x")
    hidden.secret("-----BEGIN KEY-----\nMIIEowIBAAKCAQEAabc\n")
    hidden.secret("postgres")  # a word like any other
    text = written("p@ss word MIIEowIBAAKCAQEAabc postgres\n", in_actions=False)
    assert text == "<hidden> <hidden> postgres\n"


@pytest.mark.parametrize(
    "secret",
    [
        "https://hooks.slack.com/services/T000/B000/XXXXXXXX",
        "https://discord.com/api/webhooks/1234/abcd-EFGH",
        "https://ptb.discordapp.com/api/webhooks/1234/abcd-EFGH",
        "xoxb-1234567890-abcdefghij",
        "slack://bot@TokenA/TokenB/TokenC",
        "https://user:pw@example.com/x",
        "https://ghp_abc@example.com/x",
        "GITHUB_TOKEN=abc123",
        "password: hunter2",
        "Authorization: Bearer abcdefghijklmnop0123",
        "https://example.com/hook?sig=abc",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_hidden(secret: str) -> None:
    shown = without_secrets(f"before {secret} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    hints = ("XXXX", "EFGH", "abcdefghij", "TokenB", "pw@", "ghp_", "abc", "hunter2", "MIIE")
    assert [hint for hint in hints if hint in shown] == []


@pytest.mark.parametrize(
    "advice",
    [
        "GitHub does not accept the token: it is wrong, expired or revoked",
        "set REPORT_WEBHOOK_URL and its secret: set WEBHOOK_SECRET too",
        "for real history: GITHUB_TOKEN=… gh-backfill run owner/name",
        "create one at https://github.com/settings/tokens, no scopes needed",
        "GITHUB_TOKEN is missing",
    ],
)
def test_advice_is_not_eaten(advice: str) -> None:
    assert redacted(advice) == advice


def test_many_names_are_looked_for_in_little_time() -> None:
    names = {f"octo/repository-{number}": str(number) for number in range(3_000)}
    assert without_names("octo/repository-7 and octo/repository-77", names) == "7 and 77"


def test_nothing_in_the_package_goes_around_the_one_way_out() -> None:
    around = {
        "sys.__stdout__": set[str](),
        "sys.__stderr__": set[str](),
        ".stdout.buffer": set[str](),
        "os.write(": set[str](),
        "StreamHandler": set[str](),
        "basicConfig": {"logs.py"},
        "print_exc": set[str](),
        "format_exc": {"unexpected.py"},
        "pretty_exceptions_enable=True": set[str](),
    }
    for module in PACKAGE.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        found = {word for word, allowed in around.items() if word in text and module.name not in allowed}
        assert not found, module


@pytest.mark.parametrize(
    "piece",
    ["a.", "a:", "a://a:", "eyJ-", 'host "" (', 'server at "" (', "octo/", "https://a", "::", "\\x1b[", 'token="'],
)
def test_text_without_end_that_looks_like_much_is_read_in_one_go(piece: str) -> None:
    """A search that looks ahead from each place to the end would take hours for this."""
    assert written(piece * (50_000 // len(piece)) + "\n")
