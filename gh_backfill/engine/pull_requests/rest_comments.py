"""The review comments that REST listed, on disk as long as a run needs them, whatever the size of the repository."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from gh_backfill.clients.listing import ListedPage
from gh_backfill.models.github import Person
from gh_backfill.models.pull_requests import PullRequest, ReviewComment
from gh_backfill.policy.items import Collector
from gh_backfill.policy.pull_requests.completeness import PullRequestCollector

_TIMES = ("created_at", "updated_at")


class ListedComments:
    """A list of review comments down to `since` (None: all of them), to be asked by pull request.

    It lies in a temporary file without a name, which is gone when it is closed or the process ends.
    """

    def __init__(self, since: datetime | None) -> None:
        self._since = since
        self._read_at: datetime | None = None
        self._spool = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._spool.executescript(
            "pragma journal_mode = off; pragma synchronous = off;"
            "create table comments (id integer primary key, number integer not null, comment text not null);"
            "create index by_number on comments (number);"
        )

    def fill(self, pages: Iterable[ListedPage]) -> None:
        """Keep what the pages bring; of a comment that comes twice, the later reading.

        If reading ends in an error, what came until then is kept, and as good as ever.
        """
        for page in pages:
            self._read_at = self._read_at or page.server_time
            rows = [(each.comment.github_id, each.number, _text(each.comment)) for each in page.comments]
            with self._spool:
                self._spool.execute("begin")
                self._spool.executemany("insert or replace into comments values (?, ?, ?)", rows)

    def of(self, pull_request: PullRequest) -> tuple[ReviewComment, ...] | None:
        """Return what the list has of a pull request; None where the list does not reach it, or is older than it.

        A comment was updated after its pull request was created, so a list down to a date has all comments of the pull
        requests that were created since.
        """
        too_old = self._since is not None and pull_request.created_at < self._since
        if too_old or self._read_at is None or pull_request.updated_at >= self._read_at:
            return None
        rows = self._spool.execute(
            "select comment from comments where number = ? order by id", (pull_request.number,)
        ).fetchall()
        return tuple(_comment(text) for (text,) in rows)

    def supply(self, collector: Collector) -> None:
        """Hand a pull request what the list has of it."""
        assert isinstance(collector, PullRequestCollector)
        collector.supply(self.of(collector.pull_request) or ())

    def close(self) -> None:
        """Delete the list."""
        self._spool.close()


def _text(comment: ReviewComment) -> str:
    times = {name: getattr(comment, name).isoformat() for name in _TIMES}
    return json.dumps(asdict(comment) | times)


def _comment(text: str) -> ReviewComment:
    fields: dict[str, Any] = json.loads(text)
    times = {name: datetime.fromisoformat(fields[name]) for name in _TIMES}
    return ReviewComment(**(fields | times | {"author": Person(**fields["author"])}))
