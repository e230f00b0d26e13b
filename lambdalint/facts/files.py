"""Which files the code of a function touches, what it does with them, and how they are named."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.expressions import Expression, text
from lambdalint.facts.expressions import Literal as Constant
from lambdalint.facts.file_calls import BY_METHOD, BY_NAME, LAST_PARTS, SELF, Doing, Touch
from lambdalint.facts.guards import Guard, Guards
from lambdalint.facts.names import Names
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.reach import Reach
from lambdalint.facts.symbols import Symbols
from lambdalint.model.finding import Related
from lambdalint.model.function import Function
from lambdalint.model.places import Span

_SESSIONS: Final = ("boto3.Session()", "boto3.session.Session()")


@dataclass(frozen=True, slots=True)
class FileCall:
    """A call that may touch a file, as written: *on* is what the method *method* is called on."""

    name: str | None
    method: str
    on: Expression | None
    args: tuple[Expression, ...]
    keywords: Mapping[str, Expression] = field(hash=False)
    span: Span
    scope: str
    guards: tuple[Guard, ...] = ()
    in_loop: bool = False


@dataclass(frozen=True, slots=True)
class FileCalls:
    """The calls of a module that may touch files, in the order of the text."""

    calls: tuple[FileCall, ...]

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "FileCalls":
        found = []
        for node, scope, context in names.walk.calls:
            function = node.func
            method = function.attr if type(function) is ast.Attribute else getattr(function, "id", "")
            called = names.called(node, scope)
            last = method if called.name is None else called.name.rpartition(".")[2]
            if (last not in LAST_PARTS and method not in LAST_PARTS) or (context is not None and context.skipped):
                continue
            if any(type(each) is ast.Starred for each in node.args):
                continue
            on = names.describe(function.value, scope) if type(function) is ast.Attribute else None
            found.append(
                FileCall(
                    called.name,
                    method,
                    on,
                    called.args,
                    called.keywords,
                    names.span(node),
                    scope.owner.name,
                    guards.around(context, scope),
                    context is not None and context.loop,
                )
            )
        return cls(tuple(sorted(found, key=lambda call: call.span)))


@dataclass(frozen=True, slots=True)
class FileUse:
    """One path that one call touches in a *phase*.

    *paths* are what it may be, one for each way that parameters are passed; *call* is the call as written.
    """

    doing: Doing
    paths: tuple[Expression, ...]
    call: FileCall
    path: str
    phase: Literal["init", "invoke"]

    @property
    def text(self) -> str | None:
        """The path where it is constant."""
        known = {text(path) for path in self.paths}
        return known.pop() if len(known) == 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """What is touched on a function's paths, sorted by place; a scope in both phases gives its uses twice."""

    uses: tuple[FileUse, ...]
    reach: Reach

    @classmethod
    def of(
        cls,
        function: Function,
        reach: Reach,
        calls: PerModule[FileCalls],
        arguments: PerModule[Arguments],
        symbols: PerModule[Symbols],
    ) -> "Files":
        names = ProjectNames(function.modules, symbols)
        found: list[FileUse] = []
        for path in sorted({path for path, _ in reach.init | reach.invoke}):
            module, passed = calls.get(path), arguments.get(path)
            if module is None or passed is None:
                continue
            for call in module.calls:
                phases = reach.phases(path, call.scope)
                if not phases:
                    continue
                resolved = None if call.name is None else names.resolve(path, call.name)
                if resolved is not None and resolved.scope is not None:
                    continue  # what a function of the project does is seen in its own calls
                for doing, where in touched(call, None if resolved is None else resolved.name):
                    paths = tuple(passed.alternatives(where, call.scope))
                    found += [FileUse(doing, paths, call, path, phase) for phase in phases]  # type: ignore[arg-type]
        return cls(tuple(found), reach)

    def way(self, use: FileUse) -> tuple[Related, ...]:
        """How execution gets to the scope of *use*."""
        return self.reach.way(use.path, use.call.scope, use.phase)


def touched(call: FileCall, name: str | None) -> Iterator[tuple[Doing, Expression]]:
    """What a call of what is called *name* does to which paths."""
    for touch in _touches(call, name):
        doing = touch.doing
        if doing is None:
            doing = _mode(call, touch.mode)
        where = _path(call, touch)
        if doing is not None and where is not None:
            yield doing, where


def _touches(call: FileCall, name: str | None) -> tuple[Touch, ...]:
    if name is None:
        return BY_METHOD.get(call.method, ()) if call.on is not None else ()
    if name == "tempfile.NamedTemporaryFile":
        kept = call.keywords.get("delete") == Constant(False)
        return (Touch(Doing.TEMPORARY, 6, "dir", "/tmp"),) if kept else ()  # noqa: S108
    for session in _SESSIONS:
        if name.startswith(session):
            name = f"boto3{name.removeprefix(session)}"
    if call.method in BY_METHOD and name.endswith(f").{call.method}"):
        return BY_METHOD[call.method]
    return BY_NAME.get(name, ())


def _path(call: FileCall, touch: Touch) -> Expression | None:
    if touch.position == SELF:
        return call.on
    if touch.keyword is not None and touch.keyword in call.keywords:
        return call.keywords[touch.keyword]
    if touch.position < len(call.args):
        return call.args[touch.position]
    return None if touch.default is None or "**" in call.keywords else Constant(touch.default)


def _mode(call: FileCall, position: int | None) -> Doing | None:
    mode = call.keywords.get("mode")
    if mode is None and position is not None and position < len(call.args):
        mode = call.args[position]
    if mode is None:
        return None if "**" in call.keywords else Doing.READ
    known = text(mode)
    if known is None:
        return None
    known = known.partition(":")[0].partition("|")[0]  # the rest names a compression
    if "w" in known or "x" in known:
        return Doing.WRITE
    if "a" in known:
        return Doing.APPEND
    return Doing.OPEN if "+" in known else Doing.READ
