"""Decisions of a person about repositories: one, several that are chosen, or all that match a filter.

More than one is asked about first, with a count.  Each has a result of its own, and a record of who it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.markdown import counted
from gh_backfill.tasks import operate, untrack
from gh_backfill.tasks.pages import listing
from gh_backfill.web.page import Ask, Form, Goto, WebPage
from gh_backfill.web.pages.adding import actor_of, wake

PLACE = "/repositories"
# A request does so many at once; it says how many more there are.
MOST = 500
SHOWN = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class DeedResult:
    """What became of one repository: a mark, a word, and a sentence."""

    given: str
    mark: str
    word: str
    result: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    """What was chosen: the next names, how many there are in all, where one came from, and what chooses the rest."""

    names: tuple[str, ...]
    number: int
    back: str
    rest: tuple[tuple[str, str], ...] = ()


_Do = Callable[[Ask, Sequence[str], Form], list[DeedResult]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Deed:
    """What is done: its verb, what it means, whether even one is asked about, and whether a reason is asked for."""

    verb: str
    did: str
    words: str
    do: _Do
    sure: bool = False
    reason: bool = False


def pause(ask: Ask, form: Form) -> WebPage | Goto:
    """Pause backfills, after asking why and until when."""
    return _act(ask, form, _DEEDS["pause"], "pause")


def resume(ask: Ask, form: Form) -> WebPage | Goto:
    """Let backfills go on, whatever stopped them."""
    return _act(ask, form, _DEEDS["resume"], "resume")


def retry(ask: Ask, form: Form) -> WebPage | Goto:
    """Let failed and cancelled backfills go on from where they are."""
    return _act(ask, form, _DEEDS["retry"], "retry")


def cancel(ask: Ask, form: Form) -> WebPage | Goto:
    """End the goal of backfills; what is here stays."""
    return _act(ask, form, _DEEDS["cancel"], "cancel")


def stop_tracking(ask: Ask, form: Form) -> WebPage | Goto:
    """Take repositories off the list; what is here stays."""
    return _act(ask, form, _DEEDS["untrack"], "untrack")


def _act(ask: Ask, form: Form, deed: _Deed, path: str) -> WebPage | Goto:
    choice = _choice(ask, form)
    if not choice.names:
        return _nothing(choice)
    if form.one("sure") != "yes" and (choice.number > 1 or deed.sure):
        return _question(form, deed, choice, path)
    try:
        done = deed.do(ask, choice.names[:MOST], form)
    except ConfigurationError as error:
        choice = replace(choice, number=1, rest=())
        return _told(deed, choice, [DeedResult(given=choice.names[0], mark="✕", word="not done", result=str(error))])
    wake(ask)
    if len(done) == 1 and done[0].mark != "✕":
        return Goto(address=choice.back, said=f"{done[0].given}: {done[0].result}")
    return _told(deed, choice, done, form=form, path=path)


def _choice(ask: Ask, form: Form) -> _Choice:
    """Return what was chosen: names, or all that match the filter now, from the place on that the form has."""
    back = form.one("back")
    back = back if back.startswith("/") and not back.startswith(("//", "/\\")) else PLACE
    if form.one("all") != "yes":
        names = tuple(dict.fromkeys(form.all("repository")))
        rest = tuple(("repository", name) for name in names[MOST:])
        return _Choice(names=names, number=len(names), back=back, rest=rest)
    query = {"state": form.one("state") or "all", "q": form.one("q"), "after": form.one("after")}
    found = listing.matching(ask.db, query, ask.now, most=MOST)
    # Some that were done match no more, others still do: how many are left is known from the time before.
    left = form.one("left")
    number = int(left) if left.isdecimal() and len(left) < 10 else found.number
    place = () if found.following is None else (("all", "yes"), ("after", found.following))
    return _Choice(names=found.names, number=max(number, len(found.names)), back=back, rest=place)


def _question(form: Form, deed: _Deed, choice: _Choice, path: str) -> WebPage:
    many = counted(choice.number, "repository")
    kept = [(name, form.one(name)) for name in ("all", "state", "q", "back", "after", "left") if form.one(name)]
    if form.one("all") != "yes":
        kept += [("repository", name) for name in choice.names]
    data = {
        "asking": True,
        "title": f"{deed.verb} {many}?",
        "words": deed.words,
        "action": f"/operate/{path}",
        "fields": [*kept, ("sure", "yes")],
        "reason": deed.reason,
        "yes": f"{deed.verb} {many}",
        "back": choice.back,
        "names": choice.names[:SHOWN],
        "more": choice.number - len(choice.names[:SHOWN]),
    }
    json = {"question": data["title"], "number": choice.number, "names": list(choice.names[:SHOWN])}
    return WebPage(template="operate.html", data=data, json=json, place=PLACE)


def _told(
    deed: _Deed, choice: _Choice, done: Sequence[DeedResult], *, form: Form | None = None, path: str = ""
) -> WebPage:
    """Say what became of each; where something could not be done the page stays, and says so.

    Where there are more than are done at once, a button goes on with the next ones.
    """
    well = sum(each.mark == "✓" for each in done)
    refused = sum(each.mark == "✕" for each in done)
    left = max(1, choice.number - len(done)) if choice.rest else 0
    idle = len(done) - well - refused
    parts = [f"{idle:,} needed nothing"] if idle else []
    parts += [f"{refused:,} could not be done"] if refused else []
    words = f"{', '.join(parts)}." if parts else "Each is on record, with who it was."
    if left > 0:
        words += f" {left:,} more are to come."
    data = {
        "asking": False,
        "title": f"{well:,} of {counted(len(done), 'repository')} {deed.did}",
        "words": words,
        "results": sorted(done, key=lambda each: ("✕◇✓".index(each.mark), each.given)),
        "back": choice.back,
        "fields": _going_on(form, choice, left) if form is not None and left else (),
        "action": f"/operate/{path}",
        "yes": f"{deed.verb} the next {min(left, MOST):,}",
    }
    json = {
        "done": well,
        "refused": refused,
        "left": left,
        "after": dict(choice.rest).get("after"),
        "results": [_json(each) for each in done],
    }
    return WebPage(template="operate.html", data=data, json=json, place=PLACE, status=409 if refused else 200)


def _going_on(form: Form, choice: _Choice, left: int) -> list[tuple[str, str]]:
    """Return the fields of the form that goes on where this one ended."""
    same = [(name, form.one(name)) for name in ("state", "q", "back", "reason", "until") if form.one(name)]
    return [*same, *choice.rest, ("left", str(left)), ("sure", "yes")]


def _nothing(choice: _Choice) -> WebPage:
    data = {
        "asking": False,
        "title": "Nothing was chosen",
        "words": "Choose some repositories, or all that match.",
        "results": (),
        "fields": (),
        "back": choice.back,
    }
    return WebPage(template="operate.html", data=data, json={"error": "nothing was chosen"}, place=PLACE, status=400)


def _json(each: DeedResult) -> Mapping[str, str]:
    return {"repository": each.given, "result": each.result, "word": each.word}


def _operated(done: Sequence[operate.Operated]) -> list[DeedResult]:
    return [_result(each.given, each.result, changed=each.changed, failed=each.failed) for each in done]


def _result(given: str, result: str, *, changed: bool, failed: bool) -> DeedResult:
    mark, word = ("✕", "not done") if failed else ("✓", "done") if changed else ("◇", "as it was")
    return DeedResult(given=given, mark=mark, word=word, result=result)


def _pause(ask: Ask, names: Sequence[str], form: Form) -> list[DeedResult]:
    until, reason = _until(form, ask.now), form.one("reason") or None
    return _operated(operate.pause(ask.db, names, reason=reason, until=until, actor=actor_of(ask)))


def _until(form: Form, now: datetime) -> datetime | None:
    """Return the moment that was given, in UTC; without an offset it is meant so.

    Raises ConfigurationError for what is none, and for one that is over.
    """
    given = form.one("until")
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
        until = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigurationError("that is no time: give it as 2026-11-27T14:30, in UTC") from None
    if until <= now:
        raise ConfigurationError(f"{until:%Y-%m-%d %H:%M} UTC is over: a pause ends at a time that is still to come")
    return until


def _untrack(ask: Ask, names: Sequence[str], _form: Form) -> list[DeedResult]:
    done = untrack.untrack(ask.db, names, delete_rows=False, actor=actor_of(ask))
    return [_result(each.given, each.result, changed=not each.failed, failed=each.failed) for each in done]


_DEEDS: Mapping[str, _Deed] = {
    "pause": _Deed(
        verb="Pause",
        did="paused",
        words="They keep their place, and go on when somebody resumes them.",
        do=_pause,
        sure=True,
        reason=True,
    ),
    "resume": _Deed(
        verb="Resume",
        did="resumed",
        words="Whatever stopped them, they go on from where they are.",
        do=lambda ask, names, _: _operated(operate.resume(ask.db, names, actor=actor_of(ask))),
    ),
    "retry": _Deed(
        verb="Retry",
        did="let go on",
        words="Those that failed or were cancelled go on from where they are.",
        do=lambda ask, names, _: _operated(operate.retry(ask.db, names, actor=actor_of(ask))),
    ),
    "cancel": _Deed(
        verb="Cancel",
        did="cancelled",
        words="What is here stays. Nothing goes on until somebody resumes them.",
        do=lambda ask, names, _: _operated(operate.cancel(ask.db, names, actor=actor_of(ask))),
        sure=True,
    ),
    "untrack": _Deed(
        verb="Stop tracking",
        did="taken off the list",
        words="What is here stays. No plan looks at them again until somebody tracks them.",
        do=_untrack,
        sure=True,
    ),
}
