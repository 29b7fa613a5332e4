"""Fetch the chunks of a stream for the fewest points: a query has the oldest follow-ups, and the next page as well.

A query of one point buys 149 units.  What completes the chunk in hand rarely fills it, so the room that is left carries
the next pages and what they lack.  A page that was asked for ahead is a guess without a claim: it counts only if the
chunk that is claimed then begins at the same cursor of the same walk.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.pages import Asked, Page
from gh_backfill.engine.background import Begin
from gh_backfill.engine.fetched import AskedQuery, FetchedPage, Here, fetched, to_the_end
from gh_backfill.engine.follow_ups import Alive, Chunk, Completion, salvage
from gh_backfill.engine.kind import Kind, Supply
from gh_backfill.engine.numbers import NumberWalk
from gh_backfill.engine.sizing import Sizing
from gh_backfill.engine.skipping import passed_over
from gh_backfill.engine.walks import Ahead, CursorWalk, Walk, page_of, price_of
from gh_backfill.errors import GitHubError, StoreError, TooBig
from gh_backfill.models.github import NodeId, Spent
from gh_backfill.models.work import Claim, Phase, Stream
from gh_backfill.policy.packing import PAGES_UNDER_WAY
from gh_backfill.policy.progress import MARGIN, left_of_goal
from gh_backfill.policy.query_prices import LARGEST_FIRST

log = logging.getLogger(__name__)

# The last follow-ups of a walk take the first page of the catch-up along if this many items fit into the query.  A
# smaller page is rarely the whole catch-up.
LEAST_OF_CATCH_UP = 20


@dataclass(kw_only=True, slots=True)
class Pipeline:
    """The pages of one kind in one repository that are on their way, the oldest first.

    `begin` runs a query beside whatever the caller does meanwhile; requests remain one after the other.  `here` tells
    what is stored, and `listed` is what REST told of the walk.
    """

    graphql: GraphQL
    kind: Kind
    repository: NodeId
    sizing: Sizing
    begin: Begin
    here: Here = lambda numbers: ()
    listed: Supply | None = None
    _fetched: deque[FetchedPage] = field(default_factory=deque)
    _completion: Completion = field(default_factory=Completion)
    _stream: Stream | None = None
    _walk: Walk | None = None
    _catch_up: tuple[Asked, Page] | None = None
    _ask_for_catch_up: bool = True
    _running: tuple[AskedQuery, Future[github.PageAndFollowUps]] | None = None
    _spent: Spent = field(default_factory=Spent)

    @property
    def under_way(self) -> bool:
        """Say whether a query runs beside the caller."""
        return self._running is not None

    def chunk(self, claim: Claim, alive: Alive, *, most: int | None = None) -> Chunk:
        """Fetch the chunk of a claim until it is complete; at most so many chunks are begun, this one included.

        `alive` is called before each query, to keep the claim alive.  A page that is too much for GitHub is asked for
        smaller, and the one item that stays too much comes back as unreadable.  Raises what `GraphQL.execute`
        raises; what was fetched until then is kept for the next call.
        """
        self._adopt(claim, alive)
        passed = self._pass_over(claim, alive)
        if passed is not None:
            return passed
        while not self._head_is_complete():
            alive()
            asked = self._compose(claim.stream, claim.after, most)
            self.sizing.composed()
            self._follow(asked, partial(self._ask, asked), alive)
        head = self._fetched.popleft()
        spent, self._spent = self._spent, Spent()
        return Chunk(
            asked=head.asked,
            page=head.page,
            items=tuple(collector.complete() for collector in head.collectors),
            unreadable=head.unreadable,
            kept=head.kept,
            spent=spent,
            outside=head.outside,
        )

    def ask_ahead(self, claim: Claim, chunk: Chunk, *, most: int | None) -> None:
        """Begin the query that follows the chunk of `claim`; at most so many chunks after it are begun.

        Also where the next chunks are complete: they are committed meanwhile.
        """
        after = chunk.page.next
        if claim.stream.phase is not Phase.HISTORY or after is None or most == 0 or self.under_way:
            return
        stream = replace(claim.stream, items_done=claim.stream.items_done + chunk.kept)
        if isinstance(self._walk, CursorWalk) and self._walk.skips(stream):
            return
        asked = self._compose(stream, after, most)
        if asked:
            self.sizing.composed()
            self._running = asked, self.begin(partial(self._ask, asked))

    def _pass_over(self, claim: Claim, alive: Alive) -> Chunk | None:
        """Return a chunk of nothing but places that are newer than the goal; None where the walk has passed them."""
        walk, stream = self._walk, claim.stream
        if self._fetched or not isinstance(walk, CursorWalk) or not walk.skips(stream):
            return None
        alive()
        asked = page_of(self.repository, stream, claim.after, LARGEST_FIRST)
        page = passed_over(self.graphql, self.kind.queries, asked, stream.goal, walk.been)
        walk.begun = page is None or len(page.slots) < asked.first
        if page is None or not page.slots:
            self._spent += Spent() if page is None else page.spent
            return None
        return Chunk(asked=asked.first, page=page, items=(), unreadable=(), kept=0, spent=page.spent)

    def drain(self) -> None:
        """Wait for a query that nobody will use any more; what it cost is counted, whatever came of it."""
        if self._running is not None:
            _, pending = self._running
            self._running = None
            with suppress(GitHubError, StoreError):
                pending.result()

    def _head_is_complete(self) -> bool:
        return bool(self._fetched) and not any(collector.follow_ups() for collector in self._fetched[0].collectors)

    def _fits(self, stream: Stream, have: str | None, after: str | None) -> bool:
        """Say whether the page that was asked for ahead is the one that the stream reads next."""
        known = self._stream
        return known is not None and (known.id, known.goal, have) == (stream.id, stream.goal, after)

    def _adopt(self, claim: Claim, alive: Alive) -> None:
        """Take over what was fetched ahead if it belongs to this claim; otherwise the guess did not hold."""
        ahead = self._fetched[0].after if self._fetched else None
        if self._running is not None and not self._fetched and self._running[0].page is not None:
            ahead = self._running[0].page.after
        if not self._fits(claim.stream, ahead, claim.after):
            self.drain()
            self._fetched.clear()
        if self._stream is not None and self._stream.goal != claim.stream.goal:
            self._catch_up, self._ask_for_catch_up = None, True  # it may count what is not wanted any more
        self._stream = claim.stream
        self._find_walk(claim, ahead=bool(self._fetched) or self._running is not None)
        if self._running is not None and not self._head_is_complete():
            asked, pending = self._running
            self._running = None
            self._follow(asked, pending.result, alive)
        begun = claim.stream.watermark
        if self._fetched and begun is not None and self._fetched[0].page.server_time < begun:
            self.drain()
            self._fetched.clear()  # read before this walk began: a change between would be nobody's
        if not self._fetched:
            self._find_walk(claim, ahead=False)
            self._take_catch_up(claim.stream, claim.after, alive)

    def _take_catch_up(self, stream: Stream, after: str | None, alive: Alive) -> None:
        """Begin a catch-up with the page that came along with the end of the walk, if it was read after that began."""
        begins = stream.phase is Phase.CATCH_UP and stream.pass_number == 1 and after is None
        if self._catch_up is None or not begins:
            return
        (asked, page), self._catch_up, self._ask_for_catch_up = self._catch_up, None, True
        if stream.read_down_to is not None and page.server_time >= stream.read_down_to + MARGIN:
            self._arrived(asked, page, alive)

    def _find_walk(self, claim: Claim, *, ahead: bool) -> None:
        """Go on with the walk of a claim, or begin it at the claim's place."""
        if self._walk is not None and self._walk.resume(claim.stream, claim.after, ahead=ahead):
            return
        if claim.stream.numbers is None:
            self._walk = CursorWalk.begin(self.repository, claim.stream, self.kind.price)
            self._walk.resume(claim.stream, claim.after, ahead=ahead)
        else:
            self._walk = NumberWalk.begin(self.repository, claim.stream, claim.after, self.sizing.page)

    def _compose(self, stream: Stream, after: str | None, most: int | None) -> AskedQuery:
        """Compose the next query: what the pages that are here lack, and the page after them."""
        place = self._fetched[-1].following(stream) if self._fetched else after
        left = left_of_goal(stream, sum(each.kept for each in self._fetched))
        room = PAGES_UNDER_WAY if most is None else min(most, PAGES_UNDER_WAY)
        goes_on = stream.hurries and place is not None and len(self._fetched) < room and left > 0
        begins = goes_on or not self._fetched
        walk = self._walk
        assert walk is not None
        if not begins and (place is None or left <= 0) and (most is None or most > len(self._fetched)):
            return self._end_of_walk(stream)
        size = walk.most(max(1, min(self.sizing.page, left))) if begins else 0
        pages = [each.collectors for each in self._fetched]
        price = walk.price(None)
        apart = self.sizing.apart
        query = self._completion.next_query(pages, self.sizing.prices, page=size, price=price, apart=apart)
        page = walk.next(stream, place, query.page) if begins and not (apart and query.follow_ups) else None
        return AskedQuery(query=replace(query, price=walk.price(page)), page=page)

    def _end_of_walk(self, stream: Stream) -> AskedQuery:
        """Compose a query of a walk's last follow-ups, and of the catch-up's first page what costs nothing more."""
        prices, price, apart = self.sizing.prices, price_of(self.kind.price, stream), self.sizing.apart
        query = self._completion.next_query([each.collectors for each in self._fetched], prices, price=price)
        size = prices.page_beside(query.counted, self.sizing.page, price) if query.follow_ups and not apart else 0
        wanted_now = stream.phase is Phase.HISTORY and not stream.part and self._ask_for_catch_up
        if not wanted_now or size < LEAST_OF_CATCH_UP:
            return AskedQuery(query=query, page=None)
        self._ask_for_catch_up = False
        page = page_of(self.repository, replace(stream, phase=Phase.CATCH_UP), None, size)
        return AskedQuery(query=replace(query, page=size), page=page, ahead=True)

    def _ask(self, asked: AskedQuery) -> github.PageAndFollowUps:
        points = self.sizing.prices.points(asked.query.counted)
        return github.ask(self.graphql, self.kind.queries, asked.query.follow_ups, asked.page, points=points)

    def _follow(self, asked: AskedQuery, answered: Callable[[], github.PageAndFollowUps], alive: Alive) -> None:
        """Take what a query brought, or make the next one smaller."""
        try:
            reply = answered()
        except TooBig as error:
            self._too_big(asked, error)
            return
        self._spent += reply.spent
        self.sizing.was_charged(asked.query, reply.spent.points)
        self._completion.take(reply)
        match reply.page:
            case Page() as page if asked.ahead and asked.page is not None:
                self._catch_up = asked.page, page
            case GitHubError() if asked.ahead:
                pass  # nobody waits for it: the catch-up asks again, and meets what there is to meet
            case Page() as page if asked.page is not None:
                self._arrived(asked.page, page, alive)
            case TooBig() as too_big if asked.page is not None:
                self._page_too_big(asked.page, too_big)
            case GitHubError() as failure:
                raise failure

    def _arrived(self, asked: Asked, page: Page, alive: Alive) -> None:
        stream, walk = self._stream, self._walk
        assert stream is not None
        assert walk is not None
        ahead = Ahead(items=sum(each.kept for each in self._fetched), places=[each.after for each in self._fetched])
        taken = walk.take(stream, asked, to_the_end(stream, asked, page), ahead)
        if taken is None:
            return
        read, left = walk.read(asked, taken), taken.total - stream.items_done
        self.sizing.came_clean(asked.first, read=read, seconds=taken.spent.seconds, left=left)
        slots, spent = salvage(self.graphql, self.kind.queries, asked, taken.slots, alive)
        self._spent += spent
        found = fetched(stream, self.kind, asked, taken, slots, self.here)
        if self.listed is not None and stream.phase is Phase.HISTORY:  # the catch-up reads what is newer than the list
            for collector in found.collectors:
                self.listed.supply(collector)
        self._fetched.append(found)

    def _too_big(self, asked: AskedQuery, error: TooBig) -> None:
        """Ask for a smaller page if this one is larger than any that came clean; else for page and follow-ups apart."""
        if asked.ahead:
            return  # the same follow-ups again, without a page
        if asked.page is None:
            self._completion.too_big(asked.query)
        elif not asked.query.follow_ups or self.sizing.outgrew(asked.page):
            self._page_too_big(asked.page, error)
        else:
            self.sizing.keep_apart()

    def _page_too_big(self, asked: Asked, error: TooBig) -> None:
        assert self._walk is not None
        if not self._walk.asks_for_less(asked, error) and self.sizing.was_too_big(asked, error):
            self._step_over(asked, f"GitHub can't deliver it: {error}")

    def _step_over(self, asked: Asked, reason: str) -> None:
        """Leave out the one item that can't be read, with its number and the reason."""
        page = github.outline(self.graphql, self.kind.queries, asked)
        self._spent += page.spent
        assert self._walk is not None
        assert self._stream is not None
        page = self._walk.step_over(asked, to_the_end(self._stream, asked, page))
        slots = [
            replace(slot, unreadable=tuple(replace(each, reason=reason) for each in slot.unreadable))
            for slot in page.slots
        ]
        self._fetched.append(fetched(self._stream, self.kind, asked, page, slots, self.here))
