"""Hand the fetching of events over to gh-datpipe, and ask what became of it.

It is a service of existing installations: `POST /api/backfill/trigger` with the header `X-API-Key` starts a job, 202
tells its id and where its status is.  No redirect is followed: whoever it leads to would be shown the key.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests

from gh_backfill.clients import reasons, sense, transport
from gh_backfill.errors import (
    DatpipeAway,
    DatpipeDenied,
    DatpipeError,
    DatpipeFailed,
    DatpipeUnknown,
    Misrouted,
    NoConnection,
)
from gh_backfill.policy import waits

TRIES = 4
SECONDS = 30.0
LARGEST = 2**20
# In seconds: who is told to wait longer than this ends, and says until when.
LONGEST_WAIT = 60.0
ADDRESS = "check GH_DATPIPE_API_URL"
LOGS = "look into the logs of gh-datpipe, and try again later"
# It may have begun all the same, and a second request would be a second job.
TAKEN = "look into the logs of gh-datpipe whether it has begun all the same, before you try again"
_ID = re.compile(r"[\w.:-]{1,200}", re.ASCII)


class Asking(StrEnum):
    """What the service is asked, in the words with which an error of it begins."""

    TRIGGER = "Failed to trigger backfill"
    STATUS = "Failed to get job status"
    CANCEL = "Failed to cancel job"


UNAVAILABLE, NOT_FOUND = "Service unavailable", "Repository not found"


@dataclass(frozen=True, kw_only=True, slots=True)
class DatpipeJob:
    """A job as the service tells of it: the word for its status is its own, and every text is a line.

    `progress` is in per cent, `expected` says when it means to be done, and `status_url` where it tells more.
    """

    id: str
    status: str
    progress: int | None = None
    message: str | None = None
    expected: str | None = None
    status_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Datpipe:
    """The way to the service; `seconds` is how long a whole answer may take.

    All methods raise DatpipeDenied, DatpipeAway, DatpipeFailed or DatpipeUnknown, with the words that the guide has
    for them.  Only what was surely not taken is asked for again: without a connection, and after 429 and 503.
    """

    url: str
    key: str = field(repr=False)
    status_path: str
    cancel_path: str
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    seconds: float = SECONDS

    def trigger(self, full_name: str, days: int) -> DatpipeJob:
        """Let the events of so many days be fetched; returns the job of that, which ends some time later."""
        wanted = {"repository": full_name, "days": days}
        body = self._asked(Asking.TRIGGER, "POST", f"{self.url}/api/backfill/trigger", wanted)
        about = body.get("repository")
        if isinstance(about, str) and about.lower() != full_name.lower():
            raise DatpipeFailed(f"{Asking.TRIGGER}: the answer is about another repository; {TAKEN}")
        return self._job(Asking.TRIGGER, body, None)

    def status(self, job_id: str, status_url: str | None = None) -> DatpipeJob:
        """Return how a job stands; `status_url` is what was told when it was triggered."""
        address = self._own(status_url) or self._at(self.status_path, job_id)
        return self._job(Asking.STATUS, self._asked(Asking.STATUS, "GET", address), job_id)

    def cancel(self, job_id: str) -> DatpipeJob:
        """End a job; what it has fetched stays."""
        body = self._asked(Asking.CANCEL, "POST", self._at(self.cancel_path, job_id))
        return self._job(Asking.CANCEL, body, job_id)

    def _at(self, path: str, job_id: str) -> str:
        return self.url + path.replace("{job_id}", quote(job_id, safe=""))

    def _own(self, address: str | None) -> str | None:
        """Return an address of the service itself; None for any other, which must not see the key."""
        try:
            found = urljoin(f"{self.url}/", address or "")
            here, there = urlsplit(self.url), urlsplit(found)
            same = (here.scheme, here.netloc.lower()) == (there.scheme, there.netloc.lower())
        except ValueError:
            return None
        return found if address and same else None

    def _asked(
        self, asking: Asking, method: str, url: str, wanted: Mapping[str, object] | None = None
    ) -> Mapping[str, Any]:
        """Return the body of a good answer."""
        for attempt in range(1, TRIES):
            try:
                return self._once(asking, method, url, wanted)
            except DatpipeAway as error:
                pause = max(error.wait, 2.0**attempt)
                if pause > LONGEST_WAIT:
                    raise
                self.sleep(pause)
        return self._once(asking, method, url, wanted)

    def _once(self, asking: Asking, method: str, url: str, wanted: Mapping[str, object] | None) -> Mapping[str, Any]:
        data = None if wanted is None else json.dumps(wanted).encode()
        headers = {"X-API-Key": self.key} | ({} if data is None else {"Content-Type": "application/json"})
        with transport.session(deadline=self.seconds, largest=LARGEST) as session:
            try:
                response = session.request(
                    method, url, data=data, headers=headers, timeout=self.seconds, allow_redirects=False
                )
            except Exception as error:  # noqa: BLE001  (one boundary for all that a library may throw)
                raise _of_the_way(asking, error, url) from None
        parsed = sense.parsed(response)
        body = parsed if isinstance(parsed, dict) else {}
        if response.status_code // 100 != 2:
            raise self._refusal(asking, response, body)
        if not body:
            raise DatpipeFailed(f"{asking}: the answer is none of gh-datpipe: {ADDRESS}")
        return body

    def _refusal(self, asking: Asking, response: requests.Response, body: Mapping[str, Any]) -> DatpipeError:
        """Return the error for an answer that is not a good one."""
        said = self._line(body.get("message")) or self._line(body.get("error"))
        status = f"status {response.status_code}" + (f": {said}" if said else "")
        match response.status_code:
            case 401 | 403:
                return DatpipeDenied(f"{UNAVAILABLE}: gh-datpipe does not accept GH_DATPIPE_KEY ({status}): replace it")
            case 429:
                return self._limited(asking, response)
            case 503:
                wait = _wait(self.now(), response) or 0.0
                return DatpipeAway(f"{UNAVAILABLE}: gh-datpipe serves nobody now ({status}); {LOGS}", wait=wait)
            case code if code >= 500:
                job_id = _job_id(body)
                which = f" (its job {job_id})" if job_id else ""
                return DatpipeFailed(
                    f"{asking}: gh-datpipe answers with {status}{which}; {_advice(asking)}", job_id=job_id
                )
        return _not_taken(asking, response, status, about_repository="repositor" in said.lower())

    def _limited(self, asking: Asking, response: requests.Response) -> DatpipeAway:
        now = self.now()
        wait = _wait(now, response)
        if wait is None:
            return DatpipeAway(f"{asking}: gh-datpipe takes no more just now (rate limit); try again later")
        until = waits.after_refusal(response.headers, now, secondary=True).until
        when = f"{until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return DatpipeAway(f"{asking}: gh-datpipe takes no more until {when} (rate limit): try again then", wait=wait)

    def _job(self, asking: Asking, body: Mapping[str, Any], asked: str | None) -> DatpipeJob:
        """Read a job; where its id was not `asked` about, it has to be there."""
        job_id = _job_id(body) or asked
        status = self._line(body.get("status"))
        if job_id is None or not status or asked not in (None, job_id):
            raise DatpipeFailed(
                f"{asking}: the answer tells no {'status' if job_id else 'id'} of a job; {_advice(asking)}",
                job_id=job_id,
            )
        progress = body.get("progress")
        address = body.get("status_url")
        return DatpipeJob(
            id=job_id,
            status=status,
            progress=progress if type(progress) is int and 0 <= progress <= 100 else None,
            message=self._line(body.get("error")) or self._line(body.get("message")) or None,
            expected=self._line(body.get("estimated_completion")) or None,
            status_url=self._own(address) if isinstance(address, str) and len(address) <= 1000 else None,
        )

    def _line(self, value: object) -> str:
        """Return a text of the service as a line without our key, which it might repeat; empty for what is no text."""
        return sense.one_line(value.replace(self.key, "<hidden>")) if isinstance(value, str) else ""


def _of_the_way(asking: Asking, error: Exception, url: str) -> DatpipeError:
    """Return our error for what a library raised when it sent a request."""
    words = reasons.in_words(error, url, setting=ADDRESS)
    match reasons.of(error, url):
        case Misrouted():
            return DatpipeDenied(f"{UNAVAILABLE}: gh-datpipe can't be reached: {words}")
        case NoConnection():
            return DatpipeAway(f"{UNAVAILABLE}: gh-datpipe can't be reached: {words}; {ADDRESS}, or try again later")
        case _:
            return DatpipeFailed(f"{asking}: {words}; {_advice(asking)}")


def _not_taken(asking: Asking, response: requests.Response, status: str, *, about_repository: bool) -> DatpipeError:
    """Return the error for an answer that says that the request itself is wrong."""
    trigger = asking is Asking.TRIGGER
    match response.status_code:
        case 404 if trigger:
            check = f"check its name; where that is right, {ADDRESS}"
            return DatpipeUnknown(f"{NOT_FOUND}: gh-datpipe does not know it ({status}): {check}")
        case 404:
            return DatpipeUnknown(f"{asking}: gh-datpipe does not know the job ({status}): hand it over again")
        case 400 | 409 | 422:
            begins = NOT_FOUND if trigger and about_repository else asking
            return DatpipeUnknown(f"{begins}: gh-datpipe does not take it ({status}): check what is asked for")
    leads = f" and leads to {_host(response)}, which is not shown the key" if response.is_redirect else ""
    return DatpipeDenied(f"{asking}: gh-datpipe answers with {status}{leads}: {ADDRESS}")


def _advice(asking: Asking) -> str:
    return TAKEN if asking is Asking.TRIGGER else LOGS


def _wait(now: datetime, response: requests.Response) -> float | None:
    """Return for how many seconds an answer asks to wait; None where it does not say."""
    asked = waits.after_refusal(response.headers, now, secondary=True)
    return None if asked.guessed else (asked.until - now).total_seconds()


def _host(response: requests.Response) -> str:
    try:
        return urlsplit(urljoin(response.url, response.headers["location"])).hostname or "nowhere"
    except ValueError:
        return "nowhere"


def _job_id(body: Mapping[str, Any]) -> str | None:
    """Return the id of the job of an answer; the status of one calls it `id` alone."""
    found = body.get("job_id", body.get("id"))
    text = str(found) if isinstance(found, str) or type(found) is int else ""
    return text if _ID.fullmatch(text) else None
