"""The simulator's own addresses, by which tests and people look and turn; they cost nothing.

`GET /_stats` tells and `DELETE /_stats` forgets; `GET /_faults` lists, `POST /_faults` takes a fault, a list of them,
or null to switch all off; `POST /_limits` takes `{"identity", "resource", "remaining", "resets_in"}`; `POST /_world`
takes `{"do": <function of changes, marking, stars, departures or discussing>, ...its arguments}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gh_backfill.simulator import changes, departures, discussing, marking, refusals, stars
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.limits import Ledger
from gh_backfill.simulator.messages import Request, Response, refusal, reply
from gh_backfill.simulator.stats import Stats
from gh_backfill.simulator.strikes import Faults
from gh_backfill.simulator.world import World

_CHANGES: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        changes.open_pull_request,
        changes.edit,
        changes.close,
        changes.delete,
        changes.comment,
        changes.review,
        changes.open_issue,
        changes.edit_issue,
        changes.delete_issue,
        changes.edit_comment,
        changes.delete_comment,
        changes.rename_repository,
        changes.add_repository,
        changes.make_private,
        changes.delete_repository,
        changes.rename_account,
        changes.delete_account,
        changes.set_run,
        changes.collide_comments,
        marking.mark,
        stars.star,
        stars.unstar,
        stars.fork,
        stars.unfork,
        stars.happen,
        stars.show_stargazers,
        departures.transfer_issue,
        departures.convert_issue,
        departures.delete_review_comment,
        departures.delete_review,
        discussing.open_discussion,
        discussing.edit_discussion,
        discussing.say,
        discussing.edit_said,
        discussing.unsay,
        discussing.delete_discussion,
        discussing.allow_discussions,
    )
}


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What can be looked at and turned."""

    world: World
    ledger: Ledger
    faults: Faults
    stats: Stats
    identities: Mapping[str, str]

    def answer(self, request: Request) -> Response:
        """Answer a request to an address that begins with `/_`."""
        if request.path == "/_stats":
            if request.method == "DELETE":
                self.stats.reset()
            return reply(self.stats.as_json() | {"faults": self.faults.struck()})
        if request.path == "/_faults" and request.method == "GET":
            return reply({name: effect.text for name, effect in EFFECTS.items()})
        turn = {"/_faults": self._set_faults, "/_limits": self._set_limit, "/_world": self._change}.get(request.path)
        if turn is None or request.method != "POST":
            return refusals.not_found()
        try:
            return reply(turn(json.loads(request.body)))
        except (ValueError, TypeError, LookupError) as error:
            return refusal(400, f"{type(error).__name__}: {error}")

    def _set_limit(self, given: Any) -> dict[str, Any]:
        identity = self.identities.get(given["identity"], given["identity"])
        resource, remaining = given.get("resource", "graphql"), given["remaining"]
        return asdict(self.ledger.set(identity, resource, remaining=remaining, resets_in=given.get("resets_in")))

    def _change(self, given: Any) -> dict[str, Any]:
        _CHANGES[given.pop("do")](self.world, **given)
        return {}

    def _set_faults(self, given: Any) -> dict[str, int]:
        if given is None:
            self.faults.clear()
            return {}
        for item in given if isinstance(given, list) else [given]:
            self.faults.add(Fault.of(item))
        return self.faults.struck()
