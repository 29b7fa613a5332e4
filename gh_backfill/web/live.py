"""Changes, told to everybody who looks: one look at the database a second at most, however many do.

A look returns a fingerprint for each topic.  Where one differs from before, the topic has a new revision; whoever was
away asks for everything after the last revision that reached them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from gh_backfill import unexpected
from gh_backfill.errors import BackfillError

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
# So often a page that waits hears that nothing has changed.
ALIVE_EVERY = 5.0
# Fewer than half of the connections: whoever comes for a page still finds room.
MOST_LISTENERS = 400
# Digits of a revision.
LONGEST = 19
ALIVE = "-"

Fingerprints = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """The topics that changed, and the revision up to which that tells all; none changed where all is as before."""

    revision: str
    topics: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return what is sent."""
        return " ".join(self.topics) or ALIVE


class Hub:
    """The revisions of this process.  `look` is called while somebody listens, and when a page is asked for."""

    def __init__(
        self, look: Callable[[], Awaitable[Fingerprints]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._clock = clock
        self._epoch = secrets.token_hex(4)
        self._revision = 0
        self._seen: dict[str, str] = {}
        self._revisions: dict[str, int] = {}
        self._looked = -LOOK_EVERY
        self._trouble: Exception | None = None
        self._turn = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._listeners = 0
        self._watch: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def listeners(self) -> int:
        """Return how many listen now."""
        return self._listeners

    @property
    def full(self) -> bool:
        """Say whether no more may listen."""
        return self._closed or self._listeners >= MOST_LISTENERS

    @property
    def latest(self) -> int:
        """Return the last revision."""
        return self._revision

    @property
    def name(self) -> str:
        """Return the name of the last revision, by which a listener says what it has seen."""
        return self._name(self._revision)

    async def refresh(self) -> None:
        """Look, where the last look is older than a second.  Raises what that look raises, to all until the next one.

        Where the database is away, its patience with one look is spent once, and not once by each who waits here.
        """
        async with self._turn:
            if self._clock() - self._looked >= LOOK_EVERY:
                await self._look_again()
            if self._trouble is not None:
                raise self._trouble.with_traceback(None)

    def of(self, topics: Collection[str]) -> int:
        """Return the last revision in which one of these topics changed."""
        return max((self._revisions.get(each, 0) for each in topics), default=0)

    def expire(self) -> None:
        """Let the next one who asks look anew: something was changed here."""
        self._looked = -LOOK_EVERY

    async def listen(self, topics: Collection[str], after: str) -> AsyncIterator[News]:
        """Yield what changes of some topics, beginning with what has since the revision `after`, until the hub closes.

        A revision of another process, or none, means that all may have changed.
        """
        if self.full:
            return
        self._listeners += 1
        if self._watch is None:
            self._watch = asyncio.create_task(self._watching())
        try:
            told = self._number(after)
            while not self._closed:
                changed = sorted(each for each in topics if told < 0 or self._revisions.get(each, 0) > told)
                told = self._revision
                if changed:
                    yield News(revision=self._name(told), topics=tuple(changed))
                if await self._waited(told) or self._closed:
                    continue
                if self._trouble is None and self._clock() - self._looked < ALIVE_EVERY:
                    yield News(revision=self._name(told), topics=())
        finally:
            self._listeners -= 1
            if not self._listeners and self._watch is not None:
                self._watch.cancel()
                self._watch = None

    async def close(self) -> None:
        """End every stream."""
        self._closed = True
        await self._wake()

    async def _look_again(self) -> None:
        try:
            found = await self._look()
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what everybody hears until the next look)
            self._trouble = error
            self._looked = self._clock()
            return
        self._trouble = None
        changed = self._take(found)
        self._looked = self._clock()
        if changed:
            await self._wake()

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _watching(self) -> None:
        told = ""
        while True:
            said = await self._wrong()
            if said and said != told:
                log.warning("the pages can't see what changes: %s", said)
            told = said
            await asyncio.sleep(LOOK_EVERY)

    async def _wrong(self) -> str:
        """Look, and say what went wrong; nothing ends the watch while somebody listens."""
        try:
            await self.refresh()
        except BackfillError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  (whatever it is: the next look may do)
            return unexpected.told(error)
        return ""

    async def _waited(self, told: int) -> bool:
        """Wait for something new; False where there was nothing for as long as a listener is left without a word."""
        try:
            async with asyncio.timeout(ALIVE_EVERY), self._changed:
                await self._changed.wait_for(lambda: self._closed or self._revision > told)
        except TimeoutError:
            return False
        return True

    def _take(self, found: Fingerprints) -> bool:
        """Compare with what was seen before, and say whether anything is new."""
        changed = [topic for topic, print_ in found.items() if self._seen.get(topic) != print_]
        if changed:
            self._revision += 1
            self._seen.update(found)
            self._revisions.update(dict.fromkeys(changed, self._revision))
        return bool(changed)

    def _name(self, revision: int) -> str:
        return f"{self._epoch}-{revision}"

    def _number(self, name: str) -> int:
        """Return a revision by its name; -1 for one that is not of this process."""
        epoch, _, number = name.partition("-")
        return int(number) if epoch == self._epoch and number.isdecimal() and len(number) < LONGEST else -1
