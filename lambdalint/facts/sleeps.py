"""Where code sleeps, how often, and what it asks the SDK between two naps."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.expressions import CallOf, Collection, Expression, Literal
from lambdalint.facts.names import Lines, Names
from lambdalint.facts.needs import service_call
from lambdalint.facts.walk import Branch, Context, Place, Scope
from lambdalint.model.places import Span

SLEEPS: Final = ("time.sleep", "asyncio.sleep")
_ASKING: Final = ("describe_", "get_", "head_", "list_")


@dataclass(frozen=True, slots=True)
class Sleep:
    """One call that sleeps.

    *seconds* are those of one nap, *repeats* how often it is done at most, with the loops around; each is ``None``
    where it cannot be told.  *asks* is the operation of the SDK, always with the same arguments, whose answer ends the
    innermost loop; *loop* is the head of that loop.  *retries*: it sleeps after something went wrong.
    """

    lines: Lines
    scope: str
    seconds: float | None
    repeats: int | None
    loop: Span | None = None
    asks: str | None = None
    retries: bool = False


@dataclass(frozen=True, slots=True)
class Sleeps:
    """All sleeping of a module."""

    sleeps: tuple[Sleep, ...]

    @classmethod
    def of(cls, names: Names) -> "Sleeps":
        return cls(tuple(_sleep(names, place) for place in names.calls_of(*SLEEPS)))


def _sleep(names: Names, place: Place) -> Sleep:
    args = names.called(place.node, place.scope).args
    repeats: int | None = 1
    inner: ast.For | ast.AsyncFor | ast.While | None = None
    retries = False
    for context in place.context.outwards() if place.context is not None else ():
        if context.branch is Branch.EXCEPT and inner is None:
            retries = True
        elif context.branch is Branch.LOOP:
            times = _times(names, context, place.scope)
            repeats = None if repeats is None or times is None else repeats * times
            if inner is None and isinstance(context.node, ast.For | ast.AsyncFor | ast.While):
                inner = context.node
    head = None
    if inner is not None:
        head = names.span(inner.test if isinstance(inner, ast.While) else inner.iter)
    asks = None if inner is None else next(_asked(names, inner, place.scope), None)
    seconds = _number(args[0]) if args else None
    return Sleep(names.lines(place.node), place.scope.owner.name, seconds, repeats, head, asks, retries)


def _number(expression: Expression) -> float | None:
    match expression:
        case Literal(int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case _:
            return None


def _times(names: Names, context: Context, scope: Scope) -> int | None:
    """How often a loop runs at most, where that is written down."""
    if not isinstance(context.node, ast.For | ast.AsyncFor):
        return None
    match names.describe(context.node.iter, scope):
        case CallOf("range", args, {}):
            bounds = [each.value for each in args if isinstance(each, Literal) and isinstance(each.value, int)]
            if bounds and len(bounds) == len(args) and 0 not in bounds[2:]:
                return len(range(*bounds))
        case Collection("list" | "tuple", items, _, True):
            return len(items)
    return None


def _asked(names: Names, loop: ast.For | ast.AsyncFor | ast.While, scope: Scope) -> Iterator[str]:
    """The operations that are asked the same again and again until the answer ends the loop."""
    roots = [loop.test, *loop.body] if isinstance(loop, ast.While) else loop.body
    nodes = [node for root in roots for node in ast.walk(root)]
    endless = isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant)
    ends = any(isinstance(node, ast.Break | ast.Return) for node in nodes)
    if not ends and (endless or not isinstance(loop, ast.While)):
        return
    changing = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    if not isinstance(loop, ast.While):
        changing |= {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        operation = _operation(names, names.called(node, scope).name)
        passed = [*node.args, *(keyword.value for keyword in node.keywords)]
        if operation is not None and changing.isdisjoint(
            each.id for part in passed for each in ast.walk(part) if isinstance(each, ast.Name)
        ):
            yield operation


def _operation(names: Names, name: str | None) -> str | None:
    """What a call asks the SDK, by itself or as a function of this module that does nothing but."""
    asked = service_call(name) if name is not None and "boto" in name else None
    if asked is not None:
        return asked[1] if asked[1].startswith(_ASKING) else None
    if name is None or not name.startswith(":"):
        return None
    inside = [
        found[1]
        for known, places in names.by_name.items()
        if known is not None and "boto" in known and (found := service_call(known))
        for place in places
        if place.scope.owner.name == name[1:]
    ]
    return inside[0] if len(inside) == 1 and inside[0].startswith(_ASKING) else None
