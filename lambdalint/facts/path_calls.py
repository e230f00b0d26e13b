"""The calls on a function's paths, with names resolved across the project's modules."""

from dataclasses import dataclass
from typing import Literal

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames, Resolved
from lambdalint.facts.reach import At, Reach
from lambdalint.facts.symbols import Symbols
from lambdalint.model.finding import Related
from lambdalint.model.function import Function

Phase = Literal["init", "invoke"]


@dataclass(frozen=True, slots=True, eq=False)
class PathCall:
    """A call in code that runs in *phase*; *name* is followed through the project's modules.

    A project's own function is called ``module.function``.  *name* is ``None`` where the trail is lost.  *target* are
    the file and scope of the project's code that it runs, the ``__init__`` of a class.
    """

    call: Call
    path: str
    phase: Phase
    name: str | None
    target: At | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PathCalls:
    """All calls of the scopes that a function reaches; a scope in both phases gives its calls twice.

    They are sorted by place; *reach* tells the way to each.
    """

    calls: tuple[PathCall, ...]
    reach: Reach

    @classmethod
    def of(cls, function: Function, reach: Reach, calls: PerModule[Calls], symbols: PerModule[Symbols]) -> "PathCalls":
        names = ProjectNames(function.modules, symbols)
        found: list[PathCall] = []
        for path in sorted({path for path, _ in reach.init | reach.invoke}):
            module = calls.get(path)
            if module is None:
                continue
            for call in module.calls:
                if call.skipped:
                    continue
                in_init, in_invoke = (path, call.scope) in reach.init, (path, call.scope) in reach.invoke
                if not in_init and not in_invoke:
                    continue
                resolved = None if call.name is None else names.resolve(path, call.name)
                name = None if resolved is None else resolved.name
                target = None if resolved is None else _target(names, resolved)
                if in_init:
                    found.append(PathCall(call, path, "init", name, target))
                if in_invoke:
                    found.append(PathCall(call, path, "invoke", name, target))
        return cls(tuple(found), reach)

    def way(self, call: PathCall) -> tuple[Related, ...]:
        """How execution gets to the scope of *call*."""
        return self.reach.way(call.path, call.call.scope, call.phase)


def _target(names: ProjectNames, found: Resolved) -> At | None:
    """The scope that calling what is *found* runs."""
    if found.path is None or found.scope is None or found.is_instance:
        return None
    return names.method(found.path, found.scope, "__init__") if found.is_class else (found.path, found.scope)
