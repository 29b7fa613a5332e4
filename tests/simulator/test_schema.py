"""Our schema against the published one, and our documents against our schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import NoUnusedFragmentsRule

from gh_backfill import resources
from gh_backfill.simulator.schema import build

# All files together, for they share fragments.
_FOLDER = resources.PACKAGE / "clients" / "queries"
_DOCUMENTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob("*.graphql")))


@pytest.fixture(scope="module")
def published(published_schema: Path) -> GraphQLSchema:
    return build_schema(published_schema.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return build_schema(resources.text("simulator/schema.graphql"))


def test_every_field_and_argument_is_as_github_publishes_it(ours: GraphQLSchema, published: GraphQLSchema) -> None:
    assert _fields(ours)
    assert _fields(ours).items() <= _fields(published).items()


def test_no_argument_that_github_publishes_is_missing(ours: GraphQLSchema, published: GraphQLSchema) -> None:
    theirs = _arguments(published)
    assert {field: arguments for field, arguments in _arguments(ours).items() if arguments != theirs[field]} == {}


def test_enumerations_and_inputs_are_complete(ours: GraphQLSchema, published: GraphQLSchema) -> None:
    kinds = [kind for kind in ours.type_map.values() if not kind.name.startswith("__")]
    for kind in kinds:
        other = published.type_map[kind.name]
        assert type(kind) is type(other), kind.name
        if isinstance(kind, GraphQLEnumType) and isinstance(other, GraphQLEnumType):
            assert set(kind.values) == set(other.values), kind.name
        if isinstance(kind, GraphQLInputObjectType) and isinstance(other, GraphQLInputObjectType):
            assert {name: str(field.type) for name, field in kind.fields.items()} == {
                name: str(field.type) for name, field in other.fields.items()
            }


def test_types_implement_and_unite_only_what_github_publishes(ours: GraphQLSchema, published: GraphQLSchema) -> None:
    for kind in ours.type_map.values():
        other = published.type_map.get(kind.name)
        if isinstance(kind, GraphQLObjectType) and isinstance(other, GraphQLObjectType):
            assert {found.name for found in kind.interfaces} <= {found.name for found in other.interfaces}
        if isinstance(kind, GraphQLUnionType) and isinstance(other, GraphQLUnionType):
            assert {found.name for found in kind.types} == {found.name for found in other.types}


def test_the_documents_we_send_are_valid() -> None:
    rules = [rule for rule in specified_rules if rule is not NoUnusedFragmentsRule]
    assert [error.message for error in validate(build(), parse(_DOCUMENTS), rules)] == []


def test_the_documents_we_send_are_valid_for_github(published: GraphQLSchema) -> None:
    rules = [rule for rule in specified_rules if rule is not NoUnusedFragmentsRule]
    assert [error.message for error in validate(published, parse(_DOCUMENTS), rules)] == []


def _fields(schema: GraphQLSchema) -> dict[str, str]:
    """The type of each field, and of each argument with its default."""
    found = {}
    for kind in schema.type_map.values():
        if kind.name.startswith("__") or not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for name, field in kind.fields.items():
            found[f"{kind.name}.{name}"] = str(field.type)
            for argument, given in field.args.items():
                found[f"{kind.name}.{name}({argument})"] = f"{given.type} = {given.default_value!r}"
    return found


def _arguments(schema: GraphQLSchema) -> dict[str, set[str]]:
    kinds = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    return {f"{kind.name}.{name}": set(field.args) for kind in kinds for name, field in kind.fields.items()}
