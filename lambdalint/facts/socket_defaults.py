"""Where a default timeout of sockets holds."""

from dataclasses import dataclass

from lambdalint.facts.calls import Calls
from lambdalint.facts.per_module import PerModule
from lambdalint.model.project import Project


@dataclass(frozen=True, slots=True)
class SocketDefaults:
    """The modules that some function loads together with a call of ``socket.setdefaulttimeout``."""

    paths: frozenset[str]

    @classmethod
    def of(cls, project: Project, calls: PerModule[Calls]) -> "SocketDefaults":
        found: set[str] = set()
        for function in project.functions:
            paths = set(function.modules.values())
            if not paths <= found and any(_sets_default(calls.get(path)) for path in paths):
                found |= paths
        return cls(frozenset(found))


def _sets_default(calls: Calls | None) -> bool:
    return calls is not None and any(call.name == "socket.setdefaulttimeout" for call in calls.calls)
