"""Layers of an image: a compressed stream of records, passed over once, hashed and counted on the way."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, Final

from lambdalint.aws.limits import limit
from lambdalint.model.artifact import RecordKind
from lambdalint.model.image import ImageEntry, ImageLayer
from lambdalint.readers.image.tar import Damaged, Tar, TarRecord

#: A layer that unpacks to more is not read to its end: the image is too large long before.
MAX_UNPACKED_BYTES: Final = 2 * limit("image", "unpacked", "max_bytes")
MAX_ENTRIES: Final = 1_000_000
#: Files whose content a rule may want are text or small programs.
MAX_CONTENT_BYTES: Final = 16 * 1024 * 1024

_CHUNK: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes by their digest, opened anew by each reader."""

    size: int
    open: Callable[[], BinaryIO]


def read_layer(layer: ImageLayer, blob: Blob) -> ImageLayer:
    """*layer* with its records, its size and its hash; what keeps it from being read is among its damages."""
    with blob.open() as file:
        stream = _Unpacked(file)
        entries: list[ImageEntry] = []
        damages = list(layer.damages)
        try:
            for record in Tar(stream).records():
                entries.append(_entry(record))
                if len(entries) > MAX_ENTRIES:
                    raise Damaged(f"the layer has more than {MAX_ENTRIES:,} records")
            stream.finish()
        except Damaged as damage:
            damages.append(str(damage))
            return replace(
                layer,
                entries=tuple(entries),
                packing=stream.packing,
                unpacked_bytes=stream.count or None,
                damages=tuple(damages),
            )
    if stream.packed_sha256 != layer.digest.removeprefix("sha256:"):
        damages.append(f"the blob {layer.digest[:19]} has another hash, {stream.packed_sha256[:12]}")
    return replace(
        layer,
        entries=tuple(entries),
        packing=stream.packing,
        unpacked_bytes=stream.count,
        measured_diff_id=f"sha256:{stream.sha256}",
        contents=partial(_contents, blob),
        files=partial(_files, blob),
        damages=tuple(damages),
    )


def compression(head: bytes) -> str | None:
    """How data that begin with *head* are compressed: ``gzip``, ``zstd``, or ``None``."""
    if head.startswith(_GZIP):
        return "gzip"
    return "zstd" if head.startswith(_ZSTANDARD) else None


def _contents(blob: Blob, paths: Iterable[str]) -> Mapping[str, bytes]:
    wanted = set(paths)
    found: dict[str, bytes] = {}
    with blob.open() as file:
        tar = Tar(_Unpacked(file))
        try:
            for record in tar.records():
                path = _inner_path(record.name)
                if path in wanted and record.kind is RecordKind.FILE and not record.is_hard_link:
                    data = tar.content(MAX_CONTENT_BYTES)
                    if data is not None:
                        found[path] = data
        except Damaged:
            return found  # what reading all of it has said already
    return found


def _files(blob: Blob) -> Iterator[tuple[int, Iterator[bytes]]]:
    with blob.open() as file:
        tar = Tar(_Unpacked(file))
        for number, record in enumerate(tar.records()):
            if record.kind is RecordKind.FILE and not record.is_hard_link:
                yield number, tar.pieces()


def _entry(record: TarRecord) -> ImageEntry:
    path = _inner_path(record.name)
    folder, _, name = path.rpartition("/")
    is_opaque = name == _OPAQUE
    is_whiteout = name.startswith(_WHITEOUT) and not is_opaque
    if is_opaque:
        path = folder
    elif is_whiteout:
        path = f"{folder}/{name[len(_WHITEOUT) :]}".lstrip("/")
    return ImageEntry(
        path=path,
        name=record.name,
        kind=record.kind,
        size=record.size if record.kind is RecordKind.FILE and not record.is_hard_link else 0,
        mode=record.mode,
        uid=record.uid,
        gid=record.gid,
        modified=record.modified,
        target=_inner_path(record.target) if record.is_hard_link and record.target else record.target,
        is_hard_link=record.is_hard_link,
        is_whiteout=is_whiteout,
        is_opaque=is_opaque,
    )


def _inner_path(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


class _Unpacked:
    """An uncompressed stream out of a compressed one, with the hashes of both."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = hashlib.sha256()
        self._unpacked = hashlib.sha256()
        self._buffer = bytearray()
        self._ended = False
        self.count = 0
        head = self._raw()
        self.packing = compression(head) or ""
        self._inflate = zlib.decompressobj(31) if self.packing == "gzip" else None
        self._unreadable = "it is compressed with zstd, which is not read" if self.packing == "zstd" else None
        self._pending = head

    @property
    def sha256(self) -> str:
        return self._unpacked.hexdigest()

    @property
    def packed_sha256(self) -> str:
        return self._packed.hexdigest()

    def read(self, count: int, /) -> bytes:
        while len(self._buffer) < count and not self._ended:
            self._fill()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def skip(self, count: int, /) -> None:
        while count > 0:
            if not self._buffer:
                if self._ended:
                    return
                self._fill()
            step = min(count, len(self._buffer))
            del self._buffer[:step]
            count -= step

    def finish(self) -> None:
        """Pass over the rest, so that the hashes are those of all."""
        while not self._ended:
            self._buffer.clear()
            self._fill()

    def _raw(self) -> bytes:
        try:
            data = self._file.read(_CHUNK)
        except OSError as error:
            raise Damaged(f"it cannot be read: {error.strerror or error}") from error
        self._packed.update(data)
        return data

    def _fill(self) -> None:
        if self._unreadable:
            raise Damaged(self._unreadable)
        packed = self._pending or self._raw()
        self._pending = b""
        if self._inflate is None:
            data = packed
            self._ended = not packed
        else:
            data = self._inflated(packed)
        self.count += len(data)
        if self.count > MAX_UNPACKED_BYTES:
            raise Damaged(f"it unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
        self._unpacked.update(data)
        self._buffer += data

    def _inflated(self, packed: bytes) -> bytes:
        assert self._inflate is not None
        try:
            data = self._inflate.decompress(packed, _CHUNK * 4)
        except zlib.error as error:
            raise Damaged("its compressed data are damaged") from error
        self._pending = self._inflate.unconsumed_tail
        if self._inflate.eof:
            # Several compressed parts after each other are one stream, as for gzip itself.
            rest = self._inflate.unused_data or self._raw()
            if rest.startswith(_GZIP):
                self._inflate = zlib.decompressobj(31)
                self._pending = rest
            else:
                while self._raw():
                    pass
                self._ended = True
        elif not packed and not data:
            raise Damaged("it ends within its compressed data")
        return data
