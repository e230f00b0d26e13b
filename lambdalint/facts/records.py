"""How a module gets at the records of the event, and what it calls them when it reports them as failed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.expressions import EventPath, Expression
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Scope
from lambdalint.model.places import Span
from lambdalint.model.source import Source

_IDENTIFIER: Final = re.compile(r"item_?identi?fi?e?r", re.IGNORECASE)
_RECORDS: Final = "Records"


@dataclass(frozen=True, slots=True)
class RecordsRead:
    """One place that reads ``event["Records"]`` in *scope*.

    *first*: nothing but its first element is taken there; *key* is what is read of that, where it is written behind it.
    """

    scope: str
    span: Span
    first: bool
    key: str | None = None


@dataclass(frozen=True, slots=True)
class FailedItem:
    """A dict in *scope* with the *key* ``itemIdentifier``, or one that looks as if it meant that, and its *value*.

    *span* is the place of the value, *whole* says that the dict has no other key.
    """

    scope: str
    key: str
    value: Expression
    span: Span
    whole: bool


@dataclass(frozen=True, slots=True)
class Records:
    """The reads of the records, and the records reported as failed, in the order of the text."""

    reads: tuple[RecordsRead, ...] = ()
    failed: tuple[FailedItem, ...] = ()

    @classmethod
    def of(cls, names: Names, source: Source) -> "Records":
        # Plain searches: a pattern over all text costs a tenth of parsing it.
        reading, failing = _RECORDS in source.text, _mentions_identifier(source.text)
        if not reading and not failing:
            return cls()
        reads = sorted(_reads(names), key=lambda each: each.span) if reading else ()
        failed = sorted(_failed(names), key=lambda each: each.span) if failing else ()
        return cls(tuple(reads), tuple(failed))


def _mentions_identifier(text: str) -> bool:
    return any(word in text for word in ("temIdent", "tem_ident", "temident", "tem_Ident"))


def _reads(names: Names) -> Iterator[RecordsRead]:
    places = (*names.walk.subscripts, *names.walk.calls)
    found = [(node, scope) for node, scope, _ in places if _is_records(node, scope, names)]
    if not found:
        return
    around = {child: node for node in ast.walk(names.walk.tree) for child in ast.iter_child_nodes(node)}
    for node, scope in found:
        outer = around.get(node)
        first = isinstance(outer, ast.Subscript) and outer.value is node and _is(outer.slice, 0)
        key = _key(around.get(outer)) if first and outer is not None else None
        place = outer if first and outer is not None else node
        yield RecordsRead(scope.owner.name, names.span(place), first, key)


def _is_records(node: ast.AST, scope: Scope, names: Names) -> bool:
    match node:
        case ast.Subscript(value=of, slice=key) if _is(key, _RECORDS):
            return _is_event(of, scope, names)
        case ast.Call(func=ast.Attribute(value=of, attr="get"), args=[key, *_]) if _is(key, _RECORDS):
            return _is_event(of, scope, names)
        case _:
            return False


def _is_event(node: ast.AST, scope: Scope, names: Names) -> bool:
    return names.describe(node, scope) == EventPath()


def _is(node: ast.AST, value: str | int) -> bool:
    return isinstance(node, ast.Constant) and node.value == value and type(node.value) is type(value)


def _key(node: ast.AST | None) -> str | None:
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Attribute(attr=attr):
            return attr
        case _:
            return None


def _dicts(names: Names) -> Iterator[tuple[ast.Dict, Scope]]:
    """The dicts of a module, each with the scope that it is evaluated in."""
    scopes = {scope.node: scope for scope in (*names.walk.scopes, *names.walk.comprehensions)}
    waiting: list[tuple[ast.AST, Scope]] = [(names.walk.tree, names.walk.module)]
    while waiting:
        node, scope = waiting.pop()
        scope = scopes.get(node, scope)
        if isinstance(node, ast.Dict):
            yield node, scope
        waiting.extend((child, scope) for child in ast.iter_child_nodes(node))


def _failed(names: Names) -> Iterator[FailedItem]:
    for node, scope in _dicts(names):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and _IDENTIFIER.fullmatch(key.value):
                whole = len(node.keys) == 1
                described = names.describe(value, scope)
                yield FailedItem(scope.owner.name, key.value, described, names.span(value), whole)
