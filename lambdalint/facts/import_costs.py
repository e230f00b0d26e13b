"""What importing well-known packages costs, and making a client: a table of our own measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lambdalint.model.boot import Measured

#: The memory in MB at which Lambda gives a function one vCPU.
#: Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
ONE_VCPU_MB: Final = 1769


@dataclass(frozen=True, slots=True)
class ImportCost:
    """Importing *module* takes *ms* on one vCPU; its *distribution* and what that needs take *mb* unpacked.

    It takes *cold_ms* where the packages were packed without bytecode.
    *loads* are the other modules of the table that come with it.  *measured* says that the time is not the table's but
    was measured of the function itself.
    """

    module: str
    distribution: str
    version: str
    ms: float
    cold_ms: float
    mb: float
    loads: frozenset[str]
    measured: bool = False

    def told(self, ms: float) -> str:
        """*ms* of it in words that say how sure that is."""
        return f"{ms:.0f} ms as measured" if self.measured else f"about {ms:.0f} ms"


def import_cost(module: str, measured: Measured | None = None) -> ImportCost | None:
    """The cost of the module or of the nearest package around it that is in the table.

    Where the module was *measured*, with the function that imports it, that time takes the place of the table's.
    """
    costs = _costs()
    while module:
        if module in costs:
            cost = costs[module]
            ms = measured.whole_ms(module, cost.loads) if measured is not None else None
            return cost if ms is None else replace(cost, ms=ms, measured=True)
        module = module.rpartition(".")[0]
    return None


def constructing_ms(callee: str) -> float | None:
    """What calling *callee* takes on one vCPU once it was called before; ``None`` for what was not measured."""
    found = _table()["constructing"].get(callee)
    return None if found is None else float(found)


def scaled_ms(ms: float, memory_mb: int) -> float:
    """What takes *ms* on one vCPU, on one thread of a function with so much memory."""
    return ms * max(1.0, ONE_VCPU_MB / memory_mb)


@cache
def _costs() -> Mapping[str, ImportCost]:
    return {
        module: ImportCost(
            module,
            row["distribution"],
            row["version"],
            row["ms"],
            row["cold_ms"],
            row["mb"],
            frozenset(row["loads"]),
        )
        for module, row in _table()["imports"].items()
    }


@cache
def _table() -> dict[str, Any]:
    import tomli

    return tomli.loads((files("lambdalint.facts") / "import_costs.toml").read_text(encoding="utf-8"))
