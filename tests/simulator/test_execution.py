"""The way that spares plain values what they do not need answers as graphql-core's own does, to the byte."""

from __future__ import annotations

import json

import pytest
from graphql import (
    ExecutionContext,
    GraphQLObjectType,
    OperationDefinitionNode,
    execute,
    get_named_type,
    is_leaf_type,
    validate,
)
from graphql import parse as parsed

from gh_backfill.simulator import pricing
from gh_backfill.simulator.cursors import Cursors
from gh_backfill.simulator.execution import Execution
from gh_backfill.simulator.limits import Ledger
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.schema import build
from gh_backfill.simulator.scope import Scope


def plain(kind: str) -> str:
    """Return the names of all fields of a type that are plain values and need no argument."""
    found = build().type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    names = [
        name for name, field in found.fields.items() if is_leaf_type(get_named_type(field.type)) and not field.args
    ]
    return " ".join(["__typename", *names])


EVERYTHING = f"""query {{
  rateLimit {{ {plain("RateLimit")} }}
  repository(owner: "octo", name: "engine") {{
    {plain("Repository")}
    pullRequests(first: 30, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
      totalCount
      pageInfo {{ {plain("PageInfo")} }}
      nodes {{
        {plain("PullRequest")}
        author {{ __typename login }}
        comments(first: 20) {{ nodes {{ {plain("IssueComment")} author {{ __typename login }} }} }}
        reviews(first: 20) {{
          nodes {{
            {plain("PullRequestReview")}
            comments(first: 9) {{ nodes {{ {plain("PullRequestReviewComment")} }} }}
          }}
        }}
      }}
    }}
  }}
}}"""
# A type and fields of its own for the schema itself, an alias, a field twice, and what GitHub does not find.
STRANGE = """query {
  __schema { queryType { name kind fields { name isDeprecated } } }
  one: node(id: "nonsense") { id }
  repository(owner: "octo", name: "nowhere") { name }
  again: repository(owner: "octo", name: "engine") { it: name it: name isPrivate id }
}"""


@pytest.mark.parametrize("text", [EVERYTHING, STRANGE], ids=["everything", "strange"])
def test_answers_are_those_of_graphql_core_to_the_byte(text: str) -> None:
    spared, whole = answer(text, Execution), answer(text, ExecutionContext)
    assert '"engine"' in spared
    assert spared == whole


def answer(text: str, kind: type[ExecutionContext]) -> str:
    document, options = parsed(text), Options()
    assert validate(build(), document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    scope = Scope(
        world=load(recipes=["octo/engine:60"]),
        options=options,
        cursors=Cursors(b"a key"),
        identity="somebody",
        price=pricing.price(document, {}, operation),
        standing=Ledger(lambda: 0.0, 3600.0, lambda who, what: 5000).standing("somebody", "graphql"),
        reset_at="2026-12-01T00:00:00Z",
    )
    result = execute(build(), document, context_value=scope, execution_context_class=kind)
    assert not hasattr(result, "__await__")
    return json.dumps([result.data, [error.formatted for error in result.errors or ()], scope.nodes])
