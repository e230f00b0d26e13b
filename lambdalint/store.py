"""Files by key, below one folder of the user's: what was worked out once and is the same for the same input.

Runs may share it: a file is written beside its place and moved there.  What is kept holds its own digest; a file that
is cut short or altered is as good as absent.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

_DIGEST_BYTES: Final = 32


def cache_folder() -> Path | None:
    """``LAMBDALINT_CACHE_DIR``, else ``lambdalint`` in the user's cache folder; ``None`` for a user without a home.

    It is never a folder of the project: what a repository brings along is not trusted.
    """
    if own := os.environ.get("LAMBDALINT_CACHE_DIR"):
        return Path(own)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base, "lambdalint")
    own_folder = home()
    return None if own_folder is None else own_folder / ".cache" / "lambdalint"


def home() -> Path | None:
    """The user's own folder; ``None`` for a user without one, as in some containers."""
    try:
        return Path.home()
    except RuntimeError:
        return None


class Store:
    """Files below *folder*, by their kind and key; ``None`` keeps nothing.

    What cannot be written is not kept; that is never an error.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, kind: str, key: str) -> Path | None:
        """Where the file of *key* is or would be."""
        return None if self.folder is None else self.folder / kind / key[:2] / key

    def put_whole(self, kind: str, key: str, data: bytes | memoryview) -> Path | None:
        """Keep *data* as it is; ``None`` when it could not be kept."""
        place = self.path(kind, key)
        return place if place is not None and write_atomically(place, data) else None

    def get(self, kind: str, key: str) -> bytes | None:
        """What :meth:`put` kept; ``None`` when there is nothing, or it is not what was kept."""
        place = self.path(kind, key)
        if place is None:
            return None
        try:
            data = place.read_bytes()
        except OSError:
            return None
        digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        return body if hashlib.sha256(key.encode() + body).digest() == digest else None

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Keep *data* together with its digest."""
        self.put_whole(kind, key, hashlib.sha256(key.encode() + data).digest() + data)


def write_atomically(place: Path, data: bytes | memoryview) -> bool:
    """Write a file that others see whole or not at all; whether that worked."""
    import tempfile

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".tmp-")
    except OSError:
        return False
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.replace(place)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        return False
    return True
