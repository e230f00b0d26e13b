"""How long the modules of an artifact take to import, one by one, estimated from their sizes.

The sizes say how the time is spread.  How much it is comes from our table of measured packages, where that has the
package, and otherwise from what the standard library takes for as much source.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.import_costs import import_cost
from lambdalint.facts.package_imports import ImportClosure

#: Processor time for a KB of source, as we measured it on 187 modules of Python 3.11's own: for running it from
#: bytecode, and for compiling it first.
_RUNNING_MS_PER_KB: Final = 0.016
_COMPILING_MS_PER_KB: Final = 0.102
#: Mapping a library costs by what it relocates, not by its size.
_NATIVE_MS: Final = 0.4
_SMALLEST_MS: Final = 0.02
#: A measurement moves an estimate by no more than so much: its version may be another.
_MOST: Final = 20.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One module as it is loaded; *parent* is the index of the frame that imports it first, -1 for what is started.

    A frame stands behind its parent.
    """

    name: str
    parent: int
    self_ms: float


def totals_ms(frames: Iterable[Frame]) -> list[float]:
    """For each frame, its own time and that of all that it imports first."""
    frames = list(frames)
    totals = [frame.self_ms for frame in frames]
    for index in range(len(frames) - 1, -1, -1):
        if frames[index].parent >= 0:
            totals[frames[index].parent] += totals[index]
    return totals


def estimated_frames(imports: ImportClosure, compiled: Container[str]) -> tuple[Frame, ...]:
    """A frame for each file that is read when the handler's module is loaded; *compiled* are those with bytecode."""
    paths = imports.closure.init
    scale = _scale(imports, paths)
    indices = {path: index for index, path in enumerate(paths)}

    def own_ms(path: str) -> float:
        compiling = path.endswith(".py") and path not in compiled
        extra = _kilobytes(imports, path) * _COMPILING_MS_PER_KB if compiling else 0.0
        return _running_ms(imports, path) * scale.get(_top(imports, path), 1.0) + extra

    return tuple(
        Frame(
            name=module_name(imports, path),
            parent=indices.get(imports.closure.importers.get(path, ""), -1),
            self_ms=round(own_ms(path), 3),
        )
        for path in paths
    )


def module_name(imports: ImportClosure, path: str) -> str:
    """The dotted name under which Python has the file at *path*, where it is unpacked."""
    inner = path[len(_root(imports, path)) :]
    folder, _, name = inner.rpartition("/")
    stem = name.partition(".")[0]
    parts = [part for part in folder.split("/") if part]
    return ".".join(parts if stem == "__init__" and parts else [*parts, stem])


def _running_ms(imports: ImportClosure, path: str) -> float:
    if path.endswith(".so"):
        return _NATIVE_MS
    return max(_SMALLEST_MS, _kilobytes(imports, path) * _RUNNING_MS_PER_KB)


def _kilobytes(imports: ImportClosure, path: str) -> float:
    return imports.files[path].entry.size / 1024


def _scale(imports: ImportClosure, paths: Iterable[str]) -> dict[str, float]:
    """How much longer each top-level package takes than the sizes of its files say."""
    sized: defaultdict[str, float] = defaultdict(float)
    for path in paths:
        sized[_top(imports, path)] += _running_ms(imports, path)
    scale = {}
    for top, ms in sized.items():
        cost = import_cost(top)
        if cost is not None and cost.module == top:
            others = [other for name in cost.loads if name.partition(".")[0] != top and (other := import_cost(name))]
            own = cost.ms - max((other.ms for other in others), default=0.0)
            scale[top] = min(max(own / ms, 1 / _MOST), _MOST)
    return scale


def _top(imports: ImportClosure, path: str) -> str:
    return module_name(imports, path).partition(".")[0]


def _root(imports: ImportClosure, path: str) -> str:
    return max((root for root in imports.index.roots if path.startswith(root)), key=len, default="")
