"""The facts of many modules within bounded memory."""

import pickle
import zlib
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from lambdalint.engine.cache import packed

#: Facts take some twelve times the memory of the source that they are of; packed, as much as the source.
MOST_OPEN_BYTES: Final = 8 * 1024 * 1024
_OFTEN: Final = 8


class Shelf:
    """Facts by module: those of modules asked for lately as they are, the others packed until asked for again.

    *most* is how many bytes of source there may be whose facts are not packed.
    """

    def __init__(self, most: int = MOST_OPEN_BYTES) -> None:
        self._most = most
        self._sizes: dict[str, int] = {}
        self._open: OrderedDict[str, dict[type, Any]] = OrderedDict()
        self._open_size = 0
        self._packed: dict[str, dict[type, bytes]] = {}
        self._stiff: dict[tuple[str, type], Any] = {}
        self._opened: Counter[str] = Counter()

    def put(self, path: str, facts: Mapping[type, Any], size: int) -> None:
        """Keep the *facts* of a module with *size* bytes of source."""
        self._sizes[path] = size
        self._lay_open(path, dict(facts))

    def get(self, path: str, fact: type) -> Any:
        """A fact of a module; ``None`` if it has none."""
        facts = self._open.get(path)
        if facts is not None:
            self._open.move_to_end(path)
        elif path in self._packed:
            facts = self._opened_again(path)
        else:
            return None
        if fact not in facts and path in self._packed:
            # Most questions are about one fact of all modules: the others stay packed.
            body = self._packed[path].get(fact)
            if body is None:
                return self._stiff.get((path, fact))
            facts[fact] = pickle.loads(zlib.decompress(body))  # noqa: S301 - packed by this process
        return facts.get(fact)

    def __contains__(self, path: str) -> bool:
        return path in self._sizes

    def _opened_again(self, path: str) -> dict[type, Any]:
        self._opened[path] += 1
        if self._opened[path] == _OFTEN:
            # Something reaches more code than that, and would open all of it anew for each rule.
            self._most *= 2
            self._opened.clear()
        return self._lay_open(path, {})

    def _lay_open(self, path: str, facts: dict[type, Any]) -> dict[type, Any]:
        self._open[path] = facts
        self._open_size += self._sizes[path]
        while self._open_size > self._most and len(self._open) > 1:
            oldest, its_facts = self._open.popitem(last=False)
            self._open_size -= self._sizes[oldest]
            if oldest not in self._packed:
                self._pack(oldest, its_facts)
        return facts

    def _pack(self, path: str, facts: Mapping[type, Any]) -> None:
        bodies = self._packed[path] = {}
        for fact, value in facts.items():
            body = packed(value)
            if body is None:
                self._stiff[path, fact] = value
            else:
                bodies[fact] = zlib.compress(body, 1)
