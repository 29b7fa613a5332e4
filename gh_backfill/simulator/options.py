"""Options of a simulated GitHub, told before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.pricing import LISTED, Charges, Rounding
from gh_backfill.simulator.refusals import Exhausted, Secondary


class DryRun(StrEnum):
    """What `rateLimit(dryRun: true)` does: tell the price, fail, tell the published one, or cost a point."""

    HONEST = "honest"
    REFUSED = "refused"
    WRONG = "wrong"
    CHARGED = "charged"


class LargeIntegers(StrEnum):
    """What `databaseId` gives above 2^31: the number all the same, or null and an error."""

    RAW = "raw"
    NULL = "null"


class ClosedStars(StrEnum):
    """What REST answers to who may not see the list of stargazers; GraphQL says FORBIDDEN but for an empty list."""

    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    EMPTY = "empty"


class ClosedDiscussions(StrEnum):
    """What the list of discussions has where a repository has them disabled: nothing, or those from before."""

    EMPTY = "empty"
    LISTED = "listed"


@dataclass(frozen=True, kw_only=True)
class StarHistory:
    """How the history of stars behaves where GitHub does not say.

    Its days begin so many hours after midnight UTC, a week comes twice between two pages, days tell a number that have
    not come yet, or there is no such call.
    """

    shifted_hours: int = 0
    repeated: bool = False
    future: int = 0
    served: bool = True


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the simulated GitHub behaves.  Limits are points (GraphQL) and requests (REST) an hour; times are seconds.

    A token is its own identity unless `identities` names another; tokens of one identity share its budget.
    `limits` overrides both limits of an identity.  `charges` are prices beside the published list, and `dry_run` says
    what becomes of a question for a price.  A repository's lists of comments end after `longest_list`; pages of its
    list of issues have no numbers past `longest_numbered`, but the links lead on.  Whether the list of stargazers is
    shown is asked of `may_list_stars` each time, where it is given; who may not see it gets an error, or an empty list,
    as `closed_stargazers` says; a world may say otherwise (`stars.show_stargazers`).  Who `reads_addresses` may ask for
    those of users: of anybody else GitHub refuses the whole query.
    `clock` and `sleep` may be replaced, so that no test waits.
    """

    identities: Mapping[str, str] = field(default_factory=dict)
    only_known_tokens: bool = False
    graphql_limit: int = 5_000
    rest_limit: int = 5_000
    anonymous_limit: int = 60
    limits: Mapping[str, int] = field(default_factory=dict)
    window: float = 3_600.0
    concurrency: int = 100
    graphql_per_minute: int | None = None
    rest_per_minute: int | None = None
    retry_after: int = 60
    exhausted: Exhausted = Exhausted.RATE_LIMITED
    secondary: Secondary = Secondary.RETRY_AFTER
    rounding: Rounding = Rounding.HALF_UP
    charges: Charges = LISTED
    dry_run: DryRun = DryRun.HONEST
    large_integers: LargeIntegers = LargeIntegers.RAW
    private_readers: frozenset[str] = frozenset()
    public_stargazers: bool = False
    may_list_stars: Callable[[], bool] | None = None
    closed_stargazers: ClosedStars = ClosedStars.FORBIDDEN
    reads_addresses: bool = True
    closed_discussions: ClosedDiscussions = ClosedDiscussions.EMPTY
    star_history: StarHistory = field(default_factory=StarHistory)
    longest_list: int = 40_000
    longest_numbered: int = 10_000
    latency: float = 0.0
    latency_per_node: float = 0.0
    timeout: float = 10.0
    cursor_key: bytes = b"gh_backfill simulator"
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
