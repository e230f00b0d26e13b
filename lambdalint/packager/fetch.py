"""Wheels by their hash: from the cache, from disk, or over the network."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from threading import Lock, Semaphore, Thread
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lambdalint.errors import Refused
from lambdalint.packager.choice import Pin
from lambdalint.packager.host import Host, Progress
from lambdalint.packager.web import Web

#: Nothing larger can be of use: a function unpacks to 262,144,000 bytes at most.
_MAX_WHEEL_BYTES: Final = 1024 * 1024 * 1024
_CHUNK: Final = 1 << 20
_DOWNLOADS: Final = 8


class Fetcher:
    """Files of pins.  Each is fetched once, however many functions ask; *scratch* holds what is not to be kept.

    Its threads end with the program: what was begun and is not needed after all keeps nobody waiting.
    """

    def __init__(self, web: Web, host: Host, scratch: Path) -> None:
        self._web = web
        self._host = host
        self._scratch = scratch
        self._begun: dict[Pin, Future[tuple[Path, str]]] = {}
        self._lock = Lock()
        self._free = Semaphore(_DOWNLOADS)

    def begin(self, pin: Pin) -> Future[tuple[Path, str]]:
        """Fetch the file of *pin* while something else is done; the answer as :meth:`fetch` has it."""
        with self._lock:
            known = self._begun.get(pin)
            if known is not None:
                return known
            future = self._begun[pin] = Future()
        Thread(target=self._run, args=(pin, future), daemon=True).start()
        return future

    def _run(self, pin: Pin, future: Future[tuple[Path, str]]) -> None:
        with self._free:
            try:
                future.set_result(self._one(pin))
            except BaseException as error:
                future.set_exception(error)

    def fetch(self, pins: Iterable[Pin], progress: Progress) -> dict[Pin, tuple[Path, str]]:
        """Where the file of each pin lies now, and its SHA-256, which is the stated one where one is stated.

        Raises:
            Refused: one cannot be had, or is not what it should be.
        """
        wanted = sorted(set(pins), key=lambda pin: -(pin.size or 0))
        futures = {pin: self.begin(pin) for pin in wanted}
        found: dict[Pin, tuple[Path, str]] = {}
        for done, (pin, future) in enumerate(futures.items(), 1):
            found[pin] = future.result()
            progress("fetch", pin.origin, done, len(futures))
        return found

    def _one(self, pin: Pin) -> tuple[Path, str]:
        if pin.url.startswith("file:"):
            return self._on_disk(pin, Path(url2pathname(urlsplit(pin.url).path)))
        place = self._host.cache.path("wheels", pin.sha256) if pin.sha256 else None
        if place is not None and pin.sha256 is not None and place.is_file() and _digest(place) == pin.sha256:
            return place, pin.sha256
        return self._download(pin, place)

    def _on_disk(self, pin: Pin, path: Path) -> tuple[Path, str]:
        try:
            digest = _digest(path)
        except OSError as error:
            raise Refused(f"{pin.filename} cannot be read: {error.strerror}") from error
        self._verify(pin, digest)
        return path, digest

    def _download(self, pin: Pin, place: Path | None) -> tuple[Path, str]:
        folder = self._scratch if place is None else place.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix=".tmp-")
        except OSError:
            place, folder = None, self._scratch
            handle, name = tempfile.mkstemp(dir=folder)
        temporary, digest = Path(name), hashlib.sha256()
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in self._web.chunks(pin.url, max_bytes=_MAX_WHEEL_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
            self._verify(pin, digest.hexdigest())
            if place is None:
                return temporary, digest.hexdigest()
            temporary.replace(place)
        except BaseException as error:
            temporary.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise Refused(
                    f"{pin.filename} cannot be written: {error.strerror}", hint="is the disk full?"
                ) from error
            raise
        return place, digest.hexdigest()

    def _verify(self, pin: Pin, digest: str) -> None:
        if pin.sha256 is not None and digest != pin.sha256:
            raise Refused(
                f"{pin.filename} is not the file that was asked for: its sha256 is {digest}, not {pin.sha256}",
                hint="if the file was replaced on purpose, make the lock or the hashes anew",
            )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
