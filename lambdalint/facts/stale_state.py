"""What one invocation keeps of its event for the next ones to see."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import carries_event
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.module_state import ModuleState, Position, Reading, Setting
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.reach import Reach
from lambdalint.facts.symbols import Symbols
from lambdalint.model.finding import Related
from lambdalint.model.function import Function

_MAX_DEPTH: Final = 6
_IFS: Final = (GuardKind.CONDITION, GuardKind.UNSET, GuardKind.ENV, GuardKind.VERSION, GuardKind.EXCEPT)

#: The conditions that a statement runs under, by the place and the branch of each ``if``.
Conditions = frozenset[tuple[Position, bool]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A *setting* from the event in the module at *path*, and a *reading* that an invocation may reach without it."""

    path: str
    setting: Setting
    reading: Reading
    way: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StaleState:
    """What of the event is stored, and read by a later invocation before it is set again."""

    kept: tuple[Kept, ...]

    @classmethod
    def of(
        cls,
        function: Function,
        reach: Reach,
        states: PerModule[ModuleState],
        calls: PerModule[Calls],
        symbols: PerModule[Symbols],
        arguments: PerModule[Arguments],
    ) -> "StaleState":
        found = []
        search: _Search | None = None
        for path in sorted({path for path, _ in reach.invoke}):
            state, passed = states.get(path), arguments.get(path)
            if state is None or passed is None or not state.settings:
                continue
            settings = [each for each in state.settings if (path, each.scope) in reach.invoke]
            for setting in settings:
                values = passed.alternatives(setting.value, setting.scope)
                if setting.keyed or not any(map(carries_event, values)):
                    continue
                search = search or _Search(function, reach, states, calls, symbols)
                reading = search.reading(path, setting)
                if reading is not None:
                    found.append(Kept(path, setting, reading, reach.way(path, setting.scope, "invoke")))
        return cls(tuple(found))


class _Search:
    def __init__(
        self,
        function: Function,
        reach: Reach,
        states: PerModule[ModuleState],
        calls: PerModule[Calls],
        symbols: PerModule[Symbols],
    ) -> None:
        self.reach = reach
        self.states = states
        self.calls = calls
        self.names = ProjectNames(function.modules, symbols)
        self.entry = (function.target.scope_path, function.target.scope)
        self.callers: dict[tuple[str, str], list[tuple[str, Call]]] | None = None

    def reading(self, path: str, setting: Setting) -> Reading | None:
        """A reading that an invocation may reach without a setting; ``None`` where that is not certain."""
        state = self.states.get(path)
        assert state is not None
        if self.is_reset(path, setting.name, state):
            return None
        for reading in state.readings:
            if (
                reading.name == setting.name
                and (path, reading.scope) in self.reach.invoke
                and not setting.span.holds(reading.span)
                and not self.is_set(path, setting.name, reading.scope, reading.at, _conditions(reading.guards), path, 0)
            ):
                return reading
        return None

    def is_reset(self, path: str, name: str, state: ModuleState) -> bool:
        """Whether the handler itself sets the name in any case to what the event does not say."""
        return any(
            (path, each.scope) == self.entry
            and each.name == name
            and not _conditions(each.guards)
            and not carries_event(each.value)
            for each in state.settings
        )

    def is_set(
        self, home: str, name: str, scope: str, at: Position, conditions: Conditions, path: str, depth: int
    ) -> bool:
        """Whether *name* of the module *home* is surely set when *scope* of *path* gets to *at*."""
        if depth > _MAX_DEPTH or self.sets(home, name, path, scope, at, conditions, depth):
            return True
        if (path, scope) == self.entry:
            return False
        callers = self.calling(path, scope)
        return not callers or all(
            self.is_set(
                home, name, call.scope, (call.span.line, call.span.column), _conditions(call.guards), by, depth + 1
            )
            for by, call in callers
        )

    def sets(
        self,
        home: str,
        name: str,
        path: str,
        scope: str,
        before: Position | None,
        conditions: Conditions,
        depth: int,
    ) -> bool:
        """Whether what *scope* does before a position sets the name under no more than these conditions."""
        state = self.states.get(home)
        ways = [
            _conditions(each.guards)
            for each in (state.settings if state is not None and home == path else ())
            if each.name == name and each.scope == scope and (before is None or each.done <= before)
        ]
        if ways and state is not None:
            ways += [
                _conditions(each.guards)
                for each in state.leavings
                if each.scope == scope and before is not None and each.done <= before
            ]
        if _covers(ways, conditions):
            return True
        module = self.calls.get(path)
        if depth > _MAX_DEPTH or module is None:
            return False
        for call in module.calls:
            if call.scope != scope or call.name is None or (before is not None and call.callee_end >= before):
                continue
            if not _conditions(call.guards) <= conditions:
                continue
            called = self.names.resolve(path, call.name)
            if called is None or called.path is None or not called.scope or called.is_class:
                continue
            if (called.path, called.scope) != (path, scope) and self.sets(
                home, name, called.path, called.scope, None, frozenset(), depth + 1
            ):
                return True
        return False

    def calling(self, path: str, scope: str) -> list[tuple[str, Call]]:
        """The calls of a function in code that runs in an invocation; none where it is called in other ways."""
        if self.callers is None:
            self.callers = {}
            for by in sorted({each for each, _ in self.reach.invoke}):
                module = self.calls.get(by)
                for call in module.calls if module is not None else ():
                    if call.name is None or (by, call.scope) not in self.reach.invoke:
                        continue
                    called = self.names.resolve(by, call.name)
                    if called is not None and called.path is not None and called.scope is not None:
                        self.callers.setdefault((called.path, called.scope), []).append((by, call))
        return self.callers.get((path, scope), [])


def _conditions(guards: Iterable[Guard]) -> Conditions:
    """``try`` and loops are no conditions here: they are meant to run."""
    return frozenset((guard.at, guard.negated) for guard in guards if guard.kind in _IFS)


def _covers(ways: list[Conditions], conditions: Conditions) -> bool:
    """Whether one of *ways* is taken under *conditions*; both branches of an ``if`` together are always taken."""
    known = set(ways)
    while True:
        if any(way <= conditions for way in known):
            return True
        merged = {
            way - {(at, negated)}
            for way in known
            for at, negated in way
            if way - {(at, negated)} | {(at, not negated)} in known
        }
        if merged <= known:
            return False
        known |= merged
