"""Which environment variables a module reads, and how it takes their absence."""

import ast
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lambdalint.facts.expressions import Expression, Literal
from lambdalint.facts.guards import Guard, GuardKind, Guards
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Context, Scope
from lambdalint.model.places import Span

_READERS: Final = (
    "os.getenv",
    "os.environ.get",
    "os.environ.pop",
    "os.environ.__getitem__",
    "os.environ.setdefault",
)


class Absence(Enum):
    """What happens when the variable is not there."""

    ERROR = "error"
    DEFAULT = "default"  # given, or None
    TESTED = "tested"  # the read is the test: ``"X" in os.environ``
    WRITTEN = "written"  # ``os.environ["X"] = …``, ``setdefault``


@dataclass(frozen=True, slots=True)
class EnvRead:
    """One place that reads the variable *name*, ``None`` for a computed one.

    *guarded* says that absence is dealt with around a read that would fail: by a test, or by catching ``KeyError``.
    *value* is the default, or what is written.
    """

    name: str | None
    absence: Absence
    span: Span
    scope: str
    value: Expression | None = None
    guarded: bool = False
    guards: tuple[Guard, ...] = ()
    skipped: bool = False

    @property
    def required(self) -> bool:
        """Whether the code fails without the variable."""
        return self.absence is Absence.ERROR and not self.guarded


@dataclass(frozen=True, slots=True)
class EnvReads:
    """The reads of a module in the order of the text; *written* ones are among them."""

    reads: tuple[EnvRead, ...]

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "EnvReads":
        return cls(tuple(sorted(_Finder(names, guards).found, key=lambda read: (read.span, read.absence.value))))


class _Finder:
    def __init__(self, names: Names, guards: Guards) -> None:
        self.names = names
        self.guards = guards
        self.found: list[EnvRead] = []
        written = {target: binding.value for target, binding in names.walk.stores if not binding.path}
        for node, scope, context in names.walk.items:
            if self._is_environ(node.value, scope):
                self._add(node, node.slice, _absence(node), written.get(node), scope, context)
        for node, scope, context in names.walk.memberships:
            if self._is_environ(node.comparators[0], scope):
                self._add(node, node.left, Absence.TESTED, None, scope, context)
        for node, scope, context in names.calls_of(*_READERS):
            self._call(node, scope, context)

    def _is_environ(self, node: ast.expr, scope: Scope) -> bool:
        if isinstance(node, ast.Attribute) and node.attr != "environ":
            return False
        return self.names.name(node, scope) == "os.environ"

    def _call(self, node: ast.Call, scope: Scope, context: Context | None) -> None:
        name = self.names.called(node, scope).name
        if name is None or not node.args:
            return
        default = node.args[1] if len(node.args) > 1 else None
        for keyword in node.keywords:
            if keyword.arg == "default":
                default = keyword.value
        match name.removeprefix("os.").removeprefix("environ."):
            case "get" | "getenv":
                absence = Absence.DEFAULT
            case "pop" | "__getitem__":
                absence = Absence.ERROR if default is None else Absence.DEFAULT
            case "setdefault":
                absence = Absence.WRITTEN
            case _:
                return
        self._add(node, node.args[0], absence, default, scope, context)

    def _add(
        self,
        node: ast.expr,
        key: ast.expr,
        absence: Absence,
        default: ast.expr | None,
        scope: Scope,
        context: Context | None,
    ) -> None:
        found = self.names.describe(key, scope)
        name = found.value if isinstance(found, Literal) and isinstance(found.value, str) else None
        guards = self.guards.around(context, scope)
        value = None if default is None else self.names.describe(default, scope)
        self.found.append(
            EnvRead(
                name,
                absence,
                self.names.span(node),
                scope.owner.name,
                value,
                any(_deals_with(guard, name) for guard in guards),
                guards,
                context is not None and context.skipped,
            )
        )


def _absence(node: ast.Subscript) -> Absence:
    return Absence.ERROR if isinstance(node.ctx, ast.Load) else Absence.WRITTEN


def _deals_with(guard: Guard, name: str | None) -> bool:
    if guard.kind is GuardKind.TRY:
        return not {"KeyError", "LookupError", "Exception", "BaseException"}.isdisjoint(guard.names)
    return guard.kind is GuardKind.ENV and name in guard.names
