"""GitHub's words for mistakes in a query: it runs on graphql-ruby, and graphql-core speaks differently."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    print_ast,
)
from graphql.language.ast import Node

_NO_SELECTION = (
    "Field must have selections (field '{field}' returns {bare} but has no selections. "
    "Did you mean '{field} {{ ... }}'?)"
)
_RULES: tuple[tuple[str, str, str | None, Mapping[str, str]], ...] = (
    (
        r"Cannot query field '(?P<field>\w+)' on type '(?P<type>\w+)'",
        "Field '{field}' doesn't exist on type '{type}'",
        "undefinedField",
        {"typeName": "{type}", "fieldName": "{field}"},
    ),
    (
        r"Unknown argument '(?P<argument>\w+)' on field '\w+\.(?P<field>\w+)'",
        "Field '{field}' doesn't accept argument '{argument}'",
        "argumentNotAccepted",
        {"name": "{field}", "typeName": "Field", "argumentName": "{argument}"},
    ),
    (
        r"Field '(?P<field>\w+)' argument '(?P<argument>\w+)' of type '[^']+' is required",
        "Field '{field}' is missing required arguments: {argument}",
        "missingRequiredArguments",
        {"className": "Field", "name": "{field}", "arguments": "{argument}"},
    ),
    (
        r"Field '(?P<field>\w+)' of type '(?P<type>[^']+)' must have a selection of subfields",
        _NO_SELECTION,
        "selectionMismatch",
        {"nodeName": "field '{field}'", "typeName": "{type}"},
    ),
    (
        r"Field '(?P<field>\w+)' must not have a selection since type '(?P<type>[^']+)' has no subfields",
        "Selections can't be made on scalars (field '{field}' returns {bare} but has selections)",
        "selectionMismatch",
        {"nodeName": "field '{field}'", "typeName": "{type}"},
    ),
    (
        r"Unknown type '(?P<type>\w+)'",
        "No such type {type}, so it can't be a fragment condition",
        "undefinedType",
        {"typeName": "{type}"},
    ),
    (
        r"Variable '\$(?P<variable>\w+)' of type '(?P<given>.+)' used in position expecting type '(?P<wanted>[^']+)'",
        "Type mismatch on variable ${variable} and argument {node} ({given} / {wanted})",
        "variableMismatch",
        {
            "variableName": "{variable}",
            "typeName": "{given}",
            "argumentName": "{node}",
            "errorMessage": "Type mismatch",
        },
    ),
    (
        r"Variable '\$(?P<variable>\w+)' is not defined(?: by operation '(?P<operation>\w+)')?",
        "Variable ${variable} is used by {operation} but not declared",
        "variableNotDefined",
        {"variableName": "{variable}"},
    ),
    (
        r"Variable '\$(?P<variable>\w+)' is never used(?: in operation '(?P<operation>\w+)')?",
        "Variable ${variable} is declared by {operation} but not used",
        "variableNotUsed",
        {"variableName": "{variable}"},
    ),
    (
        r"Fields '(?P<field>\w+)' conflict because",
        "Field '{field}' has a field conflict",
        "fieldConflict",
        {"fieldName": "{field}"},
    ),
    (
        r"Unknown fragment '(?P<fragment>\w+)'",
        "Fragment {fragment} was used, but not defined",
        "useAndDefineFragment",
        {"fragmentName": "{fragment}"},
    ),
    (
        r"Fragment '(?P<fragment>\w+)' is never used",
        "Fragment {fragment} was defined, but not used",
        "useAndDefineFragment",
        {"fragmentName": "{fragment}"},
    ),
    (
        r"(?P<wanted>\w+) cannot represent|Expected value of type '(?P<type>[^']+)'|Value '[^']+' does not exist in",
        "Argument has an invalid value ({node}). Expected type '{wanted}'.",
        "argumentLiteralsIncompatible",
        {"typeName": "Field"},
    ),
)
_TOKENS = {"Name": "IDENTIFIER", "<EOF>": "end of file", "{": "LCURLY", "}": "RCURLY", "(": "LPAREN", ")": "RPAREN"}


def validation_error(error: GraphQLError, document: DocumentNode) -> dict[str, Any]:
    """Say a validation error as GitHub would."""
    node = error.nodes[0] if error.nodes else None
    answer: dict[str, Any] = {"locations": locations(error), "message": error.message}
    if node is not None:
        answer["path"] = _path(document, node)
    for pattern, text, code, details in _RULES:
        if found := re.match(pattern, error.message):
            words = {key: value or "anonymous query" for key, value in found.groupdict().items()}
            words |= {"node": _short(document, node), "bare": words.get("type", "").strip("[]!")}
            words["wanted"] = words.get("wanted") or words.get("type") or ""
            answer["message"] = text.format_map(words)
            answer["extensions"] = {"code": code} | {key: value.format_map(words) for key, value in details.items()}
            break
    return answer


def syntax_error(error: GraphQLSyntaxError) -> dict[str, Any]:
    """Say a parse error as GitHub would."""
    place = locations(error)
    where = f"[{place[0]['line']}, {place[0]['column']}]" if place else "[1, 1]"
    found = re.match(r"Syntax Error: (?:Expected (?P<wanted>.+), found|Unexpected) (?P<got>.+)\.$", error.message)
    if found is None:
        return {"message": f"Parse error at {where}", "locations": place}
    wanted, got = (found["wanted"] or "a definition").strip("'"), found["got"]
    kind, _, rest = got.partition(" ")
    text = (rest or kind).strip("'\"")
    actual = _TOKENS.get(kind.strip("'"), kind.strip("'"))
    return {
        "message": f'Expected {_TOKENS.get(wanted, wanted)}, actual: {actual} ("{text}") at {where}',
        "locations": place,
    }


def variable_error(node: VariableDefinitionNode, value: object, error: GraphQLError) -> dict[str, Any]:
    """Say what is wrong with the value of a variable as GitHub would."""
    name, kind = node.variable.name.value, print_ast(node.type)
    missing = value is None and kind.endswith("!")
    explanation = (
        "Expected value to not be null" if missing else f"Could not coerce value {value!r} to {kind.strip('[]!')}"
    )
    return {
        "extensions": {"value": value, "problems": [{"path": [], "explanation": explanation}]},
        "locations": locations(error),
        "message": f"Variable ${name} of type {kind} was provided invalid value",
    }


def locations(error: GraphQLError) -> list[dict[str, int]]:
    """Return where in the query an error lies."""
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


def _short(document: DocumentNode, node: Node | None) -> str:
    if node is None:
        return ""
    path = _path(document, node)
    return print_ast(node) if not hasattr(node, "name") or len(path) < 2 else path[-1]


def _path(document: DocumentNode, wanted: Node) -> list[str]:
    """GitHub's path of a mistake: the definition, the fields down to it, and the argument."""
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            start = " ".join(
                filter(None, (definition.operation.value, definition.name.value if definition.name else None))
            )
        elif isinstance(definition, FragmentDefinitionNode):
            start = f"fragment {definition.name.value}"
        else:
            continue
        for path in _search(definition, wanted, [start]):
            return path
    return []


def _search(node: Node, wanted: Node, path: list[str]) -> Iterator[list[str]]:
    if node is wanted:
        yield path
        return
    for key in node.keys:
        value = getattr(node, key, None)
        for child in value if isinstance(value, list | tuple) else (value,):
            if isinstance(child, Node):
                yield from _search(child, wanted, path + _step(child))


def _step(node: Node) -> list[str]:
    if isinstance(node, FieldNode):
        return [node.alias.value if node.alias else node.name.value]
    if isinstance(node, ArgumentNode):
        return [node.name.value]
    if isinstance(node, InlineFragmentNode):
        condition: NamedTypeNode | None = node.type_condition
        return ["..." if condition is None else f"... on {condition.name.value}"]
    if isinstance(node, FragmentSpreadNode):
        return [f"... {node.name.value}"]
    return []
