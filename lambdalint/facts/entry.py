"""The callable that Lambda itself calls."""

from dataclasses import dataclass

from lambdalint.facts.expressions import Name
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.symbols import Definition, Signature, Symbols
from lambdalint.model.function import Function, Handling

_MAX_HOPS = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """What a handler string is bound to, imports followed.

    *signature* says how it can be called, without ``self``.  *definition* is its ``def`` or lambda, in the module at
    *path*, where that is what runs: nothing wraps it but decorators that leave arguments and result alone.  Each is
    ``None`` where it cannot be told.
    """

    path: str | None = None
    signature: Signature | None = None
    definition: Definition | None = None

    @classmethod
    def of(cls, function: Function, symbols: PerModule[Symbols]) -> "Entry":
        target = function.target
        if target.state is not Handling.RESOLVED or target.path is None or target.symbol is None:
            return cls()
        names = ProjectNames(function.modules, symbols)
        path, symbol = target.path, target.symbol
        for _ in range(_MAX_HOPS):
            found = symbols.get(path)
            bindings = found.symbols.get(symbol, ()) if found is not None else ()
            values = {each.value for each in bindings}
            branches = len(bindings) > 1 and any(each.conditional for each in bindings)
            if found is None or len(values) != 1 or branches:
                return cls()
            value = values.pop()
            if not isinstance(value, Name):
                return cls(path, found.signature(value))
            if value.name.startswith(":"):
                own = value.name[1:]
                if own not in found.symbols or own in found.definitions or own in found.classes:
                    return cls(path, found.signature(value), _bare(found, own))
                symbol = own
                continue
            module, _, symbol = (names.absolute(path, value.name) or "").rpartition(".")
            target_path = names.module(module)
            if target_path is None:
                return cls()
            path = target_path
        return cls()


def _bare(symbols: Symbols, name: str) -> Definition | None:
    found = symbols.definitions.get(name)
    return found if found is not None and found.keeps_signature else None
