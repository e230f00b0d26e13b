"""Work that several functions share, done by whoever asks first."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import TypeVar, cast

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


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
        """The results of *keys*: *make* is given those that nobody has asked for, and the others are waited for."""
        mine: list[K] = []
        with self._lock:
            for key in dict.fromkeys(keys):
                if (kind, key) not in self._batches:
                    self._batches[kind, key] = Future()
                    mine.append(key)
            futures = {key: self._batches[kind, key] for key in keys}
        try:
            made = make(mine) if mine else {}
        except BaseException as error:
            for key in mine:
                futures[key].set_exception(error)
            raise
        for key in mine:
            futures[key].set_result(made[key])
        return {key: cast("T", future.result()) for key, future in futures.items()}
