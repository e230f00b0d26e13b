"""What the child writes: its output, the import times among it, and what it opens."""

import os
import selectors
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Final, Self

from lambdalint.model.boot import Phase
from lambdalint.packager.boot.import_times import ImportTimes

MAX_OUTPUT_BYTES: Final = 256 * 1024
_MAX_PATHS: Final = 20_000
_MAX_LINE: Final = 64 * 1024
_PIECE: Final = 64 * 1024


@dataclass(slots=True)
class Lines:
    """Splits a stream into lines, very long ones into pieces."""

    take: Callable[[bytes, bytes], None]
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self.take(line, b"\n")
        if len(self._rest) > _MAX_LINE:
            self.close()

    def close(self) -> None:
        """Take what stands after the last line end."""
        if self._rest:
            self.take(self._rest, b"")
        self._rest = b""


@dataclass(slots=True)
class Streams:
    """Reads three pipes in a thread of its own, however much comes, and keeps what is kept of it.

    *mark* is the line that says that the function's own code begins.  *told* are the paths by the letter of what
    happened to them.  *begun* is when the child's room was ready, by the monotonic clock.
    """

    mark: bytes
    times: ImportTimes = field(default_factory=ImportTimes)
    told: dict[str, list[str]] = field(default_factory=lambda: {"r": [], "w": [], "c": []})
    begun: float | None = None
    cut: bool = False
    _output: bytearray = field(default_factory=bytearray)
    _pipes: list[tuple[int, int]] = field(default_factory=list)
    _feeds: dict[int, Lines] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        for take in (self._print, self._error, self._tell):
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            self._pipes.append((reader, writer))
            self._feeds[reader] = Lines(take)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.close_ours()
        for reader, _writer in self._pipes:
            with suppress(OSError):
                os.close(reader)

    @property
    def writers(self) -> tuple[int, int, int]:
        """The child's ends: standard output, standard error, and what to tell on."""
        out, err, tell = (writer for _, writer in self._pipes)
        return out, err, tell

    def close_ours(self) -> None:
        """Close the child's ends here: it has its own."""
        for place, (reader, writer) in enumerate(self._pipes):
            if writer >= 0:
                os.close(writer)
                self._pipes[place] = (reader, -1)

    def settle(self, phase: Phase | None = None) -> None:
        """Read all that is written by now; what comes after belongs to *phase*."""
        with self._lock:
            for reader in self._feeds:
                while self._read(reader):
                    """There may be more."""
            if phase is not None:
                self.times.phase = phase

    def output(self) -> str:
        """What was printed so far."""
        with self._lock:
            for feed in self._feeds.values():
                feed.close()
            return self._output.decode(errors="replace")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for reader in self._feeds:
                selector.register(reader, selectors.EVENT_READ)
            while not self._stop.is_set() and selector.get_map():
                for key, _ in selector.select(0.05):
                    with self._lock:
                        if self._read(key.fd) is None:
                            selector.unregister(key.fd)

    def _read(self, reader: int) -> bool | None:
        """Whether something was read; ``None`` at the end."""
        try:
            data = os.read(reader, _PIECE)
        except BlockingIOError:
            return False
        self._feeds[reader].feed(data)
        return True if data else None

    def _print(self, line: bytes, end: bytes) -> None:
        room = MAX_OUTPUT_BYTES - len(self._output)
        self._output += (line + end)[:room]
        self.cut = self.cut or len(line) + len(end) > room

    def _error(self, line: bytes, end: bytes) -> None:
        if line == self.mark:
            self.times.phase = Phase.INIT
            return
        rest = self.times.take(line)
        if rest is not None:
            self._print(rest, end)

    def _tell(self, line: bytes, _: bytes) -> None:
        kind, path = line[:1].decode("ascii", "replace"), line[1:].decode("utf-8", "surrogateescape")
        if kind == "s":
            self.begun = self.begun or time.monotonic()
        elif kind in self.told and len(self.told[kind]) < _MAX_PATHS:
            self.told[kind].append(path)
