"""What a module waits for, and the tasks that it starts and lets go."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lambdalint.facts.names import Names
from lambdalint.facts.walk import Place
from lambdalint.model.places import Span

#: What starts a task; the loop keeps only a weak reference to it.
TASKS: Final = (
    "asyncio.create_task",
    "asyncio.ensure_future",
    "asyncio.get_event_loop().create_task",
    "asyncio.get_running_loop().create_task",
    "asyncio.new_event_loop().create_task",
)
_WAITS: Final = frozenset(("as_completed", "cancel", "is_alive", "join", "recv", "result", "shutdown", "wait"))
_GETS: Final = ("Queue().get", "Queue().get_nowait")


@dataclass(frozen=True, slots=True)
class Waits:
    """For each scope the methods and functions, by their last names, by which it waits for other work.

    *entered* are the variables that are the subject of a ``with``.  *dropped* are the calls that start a task whose
    result goes nowhere, with their scopes.
    """

    waited: Mapping[str, frozenset[str]] = field(hash=False)
    entered: frozenset[str] = frozenset()
    dropped: tuple[tuple[str, Span], ...] = ()

    @classmethod
    def of(cls, names: Names) -> "Waits":
        walk = names.walk
        waited: dict[str, set[str]] = {}
        for place in walk.calls:
            function = place.node.func
            last = function.attr if type(function) is ast.Attribute else getattr(function, "id", "")
            if (last in _WAITS and (last != "join" or _joins_no_text(place.node))) or (
                last.startswith("get") and (names.called(place.node, place.scope).name or "").endswith(_GETS)
            ):
                waited.setdefault(place.scope.owner.name, set()).add(last)
        return cls(
            {scope: frozenset(found) for scope, found in waited.items()},
            frozenset(node.id for node in walk.entered if type(node) is ast.Name),
            _dropped(names),
        )


def _joins_no_text(call: ast.Call) -> bool:
    """Whether it is no ``str.join`` or ``os.path.join``: threads take a time to wait at most."""
    return not call.args or (len(call.args) == 1 and isinstance(call.args[0], ast.Constant | ast.BinOp))


def _dropped(names: Names) -> tuple[tuple[str, Span], ...]:
    started: list[Place] = list(names.calls_of(*TASKS))
    if not started:
        return ()
    walk = names.walk
    alone = {node.value for node in ast.walk(walk.tree) if isinstance(node, ast.Expr)}
    used = {name for scope in (*walk.scopes, *walk.comprehensions) for name in scope.uses}
    found = []
    for node, scope, context in started:
        target = walk.assigned.get(node)
        unused = target is not None and "." not in target and target not in used
        if (node in alone or unused) and not (context is not None and context.skipped):
            found.append((scope.owner.name, names.span(node)))
    return tuple(sorted(found, key=lambda each: each[1]))
