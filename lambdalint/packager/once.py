"""Work that several functions share, done by whoever asks first."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar, cast

T = TypeVar("T")


class Once:
    """Remembers results by key; of two threads that ask for the same, one waits for the other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[object, Lock] = {}
        self._results: dict[object, object] = {}

    def of(self, key: object, make: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._results:
                self._results[key] = make()
            return cast("T", self._results[key])
