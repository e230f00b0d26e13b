"""Which code of the handler's path runs once in an execution environment although an invocation gets there."""

from dataclasses import dataclass
from typing import Final

from lambdalint.facts.calls import Call
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.reach import At
from lambdalint.facts.symbols import Symbols

#: Exceptions by which code notices that something was not made yet.
_NOT_YET: Final = frozenset(("AttributeError", "KeyError", "LookupError", "NameError", "UnboundLocalError"))

#: What the name of a decorator tells of a function that does not run anew for every event.
_DECORATORS: Final = ("cache", "memoize", "once", "singleton", "register_after_restore", "register_before_snapshot")


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The scopes that run once: cached functions, what is only called where something is not set yet, and the code
    of modules that the handler imports when it runs.
    """

    scopes: frozenset[At]

    @classmethod
    def of(cls, calls: PathCalls, symbols: PerModule[Symbols]) -> "Kept":
        callers: dict[At, list[tuple[At, bool]]] = {}
        for each in calls.calls:
            at = (each.path, each.call.scope)
            if each.phase == "invoke" and each.target is not None and each.target != at:
                callers.setdefault(each.target, []).append((at, runs_once(each.call)))
        kept = {at for at in calls.reach.invoke if not at[1] or _is_cached(symbols.get(at[0]), at[1])}
        while True:
            more = {
                at
                for at, found in callers.items()
                if at not in kept and all(once or caller in kept for caller, once in found)
            }
            if not more:
                return cls(frozenset(kept))
            kept |= more


def runs_once(call: Call) -> bool:
    """Whether *call* stands where something is not there yet."""
    return any(_asks_whether_made(guard) for guard in call.guards)


def _asks_whether_made(guard: Guard) -> bool:
    match guard.kind:
        case GuardKind.UNSET:
            return not guard.negated
        case GuardKind.EXCEPT:
            return not _NOT_YET.isdisjoint(guard.names)
        case GuardKind.CONDITION:
            return not {"hasattr", "getattr"}.isdisjoint(guard.names)
        case _:
            return False


def _is_cached(symbols: Symbols | None, scope: str) -> bool:
    definition = None if symbols is None else symbols.definitions.get(scope)
    if symbols is None or definition is None:
        return False
    owner = symbols.classes.get(scope.rpartition(".")[0])
    decorators = definition.decorators
    if owner is not None and scope.endswith(".__init__"):
        if owner.metaclass not in (None, "abc.ABCMeta"):
            return True  # calling the class is the metaclass's business
        decorators = (*decorators, *owner.decorators)
    return any(name and any(word in name.lower() for word in _DECORATORS) for name in decorators)
