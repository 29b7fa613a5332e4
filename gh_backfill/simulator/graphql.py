"""Running GraphQL documents on the world, with GitHub's prices, limits and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from gh_backfill.simulator import derive, pricing, refusals, wording
from gh_backfill.simulator.cursors import Cursors
from gh_backfill.simulator.execution import Execution
from gh_backfill.simulator.limits import Ledger, LimitState
from gh_backfill.simulator.options import DryRun, Options
from gh_backfill.simulator.schema import build
from gh_backfill.simulator.scope import Scope
from gh_backfill.simulator.world import World

_REMEMBERED = 500
Answer = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class QueryOutcome:
    """What came of a query: the answer, what it was charged, and how many rows it gave out."""

    answer: Answer
    standing: LimitState
    cost: int = 0
    nodes: int = 0
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A document that was parsed and validated, and the words in it; with errors, there is nothing to run."""

    document: DocumentNode | None
    errors: list[Answer]
    asked: frozenset[str] = frozenset()


class Engine:
    """Runs queries for any number of threads."""

    def __init__(self, world: World, options: Options, ledger: Ledger) -> None:
        self._world, self._options, self._ledger = world, options, ledger
        self._schema = build()
        self._cursors = Cursors(options.cursor_key)

    def run(
        self,
        text: str,
        variables: Mapping[str, Any],
        operation_name: str | None,
        identity: str,
        *,
        to_change: bool = False,
    ) -> QueryOutcome:
        """Answer a query, as GitHub would, for whoever `identity` is; only an answer `to_change` may be changed."""
        prepared = _prepare(text)
        if prepared.document is None or prepared.errors:
            return self._unpaid(identity, {"errors": prepared.errors})
        operation = _operation(prepared.document, operation_name)
        if operation is None:
            return self._unpaid(identity, {"errors": [{"message": f'No operation named "{operation_name or ""}"'}]})
        values, errors = self._variables(operation, variables)
        if errors:
            return self._unpaid(identity, {"errors": errors})
        price = self._price(prepared.document, values, operation)
        if not self._options.reads_addresses and "email" in prepared.asked:
            price = replace(price, refusals=[refusals.NO_ADDRESSES])
        if price.refusals:
            return self._unpaid(identity, {"errors": price.refusals})
        cost = self._charged(price)
        fits, standing = self._ledger.charge(identity, "graphql", cost)
        if not fits:
            answer = refusals.points_used_up(self._options.exhausted, derive.derived_user_id(identity))
            return QueryOutcome(answer=answer, standing=standing, refused=True)
        scope = Scope(
            world=self._world,
            options=self._options,
            cursors=self._cursors,
            identity=identity,
            price=price,
            standing=standing,
            reset_at=datetime.fromtimestamp(standing.reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            may_repeat=not to_change,
        )
        answer = self._execute(prepared.document, operation, variables, scope)
        return QueryOutcome(answer=answer, standing=standing, cost=cost, nodes=scope.nodes)

    def _price(
        self, document: DocumentNode, variables: Mapping[str, Any], operation: OperationDefinitionNode
    ) -> pricing.Price:
        """Price an operation; a dry run may be refused, or answered by the published list whatever is charged."""
        rounding, dry_run = self._options.rounding, self._options.dry_run
        price = pricing.price(document, variables, operation, rounding=rounding, charges=self._options.charges)
        if price.dry_run and dry_run is DryRun.REFUSED:
            return replace(price, refusals=[refusals.NO_DRY_RUN])
        if price.dry_run and dry_run is DryRun.WRONG:
            return pricing.price(document, variables, operation, rounding=rounding)
        return price

    def _charged(self, price: pricing.Price) -> int:
        if price.dry_run:
            return 1 if self._options.dry_run is DryRun.CHARGED else 0
        return price.cost

    def _execute(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any], scope: Scope
    ) -> Answer:
        result = execute(
            self._schema,
            document,
            context_value=scope,
            variable_values=dict(variables),
            operation_name=operation.name.value if operation.name else None,
            is_awaitable=_never,
            execution_context_class=Execution,
        )
        answer: Answer = {"data": result.data}  # type: ignore[union-attr]
        if result.errors:  # type: ignore[union-attr]
            answer["errors"] = [_error(error) for error in result.errors]  # type: ignore[union-attr]
        return answer

    def _variables(
        self, operation: OperationDefinitionNode, given: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Answer]]:
        definitions = operation.variable_definitions
        coerced = get_variable_values(self._schema, definitions, dict(given))
        if isinstance(coerced, dict):
            return coerced, []
        by_name = {definition.variable.name.value: definition for definition in definitions}
        errors = []
        for error in coerced:
            definition = next((node for node in error.nodes or () if node in by_name.values()), None)
            if definition is None:
                errors.append({"message": error.message, "locations": wording.locations(error)})
            else:
                name = definition.variable.name.value  # type: ignore[attr-defined]
                errors.append(wording.variable_error(by_name[name], given.get(name), error))
        return {}, errors

    def _unpaid(self, identity: str, answer: Answer) -> QueryOutcome:
        return QueryOutcome(answer=answer, standing=self._ledger.standing(identity, "graphql"))


@lru_cache(maxsize=_REMEMBERED)  # of all engines: every test has one of its own, and asks what the others ask
def _prepare(text: str) -> _Prepared:
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        return _Prepared(document=None, errors=[wording.syntax_error(error)])
    errors = validate(build(), document)
    return _Prepared(
        document=document,
        errors=[wording.validation_error(error, document) for error in errors],
        asked=frozenset(re.findall(r"\w+", text)),
    )


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name:
        return next((node for node in found if node.name and node.name.value == name), None)
    return found[0] if len(found) == 1 else None


def _error(error: GraphQLError) -> Answer:
    """Write an error as GitHub does: its type on top, then path, place and message."""
    more = dict(error.extensions or {})
    answer: Answer = {"type": more.pop("type")} if "type" in more else {}
    answer["path"] = error.path or []
    if more:
        answer["extensions"] = more
    return answer | {"locations": wording.locations(error), "message": error.message}


def _never(_: Any) -> bool:
    """Nothing here has to be awaited."""
    return False
