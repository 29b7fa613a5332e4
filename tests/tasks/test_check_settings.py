"""What settings say beside token and database is proved, too: names, prices, and where reports go."""

from __future__ import annotations

import pytest
import responses

from gh_backfill import settings
from gh_backfill.tasks.check_settings import settings_findings

DATABASE = "postgresql://u:p@127.0.0.1/d"
HOOK = "https://hooks.test/backfill"


def found(**environment: str) -> list[tuple[str, bool, str]]:
    given = settings.load(environment, dotenv=None)
    return [(each.name, each.ok, each.text) for each in settings_findings(given)]


def test_what_is_not_set_is_not_mentioned() -> None:
    assert found(DATABASE_URL=DATABASE, GITHUB_TOKEN="tok", GH_BACKFILL_PLAN_LIMIT="3") == []


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("GH_BACKFILL_PLAN_LIMITS", "did you mean GH_BACKFILL_PLAN_LIMIT?"),
        ("GH_BACKFILL_CHUNKSIZE", "did you mean GH_BACKFILL_CHUNK_SIZE?"),
        ("GH_BACKFILL_XYZZY_QWERTY_PLUGH", "docs/reference.md lists the settings"),
    ],
)
def test_a_name_of_ours_that_is_none_is_wrong(name: str, advice: str) -> None:
    assert found(**{name: "1"}) == [("names", False, f"{name} is no setting: {advice}")]


@pytest.mark.parametrize("name", sorted(settings.OPTIONS))
def test_options_of_commands_are_names(name: str) -> None:
    assert found(**{name: "1"}) == []


@pytest.mark.parametrize(
    "name", ["SUPABASE_URL", "VITE_SUPABASE_URL", "SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY"]
)
def test_a_name_of_the_guide_says_what_is_missing_beside_it(name: str) -> None:
    value = "https://x.supabase.co"
    ((kind, ok, text),) = found(**{name: value, "GITHUB_ACTIONS": "true"})
    assert (kind, ok) == ("guide", False)
    assert text.startswith(f"{name}: recognised")
    assert "DATABASE_URL is missing" in text
    ((_, ok, text),) = found(**{name: value, "DATABASE_URL": DATABASE, "GITHUB_ACTIONS": "true"})
    assert (ok, text.endswith("DATABASE_URL is what is used")) == (True, True)


@pytest.mark.parametrize(
    ("given", "ok", "said"),
    [
        ({"INNGEST_EVENT_KEY": "k"}, True, "events can be sent; without INNGEST_SIGNING_KEY"),
        ({"INNGEST_PRODUCTION_EVENT_KEY": "k"}, True, "events can be sent; without INNGEST_SIGNING_KEY"),
        ({"INNGEST_SIGNING_KEY": "signkey-prod-00ff"}, False, "without INNGEST_EVENT_KEY no event can be sent"),
        ({"INNGEST_DEV": "1"}, True, "serve lets Inngest call its functions at /api/inngest; events can be sent"),
    ],
    ids=["event key", "its name in the guide", "no event key", "development"],
)
def test_what_can_be_done_with_inngest_is_said(given: dict[str, str], ok: bool, said: str) -> None:
    ((name, fine, text),) = found(**given)
    assert (name, fine) == ("inngest", ok)
    assert said in text


def test_where_events_would_be_handed_over_to_is_said_without_the_key() -> None:
    ((name, ok, text),) = found(GH_DATPIPE_KEY="key-of-a-test")
    assert (name, ok, "key-of-a-test" in text) == ("datpipe", True, False)
    assert text == "events --via datpipe hands over to https://gh-datapipe.fly.dev (nothing was sent)"


def test_addresses_of_notifications_are_understood_or_named_by_their_place_without_their_secrets() -> None:
    ((name, ok, text),) = found(NOTIFY_URLS="json://127.0.0.1/secret-path nosuch://nonsense")
    assert (name, ok, "address 2 of 2" in text, "secret-path" in text) == ("notify", False, True, False)
    ((_, ok, text),) = found(NOTIFY_URLS="json://127.0.0.1/secret-path")
    assert (ok, "nothing was sent" in text, "secret-path" in text) == (True, True, False)


def test_prices_are_read_and_wrong_ones_named() -> None:
    ((name, ok, _),) = found(GH_BACKFILL_PRICES='{"included_minutes": 3000}')
    assert (name, ok) == ("prices", True)
    ((name, ok, text),) = found(GH_BACKFILL_PRICES='{"no such thing": 3}')
    assert (name, ok, "no such thing" in text) == ("prices", False, True)


@responses.activate
def test_a_receiver_of_reports_is_pinged_with_a_signature() -> None:
    assert found(REPORT_WEBHOOK_URL=HOOK)[0][1] is False
    responses.post(HOOK, status=204)
    ((name, ok, text),) = found(REPORT_WEBHOOK_URL=HOOK, WEBHOOK_SECRET="s3cret")
    assert (name, ok, text) == ("webhook", True, "REPORT_WEBHOOK_URL: took a signed ping")
    assert responses.calls[0].request.headers["X-Hub-Signature-256"].startswith("sha256=")
    responses.replace(responses.POST, HOOK, status=404)
    assert found(REPORT_WEBHOOK_URL=HOOK, WEBHOOK_SECRET="s3cret")[0][1] is False
