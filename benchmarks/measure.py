"""What a command costs: wall time, and the processor time of its process and of all processes that it waited for."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

#: What linters say when they did their work: nothing found, or something.
FOUND_OR_NOT: Final = frozenset((0, 1))


#: Tools that pip installs have their bytecode beside them; a checkout has it as long as nothing forbids that.
_PLAIN: Final = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class CommandFailed(Exception):
    """A command that was to be measured did not do its work."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a command."""

    wall_s: float
    cpu_s: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Case:
    """Something to measure: what has to be done before, unmeasured, and the commands whose costs add up."""

    commands: tuple[Sequence[str | Path], ...]
    folder: Path
    before: Callable[[], object] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    codes: frozenset[int] = frozenset((0,))

    def run(self) -> Cost:
        """The cost of one run.

        Raises:
            CommandFailed: a command's exit code is none of *codes*.
        """
        self.before()
        costs = [self._cost(command) for command in self.commands]
        return Cost(
            sum(cost.wall_s for cost in costs),
            sum(cost.cpu_s for cost in costs),
            max(cost.memory_mb for cost in costs),
        )

    def _cost(self, command: Sequence[str | Path]) -> Cost:
        with TemporaryFile() as said:
            start = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**_PLAIN, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            # The kernel's own account of this child: that of all children would hold earlier ones as well.
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in self.codes:
                said.seek(0)
                text = said.read().decode(errors="replace")[-2000:]
                raise CommandFailed(f"{' '.join(map(str, command))} exited with {process.returncode}:\n{text}")
        return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def medians(cases: Sequence[Case], runs: int) -> list[Cost]:
    """The median cost of each of *cases*, which take turns, after a run of each that does not count.

    Taking turns, they meet the same weather: a machine that slows down does so for all of them.
    """
    for case in cases:
        case.run()
    rounds = [[case.run() for case in cases] for _ in range(runs)]
    return [
        Cost(
            statistics.median(cost.wall_s for cost in costs),
            statistics.median(cost.cpu_s for cost in costs),
            statistics.median(cost.memory_mb for cost in costs),
        )
        for costs in zip(*rounds, strict=True)
    ]
