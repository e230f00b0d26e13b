"""Module variables that an exception caught while the module is imported leaves unset."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.guards import GuardKind, Guards
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Bound, ScopeKind, nodes
from lambdalint.model.places import Span

_BROAD: Final = frozenset(("BaseException", "Exception", "ImportError", "ModuleNotFoundError"))
_LEAVING: Final = frozenset(("exit", "quit", "sys.exit", "os._exit", "os.abort"))


@dataclass(frozen=True, slots=True)
class Swallowed:
    """*name* is unset, or ``None``, once the exception at *caught* was; *used* is its first use in the ``def`` *scope*.

    *failed* says what fails: ``import`` or something else.
    """

    name: str
    is_none: bool
    imported: bool
    caught: Span
    scope: str
    used: Span


@dataclass(frozen=True, slots=True)
class SwallowedInit:
    """The uses in functions of what may be unset, of names that no code of the module ever asks for or sets anew."""

    found: tuple[Swallowed, ...] = ()

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "SwallowedInit":
        tries = [node for node in names.walk.tree.body if isinstance(node, ast.Try)]
        candidates = [(node, found) for node in tries if (found := dict(_lost(node, names)))]
        if not candidates:
            return cls()
        if not _is_used(names, {name for _, found in candidates for name in found}):
            return cls()
        asked = frozenset(_asked(names))
        lost = {
            name: each for node, found in candidates if asked.isdisjoint(_flags(node)) for name, each in found.items()
        }
        uses: dict[tuple[str, str], Swallowed] = {}
        for node, scope, context in (*names.walk.reads, *names.walk.calls):
            root = _root(node)
            if root is None or root.id not in lost or root.id in asked or scope.owner is names.walk.module:
                continue
            if names.home(scope, root.id) is not names.walk.module:
                continue
            if any(guard.kind in (GuardKind.TRY, GuardKind.EXCEPT) for guard in guards.around(context, scope)):
                continue
            is_none, imported, handler = lost[root.id]
            span = names.span(root)
            each = Swallowed(root.id, is_none, imported, names.span(handler), scope.owner.name, span)
            key = (root.id, scope.owner.name)
            if key not in uses or span < uses[key].used:
                uses[key] = each
        return cls(tuple(sorted(uses.values(), key=lambda each: each.used)))


def _is_used(names: Names, lost: set[str]) -> bool:
    """Whether a function uses any of *lost*: seldom, and far sooner asked than what all tests are about."""
    places = (*names.walk.reads, *names.walk.calls)
    return any(
        scope.owner is not names.walk.module and (root := _root(node)) is not None and root.id in lost
        for node, scope, _ in places
    )


def _lost(node: ast.Try, names: Names) -> Iterator[tuple[str, tuple[bool, bool, ast.ExceptHandler]]]:
    """What the ``try`` binds and a handler of it leaves as ``None`` or unbound."""
    module = names.walk.module
    bound = dict(_bound(node.body))
    for handler in node.handlers:
        if not _is_broad(handler, names) or _leaves(handler, names):
            continue
        instead = dict(_bound(handler.body))
        for name, value in bound.items():
            others = [each for each in module.bindings.get(name, ()) if not _is_within(each.node, node)]
            if any(each.bound is not Bound.ASSIGNED or not _is_none(each.value) for each in others):
                continue
            if name in instead and not _is_none(instead[name]):
                continue
            yield name, (name in instead or bool(others), value is None, handler)


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that statements bind, with the value; ``None`` for an import."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0], None
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, statement.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            yield statement.target.id, statement.value


def _flags(node: ast.Try) -> Iterator[str]:
    """Names by which the code may remember what became of the ``try``."""
    for body in (node.body, node.orelse, node.finalbody, *(handler.body for handler in node.handlers)):
        for name, value in _bound(body):
            if isinstance(value, ast.Constant):
                yield name


def _is_broad(handler: ast.ExceptHandler, names: Names) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(names.name(each, names.walk.module) in _BROAD for each in types)


def _leaves(handler: ast.ExceptHandler, names: Names) -> bool:
    """Whether the handler raises, ends the process, or does more than can be told."""
    for node in nodes(handler):
        if isinstance(node, ast.Raise | ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Global):
            return True
        if isinstance(node, ast.Call) and names.name(node.func, names.walk.module) in _LEAVING:
            return True
    return False


def _is_none(value: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_within(node: ast.AST, outer: ast.Try) -> bool:
    return outer.lineno <= getattr(node, "lineno", 0) <= (outer.end_lineno or outer.lineno)


def _asked(names: Names) -> Iterator[str]:
    """The names that tests of the module mention, and those that its functions set."""
    walk = names.walk
    matched = [node.subject for node in walk.novelties if isinstance(node, ast.Match)]
    tested = [place.node.test for place in walk.tests]
    yield from (each.id for each in nodes(*walk.compared, *matched, *tested) if isinstance(each, ast.Name))
    for scope in walk.scopes:
        if scope.kind is ScopeKind.DEF:
            yield from scope.globals


def _root(node: ast.AST) -> ast.Name | None:
    """The name that is used by taking something from it: ``client`` of ``client.get(...)``."""
    found = node.func if isinstance(node, ast.Call) else node
    if isinstance(found, ast.Name):
        return found if isinstance(node, ast.Call) else None
    while isinstance(found, ast.Attribute):
        found = found.value
    return found if isinstance(found, ast.Name) else None
