"""Under which conditions a statement runs."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from lambdalint.facts.expressions import CallOf, Env, EventPath, Literal, Name, Opaque, qualified_name, walk
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Branch, Context, Scope

_MAX_GUARDS: Final = 16
_ENVIRON: Final = (Name("os.environ"),)
_SAME: Final = (ast.Is, ast.Eq)
_OTHER: Final = (ast.IsNot, ast.NotEq)
_CONTAINING: Final = (ast.In, ast.NotIn)
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
    body leaves; *after* tells the latter.  *on_event* says that the test reads the event.  *at* is the line and column
    of the condition: guards of the same *at* are of one statement.  *equals*: it asks whether something is a constant.
    """

    kind: GuardKind
    names: tuple[str, ...] = ()
    negated: bool = False
    on_event: bool = False
    at: tuple[int, int] = field(default=(0, 0), compare=False)
    after: bool = field(default=False, compare=False)
    equals: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Guards:
    """The guards of each context of one module, each worked out once; like ``Names`` it is not kept."""

    _names: Names
    _found: dict[Context, tuple[Guard, ...]] = field(default_factory=dict, repr=False)
    _single: dict[Context, Guard | None] = field(default_factory=dict, repr=False)
    _asked: dict[ast.expr, Guard] = field(default_factory=dict, repr=False)

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
                return self._condition(context.node, context.negated, context.after, scope)
            case Branch.WITH if isinstance(context.node.context_expr, ast.Call):
                return self._suppressing(context.node.context_expr, scope)
            case _:
                return None

    def _caught(self, handler: ast.ExceptHandler, scope: Scope) -> tuple[str, ...]:
        if handler.type is None:
            return ("BaseException",)
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return tuple(name for each in types if (name := self._names.name(each, scope)) is not None)

    def _suppressing(self, call: ast.Call, scope: Scope) -> Guard | None:
        """``with suppress(KeyError)`` is a ``try`` whose handler passes."""
        name, _, args, _ = self._names.called(call, scope)
        if name != "contextlib.suppress":
            return None
        caught = tuple(known for each in args if (known := qualified_name(each)) is not None)
        return Guard(GuardKind.TRY, caught, at=(call.lineno, call.col_offset))

    def _condition(self, test: ast.expr, negated: bool, after: bool, scope: Scope) -> Guard:
        test, inverted = _without_not(test)
        # What is in the one branch, in the other and behind both asks for the same.
        asked = self._asked.get(test)
        if asked is None:
            asked = self._asked[test] = self._asking(test, scope)
        negated = asked.negated is not (negated is not inverted)
        return Guard(asked.kind, asked.names, negated, asked.on_event, asked.at, after, asked.equals)

    def _asking(self, test: ast.expr, scope: Scope) -> Guard:
        """The guard of what runs when *test*, which is no ``not``, holds."""
        at = (test.lineno, test.col_offset)
        missing = self._missing(test, scope)
        if missing is not None and not self._is_variable(test, scope):
            return _unset(missing, False, at)
        variables: list[str] = []
        read: list[str] = []
        on_event = False
        for part in walk(self._names.describe(test, scope)):
            # There are ten of them for every branch of a program: the frequent ones first.
            kind = type(part)
            if kind is Name or kind is CallOf:
                if part.name is not None:  # type: ignore[union-attr]
                    read.append(part.name)  # type: ignore[union-attr]
            elif isinstance(part, EventPath):
                on_event = True
            elif isinstance(part, Env):
                variables.append(part.name)
            elif isinstance(part, Opaque) and part.kind == "bool" and part.parts[1:] == _ENVIRON:
                key = part.parts[0]
                if isinstance(key, Literal) and isinstance(key.value, str):
                    variables.append(key.value)
        if isinstance(test, ast.BoolOp) and not any(self._is_variable(each, scope) for each in test.values):
            for each in test.values:
                asked, inverted = _without_not(each)
                missing = self._missing(asked, scope)
                if missing is not None:
                    return _unset(missing, inverted, at, read)
        if variables:
            negated = isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotIn)
            return Guard(GuardKind.ENV, tuple(dict.fromkeys(variables)), negated, on_event, at)
        names = tuple(dict.fromkeys(read))
        version = any(name in _VERSIONS or name.startswith("sys.version_info") for name in names)
        equals = (
            isinstance(test, ast.Compare)
            and isinstance(test.ops[0], ast.Eq)
            and isinstance(test.comparators[0], ast.Constant)
        )
        form = GuardKind.VERSION if version else GuardKind.CONDITION
        return Guard(form, names, False, on_event, at, equals=equals)

    def _missing(self, test: ast.expr, scope: Scope) -> tuple[str, bool] | None:
        """The variable that *test* asks whether it is set, and whether it holds when it is unset."""
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            right = test.comparators[0]
            if isinstance(right, ast.Constant) and right.value is None:
                name = _plain(test.left)
                if name is not None and isinstance(test.ops[0], (*_SAME, *_OTHER)):
                    return name, isinstance(test.ops[0], _SAME)
            if isinstance(test.ops[0], _CONTAINING):
                if isinstance(right, ast.Call) and self._names.name(right.func, scope) in ("globals", "vars"):
                    if isinstance(test.left, ast.Constant) and isinstance(test.left.value, str):
                        return test.left.value, isinstance(test.ops[0], ast.NotIn)
                elif isinstance(right, ast.Name) and self._names.home(scope, right.id) is self._names.walk.module:
                    return right.id, isinstance(test.ops[0], ast.NotIn)
            return None
        name = _plain(test)
        if name is None:
            of = self._looked_up_in(test, scope)
            return None if of is None else (of, False)
        root = name.partition(".")[0]
        home = self._names.home(scope, root)
        on_self = "." in name and root in ("self", "cls")
        if on_self or ("." not in name and (home is self._names.walk.module or self._is_looked_up(name, home, scope))):
            return name, False
        return None

    def _is_looked_up(self, name: str, home: Scope | None, scope: Scope) -> bool:
        """Whether a local variable is what was found in a dict of the module: ``x = cache.get(key)``."""
        for binding in home.bindings.get(name, ())[:1] if home is not None else ():
            return binding.value is not None and self._looked_up_in(binding.value, scope) is not None
        return False

    def _looked_up_in(self, value: ast.AST, scope: Scope) -> str | None:
        """The variable of the module that *value* asks for a key: ``cache.get(key)``."""
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "get":
            of = value.func.value
            if isinstance(of, ast.Name) and self._names.home(scope, of.id) is self._names.walk.module:
                return of.id
        return None

    def _is_variable(self, test: ast.expr, scope: Scope) -> bool:
        """Whether it is a variable of the environment that is asked for, by whatever name."""
        test, _ = _without_not(test)
        value = self._names.describe(test.left if isinstance(test, ast.Compare) else test, scope)
        if isinstance(value, CallOf) and value.name == "bool" and value.args:
            value = value.args[0]
        if isinstance(value, Opaque) and value.kind == "bool":
            return value.parts[1:] == _ENVIRON or any(isinstance(part, Env) for part in value.parts)
        return isinstance(value, Env)


def _without_not(test: ast.expr) -> tuple[ast.expr, bool]:
    """What a test asks, and whether it asks for the opposite."""
    inverted = False
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, inverted = test.operand, not inverted
    return test, inverted


def _unset(missing: tuple[str, bool], negated: bool, at: tuple[int, int], read: Iterable[str] = ()) -> Guard:
    name, holds = missing
    return Guard(GuardKind.UNSET, tuple(dict.fromkeys((name, *read))), negated == holds, at=at)


def _plain(node: ast.expr) -> str | None:
    """``x`` or ``self.x`` as written."""
    if isinstance(node, ast.NamedExpr):
        return node.target.id
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None
