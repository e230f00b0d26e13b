"""Code that an invocation, or the import of the handler, certainly gets to by calls that can be seen."""

from collections.abc import Callable, Iterator

from lambdalint.facts.calls import Call
from lambdalint.facts.path_calls import PathCall, PathCalls, Phase
from lambdalint.facts.reach import At
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Function, PerModule


def entries(function: Function, calls: PathCalls, symbols: PerModule[Symbols]) -> set[At]:
    """The handler, and what has a decorator that may call it for an event: a route, a record handler."""
    target = function.target
    found = {(target.scope_path, target.scope)} if target.scope_path is not None and target.scope is not None else set()
    for path, scope in calls.reach.invoke:
        known = symbols.get(path)
        definition = known.definitions.get(scope) if known is not None else None
        if definition is not None and any("()" in (name or "") for name in definition.decorators):
            found.add((path, scope))
    return found


def imported(calls: PathCalls) -> set[At]:
    """The code of the modules that are imported with the handler."""
    return {at for at in calls.reach.init if not at[1]}


def certain_calls(calls: PathCalls, phase: Phase, roots: set[At], passes: Callable[[Call], bool]) -> Iterator[PathCall]:
    """The calls of *phase* that *passes* holds for, in *roots* and what they call through such calls."""
    by_scope: dict[At, list[PathCall]] = {}
    for each in calls.calls:
        if each.phase == phase and passes(each.call):
            by_scope.setdefault((each.path, each.call.scope), []).append(each)
    reached, waiting = set(roots), list(roots)
    while waiting:
        for each in by_scope.get(waiting.pop(), ()):
            if each.target is not None and each.target not in reached:
                reached.add(each.target)
                waiting.append(each.target)
    for at in sorted(reached):
        yield from by_scope.get(at, ())
