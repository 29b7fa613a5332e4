"""Parts of answers are remembered, and nobody notices: whatever happens in between, they are as graphql-core's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from graphql import ExecutionContext, OperationDefinitionNode, execute, parse

from gh_backfill.simulator import changes, pricing
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.cursors import Cursors
from gh_backfill.simulator.execution import Execution
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.limits import Ledger
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import LargeIntegers, Options
from gh_backfill.simulator.schema import build
from gh_backfill.simulator.scope import Scope
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask

ENGINE = "octo/engine"
PULL = """fragment Pull on PullRequest {
  id number title databaseId url author { login ... on User { name } } mergedBy { login }
  comments(first: $first) { totalCount nodes { databaseId body author { login } } pageInfo { endCursor } }
  reviews(first: $first) { nodes { id state comments(first: 3) { nodes { body replyTo { id } } } } }
  reviewThreads(first: 5) { nodes { comments(first: 2) { totalCount nodes { body pullRequest { title } } } } }
}"""
PAGE = f"""query($first: Int!) {{
  repository(owner: "octo", name: "engine") {{ pullRequests(first: 20) {{ nodes {{ ...Pull }} }} }}
}} {PULL}"""
REVIEWS = """query($ids: [ID!]!, $first: Int!) { nodes(ids: $ids) { ... on PullRequestReview {
  id pullRequest { title } comments(first: $first) { nodes { body author { login } } }
} } }"""


def world() -> World:
    return load(recipes=[f"{ENGINE}:30"])


def reviews(of: World) -> list[str]:
    (home,) = of.repositories
    pull = of.pull(home, 7)
    assert pull is not None
    return [review.node_id for review in pull.reviews[-20:]]


def answers(of: World, kind: type[ExecutionContext], *, first: int = 5, options: Options | None = None) -> list[Any]:
    variables: dict[str, Any] = {"ids": reviews(of), "first": first}
    return [answer(of, text, variables, kind, options or Options()) for text in (PAGE, REVIEWS)]


def answer(of: World, text: str, variables: Mapping[str, Any], kind: type[ExecutionContext], options: Options) -> str:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    scope = Scope(
        world=of,
        options=options,
        cursors=Cursors(options.cursor_key),
        identity="somebody",
        price=pricing.price(document, variables, operation),
        standing=Ledger(lambda: 0.0, 3600.0, lambda who, what: 5000).standing("somebody", "graphql"),
        reset_at="2026-12-01T00:00:00Z",
    )
    given = dict(variables)
    result = execute(build(), document, context_value=scope, variable_values=given, execution_context_class=kind)
    assert not hasattr(result, "__await__")
    return json.dumps([result.data, [error.formatted for error in result.errors or ()], scope.nodes])


CHANGES: dict[str, Callable[[World], object]] = {
    "a title": lambda world: changes.edit(world, ENGINE, 7, title="Another title"),
    "a comment": lambda world: changes.comment(world, ENGINE, 4, author="engine-dev-1"),
    "a review": lambda world: changes.review(world, ENGINE, 7, author="engine-dev-1", comments=["one more"]),
    "a login": lambda world: changes.rename_account(world, "engine-dev-0", to="somebody-else"),
    "an account": lambda world: changes.delete_account(world, "engine-dev-1"),
    "a name": lambda world: changes.rename_repository(world, ENGINE, owner="other"),
    "a pull request": lambda world: changes.delete(world, ENGINE, 5),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_answered_anew_and_another_world_as_before(change: str) -> None:
    changing, resting = world(), world()
    before = answers(changing, Execution)
    CHANGES[change](changing)
    after = answers(changing, Execution)
    assert after == answers(changing, ExecutionContext)
    assert after != before
    assert answers(resting, Execution) == before == answers(resting, ExecutionContext)


def test_other_variables_and_other_options_are_other_questions() -> None:
    of, narrow = world(), Options(large_integers=LargeIntegers.NULL)
    assert len({*answers(of, Execution, first=2), *answers(of, Execution, first=3)}) == 4
    assert answers(of, Execution) == answers(of, ExecutionContext)
    assert answers(of, Execution, options=narrow) == answers(of, ExecutionContext, options=narrow)
    key = Options(cursor_key=b"another key")
    assert answers(of, Execution, options=key) == answers(of, ExecutionContext, options=key)


def test_what_a_fault_changes_in_an_answer_is_whole_in_the_next() -> None:
    application = Application(world(), Options())
    before = ask(application, PAGE, first=5)
    application.faults.add(Fault(name="shrink", size=1, count=1))
    assert ask(application, PAGE, first=5) != before
    assert ask(application, PAGE, first=5) == before
