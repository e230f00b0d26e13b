"""Import times that somebody measured: in a report of ``lambdalint boot``, or by ``python -X importtime``."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.facts.import_frames import Frame

_LINE: Final = re.compile(r"import time: +(?P<own>\d+) \| +\d+ \| (?P<indent> *)(?P<name>\S+)\s*$")
_MAX_MODULES: Final = 50_000
_HINT: Final = "give what `lambdalint boot --output-format json` or `python -X importtime` wrote"


@dataclass(slots=True)
class _Module:
    name: str
    own_ms: float
    inside: list["_Module"] = field(default_factory=list)


def measured_frames(content: bytes, path: str) -> tuple[Frame, ...]:
    """A frame for each module of a report, those that import others before them; *path* names it in errors.

    Raises:
        UnreadableInput: it is neither of the two kinds of report, or says nothing of imports.
    """
    text = content.decode(errors="replace")
    modules = _of_json(text) if text.lstrip()[:1] == "{" else _of_lines(text.splitlines())
    frames: list[Frame] = []
    waiting = [(module, -1) for module in reversed(modules)]
    while waiting and len(frames) < _MAX_MODULES:
        module, parent = waiting.pop()
        waiting += [(each, len(frames)) for each in reversed(module.inside)]
        frames.append(Frame(module.name, parent, round(module.own_ms, 3)))
    if not frames:
        raise UnreadableInput(f"there are no import times in {path}", path=path, hint=_HINT)
    return tuple(frames)


def _of_lines(lines: Iterable[str]) -> list[_Module]:
    """A module stands behind those that it imports, which are indented by two more."""
    waiting: dict[int, list[_Module]] = {}
    for line in lines:
        match = _LINE.search(line)
        if match:
            depth = len(match["indent"]) // 2
            module = _Module(match["name"], int(match["own"]) / 1000, waiting.pop(depth + 1, []))
            waiting.setdefault(depth, []).append(module)
    return [module for depth in sorted(waiting) for module in waiting[depth]]


def _of_json(text: str) -> list[_Module]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(_listed(document.get("imports")))


def _listed(found: Any) -> Iterator[_Module]:
    """Modules in the order of a tree, parents first, each with its depth and its own microseconds.

    What is imported before the function's own code, or by an invocation, is left out.
    """
    roots: list[_Module] = []
    above: list[tuple[float, _Module]] = []
    for item in found if isinstance(found, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("module"), str):
            continue
        if item.get("phase") not in (None, "init"):
            continue
        depth, own_us = _number(item.get("depth")), _number(item.get("self_us"))
        while above and above[-1][0] >= depth:
            above.pop()
        module = _Module(item["module"], own_us / 1000)
        (above[-1][1].inside if above else roots).append(module)
        above.append((depth, module))
    yield from roots


def _number(found: Any) -> float:
    return found if isinstance(found, (int, float)) and found >= 0 else 0
