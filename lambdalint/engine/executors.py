"""Where work is done: here, or in processes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

A = TypeVar("A")
B = TypeVar("B")


class Executor(Protocol):
    """Runs a function over items; the answers come in the order of the items."""

    def map(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterable[B]:
        """The function's answer for each item."""
        ...


class Serial:
    """One after the other, in this process."""

    def map(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]:
        """The function's answer for each item."""
        return map(function, items)


class Processes:
    """Several processes; small jobs are not worth their start and run here."""

    #: Modules under which starting processes costs more than it saves: about 0.1 s against 1 ms a module.
    WORTHWHILE = 200

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterable[B]:
        """The function's answer for each item."""
        listed = list(items)
        if len(listed) < self.WORTHWHILE:
            return map(function, listed)
        from concurrent.futures import ProcessPoolExecutor

        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._jobs)
        return self._pool.map(function, listed, chunksize=max(1, len(listed) // (self._jobs * 8)))

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


@contextmanager
def executor(jobs: int) -> Iterator[Executor]:
    """The executor for that many jobs; its processes end with the block."""
    if jobs <= 1:
        yield Serial()
        return
    processes = Processes(jobs)
    try:
        yield processes
    finally:
        processes.close()
