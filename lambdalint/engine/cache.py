"""Results by the hash of what they were worked out from.

Entries are files of their own, written beside their place and moved there, so that runs may share a cache.  An entry
holds its own digest: one that is cut short or altered is as good as absent.  The cache belongs to the user, not to the
project: what a repository brings along is never unpickled.
"""

import hashlib
import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

_DIGEST_BYTES: Final = 32
_OWN: Final = ("lambdalint.", "lambdalint_rules.")
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
    """A folder of results; ``None`` for *folder* remembers nothing."""

    def __init__(self, folder: Path | None, packages: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._packages = packages

    def with_packages(self, packages: Iterable[str]) -> "Cache":
        """The same cache, which also makes values of these packages."""
        return Cache(self._folder, (*self._packages, *packages))

    @staticmethod
    def default_folder() -> Path:
        """``LAMBDALINT_CACHE_DIR``, else ``lambdalint`` in the user's cache folder."""
        if own := os.environ.get("LAMBDALINT_CACHE_DIR"):
            return Path(own)
        base = os.environ.get("XDG_CACHE_HOME")
        return (Path(base) if base else Path.home() / ".cache") / "lambdalint"

    def get(self, key: str) -> Any:
        """What was put under *key*; ``None`` when there is nothing, or nothing sound."""
        if self._folder is None:
            return None
        try:
            data = self._place(key).read_bytes()
        except OSError:
            return None
        digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(key.encode() + body).digest() != digest:
            return None
        try:
            return _Unpickler.loads(body, self._packages)
        except Exception:
            # An entry of another version may fail in any way that a constructor can; it is then made anew.
            return None

    def put(self, key: str, value: object) -> None:
        """Remember *value*; a folder that cannot be written to remembers nothing."""
        if self._folder is None:
            return
        import tempfile

        try:
            body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
            place = self._place(key)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
                file.write(hashlib.sha256(key.encode() + body).digest() + body)
            Path(file.name).replace(place)
        except (OSError, RecursionError, pickle.PicklingError, AttributeError, TypeError):
            return

    def _place(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / "results" / key[:2] / key[2:]


def digest(*parts: str | bytes) -> str:
    """A key made of *parts*; no two lists of parts give the same one."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.hexdigest()


class _Unpickler(pickle.Unpickler):
    """Makes only values of our own packages and of rule packs."""

    packages: tuple[str, ...] = ()

    @classmethod
    def loads(cls, data: bytes, packages: tuple[str, ...]) -> Any:
        import io

        unpickler = cls(io.BytesIO(data))
        unpickler.packages = packages
        return unpickler.load()

    def find_class(self, module: str, name: str) -> Any:
        ours = module.startswith(_OWN) or module.partition(".")[0] in self.packages
        if ours or (module, name) in _STANDARD:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a cache")
