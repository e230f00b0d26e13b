"""Which parts of the event a module reads, and how."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from lambdalint.facts.expressions import CallOf, EventPath, Expression, Literal
from lambdalint.facts.guards import Guard, GuardKind, Guards
from lambdalint.facts.names import Lines, Names
from lambdalint.facts.walk import Place

_FORGIVING = frozenset(("AttributeError", "BaseException", "Exception", "KeyError", "LookupError", "TypeError"))


class Reading(Enum):
    """What happens where the key is not there."""

    ITEM = "item"  # KeyError
    GET = "get"  # ``None``
    DEFAULT = "default"  # something else, but not where the key is there with null
    TEST = "test"  # that is the question


@dataclass(frozen=True, slots=True)
class EventRead:
    """One look at the part of the event under *keys*, from the outside in; into JSON that is text in it, too.

    *base* says how the part was read that it is in, where that is written in the same expression.  *forgiven*: what is
    missing is caught, or the event was asked something before.
    """

    keys: tuple[str | int | None, ...]
    reading: Reading
    lines: Lines
    scope: str
    base: Reading | None = None
    forgiven: bool = False


@dataclass(frozen=True, slots=True)
class EventReads:
    """All that is read of the event under that name, in the order of the text."""

    reads: tuple[EventRead, ...]

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "EventReads":
        return cls(tuple(sorted(_reads(names, guards), key=lambda each: each.lines)))


def _reads(names: Names, guards: Guards) -> Iterator[EventRead]:
    for place in names.walk.subscripts:
        if isinstance(place.node.ctx, ast.Load):
            yield from _read(names, guards, place, place.node.value, place.node.slice, Reading.ITEM)
    for place in names.walk.calls:
        function = place.node.func
        if isinstance(function, ast.Attribute) and function.attr == "get" and place.node.args:
            reading = Reading.DEFAULT if len(place.node.args) > 1 else Reading.GET
            yield from _read(names, guards, place, function.value, place.node.args[0], reading)
    for place in names.walk.memberships:
        yield from _read(names, guards, place, place.node.comparators[0], place.node.left, Reading.TEST)


def _read(
    names: Names, guards: Guards, place: Place, of: ast.expr, key: ast.expr, reading: Reading
) -> Iterator[EventRead]:
    node, scope, context = place
    if not _may_be_event(names, of, place):
        return
    found = _in_event(names.describe(of, scope))
    if found is None or found.context:
        return
    value = names.describe(key, scope)
    step = value.value if isinstance(value, Literal) and isinstance(value.value, str | int) else None
    forgiven = any(map(_forgives, guards.around(context, scope)))
    yield EventRead((*found.keys, step), reading, names.lines(node), scope.owner.name, _reading_of(of), forgiven)


def _may_be_event(names: Names, node: ast.expr, place: Place) -> bool:
    """Whether the innermost name is the event or a part of it: cheaper than describing all around it."""
    while not isinstance(node, ast.Name):
        match node:
            case (
                ast.Subscript(value=inner)
                | ast.Attribute(value=inner)
                | ast.Call(func=ast.Attribute(attr="get") as inner)
            ):
                node = inner
            case ast.Call(args=[inner]):  # of what is parsed
                node = inner
            case _:
                return False
    return _in_event(names.describe(node, place.scope)) is not None


def _in_event(found: Expression) -> EventPath | None:
    """The part of the event that *found* is, or was parsed from."""
    match found:
        case EventPath() as path:
            return path
        case CallOf("json.loads", (EventPath() as path,)):
            return path
        case _:
            return None


def _reading_of(node: ast.expr) -> Reading | None:
    match node:
        case ast.Subscript():
            return Reading.ITEM
        case ast.Call(func=ast.Attribute(attr="get"), args=args):
            return Reading.DEFAULT if len(args) > 1 else Reading.GET
        case _:
            return None


def _forgives(guard: Guard) -> bool:
    if guard.kind is GuardKind.TRY:
        return not _FORGIVING.isdisjoint(guard.names)
    return guard.on_event
