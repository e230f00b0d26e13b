"""Code that an invocation, or the import of the handler, certainly gets to by calls that can be seen."""

from collections.abc import Callable, Iterator

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import depends_on_event
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.path_calls import PathCall, PathCalls, Phase
from lambdalint.facts.reach import At
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Function, PerModule, TriggerKind


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


def certain_at_import(calls: Calls) -> Iterator[Call]:
    """The calls that a module's own code makes for certain, also through functions of the module."""
    by_scope: dict[str, list[Call]] = {}
    for call in calls.calls:
        if not call.skipped and is_unconditional(call):
            by_scope.setdefault(call.scope, []).append(call)
    reached, waiting = {""}, [""]
    while waiting:
        for call in by_scope.get(waiting.pop(), ()):
            yield call
            name = call.name[1:] if call.name and call.name[0] == ":" else ""
            if name in by_scope and name not in reached:
                reached.add(name)
                waiting.append(name)


def is_unconditional(call: Call) -> bool:
    """Whether *call* is made whenever its function gets that far."""
    return all(guard.kind is GuardKind.TRY for guard in call.guards)


def is_constant(each: PathCall, arguments: PerModule[Arguments]) -> bool:
    """Whether the arguments are surely the same for every event."""
    known = arguments.get(each.path)
    if known is None or each.call.may_have_more:
        return False
    return all(
        depends_on_event(found) is False
        for argument in (*each.call.args, *each.call.keywords.values())
        for found in known.alternatives(argument, each.call.scope)
    )


def is_scheduled(function: Function) -> bool:
    """Whether only time invokes it, or a stack: then nobody waits, and environments seldom see a second event."""
    kinds = {each.kind for each in function.triggers}
    return bool(kinds) and function.triggers_complete and kinds <= {TriggerKind.SCHEDULE, TriggerKind.CUSTOM_RESOURCE}
