"""The documents are put together right, and cost what the price model says."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from gh_backfill.clients import announced, documents
from gh_backfill.policy.query_prices import PULL_REQUESTS, PULL_REQUESTS_BY_NUMBER, Prices
from gh_backfill.policy.surcharges import Counted
from gh_backfill.simulator.pricing import price

ALL = ("TopUpReviewComments", "TopUpThreads", "TopUpThreadComments", "TopUpPullRequestReviews")


def priced(document: str, variables: dict[str, object]) -> int:
    parsed = parse(document)
    operation = parsed.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return price(parsed, variables, operation).cost


@pytest.mark.parametrize(("first", "points"), [(1, 1), (25, 1), (74, 1), (75, 2), (100, 2)])
def test_a_page_costs_what_the_policy_predicts(first: int, points: int) -> None:
    variables: dict[str, object] = {"repository": "R", "first": first, "after": None, "field": "CREATED_AT"}
    assert (
        priced(documents.aliases(("PullRequestPage",)), variables) == points == Prices().points(PULL_REQUESTS.of(first))
    )


def test_a_hundred_ids_and_forty_nine_aliases_are_one_point_and_one_more_is_two() -> None:
    variables: dict[str, object] = {"ids": [str(number) for number in range(100)]}
    variables |= {f"id{number}": "PRR" for number in range(50)} | {f"after{number}": None for number in range(50)}
    for aliases, points in ((49, 1), (50, 2)):
        document = documents.aliases(("TopUpReviewComments",) * aliases + ("TopUpReviews",))
        assert priced(document, variables) == points


@pytest.mark.parametrize(("ids", "points"), [(74, 1), (75, 2)])
def test_pull_requests_by_id_cost_two_units_each_and_any_number_is_asked_about_for_nothing(
    ids: int, points: int
) -> None:
    document = documents.aliases(("Known", "Numbers"), numbers=300)
    variables: dict[str, object] = {"repository": "R", "known": [str(number) for number in range(ids)]}
    variables |= {f"q{place}": 1_000 - place for place in range(300)}
    assert priced(document, variables) == points == Prices().points(PULL_REQUESTS_BY_NUMBER.of(ids))
    assert document.count("issueOrPullRequest(") == document.count(": Int!") == 300


@pytest.mark.parametrize(("many", "points"), [(1, 1), (announced.MOST, 1), (announced.MOST + 1, 2)])
def test_pull_requests_of_many_repositories_cost_two_units_each(many: int, points: int) -> None:
    variables: dict[str, object] = {f"id{place}": f"R{place}" for place in range(many)}
    variables |= {f"number{place}": place for place in range(many)}
    assert priced(documents.aliases(("PullRequestOf",) * many), variables) == points


@pytest.mark.parametrize(("threads", "points"), [(1, 1), (100, 1)])
def test_threads_cost_one_unit_and_one_more_for_each(threads: int, points: int) -> None:
    variables: dict[str, object] = {"id0": "PR", "first0": threads, "after0": None}
    assert (
        priced(documents.aliases(("TopUpThreads",)), variables) == points == Prices().points(Counted(units=1 + threads))
    )


def test_every_copy_of_a_template_has_names_of_its_own() -> None:
    document = documents.aliases(ALL)
    parse(document)
    for number in range(len(ALL)):
        assert f"a{number}: node(id: $id{number})" in document
    assert "reviewThreads(first: $first1, after: $after1)" in document
    assert document.count("fragment ReviewComment on") == 1


def test_a_document_carries_each_fragment_it_needs_once_and_no_other() -> None:
    page = documents.aliases(("PullRequestPage",))
    for fragment in ("Budget", "Person", "Comment", "Review", "PullRequestFields"):
        assert page.count(f"fragment {fragment} on") == 1
    assert "fragment ReviewComment" not in page
    assert "fragment RepositoryFields" not in page


def test_many_repositories_by_name_are_one_point() -> None:
    variables = {f"{part}{number}": "x" for part in ("owner", "name") for number in range(50)}
    assert priced(documents.aliases(("RepositoryByName",) * 50), dict(variables)) == 1


def test_what_is_no_template_is_refused() -> None:
    with pytest.raises(ValueError, match="Budget"):
        documents.aliases(("Budget",))


@pytest.mark.parametrize("template", ["TopUpReviews", "PullRequestPage", "Known"])
def test_what_has_no_name_to_number_may_stand_in_a_query_once(template: str) -> None:
    documents.aliases((template,))
    with pytest.raises(ValueError, match=f"{template} .* once"):
        documents.aliases((template, template))
