"""Work that several functions share, done by whoever asks first."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import TypeVar, cast

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class _Abandoned(Exception):
    """Whoever was to make something could not."""


class Once:
    """Remembers results by key; of two threads that ask for the same, one waits for the other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[object, Lock] = {}
        self._results: dict[object, object] = {}
        self._batches: dict[tuple[object, object], Future[object]] = {}

    def of(self, key: object, make: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._results:
                self._results[key] = make()
            return cast("T", self._results[key])

    def each(self, kind: object, keys: Sequence[K], make: Callable[[list[K]], Mapping[K, T]]) -> dict[K, T]:
        """The results of *keys*: *make* is given those that nobody has asked for, and the others are waited for.

        Where *make* fails for somebody else, what is wanted of that is made again: the fault may be another key's.
        """
        while True:
            found, mine = self._claimed(kind, keys)
            try:
                made = make(mine) if mine else {}
            except BaseException:
                with self._lock:
                    for key in mine:
                        del self._batches[kind, key]
                for key in mine:
                    found[key].set_exception(_Abandoned())
                raise
            for key in mine:
                found[key].set_result(made[key])
            try:
                return {key: cast("T", future.result()) for key, future in found.items()}
            except _Abandoned:
                continue

    def _claimed(self, kind: object, keys: Sequence[K]) -> tuple[dict[K, Future[object]], list[K]]:
        mine: list[K] = []
        with self._lock:
            for key in dict.fromkeys(keys):
                if (kind, key) not in self._batches:
                    self._batches[kind, key] = Future()
                    mine.append(key)
            return {key: self._batches[kind, key] for key in keys}, mine
