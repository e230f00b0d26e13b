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
        walk = names.walk
        wanted = frozenset(_candidates(names))
        using = {each for each in (*walk.scopes, *walk.comprehensions) if not wanted.isdisjoint(each.uses)}
        if not using:
            return cls()
        found: list[ContextRead] = []
        for node, scope, context in (*walk.reads, *walk.calls, *walk.items):
            if scope not in using:
                continue
            kind = type(node)
            use = node.func if kind is ast.Call else node
            of = None
            while type(use) is ast.Attribute or (of is None and kind is ast.Subscript):
                of, use = use, use.value
            if of is not None and type(use) is ast.Name and use.id in wanted:
                found += _read(names, guards, of, use, scope, context)
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
            positional = [each.arg for each in (*args.posonlyargs, *args.args)]
            if len(positional) == _HANDLER_PARAMETERS and scope.parent is names.walk.module:
                yield positional[1]
            yield from CONTEXTS.intersection(positional)


def _read(
    names: Names,
    guards: Guards,
    node: ast.Attribute | ast.Subscript,
    of: ast.Name,
    scope: Scope,
    context: Context | None,
) -> Iterator[ContextRead]:
    home = names.home(scope, of.id)
    if home is None or home.kind is not ScopeKind.DEF or isinstance(node.ctx, ast.Del):
        return
    if names.describe(of, scope) in (EventPath(context=True), Parameter(of.id)):
        attribute = node.attr if isinstance(node, ast.Attribute) else None
        yield ContextRead(home.name, of.id, attribute, names.span(node), guards.around(context, scope))
