"""A database refused a chunk: find the rows it does not admit, so that all others are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn, TypeVar

from gh_backfill.errors import RowRefused, RowTooLarge
from gh_backfill.models.github import Unreadable
from gh_backfill.models.pull_requests import Comment, CompletePullRequest, Review, ReviewComment
from gh_backfill.models.work import TrackedRepository
from gh_backfill.store import items, people
from gh_backfill.store.db import Database

Child = TypeVar("Child", Review, ReviewComment, Comment)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sifted:
    """What a database admits and what it refuses; `rows` of those are not refused for their size."""

    kept: list[CompletePullRequest]
    refused: list[Unreadable]
    rows: int

    def most_of(self, chunk: Sequence[CompletePullRequest]) -> bool:
        """Say whether most of a chunk is refused, which is a fault of the database: one pull request never is."""
        return len({each.number for each in self.refused}) > 1 and 2 * self.rows > items.rows_of(chunk)


class _RolledBack(Exception):
    """Ends a transaction that was only a trial."""


def sift(db: Database, repository: TrackedRepository, chunk: Sequence[CompletePullRequest]) -> Sifted:
    """Return what the database admits, and what it refuses with its words.

    Each pull request is tried alone, and where it fails its parts; every trial is rolled back.
    """
    kept: list[CompletePullRequest] = []
    refused: list[tuple[Unreadable, RowRefused]] = []
    whole = 0
    for item in chunk:
        if _refusal(db, repository, item) is None:
            kept.append(item)
            continue
        bare = replace(item, reviews=(), review_comments=(), comments=())
        refusal = _refusal(db, repository, bare)
        if refusal is not None:
            refused.append((_whole(item, str(refusal)), refusal))
            whole += 0 if isinstance(refusal, RowTooLarge) else items.rows_of([item]) - 1
            continue
        attempt = partial(_try, db, repository, bare)
        kept.append(
            replace(
                item,
                reviews=_sift(item, item.reviews, "review", attempt, refused),
                comments=_sift(item, item.comments, "issue_comment", attempt, refused),
                review_comments=_sift(item, item.review_comments, "review_comment", attempt, refused),
            )
        )
    return Sifted(
        kept=kept,
        refused=[lost for lost, _ in refused],
        rows=whole + sum(not isinstance(refusal, RowTooLarge) for _, refusal in refused),
    )


def _sift(
    item: CompletePullRequest,
    children: Sequence[Child],
    kind: str,
    attempt: Callable[[Child], RowRefused | None],
    refused: list[tuple[Unreadable, RowRefused]],
) -> tuple[Child, ...]:
    kept: list[Child] = []
    for child in children:
        refusal = attempt(child)
        if refusal is None:
            kept.append(child)
            continue
        lost = Unreadable(
            kind=kind,
            identity=f"{kind} {child.github_id}",
            github_id=child.github_id,
            number=item.pull_request.number,
            reason=str(refusal),
            payload={"body": items.plain_text(child.body)},
        )
        refused.append((lost, refusal))
    return tuple(kept)


def _try(
    db: Database, repository: TrackedRepository, bare: CompletePullRequest, child: Review | ReviewComment | Comment
) -> RowRefused | None:
    match child:
        case Review():
            return _refusal(db, repository, replace(bare, reviews=(child,)))
        case ReviewComment():
            return _refusal(db, repository, replace(bare, review_comments=(child,)))
        case Comment():
            return _refusal(db, repository, replace(bare, comments=(child,)))


def _refusal(db: Database, repository: TrackedRepository, item: CompletePullRequest) -> RowRefused | None:
    """Return why the database refuses a pull request with its parts; None if it does not."""
    try:
        _attempt(db, repository, item)
    except _RolledBack:
        return None
    except RowRefused as error:
        return error


def _attempt(db: Database, repository: TrackedRepository, item: CompletePullRequest) -> NoReturn:
    with db.transaction() as tx:
        people.store_people(tx, people.people_of([item]))
        items.write(tx, repository, [item], [], items.vocabulary(tx))
        raise _RolledBack


def _whole(item: CompletePullRequest, reason: str) -> Unreadable:
    pull_request = item.pull_request
    return Unreadable(
        kind="pull_request",
        identity=pull_request.node_id,
        github_id=pull_request.github_id,
        number=pull_request.number,
        reason=reason,
        payload={"title": items.plain_text(pull_request.title), "body": items.plain_text(pull_request.body or "")},
    )
