"""The rows that a capture of a simulated world must end with, read from the world itself and not through its answers.

Works for every world, made up or recorded, and also for one that has moved: ask again when it stands still.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from gh_backfill.simulator import rows
from gh_backfill.simulator.request_rows import ReviewRequestRow
from gh_backfill.simulator.world import World
from tests.expected import (
    GHOST,
    UNKNOWN,
    Assignee,
    Comment,
    Issue,
    IssueComment,
    Label,
    Milestone,
    PullRequest,
    Repository,
    Review,
    ReviewComment,
    Reviewer,
)

# A review that its author has not submitted yet is shown to nobody else.
_NOT_SUBMITTED = "PENDING"


def expected_world(world: World, *names: str, moved: bool = False) -> list[Repository]:
    """Return the repositories of a world, or those named, as they should be stored.

    The total of a world that `moved` is not compared: it is as fresh as the last plan.
    """
    with world.lock:
        homes = [home for home in world.repositories.values() if not names or home.full_name in names]
        shelves = world.shelves
        filled = [home for home in homes if len(shelves[home.id]) or (names and shelves[home.id].issues)]
        return [_repository(world, home, moved=moved) for home in filled]


def pulls_of(world: World, repository_id: int) -> Iterator[rows.PullRequestRow]:
    """Return the rows of a repository's pull requests, by number."""
    shelf = world.shelves[repository_id]
    for outline in shelf.outlines():
        pull = shelf.pull(outline.number)
        assert pull is not None
        yield pull


def _repository(world: World, home: rows.RepositoryRow, *, moved: bool) -> Repository:
    pulls = list(pulls_of(world, home.id))
    issues = sorted(world.shelves[home.id].issues.values(), key=lambda issue: issue.number)
    return Repository(
        github_id=home.id,
        full_name=home.full_name,
        owner=home.owner,
        name=home.name,
        is_private=home.private,
        is_fork=home.fork,
        is_archived=home.archived,
        description=home.description,
        default_branch=home.default_branch,
        github_pull_requests=UNKNOWN if moved else len(pulls),
        pull_requests=tuple(_pull_request(world, pull, moved=moved) for pull in pulls),
        reviews=tuple(review for pull in pulls for review in _reviews(world, pull)),
        review_comments=tuple(comment for pull in pulls for comment in _review_comments(world, pull)),
        comments=tuple(_comment(world, comment) for pull in pulls for comment in pull.comments),
        issues=tuple(_issue(world, issue, moved=moved) for issue in issues),
        issue_comments=tuple(_issue_comment(world, comment) for issue in issues for comment in issue.comments),
    )


def _pull_request(world: World, pull: rows.PullRequestRow, *, moved: bool) -> PullRequest:
    return PullRequest(
        number=pull.number,
        github_id=pull.id,
        title=pull.title,
        body=pull.body,
        state=pull.state.lower(),
        draft=pull.draft,
        author=_author(world, pull.author),
        # GraphQL gives null for whoever merged and is gone, the same as for nobody.
        merged_by=None if world.account(pull.merged_by) is None else pull.merged_by,
        created_at=_time(pull.created_at),
        updated_at=_time(pull.updated_at),
        closed_at=_time(pull.closed_at) if pull.closed_at else None,
        merged_at=_time(pull.merged_at) if pull.merged_at else None,
        additions=pull.additions,
        deletions=pull.deletions,
        changed_files=pull.changed_files,
        commits=pull.commit_count,
        base_branch=pull.base_ref,
        head_branch=pull.head_ref,
        labels=_labels(pull.labels),
        assignees=_assignees(world, pull.assignees, moved=moved),
        requested_reviewers=tuple(_reviewer(world, each, moved=moved) for each in pull.review_requests),
        milestone=_milestone(pull.milestone) if pull.milestone else None,
    )


