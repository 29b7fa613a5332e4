"""Addresses at GitHub that follow from the page of one workflow run: other runs, and a search for an alert."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote_plus

from gh_backfill.policy.report.addresses import run_address

_RUN = re.compile(r"(https?://[^/\s]+)/([^/\s]+/[^/\s]+)/actions/runs/\d+")
# The label of our issues, as clients/alert_issues.py gives it.
LABEL = "gh-backfill"


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionsPage:
    """Where the workflows run: GitHub's own address, and the repository."""

    server: str
    repository: str

    @classmethod
    def of(cls, addresses: Iterable[str | None]) -> ActionsPage | None:
        """Return that of the first address of a run; None where there is none."""
        found = next((match for each in addresses if each and (match := _RUN.match(each))), None)
        return None if found is None else cls(server=found[1], repository=found[2])

    def run(self, run_id: int | None, attempt: int = 1) -> str | None:
        """Return the address of a run; None for one that has no page."""
        return run_address(self.server, self.repository, run_id, attempt)

    @property
    def address(self) -> str:
        """Return the address of the repository."""
        return f"{self.server}/{self.repository}"


def issue_search(at: str, repository_id: str) -> str:
    """Return the address that looks for the open issues about a repository of ours: their texts have its id.

    `at` is the address of the repository that has them.  It is for those of which no report kept the address.
    """
    words = f'is:issue is:open label:{LABEL} "{repository_id}"'
    return f"{at}/issues?q={quote_plus(words)}"
