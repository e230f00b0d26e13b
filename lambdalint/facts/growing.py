"""Collections that live as long as the module and that its functions only ever add to."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.expressions import UNKNOWN, Expression, Literal
from lambdalint.facts.guards import Guard, Guards
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Bound, Context, Place, Scope, ScopeKind
from lambdalint.model.places import Span

_KINDS: Final = {
    "list": "list",
    "set": "set",
    "dict": "dict",
    "collections.deque": "list",
    "collections.defaultdict": "dict",
    "collections.OrderedDict": "dict",
    "collections.Counter": "dict",
}
_LITERALS: Final[dict[type[ast.AST], str]] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Dict: "dict",
    ast.DictComp: "dict",
}
_ADDING: Final = ("add", "append", "appendleft", "extend", "extendleft", "insert")
_SHRINKING: Final = ("clear", "discard", "move_to_end", "pop", "popitem", "popleft", "remove", "subtract")


@dataclass(frozen=True, slots=True)
class Growth:
    """A statement of a function that adds *added* to the collection *name*: a value, for a dict a key.

    *kind* is ``"list"``, ``"set"`` or ``"dict"``.  *default* says that it is the default of a parameter of *scope*
    rather than a variable of the module.  *tested* says that a condition around asks the collection something,
    *sought* that all of these ask whether something is in it.
    """

    name: str
    kind: str
    added: Expression
    span: Span
    scope: str
    guards: tuple[Guard, ...] = ()
    default: bool = False
    tested: bool = False
    sought: bool = False


@dataclass(frozen=True, slots=True)
class Growing:
    """What grows in a module and is nowhere cleared, cut, bound anew or handed to code that may do so."""

    growths: tuple[Growth, ...] = ()

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "Growing":
        finder = _Finder(names, guards)
        found = [
            growth
            for (home, name), changes in finder.changes().items()
            for growth in finder.growths(home, name, changes)
        ]
        return cls(tuple(sorted(found, key=lambda growth: growth.span)))


class _Finder:
    def __init__(self, names: Names, guards: Guards) -> None:
        self.names = names
        self.guards = guards
        self.module = names.walk.module
        self.places: dict[ast.AST, Place] | None = None

    def changes(self) -> dict[tuple[Scope, str], list[tuple[ast.AST, Scope]]]:
        """What functions do to variables of the module and to defaults, by the variable."""
        found: dict[tuple[Scope, str], list[tuple[ast.AST, Scope]]] = {}
        for scope in self.names.walk.scopes:
            if scope.owner is self.module:
                continue
            for name, nodes in scope.changes.items():
                home = self.names.home(scope, name)
                if home is self.module or (home is scope and self.default(scope, name) is not None):
                    found.setdefault((home, name), []).extend((node, scope) for node in nodes)
        for name in {name for scope in self.names.walk.scopes for name in scope.globals}:
            for binding in self.module.bindings.get(name, ()):
                if binding.bound is Bound.AUGMENTED and binding.scope.owner is not self.module:
                    found.setdefault((self.module, name), []).append((binding.node, binding.scope))
        return found

    def growths(self, home: Scope, name: str, changes: list[tuple[ast.AST, Scope]]) -> Iterator[Growth]:
        kind = self.kind(home, name)
        if kind is None:
            return
        found = []
        for node, scope in changes:
            growth = self.growth(node, scope, name, kind, default=home is not self.module)
            if growth is _CUT:
                return
            if isinstance(growth, Growth):
                found.append(growth)
        if found and not self.shrinks(home, name):
            yield from found

    def kind(self, home: Scope, name: str) -> str | None:
        """What kind of collection a variable surely holds."""
        if home is not self.module:
            value = self.default(home, name)
            bound_anew = len(home.bindings[name]) > 1
            return None if value is None or bound_anew else self.kind_of(value, home.parent or home)
        kinds = set()
        for binding in home.bindings.get(name, ()):
            if binding.bound is Bound.AUGMENTED:
                continue
            if binding.bound is not Bound.ASSIGNED or binding.path or binding.scope.owner is not home:
                return None
            kinds.add(self.kind_of(binding.value, home))
        return kinds.pop() if len(kinds) == 1 else None

    def kind_of(self, value: ast.AST, scope: Scope) -> str | None:
        if isinstance(value, ast.Call):
            name = self.names.called(value, scope).name
            bounded = name == "collections.deque" and (value.keywords or len(value.args) > 1)
            return None if bounded else _KINDS.get(name or "")
        return _LITERALS.get(type(value))

    def default(self, scope: Scope, name: str) -> ast.expr | None:
        """The mutable default of a parameter."""
        if scope.kind is not ScopeKind.DEF or scope.bindings[name][0].bound is not Bound.PARAMETER:
            return None
        args: ast.arguments = scope.node.args  # type: ignore[attr-defined]
        positional = [*args.posonlyargs, *args.args]
        pairs = [
            *zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True),
            *zip(args.kwonlyargs, args.kw_defaults, strict=True),
        ]
        return next((value for arg, value in pairs if arg.arg == name and type(value) in _LITERALS), None)

    def growth(self, node: ast.AST, scope: Scope, name: str, kind: str, *, default: bool) -> "Growth | object | None":
        """What *node* adds; ``_CUT`` if it may take something away, ``None`` if it does neither."""
        added: Expression | None = None
        if isinstance(node, ast.Call):
            function = node.func
            if not (
                isinstance(function, ast.Attribute)
                and isinstance(function.value, ast.Name)
                and function.value.id == name
            ):
                return None if self.names.is_harmless(node, scope) else _CUT
            if function.attr in _SHRINKING:
                return _CUT
            if function.attr in _ADDING and node.args:
                added = self.names.describe(node.args[-1], scope)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                added = self.names.describe(node.value, scope) if node.value is not None else UNKNOWN
            elif not isinstance(target, ast.Subscript) or isinstance(target.slice, ast.Slice):
                return _CUT
            elif kind == "dict":
                key = self.names.describe(target.slice, scope)
                added = None if isinstance(key, Literal) else key
        else:
            return _CUT
        if added is None:
            return None
        context = self.context(node)
        if context is not None and context.skipped:
            return None
        tests = (
            [each.node for each in context.outwards() if isinstance(each.node, ast.expr)] if context is not None else []
        )
        asking = [test for test in tests if any(_is_name(part, name) for part in ast.walk(test))]
        return Growth(
            name,
            kind,
            added,
            self.names.span(node),
            scope.owner.name,
            self.guards.around(context, scope),
            default,
            bool(asking),
            bool(asking) and all(_seeks(test, name) for test in asking),
        )

    def context(self, node: ast.AST) -> Context | None:
        """The branch that a statement stands in."""
        if self.places is None:
            walk = self.names.walk
            self.places = {place.node: place for place in (*walk.calls, *walk.items)}
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            for binding in self.module.bindings.get(getattr(target, "id", ""), ()):
                if binding.node is node:
                    return binding.context
            node = target
        place = self.places.get(node)
        return None if place is None else place.context

    def shrinks(self, home: Scope, name: str) -> bool:
        """Whether some expression takes something out on the way, or hands the collection to what may do so."""
        walk = self.names.walk
        return (
            any(
                any(_is_name(each, name) for each in _given(node)) and not self.names.is_harmless(node, scope)
                for node, scope, _ in walk.calls
                if self.names.home(scope, name) is home
            )
            or any(
                isinstance(node, ast.Attribute) and node.attr in _SHRINKING and _is_name(node.value, name)
                for node in (*(place.node for place in walk.reads), *(place.node.func for place in walk.calls))
            )
            or any(
                isinstance(binding.value, ast.Name) and binding.value.id == name and binding.bound is Bound.ASSIGNED
                for scope in walk.scopes
                for bindings in scope.bindings.values()
                for binding in bindings
            )
        )


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    for keyword in call.keywords:
        yield keyword.value


#: What may make a collection smaller.
_CUT: Final = object()


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _seeks(test: ast.expr, name: str) -> bool:
    """``x in name``, ``x not in name`` or ``name.get(x)``."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        if isinstance(test.ops[0], ast.In | ast.NotIn):
            return _is_name(test.comparators[0], name)
        test = test.left
    return (
        isinstance(test, ast.Call)
        and isinstance(test.func, ast.Attribute)
        and test.func.attr == "get"
        and _is_name(test.func.value, name)
    )
