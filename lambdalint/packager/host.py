"""What the packager asks of the machine it runs on, asked once and passed in."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

_DIGEST_BYTES: Final = 32


class Progress(Protocol):
    """Hears what is going on; *done* of *total* steps of *stage* for *name*.  May be called from several threads."""

    def __call__(self, stage: str, name: str, done: int, total: int) -> None: ...


def silent(stage: str, name: str, done: int, total: int) -> None:
    """Progress for nobody."""


@dataclass(frozen=True, slots=True)
class Host:
    """The environment, the folder of cached work (``None`` keeps nothing) and how many things to do at once."""

    environment: Mapping[str, str] = field(repr=False)
    cache: "Store"
    jobs: int

    @staticmethod
    def here(*, cached: bool = True, jobs: int | None = None) -> "Host":
        """The machine at hand: ``LAMBDALINT_CACHE_DIR``, else ``lambdalint`` in the user's cache folder."""
        environment = dict(os.environ)
        base = environment.get("XDG_CACHE_HOME")
        folder = Path(base) if base else Path.home() / ".cache"
        own = environment.get("LAMBDALINT_CACHE_DIR")
        return Host(
            environment=environment,
            cache=Store((Path(own) if own else folder / "lambdalint") if cached else None),
            jobs=jobs or min(8, os.cpu_count() or 1),
        )


class Store:
    """Files by key, below one folder.  Runs may share it: a file is written beside its place and moved there.

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
