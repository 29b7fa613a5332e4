"""Labels, assignees, milestones and requested reviewers, as GitHub tells of them: of issues and of pull requests."""

from __future__ import annotations

from gh_backfill.clients import parsing, sense
from gh_backfill.clients.item_queries import Node
from gh_backfill.clients.sense import count, node_id, text, text_or_none
from gh_backfill.models.github import GHOST, Listing, Person
from gh_backfill.models.labels import Label, Milestone, ReviewRequest
from gh_backfill.policy.items import FollowUp

_TEAM = "Team"


def counted(node: Node | None) -> int:
    """Read how many there are; GitHub may answer null, for a repository without a label."""
    return 0 if node is None else count(node["totalCount"])


def milestone(node: Node | None) -> Milestone | None:
    """Read what an issue or a pull request is to be done for."""
    if node is None:
        return None
    return Milestone(
        number=sense.number(node["number"]),
        title=text(node["title"]),
        state=text(node["state"]).lower(),
        description=text_or_none(node["description"]),
        due_on=parsing.time(node["dueOn"]),
    )


def label(node: Node) -> Label:
    """Read one label."""
    return Label(
        node_id=node_id(node["id"]),
        name=text(node["name"]),
        color=text(node["color"]),
        description=text_or_none(node["description"]),
        default=sense.truth(node["isDefault"]),
    )


def assignee(node: Node) -> Person:
    """Read one assignee, who is somebody: an account that nothing could ever match is not readable."""
    person = parsing.person(node)
    if person is GHOST:
        raise ValueError("an assignee without an id")
    return person


def review_request(node: Node) -> ReviewRequest:
    """Read one request for a review; nobody in it is somebody whom GitHub does not show to us, such as a team."""
    reviewer = node["requestedReviewer"]
    kind = None if reviewer is None else text(reviewer["__typename"])
    person = None if kind in (None, _TEAM) else assignee(reviewer)
    return ReviewRequest(node_id=node_id(node["id"]), type=kind, person=person)


def of_labels(_follow_up: FollowUp, node: Node) -> Listing[Label]:
    """Read a page of labels."""
    return parsing.listing(node["labels"], "label", label)


def of_assignees(_follow_up: FollowUp, node: Node) -> Listing[Person]:
    """Read a page of assignees."""
    return parsing.listing(node["assignees"], "assignee", assignee)


def of_review_requests(_follow_up: FollowUp, node: Node) -> Listing[ReviewRequest]:
    """Read a page of requests for a review."""
    return parsing.listing(node["reviewRequests"], "requested_reviewer", review_request)
