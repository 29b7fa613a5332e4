"""The alerts' issues at GitHub: list, open, edit, comment, close."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from github import Auth, Github, GithubException
from github.Issue import Issue
from github.Repository import Repository

from gh_backfill.clients.rest import own_errors

# Seconds: GitHub asks for at least one between two changes.
BETWEEN_WRITES = 1.0
# More open issues than this are not looked through where our label could not be made.
MOST_ISSUES = 1_000
LABEL = "gh-backfill"
LABELS = {LABEL: ("5319e7", "Opened and closed by gh-backfill"), "alert": ("d93f0b", "Somebody should look")}


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenIssue:
    """An open issue as the list shows it."""

    number: int
    body: str
    address: str


class Issues:
    """The issues of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._labels: list[str] | None = None

    def open_ones(self) -> list[OpenIssue]:
        """Return the open issues that bear our label, from the plain list: the search lags behind.

        Where the label could not be made, all open issues are looked through.
        """
        labelled = LABEL in self._make_labels()
        found = self._repository.get_issues(state="open", labels=[LABEL] if labelled else [])
        listed = islice((issue for issue in found if issue.pull_request is None), MOST_ISSUES)
        return [OpenIssue(number=issue.number, body=issue.body or "", address=issue.html_url) for issue in listed]

    def open(self, title: str, body: str) -> OpenIssue:
        """Open an issue with our labels."""
        issue = self._repository.create_issue(title, body, labels=self._make_labels())
        return OpenIssue(number=issue.number, body=body, address=issue.html_url)

    def edit(self, number: int, body: str) -> None:
        """Put another text in the place of an issue's."""
        self._issue(number).edit(body=body)

    def comment(self, number: int, text: str) -> None:
        """Write below an issue."""
        self._issue(number).create_comment(text)

    def close(self, number: int) -> None:
        """Close an issue as done."""
        self._issue(number).edit(state="closed", state_reason="completed")

    def _issue(self, number: int) -> Issue:
        return self._repository.get_issue(number)

    def _make_labels(self) -> list[str]:
        """Make the labels that are missing, once; whoever may open issues may not always make labels."""
        if self._labels is None:
            there = {label.name.lower() for label in self._repository.get_labels()}
            self._labels = [name for name in LABELS if name in there or self._make_label(name)]
        return self._labels

    def _make_label(self, name: str) -> bool:
        color, description = LABELS[name]
        try:
            self._repository.create_label(name, color, description)
        except GithubException as error:
            if error.status in (403, 404):
                return False
            if error.status != 422:  # somebody was faster
                raise
        return True


@contextmanager
def issues_of(api_url: str, token: str, repository: str, *, between_writes: float = BETWEEN_WRITES) -> Iterator[Issues]:
    """Yield the issues of a repository.

    Needs `issues: write`.  Raises Denied (not permitted, or no such repository), RateLimited or Unreachable.
    https://docs.github.com/en/rest/issues/issues
    """
    client = Github(
        auth=Auth.Token(token),
        base_url=api_url,
        retry=None,
        timeout=30,
        per_page=100,
        seconds_between_requests=None,
        seconds_between_writes=between_writes,
    )
    with own_errors(api_url, "the token and `permissions: issues: write`"), client:
        yield Issues(client.get_repo(repository))
