"""What was measured when an artifact was started."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Isolation(Enum):
    """What kept the code that ran from the rest of the machine; the value is its name in reports."""

    CONTAINER = "container"  # crun's: a root of its own, read-only, another user without any privilege
    NAMESPACES = "namespaces"  # a root of its own, read-only, another user
    USER_NAMESPACE = "user-namespace"  # a root of its own, read-only, this user without any privilege
    CHROOT = "chroot"  # a root of its own and another user, beside all other processes
    USER = "user"  # another user, who owns nothing here
    PERMISSIONS = "permissions"  # this user: files are read-only, and writes from Python are refused


class Phase(Enum):
    """When something was imported."""

    RUNTIME = "runtime"  # by the interpreter and AWS's client, before the function's own code
    INIT = "init"
    INVOKE = "invoke"


class Ending(Enum):
    """How an invocation ended; the value is its name in reports."""

    ANSWER = "answer"
    ERROR = "error"
    TIMEOUT = "timeout"
    EXIT = "exit"
    OUT_OF_MEMORY = "out-of-memory"
    NOT_RUN = "not-run"  # the process was gone by then


@dataclass(frozen=True, slots=True)
class Raised:
    """An error as the runtime's client reports it; *trace* are its lines, the outermost call first."""

    type: str
    message: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportTime:
    """One module that was loaded, in microseconds without and with those it loaded, *depth* steps below a first one.

    A module counts where it is imported first; listed are parents before their children.
    """

    module: str
    depth: int
    self_us: int
    cumulative_us: int
    phase: Phase


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one function, as far as rules take it for fact; *imports* are those of its own code."""

    function: str
    init_ms: float
    imports: tuple[ImportTime, ...] = ()

    def whole_ms(self, module: str, loads: Iterable[str] = ()) -> float | None:
        """What importing *module* takes by itself, with those modules that it *loads*; ``None`` if it was not imported.

        A module shows only below the first that imports it: what another one had loaded before is added here.
        """
        places = {each.module: index for index, each in reversed(list(enumerate(self.imports)))}
        covered: set[int] = set()
        total_us = 0
        for name in (module, *sorted(loads, key=lambda each: places.get(each, 0))):
            place = places.get(name)
            if place is None:
                if name == module:
                    return None
                continue
            end = self._end(place)
            total_us += sum(self.imports[index].self_us for index in range(place, end) if index not in covered)
            covered.update(range(place, end))
        return total_us / 1000

    def _end(self, place: int) -> int:
        """The index after the last module that the one at *place* loaded."""
        depth = self.imports[place].depth
        after = range(place + 1, len(self.imports))
        return next((index for index in after if self.imports[index].depth <= depth), len(self.imports))


@dataclass(frozen=True, slots=True)
class Invocation:
    """What became of one event; *ms* is ``None`` when it was not run, *response* is cut when it is long."""

    event: str
    ending: Ending
    ms: float | None = None
    response: str | None = None
    response_bytes: int = 0
    error: Raised | None = None


@dataclass(frozen=True, slots=True)
class Boot:
    """What happened when *artifact* was started.

    *python* is the exact version that ran it; it and *runtime* are empty where an image does not say them.  *init_ms*
    is the time from the start of the interpreter to the first request for an event, ``None`` when there was none.
    *init_error* is why; *peaks* are in MB of 1,048,576 bytes.  *files* are those that Python opened outside its own
    library, *compiled* the modules that had no usable bytecode, *refused* the paths that it tried to write to; of an
    image all three are empty.  *output* is what the function printed, perhaps cut.  *passed* are the budgets that it
    does not keep, in words; *notes* what else a reader should know.
    """

    artifact: str
    function: str
    handler: str
    runtime: str
    architecture: str
    python: str
    isolation: Isolation
    init_ms: float | None
    init_error: Raised | None
    init_peak_mb: float | None
    peak_mb: float | None
    imports: tuple[ImportTime, ...] = ()
    invocations: tuple[Invocation, ...] = ()
    files: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    output: str = ""
    output_cut: bool = False
    passed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether it came up, answered every event and kept its budgets."""
        answered = all(each.ending is Ending.ANSWER for each in self.invocations)
        return self.init_error is None and self.init_ms is not None and answered and not self.passed
