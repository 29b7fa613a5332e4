"""The page on which repositories are added in bulk, and their initial backfill is watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gh_backfill.errors import BackfillError, GitHubError, RateLimited, StoreError, TooBig, Unreachable
from gh_backfill.policy.markdown import counted
from gh_backfill.tasks.initial import batches
from gh_backfill.tasks.initial.batches import Batch
from gh_backfill.tasks.operate import Operated
from gh_backfill.web.page import Ask, Form, Goto, WebPage
from gh_backfill.web.pages import adding
from gh_backfill.web.pages.adding import Checked
from gh_backfill.web.pages.progress import batch_json, card_of
from gh_backfill.web.pages.wishes import Filled, filled

PLACE = "/add"
TOPIC = "backfills"


def page(ask: Ask) -> WebPage:
    """Show the form, with names that the address brings along, and a batch: the one that is asked for, or the last."""
    wanted = ask.query.get("batch", "")
    batch = batches.find(ask.db, wanted, ask.now) if wanted else batches.latest(ask.db, ask.now)
    form = Filled(names="\n".join(ask.query.getlist("names"))[:10_000])
    wrong = f"There is no batch {wanted[:40]}." if wanted and batch is None else ""
    if wrong:
        return _page(form, wrong=wrong, json={"error": wrong}, status=404)
    return _page(form, batch=batch)


def check(ask: Ask, form: Form) -> WebPage:
    """Say what GitHub knows of the names so far, and what adding them would take; nothing is written."""
    given = filled(form)
    try:
        names = given.given
        checked = adding.check(ask, names, given.wish) if names else None
    except StoreError:
        raise
    except BackfillError as error:
        passes = isinstance(error, RateLimited | TooBig | Unreachable)
        return _page(given, wrong=str(error), json={"error": str(error)}, again=passes)
    json = {"proposals": [], "estimate": None} if checked is None else _checked_json(checked)
    return _page(given, checked=checked, json=json, again=checked is not None and checked.waits)


def begin(ask: Ask, form: Form) -> WebPage | Goto:
    """Add the repositories; what can't be read, or GitHub refuses, stays on the page."""
    given = filled(form)
    if form.one("do") == "add only":
        given = replace(given, backfill=False)
    try:
        batch = adding.begin(ask, given.given, given.wish, backfill=given.backfill)
    except StoreError:
        raise
    except BackfillError as error:
        status = 502 if isinstance(error, GitHubError) else 400
        return _page(given, wrong=str(error), json={"error": str(error)}, status=status)
    return Goto(address=f"{PLACE}?batch={batch.id}#batch")


def cancel(ask: Ask, form: Form) -> WebPage | Goto:
    """Cancel one repository of a batch, or after a yes all that are not over."""
    chosen = form.all("repository")
    if not chosen and form.one("sure") != "yes":
        return _sure(ask, form.one("batch"))
    done = batches.cancel(ask.db, form.one("batch"), chosen or None, actor=adding.actor_of(ask), now=ask.now)
    return _done(ask, form, done, "cancelled")


def retry(ask: Ask, form: Form) -> WebPage | Goto:
    """Let one repository of a batch go on that failed or was cancelled, or all that failed."""
    chosen = form.all("repository")
    done = batches.retry(ask.db, form.one("batch"), chosen or None, actor=adding.actor_of(ask), now=ask.now)
    adding.wake(ask)
    return _done(ask, form, done, "let go on")


def _done(ask: Ask, form: Form, done: Sequence[Operated], did: str) -> WebPage | Goto:
    """Lead back to the batch, which says it; where something does not fit how it stands now, say so on the page."""
    batch_id = form.one("batch")
    batch = batches.find(ask.db, batch_id, ask.now)
    names = {each.repository_id: each.full_name for each in batch.members} if batch else {}
    refused = [each for each in done if each.failed]
    told = [f"{names.get(each.repository_id) or each.given}: {each.result}" for each in refused or done]
    if done and not refused:
        line = told[0] if len(told) == 1 else _line(done, did)
        return Goto(address=f"{PLACE}?batch={batch_id}#batch", said=line)
    wrong = "; ".join(told) or "Nothing fits any more: things have moved on meanwhile."
    return _page(Filled(), batch=batch, wrong=wrong, json={"error": wrong}, status=409)


def _line(done: Sequence[Operated], did: str) -> str:
    """Say how many were changed, and how many stay as they were."""
    changed = sum(each.changed for each in done)
    idle = f", {len(done) - changed:,} needed nothing" if changed < len(done) else ""
    return f"{counted(changed, 'backfill')} {did}{idle}"


def _sure(ask: Ask, batch_id: str) -> WebPage:
    """Ask before several are cancelled."""
    batch = batches.find(ask.db, batch_id, ask.now)
    names = [] if batch is None else [each.full_name or each.given for each in batch.captures if not each.over]
    data = {
        "question": f"Cancel {counted(len(names), 'backfill')}?",
        "names": names,
        "words": "What is here stays. Each can be taken up again where it was.",
        "action": f"{PLACE}/cancel",
        "fields": {"batch": batch_id, "sure": "yes"},
        "yes": f"Cancel {counted(len(names), 'backfill')}",
        "back": f"{PLACE}?batch={batch_id}#batch",
    }
    return WebPage(template="sure.html", data=data, json={"question": data["question"], "names": names}, place=PLACE)


def _page(
    form: Filled,
    *,
    batch: Batch | None = None,
    checked: Checked | None = None,
    wrong: str = "",
    json: Mapping[str, object] | None = None,
    status: int = 200,
    again: bool = False,
) -> WebPage:
    """Return the page; `again` lets it ask about the names again by itself."""
    card = None if batch is None else card_of(batch)
    shown = None if batch is None or card is None else batch_json(batch, card)
    return WebPage(
        template="add.html",
        data={"form": form, "checked": checked, "wrong": wrong, "card": card, "again": again},
        json={"batch": shown} if json is None else json,
        topics=(TOPIC,),
        place=PLACE,
        status=status,
        address=PLACE if batch is None else f"{PLACE}?batch={batch.id}",
    )


def _checked_json(checked: Checked) -> dict[str, object]:
    """Return what was found as JSON-ready values."""
    estimate = checked.estimate
    return {
        "addable": checked.addable,
        "proposals": [
            {
                "given": each.given,
                "full_name": each.full_name,
                "result": each.text,
                "failed": each.failed,
                "private": each.is_private,
                "pull_requests": each.total,
                "wanted": each.wanted,
                "tracked": each.tracked,
                "captured": each.captured,
            }
            for each in checked.proposals
        ],
        "estimate": None
        if estimate is None
        else {
            "repositories": estimate.repositories,
            "pull_requests": estimate.pull_requests,
            "points": estimate.points,
            "seconds": estimate.seconds,
            "points_left": estimate.left,
            "text": estimate.text,
        },
    }
