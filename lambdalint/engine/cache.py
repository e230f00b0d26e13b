"""Results by the hash of what they were worked out from.

Only values of our own packages and of rule packs are ever made from what the store gives back.
"""

import hashlib
import io
import pickle
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from lambdalint.store import Store

_OWN: Final = ("lambdalint.", "lambdalint_rules.")
#: Functions that stand for what a remembered run has again from the run that recalls it.
_STAND_INS: Final = frozenset(
    (("lambdalint.engine.remembered", "_as_it_is"), ("lambdalint.engine.remembered", "_nothing"))
)
_STANDARD: Final = frozenset(
    (
        ("builtins", "bytearray"),
        ("builtins", "complex"),
        ("builtins", "frozenset"),
        ("builtins", "range"),
        ("builtins", "set"),
        ("collections", "OrderedDict"),
        ("collections", "defaultdict"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("builtins", "Ellipsis"),
    )
)


class Cache:
    """Values in a store; *packages* are those whose values it makes besides our own."""

    def __init__(self, folder: Path | None, packages: tuple[str, ...] = ()) -> None:
        self._store = Store(folder)
        self._packages = packages

    def with_packages(self, packages: Iterable[str]) -> "Cache":
        """The same cache, which also makes values of these packages."""
        return Cache(self._store.folder, (*self._packages, *packages))

    def get(self, key: str) -> Any:
        """What was put under *key*; ``None`` when there is nothing, or nothing sound."""
        body = self._store.get("results", key)
        if body is None:
            return None
        try:
            return _Unpickler.loads(body, self._packages)
        except Exception:
            # An entry of another version may fail in any way that a constructor can; it is then made anew.
            return None

    def put(self, key: str, value: object) -> None:
        """Remember *value*, if it can be."""
        if self._store.folder is None:
            return
        body = packed(value)
        if body is not None:
            self._store.put("results", key, body)


def digest(*parts: str | bytes) -> str:
    """A key made of *parts*; no two lists of parts give the same one."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.hexdigest()


def packed(value: object) -> bytes | None:
    """*value* pickled; ``None`` if it cannot be."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCERS
    try:
        pickler.dump(value)
    except (RecursionError, pickle.PicklingError, AttributeError, TypeError):
        return None
    return file.getvalue()


class _Reducers(dict[type, Callable[[Any], Any]]):
    """For each dataclass, what makes an equal value again: the class and its arguments.

    A module's facts are a thousand values; as the state that dataclasses give of themselves, one field after the other
    in Python, they would take three times as long, and again when they are read.
    """

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        if issubclass(kind, Enum):
            # By its value: the first releases of Python 3.11 would have it made by ``getattr``.
            self[kind] = _by_value
            return _by_value
        if not is_dataclass(kind) or not all(field.init and not field.kw_only for field in fields(kind)):
            raise KeyError(kind)  # left to pickle itself
        names = [field.name for field in fields(kind)]
        arguments: Callable[[Any], Any] = attrgetter(*names) if names else lambda value: ()

        def reduced(value: Any) -> tuple[type, tuple[Any, ...]]:
            found = arguments(value)
            return kind, found if len(names) != 1 else (found,)

        self[kind] = reduced
        return reduced


def _by_value(member: Enum) -> tuple[type[Enum], tuple[Any]]:
    return type(member), (member.value,)


_REDUCERS: Final = _Reducers()


class _Unpickler(pickle.Unpickler):
    """Makes only values of the classes of our own packages and of rule packs."""

    packages: tuple[str, ...] = ()

    @classmethod
    def loads(cls, data: bytes, packages: tuple[str, ...]) -> Any:
        unpickler = cls(io.BytesIO(data))
        unpickler.packages = packages
        return unpickler.load()

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _STANDARD:
            return super().find_class(module, name)
        if module.startswith(_OWN) or module.partition(".")[0] in self.packages:
            found = super().find_class(module, name)
            # Not what our modules import, and none of their functions: an entry could call those as it likes.
            own_class = isinstance(found, type) and (found.__module__, found.__qualname__) == (module, name)
            if own_class or (module, name) in _STAND_INS:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a cache")
