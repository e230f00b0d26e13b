"""The calls of a module."""

import ast
import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lambdalint.facts.expressions import Expression
from lambdalint.facts.guards import Guard, Guards
from lambdalint.facts.names import Lines, Names
from lambdalint.model.places import Span

_EXCEPTIONS: Final = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as written.

    *name* is the callee's qualified name, *receiver* what a method is called on where that has no name.  *scope* is
    the qualified name of the enclosing ``def`` or lambda, ``""`` at module level.  ``**mapping`` is under ``"**"`` in
    *keywords*, ``*rest`` an ``Opaque`` argument.  *assigned* is the name that gets the result, as ``client`` or
    ``self.client``; *entered* says that it is the subject of a ``with``.
    *skipped*: never runs in Lambda, under ``TYPE_CHECKING`` or ``__main__``.
    """

    name: str | None
    path: str
    lines: Lines
    callee_end: tuple[int, int]
    scope: str
    args: tuple[Expression, ...]
    keywords: Mapping[str, Expression] = field(hash=False)
    receiver: Expression | None = None
    has_star_args: bool = False
    awaited: bool = False
    in_loop: bool = False
    guards: tuple[Guard, ...] = ()
    assigned: str | None = None
    entered: bool = False
    decorator: bool = False
    skipped: bool = False

    def argument(self, position: int | None, keyword: str | None = None) -> Expression | None:
        """The argument at *position* or under *keyword*; ``None`` when it is not given or cannot be told."""
        if keyword is not None and keyword in self.keywords:
            return self.keywords[keyword]
        if position is None or position >= len(self.args) or self.has_star_args:
            return None
        return self.args[position]

    @property
    def span(self) -> Span:
        """The place of the call."""
        return Span(self.path, *self.lines)

    @property
    def callee(self) -> Span:
        """The place of what is called, without the arguments."""
        return Span(self.path, *self.lines[:2], *self.callee_end)

    @property
    def may_have_more(self) -> bool:
        """Whether ``*rest`` or ``**rest`` may bring arguments that cannot be seen."""
        return self.has_star_args or "**" in self.keywords


@dataclass(frozen=True, slots=True)
class Calls:
    """All calls of a module in the order of the text; ``raise SystemExit`` is one, as it calls the class."""

    calls: tuple[Call, ...]

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "Calls":
        walk = names.walk
        found = []
        for node, scope, context in walk.calls:
            called = names.called(node, scope)
            found.append(
                Call(
                    called.name,
                    names.source.path,
                    names.lines(node),
                    names.end(node.func),
                    scope.owner.name,
                    called.args,
                    called.keywords,
                    called.receiver,
                    ast.Starred in map(type, node.args),
                    node in walk.awaited,
                    context is not None and context.loop,
                    guards.around(context, scope) if context is not None else (),
                    walk.assigned.get(node),
                    node in walk.entered,
                    node in walk.decorators,
                    context is not None and context.skipped,
                )
            )
        for node, scope, context in walk.raises:
            name = names.name(node.exc, scope) if isinstance(node.exc, ast.Name) else None
            if name in _EXCEPTIONS:
                found.append(
                    Call(
                        name,
                        names.source.path,
                        names.lines(node.exc),
                        names.end(node.exc),
                        scope.owner.name,
                        (),
                        {},
                        in_loop=context is not None and context.loop,
                        guards=guards.around(context, scope) if context is not None else (),
                        skipped=context is not None and context.skipped,
                    )
                )
        found.sort(key=_position)
        return cls(tuple(found))


def _position(call: Call) -> tuple[int, int]:
    return call.callee_end
