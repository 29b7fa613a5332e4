"""The alerts' issues at GitHub: list, open, edit, comment, close."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from github import Github, GithubException
from github.Repository import Repository

from gh_backfill.clients import rest

# Seconds: GitHub asks for at least one between two changes.
BETWEEN_WRITES = 1.0
# More open issues than this are not looked through where our label could not be made.
MOST_ISSUES = 1_000
MOST_LABELS = 1_000
LABEL = "gh-backfill"
LABELS = {LABEL: ("5319e7", "Opened and closed by gh-backfill"), "alert": ("d93f0b", "Somebody should look")}


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenIssue:
    """An open issue as the list shows it."""

    number: int
    body: str
    address: str


class AlertIssues:
    """The issues of one repository.

    Each method raises Denied (not permitted, or no such repository), RateLimited or Unreachable.
    """

    def __init__(self, client: Github, api_url: str, repository: str) -> None:
        self._client = client
        self._api_url = api_url
        self._name = repository
        self._found: Repository | None = None
        self._labels: list[str] | None = None

    def open_ones(self) -> list[OpenIssue]:
        """Return the open issues that bear our label, from the plain list: the search lags behind.

        Where the label could not be made, all open issues are looked through.
        """
        with self._asking() as repository:
            labelled = LABEL in self._make_labels(repository)
            found = repository.get_issues(state="open", labels=[LABEL] if labelled else [])
            listed = islice((issue for issue in found if issue.pull_request is None), MOST_ISSUES)
            return [OpenIssue(number=issue.number, body=issue.body or "", address=issue.html_url) for issue in listed]

    def open(self, title: str, body: str) -> OpenIssue:
        """Open an issue with our labels."""
        with self._asking() as repository:
            issue = repository.create_issue(title, body, labels=self._make_labels(repository))
            return OpenIssue(number=issue.number, body=body, address=issue.html_url)

    def edit(self, number: int, body: str) -> None:
        """Put another text in the place of an issue's."""
        with self._asking() as repository:
            repository.get_issue(number).edit(body=body)

    def comment(self, number: int, text: str) -> None:
        """Write below an issue."""
        with self._asking() as repository:
            repository.get_issue(number).create_comment(text)

    def close(self, number: int) -> None:
        """Close an issue as done."""
        with self._asking() as repository:
            repository.get_issue(number).edit(state="closed", state_reason="completed")

    @contextmanager
    def _asking(self) -> Iterator[Repository]:
        """Yield the repository to a block that calls nothing but PyGithub."""
        with rest.own_errors(self._api_url, "the token and `permissions: issues: write`"):
            self._found = self._found or self._client.get_repo(self._name)
            yield self._found

    def _make_labels(self, repository: Repository) -> list[str]:
        """Make the labels that are missing, once; whoever may open issues may not always make labels."""
        if self._labels is None:
            there = {label.name.lower() for label in islice(repository.get_labels(), MOST_LABELS)}
            self._labels = [name for name in LABELS if name in there or _make_label(repository, name)]
        return self._labels


@contextmanager
def issues_of(
    api_url: str, token: str, repository: str, *, between_writes: float = BETWEEN_WRITES
) -> Iterator[AlertIssues]:
    """Yield the issues of a repository, which is asked for at the first use.

    Needs `issues: write`.
    https://docs.github.com/en/rest/issues/issues
    """
    with rest.client(api_url, token, between_writes=between_writes) as client:
        yield AlertIssues(client, api_url, repository)


def _make_label(repository: Repository, name: str) -> bool:
    color, description = LABELS[name]
    try:
        repository.create_label(name, color, description)
    except GithubException as error:
        if error.status in (403, 404):
            return False
        if error.status != 422:  # somebody was faster
            raise
    return True
