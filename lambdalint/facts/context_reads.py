"""What code reads from parameters that may hold the context of an invocation."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.expressions import EventPath, Parameter
from lambdalint.facts.guards import Guard, Guards
from lambdalint.facts.names import CONTEXTS, Names
from lambdalint.facts.walk import Context, Scope, ScopeKind
from lambdalint.model.places import Span

_HANDLER_PARAMETERS: Final = 2


@dataclass(frozen=True, slots=True)
class ContextRead:
    """A use of ``parameter.attribute``, of an item for no *attribute*; *owner* is the ``def`` of the parameter."""

    owner: str
    parameter: str
    attribute: str | None
    span: Span
    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextReads:
    """The uses of parameters called like a context, or that are the second of two.

    *stored* are the attributes that the module sets on such parameters.
    """

    reads: tuple[ContextRead, ...] = ()
    stored: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "ContextReads":
        wanted = frozenset(_candidates(names))
        if not wanted:
            return cls()
        walk = names.walk
        found = []
        for node, scope, context in _attributes(names):
            base = node
            while isinstance(base.value, ast.Attribute):
                base = base.value
            read = _read(names, guards, base, base.attr, wanted, scope, context)
            if read is not None:
                found.append(read)
        for node, scope, context in walk.items:
            read = _read(names, guards, node, None, wanted, scope, context)
            if read is not None:
                found.append(read)
        stored = {
            target.attr
            for target, _ in walk.stores
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in wanted
        }
        return cls(tuple(sorted(found, key=lambda each: each.span)), frozenset(stored))


def _candidates(names: Names) -> Iterator[str]:
    for scope in names.walk.scopes:
        if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
            args = scope.node.args
            positional = [each.arg for each in (*args.posonlyargs, *args.args) if each.arg != "self"]
            if len(positional) == _HANDLER_PARAMETERS:
                yield positional[1]
            yield from CONTEXTS.intersection(positional)


def _attributes(names: Names) -> Iterator[tuple[ast.Attribute, Scope, Context | None]]:
    for node, scope, context in names.walk.reads:
        if type(node) is ast.Attribute:
            yield node, scope, context
    for call, scope, context in names.walk.calls:
        if type(call.func) is ast.Attribute:
            yield call.func, scope, context


def _read(
    names: Names,
    guards: Guards,
    node: ast.Attribute | ast.Subscript,
    attribute: str | None,
    wanted: frozenset[str],
    scope: Scope,
    context: Context | None,
) -> ContextRead | None:
    of = node.value
    if not isinstance(of, ast.Name) or of.id not in wanted or isinstance(node.ctx, ast.Del):
        return None
    home = names.home(scope, of.id)
    if home is None or home.kind is not ScopeKind.DEF:
        return None
    if names.describe(of, scope) not in (EventPath(context=True), Parameter(of.id)):
        return None
    return ContextRead(home.name, of.id, attribute, names.span(node), guards.around(context, scope))
