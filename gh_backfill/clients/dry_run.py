"""Let GitHub say what a query would cost, without running it: `rateLimit(dryRun: true)`."""

from __future__ import annotations

from gh_backfill.clients import documents
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Unexpected
from gh_backfill.policy.samples import Sample

# The ids in a dry run are looked up by nobody.  Should one be run all the same, it is about GitHub's own example,
# octocat/Hello-World: https://docs.github.com/en/graphql/guides/using-global-node-ids
EXAMPLE = "MDEwOlJlcG9zaXRvcnkxMjk2MjY5"


def price(graphql: GraphQL, sample: Sample) -> int:
    """Return the points that GitHub says a query would cost.

    Raises Unexpected where it does not say, and what `GraphQL.execute` raises; a refusal comes as one of those.
    """
    answer = graphql.execute(documents.aliases(_templates(sample), dry_run=True), _variables(sample), points=0)
    told = answer.data.get("price")
    cost = told.get("cost") if isinstance(told, dict) else None
    if not isinstance(cost, int) or isinstance(cost, bool) or cost < 1:
        raise Unexpected("GitHub does not say what a query would cost")
    return cost


def _templates(sample: Sample) -> tuple[str, ...]:
    return (
        *("TopUpThreads" for _ in sample.threads),
        *("TopUpPullRequestComments" for _ in range(sample.comments)),
        *(["TopUpReviews"] if sample.ids else []),
        *(["PullRequestPage"] if sample.page else []),
    )


def _variables(sample: Sample) -> dict[str, object]:
    variables: dict[str, object] = {}
    for place in range(len(sample.threads) + sample.comments):
        variables |= {f"id{place}": EXAMPLE, f"after{place}": None}
    variables |= {f"first{place}": first for place, first in enumerate(sample.threads)}
    if sample.ids:
        variables["ids"] = [EXAMPLE] * sample.ids
    if sample.page:
        variables |= {"repository": EXAMPLE, "first": sample.page, "after": None, "field": "CREATED_AT"}
    return variables
