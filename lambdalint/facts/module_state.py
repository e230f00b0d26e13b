"""Module variables and class attributes that functions of the module set, and where they are read.

What is set in an invocation stays for the next one in the same environment.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.expressions import EventPath, Expression, walk
from lambdalint.facts.guards import Guard, Guards
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Binding, Bound, Context, Scope, ScopeKind, nodes
from lambdalint.model.places import Span

#: Where something happens, by line and column.
Position = tuple[int, int]

_SETTING: Final = (Bound.ASSIGNED, Bound.ELEMENT, Bound.WITH, Bound.OTHER)


@dataclass(frozen=True, slots=True)
class Setting:
    """A statement of a function that gives *name* a new value.

    *name* is ``user`` for a variable, ``State.user`` for an attribute of a class of the module, ``STATE[user]`` for an
    item under a constant key.  *keyed*: it depends on a comparison of such a value with the event, as in a cache of
    the last one.  *done* is where the statement ends.
    """

    name: str
    value: Expression
    span: Span
    scope: str
    done: Position
    guards: tuple[Guard, ...] = ()
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A use of the value of *name* in a function.

    Asking whether it is set, to set it then, is none, nor is a comparison with the event.
    """

    name: str
    span: Span
    scope: str
    guards: tuple[Guard, ...] = ()

    @property
    def at(self) -> Position:
        """Where it begins."""
        return self.span.line, self.span.column


@dataclass(frozen=True, slots=True)
class Leaving:
    """A ``return`` or ``raise`` of a function that sets something: what follows it runs without its *guards* only."""

    scope: str
    done: Position
    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True, slots=True)
class ModuleState:
    """The settings and readings of a module, in the order of the text."""

    settings: tuple[Setting, ...] = ()
    readings: tuple[Reading, ...] = ()
    leavings: tuple[Leaving, ...] = ()

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "ModuleState":
        return _Finder(names, guards).state()


class _Finder:
    def __init__(self, names: Names, guards: Guards) -> None:
        self.names = names
        self.guards = guards
        self.module = names.walk.module

    def state(self) -> ModuleState:
        set_here = list(self.bindings())
        if not set_here:
            return ModuleState()
        wanted = {name for name, _ in set_here}
        roots = {name.partition("[")[0].partition(".")[0] for name in wanted}
        tests = list(self.tests(wanted, roots))
        settings = [self.setting(name, binding, roots) for name, binding in set_here]
        readings = [each for each in self.readings(wanted, roots) if not any(test.holds(each.span) for test in tests)]
        return ModuleState(
            tuple(sorted(settings, key=lambda each: each.span)),
            tuple(sorted(readings, key=lambda each: each.span)),
            tuple(self.leavings({each.scope for each in settings})),
        )

    def leavings(self, scopes: set[str]) -> Iterator[Leaving]:
        for node, scope, context in (*self.names.walk.returns, *self.names.walk.raises):
            guards = self.guards.around(context, scope) if scope.owner.name in scopes else ()
            if guards:
                span = self.names.span(node)
                yield Leaving(scope.owner.name, (span.end_line, span.end_column), guards)

    def bindings(self) -> Iterator[tuple[str, Binding]]:
        for name, found in self.module.bindings.items():
            for binding in found:
                if binding.bound in _SETTING and binding.scope.owner is not self.module:
                    yield name, binding
        for target, binding in self.names.walk.stores:
            if binding.bound in _SETTING and binding.scope.owner is not self.module:
                stored = self.stored(target, binding.scope)
                if stored is not None:
                    yield stored, binding

    def stored(self, target: ast.expr, scope: Scope) -> str | None:
        """The name of an attribute of a class of this module, or of an item of a module variable."""
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            owner = self.names.name(target.value, scope)
            if owner is not None and owner.startswith(":") and self.names.class_of(owner[1:]) is not None:
                return f"{owner[1:]}.{target.attr}" if not owner.endswith(")") else None
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            key = target.slice
            text = key.value if isinstance(key, ast.Constant) else None
            if isinstance(text, str) and self.names.home(scope, target.value.id) is self.module:
                return f"{target.value.id}[{text}]"
        return None

    def setting(self, name: str, binding: Binding, roots: set[str]) -> Setting:
        node: ast.AST = binding.node
        span = self.names.span(node)
        return Setting(
            name,
            self.names.option(binding),
            span,
            binding.scope.owner.name,
            (span.end_line, span.end_column),
            self.guards.around(binding.context, binding.scope),
            self.keyed(binding.context, binding.scope, roots),
        )

    def keyed(self, context: Context | None, scope: Scope, roots: set[str]) -> bool:
        for around in context.outwards() if context is not None else ():
            test = around.node
            if isinstance(test, ast.expr) and self.mentions(test, scope, roots) and self.on_event(test, scope):
                return True
        return False

    def on_event(self, test: ast.expr, scope: Scope) -> bool:
        """Whether a test looks at the event, by other names than those of the module."""
        return any(
            isinstance(node, ast.Name)
            and self.names.home(scope, node.id) is not self.module
            and any(isinstance(part, EventPath) for part in walk(self.names.describe(node, scope)))
            for node in nodes(test)
        )

    def mentions(self, test: ast.expr, scope: Scope, roots: set[str]) -> bool:
        return any(
            isinstance(node, ast.Name) and node.id in roots and self.names.home(scope, node.id) is self.module
            for node in nodes(test)
        )

    def tests(self, wanted: set[str], roots: set[str]) -> Iterator[Span]:
        """Tests that only ask whether a variable is to be set, or compare it with the event."""
        for node, scope, _ in self.names.walk.tests:
            around: Scope | None = scope
            while around is not None:
                if around.kind is ScopeKind.DEF and self.mentions(node.test, around, roots):
                    sets = isinstance(node, ast.If) and self.sets(node, wanted)
                    if sets or self.on_event(node.test, around):
                        yield self.names.span(node.test)
                around = around.parent

    def sets(self, node: ast.If, wanted: set[str]) -> bool:
        targets = {
            name.id
            for statement in (*node.body, *node.orelse)
            for name in nodes(statement)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }
        stores = any(
            isinstance(each, ast.Attribute | ast.Subscript) and isinstance(each.ctx, ast.Store)
            for statement in (*node.body, *node.orelse)
            for each in nodes(statement)
        )
        return stores or not targets.isdisjoint(wanted)

    def readings(self, wanted: set[str], roots: set[str]) -> Iterator[Reading]:
        walk = self.names.walk
        attributes = {name.rpartition(".")[2] for name in wanted if "." in name}
        for node, scope, context in (*walk.reads, *walk.calls, *walk.items):
            if scope.owner is self.module or (context is not None and context.skipped):
                continue
            name = self.read(node.func if isinstance(node, ast.Call) else node, scope, roots, attributes)
            if name is not None and name in wanted:
                yield Reading(name, self.names.span(node), scope.owner.name, self.guards.around(context, scope))

    def read(self, node: ast.expr, scope: Scope, roots: set[str], attributes: set[str]) -> str | None:
        """The name of what *node* reads, if that may be one of *roots* or of the *attributes* of a class."""
        if isinstance(node, ast.Subscript):
            return self.stored(node, scope) if isinstance(node.ctx, ast.Load) else None
        while isinstance(node, ast.Attribute):
            inner = node.value
            if isinstance(inner, ast.Name) and node.attr in attributes:
                name = self.stored(node, scope)
                if name is not None:
                    return name
            node = inner
        if isinstance(node, ast.Name) and node.id in roots and self.names.home(scope, node.id) is self.module:
            return node.id
        return None
