"""Timeouts that leave a function time to say what went wrong."""

from typing import Final

from lambdalint.facts.client_timeouts import urllib3_retries
from lambdalint.rule import Known, Module, Project

#: What is long enough for most servers, and the part of it in which a connection has to come about.
_ENOUGH_S: Final = 10.0
_CONNECT_S: Final = 3.05
#: The part of the time a function has that one call may wait.
_SHARE: Final = 0.8
_LEAST_S: Final = 0.5


def waiting_time(budget_s: float | None, attempts: int = 1, *, most_s: float = _ENOUGH_S) -> float | None:
    """How long one of *attempts* may take in a function that has *budget_s*; ``None`` when that is hardly any time."""
    seconds = most_s if budget_s is None else min(most_s, _SHARE * budget_s / attempts)
    rounded = float(int(seconds)) if seconds >= 1 else int(10 * seconds) / 10
    return rounded if rounded >= _LEAST_S else None


def timeout_argument(library: str, budget_s: float | None) -> str | None:
    """What to pass as ``timeout`` to a call of *library*, as source text; ``None`` where it takes no plain number."""
    if library == "aiohttp":
        return None
    seconds = waiting_time(budget_s, urllib3_retries() + 1 if library == "urllib3" else 1)
    if seconds is None:
        return None
    if library == "requests" and seconds > _CONNECT_S + 1:
        return f"({_CONNECT_S:g}, {seconds if budget_s is None else int(seconds - _CONNECT_S):g})"
    return f"{seconds:g}"


def shortest_timeout_s(module: Module, project: Project) -> int | None:
    """The seconds that the shortest of the functions with this module may run."""
    timeouts = [each.timeout_s for each in project.functions if module.path in each.modules.values()]
    return min(
        (each.value for each in timeouts if isinstance(each, Known) and isinstance(each.value, int)), default=None
    )