def _reviews(world: World, pull: rows.PullRequestRow) -> Iterator[Review]:
    for review in pull.reviews:
        if review.state != _NOT_SUBMITTED and review.submitted_at is not None:
            yield Review(
                github_id=review.id,
                pull_request=pull.number,
                author=_author(world, review.author),
                state=review.state,
                body=review.body,
                submitted_at=_time(review.submitted_at),
                commit_id=review.commit_id,
            )


def _review_comments(world: World, pull: rows.PullRequestRow) -> Iterator[ReviewComment]:
    reviews = {review.id for review in pull.reviews}
    comments = {comment.id for comment in pull.review_comments}
    for comment in pull.review_comments:
        yield ReviewComment(
            github_id=comment.id,
            pull_request=pull.number,
            review_github_id=comment.review_id if comment.review_id in reviews else None,
            in_reply_to=comment.reply_to if comment.reply_to in comments else None,
            author=_author(world, comment.author),
            body=comment.body,
            path=comment.path,
            position=comment.position,
            original_position=comment.original_position,
            diff_hunk=comment.diff_hunk,
            commit_id=comment.commit_id,
            original_commit_id=comment.original_commit_id,
            created_at=_time(comment.created_at),
            updated_at=_time(comment.updated_at),
        )


def _comment(world: World, comment: rows.IssueComment) -> Comment:
    return Comment(
        github_id=comment.id,
        pull_request=comment.number,
        author=_author(world, comment.author),
        body=comment.body,
        created_at=_time(comment.created_at),
        updated_at=_time(comment.updated_at),
    )


def _issue(world: World, issue: rows.IssueRow, *, moved: bool) -> Issue:
    return Issue(
        number=issue.number,
        github_id=issue.id,
        title=issue.title,
        body=issue.body,
        state=issue.state.lower(),
        author=_author(world, issue.author),
        created_at=_time(issue.created_at),
        updated_at=_time(issue.updated_at),
        closed_at=_time(issue.closed_at) if issue.closed_at else None,
        labels=_labels(issue.labels),
        assignees=_assignees(world, issue.assignees, moved=moved),
        milestone=_milestone(issue.milestone) if issue.milestone else None,
        # Nor does anything tell of a comment that was deleted.
        comments_count=UNKNOWN if moved else len(issue.comments),
    )


def _labels(labels: tuple[rows.LabelRow, ...]) -> tuple[Label, ...]:
    return tuple(
        Label(id=each.node_id, name=each.name, color=each.color, description=each.description, default=each.default)
        for each in labels
    )


def _assignees(world: World, people: tuple[int, ...], *, moved: bool) -> tuple[Assignee, ...]:
    """Return users alone; a name that changed is in an item only when that is read again, and nothing tells of it."""
    users = [user for person in people if (user := world.account(person)) is not None and user.type == "User"]
    return tuple(
        Assignee(id=user.id, login=UNKNOWN if moved else user.login, avatar_url=user.avatar_url) for user in users
    )


def _reviewer(world: World, request: ReviewRequestRow, *, moved: bool) -> Reviewer:
    person = world.account(request.account)
    if person is None:
        return Reviewer(type="Team" if request.team else None, id=None, login=None, avatar_url=None)
    login = UNKNOWN if moved else person.login
    return Reviewer(type=person.type, id=person.id, login=login, avatar_url=person.avatar_url)


def _milestone(milestone: rows.MilestoneRow) -> Milestone:
    return Milestone(
        number=milestone.number,
        title=milestone.title,
        state=milestone.state.lower(),
        description=milestone.description,
        due_on=milestone.due_on,
    )


def _issue_comment(world: World, comment: rows.IssueComment) -> IssueComment:
    return IssueComment(
        github_id=comment.id,
        issue=comment.number,
        author=_author(world, comment.author),
        body=comment.body,
        created_at=_time(comment.created_at),
        updated_at=_time(comment.updated_at),
    )


def _author(world: World, identity: int | None) -> int:
    return GHOST if identity is None or world.account(identity) is None else identity


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
