"""What ``python -X importtime`` writes, read as a tree."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lambdalint.model.boot import ImportTime, Phase

_ROW: Final = re.compile(rb"import time:\s+(\d{1,15}) \|\s+(\d{1,15}) \| ( *)(\S.{0,400})$")
_HEAD: Final = b"import time: self [us]"
_MAX_ROWS: Final = 20_000
_MAX_DEPTH: Final = 300


@dataclass(slots=True)
class _Node:
    module: str
    self_us: int
    cumulative_us: int
    phase: Phase
    children: list["_Node"] = field(default_factory=list)


@dataclass(slots=True)
class ImportTimes:
    """Takes the lines of the interpreter's standard error, and keeps what they say; *phase* is what runs just now.

    Where nobody says when the function's own code begins, it does so after the module ``bootstrap`` of the *client*;
    all of the client's modules are the runtime's.
    """

    phase: Phase = Phase.RUNTIME
    client: str | None = None
    _waiting: dict[int, list[_Node]] = field(default_factory=dict)
    _rows: int = 0

    def take(self, line: bytes) -> bytes | None:
        """Read one line; what stands before the row, or all of another line, comes back for whoever it is for."""
        start = line.find(b"import time: ")
        if start < 0:
            return line
        found = _ROW.match(line, start)
        if found is None:
            return None if line.startswith(_HEAD, start) else line
        depth = len(found[3]) // 2
        if self._rows < _MAX_ROWS and depth <= _MAX_DEPTH:
            self._rows += 1
            self._add(depth, found[4].decode(errors="replace").strip(), int(found[1]), int(found[2]))
        return line[:start] or None

    def _add(self, depth: int, module: str, self_us: int, cumulative_us: int) -> None:
        # A module is reported when it is done, hence after those that it loaded.
        phase = Phase.RUNTIME if self.client and module.partition(".")[0] == self.client else self.phase
        node = _Node(module, self_us, cumulative_us, phase, self._waiting.pop(depth + 1, []))
        self._waiting.setdefault(depth, []).append(node)
        if self.client and module == f"{self.client}.bootstrap" and self.phase is Phase.RUNTIME:
            self.phase = Phase.INIT

    def rows(self) -> Iterator[ImportTime]:
        """All modules, parents first; those whose parent was never done stand by themselves."""
        # The deeper ones that wait are loaded by what failed or still runs.
        stack = [(0, node) for depth in sorted(self._waiting) for node in self._waiting[depth]]
        stack.reverse()
        while stack:
            depth, node = stack.pop()
            yield ImportTime(node.module, depth, node.self_us, node.cumulative_us, node.phase)
            stack += [(depth + 1, child) for child in reversed(node.children)]
