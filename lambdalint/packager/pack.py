"""Files compressed once and kept: the members of a wheel, or a single large file of the project.

Compressed data depends on nothing but the content and the compressor's version, so what was compressed for one build
serves the next, and an edit of one line costs the compression of one file.
"""

import hashlib
import json
import mmap
import struct
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import deflate

from lambdalint.packager.host import Host

#: libdeflate's level: at 6 it beats zlib's 9 in size and is several times as fast.
LEVEL: Final = 6
COMPRESSOR: Final = f"libdeflate (deflate {deflate.__version__}), level {LEVEL}"

_MAGIC: Final = b"lambdalint pack 2\n"
_HEAD: Final = struct.Struct("<QI")
_MIN_GAIN: Final = 0.02

Buffer: TypeAlias = bytes | memoryview


@dataclass(frozen=True, slots=True)
class RawMember:
    """A file before it is compressed; *sha256* in hexadecimal digits, where somebody has worked it out."""

    path: str
    data: bytes
    executable: bool = False
    sha256: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A file with its compressed form; *deflated* is false where it is stored as it is."""

    path: str
    size: int
    sha256: str
    crc32: int
    executable: bool
    deflated: bool
    packed: Buffer

    def read(self) -> bytes:
        """The content."""
        return bytes(deflate.deflate_decompress(self.packed, self.size) if self.deflated else self.packed)

    def head(self, count: int) -> bytes:
        """The first *count* bytes, without unpacking the rest."""
        if not self.deflated:
            return bytes(self.packed[:count])
        import zlib

        return zlib.decompressobj(-15).decompress(self.packed, count)


@dataclass(frozen=True, slots=True)
class Loss:
    """A file that was left out, or one that was made shorter; how many bytes that won, and why it was done."""

    path: str
    won_bytes: int
    reason: str
    is_removed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """Members, with remarks of whoever made them, and what was taken from them."""

    members: tuple[Member, ...]
    remarks: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()


def compressed(raw: RawMember) -> Member:
    """*raw*, deflated unless that would win less than 2 %."""
    packed: Buffer = bytes(deflate.deflate_compress(raw.data, LEVEL)) if raw.data else b""
    deflated = len(packed) <= len(raw.data) * (1 - _MIN_GAIN) and bool(raw.data)
    return Member(
        path=raw.path,
        size=len(raw.data),
        sha256=raw.sha256 or hashlib.sha256(raw.data).hexdigest(),
        crc32=deflate.crc32(raw.data),
        executable=raw.executable,
        deflated=deflated,
        packed=packed if deflated else raw.data,
    )


def compressed_all(files: Iterable[RawMember], jobs: int) -> tuple[Member, ...]:
    """All *files* in their order, compressed by *jobs* threads; large ones are begun first."""
    listed = list(files)
    if jobs == 1 or len(listed) < 2:
        return tuple(compressed(raw) for raw in listed)
    order = sorted(range(len(listed)), key=lambda place: -len(listed[place].data))
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        members = dict(zip(order, pool.map(compressed, (listed[place] for place in order)), strict=True))
    return tuple(members[place] for place in range(len(listed)))


def lookup(host: Host, key: Sequence[str]) -> Pack | None:
    """The pack of *key* if the cache has it whole; its content stays on disk until it is used."""
    place = host.cache.path("packs", _hashed(key))
    return None if place is None else _open(place)


def keep(
    host: Host,
    key: Sequence[str],
    raws: Iterable[RawMember],
    remarks: Sequence[str] = (),
    losses: Sequence[Loss] = (),
) -> Pack:
    """Compress *raws* and keep the pack under *key*."""
    return keep_pack(host, key, Pack(compressed_all(raws, host.jobs), tuple(remarks), tuple(losses)))


def keep_pack(host: Host, key: Sequence[str], pack: Pack) -> Pack:
    """Keep *pack* under *key*."""
    host.cache.put_whole("packs", _hashed(key), b"".join(_serialized(pack)))
    return pack


def _hashed(key: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([*key, COMPRESSOR]).encode()).hexdigest()


def _serialized(pack: Pack) -> Iterator[Buffer]:
    rows = [
        (
            member.path,
            member.size,
            member.sha256,
            member.crc32,
            int(member.executable),
            int(member.deflated),
            len(member.packed),
            deflate.crc32(member.packed),
        )
        for member in pack.members
    ]
    losses = [(loss.path, loss.won_bytes, loss.reason, loss.is_removed) for loss in pack.losses]
    header = json.dumps({"members": rows, "remarks": pack.remarks, "losses": losses}).encode()
    yield _MAGIC
    yield _HEAD.pack(len(header), deflate.crc32(header))
    yield header
    for member in pack.members:
        yield member.packed


def _open(place: Path) -> Pack | None:
    """The pack in a file; ``None`` when there is none, or it is not as it was written."""
    try:
        with place.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None
    start = len(_MAGIC) + _HEAD.size
    if bytes(data[: len(_MAGIC)]) != _MAGIC or len(data) < start:
        return None
    length, crc = _HEAD.unpack(data[len(_MAGIC) : start])
    header = data[start : start + length]
    if len(header) != length or deflate.crc32(header) != crc:
        return None
    document = json.loads(bytes(header))
    members = []
    offset = start + length
    for row in document["members"]:
        member, checksum = _member(row, data[offset : offset + row[6]])
        if len(member.packed) != row[6] or deflate.crc32(member.packed) != checksum:
            return None
        members.append(member)
        offset += row[6]
    return Pack(tuple(members), tuple(document["remarks"]), tuple(Loss(*row) for row in document["losses"]))


def _member(row: list[Any], packed: memoryview) -> tuple[Member, int]:
    path, size, sha256, crc, executable, deflated, _, checksum = row
    return Member(path, size, sha256, crc, bool(executable), bool(deflated), packed), checksum
