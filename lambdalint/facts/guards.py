"""Under which conditions a statement runs."""

import ast
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from lambdalint.facts.expressions import CallOf, Env, EventPath, Literal, Name, Opaque, walk
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Branch, Context, Scope

_MAX_GUARDS: Final = 16
_ENVIRON: Final = (Name("os.environ"),)
_VERSIONS: Final = ("sys.version_info", "sys.version", "sys.platform", "platform.system", "os.name")


class GuardKind(Enum):
    """What kind of condition it is."""

    ENV = "environment variable"
    UNSET = "unset"  # ``if x is None``, ``if not x``, ``if x not in globals()``
    TRY = "try"
    EXCEPT = "except"
    TYPE_CHECKING = "type checking"
    MAIN = "main"
    VERSION = "version"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Guard:
    """One condition around a statement.

    *names* are the environment variables of ``ENV``; what is unset; the exceptions that ``TRY`` or ``EXCEPT``
    catches (``BaseException`` for a bare ``except``); for a ``CONDITION`` and ``VERSION`` the qualified names read or
    called in the test.
    *negated*: the statement runs when the condition does not hold: in the ``else`` branch, or after an ``if`` whose
    body leaves.  *on_event* says that the test reads the event.  *at* is the line and column of the condition: guards
    of the same *at* are of one statement.
    """

    kind: GuardKind
    names: tuple[str, ...] = ()
    negated: bool = False
    on_event: bool = False
    at: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Guards:
    """The guards of each context of one module, each worked out once; like ``Names`` it is not kept."""

    _names: Names
    _found: dict[Context, tuple[Guard, ...]] = field(default_factory=dict, repr=False)
    _single: dict[Context, Guard | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, names: Names) -> "Guards":
        return cls(names)

    def around(self, context: Context | None, scope: Scope) -> tuple[Guard, ...]:
        """The guards around, the innermost first."""
        if context is None:
            return ()
        found = self._found.get(context)
        if found is None:
            guards: list[Guard] = []
            for around in context.outwards():
                if around not in self._single:
                    self._single[around] = self._guard(around, scope)
                guard = self._single[around]
                if guard is not None:
                    guards.append(guard)
                if len(guards) == _MAX_GUARDS:
                    break
            found = self._found[context] = tuple(guards)
        return found

    def _guard(self, context: Context, scope: Scope) -> Guard | None:
        node = context.node
        at = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        match context.branch:
            case Branch.TYPE_CHECKING:
                return Guard(GuardKind.TYPE_CHECKING)
            case Branch.MAIN:
                return Guard(GuardKind.MAIN)
            case Branch.TRY:
                caught = [name for handler in context.node.handlers for name in self._caught(handler, scope)]
                return Guard(GuardKind.TRY, tuple(dict.fromkeys(caught)), at=at)
            case Branch.EXCEPT:
                return Guard(GuardKind.EXCEPT, self._caught(context.node, scope), at=at)
            case Branch.IF:
                return self._condition(context.node, context.negated, scope)
            case _:
                return None

    def _caught(self, handler: ast.ExceptHandler, scope: Scope) -> tuple[str, ...]:
        if handler.type is None:
            return ("BaseException",)
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return tuple(name for each in types if (name := self._names.name(each, scope)) is not None)

    def _condition(self, test: ast.expr, negated: bool, scope: Scope) -> Guard:
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, negated = test.operand, not negated
        at = (test.lineno, test.col_offset)
        missing = self._missing(test, scope)
        if missing is not None:
            name, holds = missing
            return Guard(GuardKind.UNSET, (name,), negated == holds)
        variables: list[str] = []
        read: list[str] = []
        on_event = False
        for part in walk(self._names.describe(test, scope)):
            if isinstance(part, Env):
                variables.append(part.name)
            elif isinstance(part, EventPath):
                on_event = True
            elif isinstance(part, Name | CallOf):
                if part.name is not None:
                    read.append(part.name)
            elif isinstance(part, Opaque) and part.kind == "bool" and part.parts[1:] == _ENVIRON:
                key = part.parts[0]
                if isinstance(key, Literal) and isinstance(key.value, str):
                    variables.append(key.value)
        if variables:
            if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotIn):
                negated = not negated
            return Guard(GuardKind.ENV, tuple(dict.fromkeys(variables)), negated, on_event, at)
        names = tuple(dict.fromkeys(read))
        version = any(name in _VERSIONS or name.startswith("sys.version_info") for name in names)
        return Guard(GuardKind.VERSION if version else GuardKind.CONDITION, names, negated, on_event, at)

    def _missing(self, test: ast.expr, scope: Scope) -> tuple[str, bool] | None:
        """The variable that *test* asks whether it is set, and whether it holds when it is unset."""
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            right = test.comparators[0]
            if isinstance(right, ast.Constant) and right.value is None:
                name = _plain(test.left)
                if name is not None and isinstance(test.ops[0], ast.Is | ast.Eq | ast.IsNot | ast.NotEq):
                    return name, isinstance(test.ops[0], ast.Is | ast.Eq)
            if isinstance(test.ops[0], ast.In | ast.NotIn):
                if isinstance(right, ast.Call) and self._names.name(right.func, scope) in ("globals", "vars"):
                    if isinstance(test.left, ast.Constant) and isinstance(test.left.value, str):
                        return test.left.value, isinstance(test.ops[0], ast.NotIn)
                elif isinstance(right, ast.Name) and self._names.home(scope, right.id) is self._names.walk.module:
                    return right.id, isinstance(test.ops[0], ast.NotIn)
            return None
        name = _plain(test)
        if name is None:
            return None
        root = name.partition(".")[0]
        home = self._names.home(scope, root)
        on_self = "." in name and root in ("self", "cls")
        return (name, False) if on_self or (home is self._names.walk.module and "." not in name) else None


def _plain(node: ast.expr) -> str | None:
    """``x`` or ``self.x`` as written."""
    if isinstance(node, ast.NamedExpr):
        return node.target.id
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None
