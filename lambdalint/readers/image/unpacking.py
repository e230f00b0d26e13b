"""Archives that are compressed as a whole, as by ``docker save | gzip``, unpacked as long as somebody reads them."""

import io
import tempfile
import zlib
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import IO, BinaryIO, Final

from lambdalint.errors import UnreadableInput
from lambdalint.readers.image.layers import MAX_UNPACKED_BYTES, compression

_CHUNK: Final = 1 << 20
#: Layers shrink to a third; what unpacks to so many times its size, and is not small, is meant to fill a disk.
_MOST_TIMES: Final = 100
_ALWAYS_BYTES: Final = 256 * 1024 * 1024


def unpacked(opened: Callable[[], BinaryIO], shown: str) -> Callable[[], BinaryIO]:
    """What opens the archive behind *opened* uncompressed; *opened* itself where it is so already.

    Raises:
        UnreadableInput: it is damaged, unpacks to far too much, or is compressed in a form that is not read.
    """
    with opened() as file:
        packing = compression(file.read(4))
    if packing is None:
        return opened
    if packing != "gzip":
        raise UnreadableInput(f"the archive is compressed with {packing}, which is not read", path=shown)
    # It has no name, so that nothing is left of it however this ends.
    whole = tempfile.TemporaryFile(prefix="lambdalint-")  # noqa: SIM115 - it goes with the last that reads it
    try:
        with opened() as file:
            _unpack(file, whole, shown)
        whole.flush()
    except OSError as error:
        raise UnreadableInput(f"the archive cannot be unpacked: {error.strerror}", path=shown) from error
    return partial(_view, whole, Lock())


def _view(whole: IO[bytes], lock: Lock) -> BinaryIO:
    return io.BufferedReader(_View(whole, lock))


class _View(io.RawIOBase):
    """One file as several, each of which has got to a place of its own."""

    def __init__(self, whole: IO[bytes], lock: Lock) -> None:
        self._whole = whole
        self._lock = lock
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with self._lock:
            start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
            self._at = self._whole.seek(offset, whence) if start is None else max(start + offset, 0)
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        with self._lock:
            self._whole.seek(self._at)
            data = self._whole.read(len(buffer))
        self._at += len(data)
        buffer[: len(data)] = data
        return len(data)


def _unpack(file: BinaryIO, out: IO[bytes], shown: str) -> None:
    inflate = zlib.decompressobj(31)
    taken = written = 0
    packed = b""
    while True:
        if not packed:
            packed = file.read(_CHUNK)
            taken += len(packed)
        if inflate.eof:
            # Several compressed parts after each other are one, as for gzip itself; zeros may pad the last one.
            packed = packed.lstrip(b"\0")
            inflate = zlib.decompressobj(31) if packed else inflate
        try:
            data = inflate.decompress(packed, _CHUNK)
        except zlib.error as error:
            raise UnreadableInput("the archive's compressed data are damaged", path=shown) from error
        if not packed and not data:
            break
        written += len(data)
        most = min(MAX_UNPACKED_BYTES, max(_ALWAYS_BYTES, _MOST_TIMES * taken))
        if written > most:
            raise UnreadableInput(f"the archive unpacks to more than {most:,} bytes", path=shown)
        out.write(data)
        packed = inflate.unconsumed_tail or inflate.unused_data
    if not inflate.eof:
        raise UnreadableInput("the archive ends within its compressed data", path=shown)
