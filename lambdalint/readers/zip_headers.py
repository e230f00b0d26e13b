"""What a ZIP says about its entries twice, in its directory and beside each entry, compared."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import BinaryIO, Final

from lambdalint.model.artifact import Damage
from lambdalint.readers.zip_directory import (
    DEFLATE64,
    DEFLATED,
    ENCRYPTED,
    STORED,
    WIDE,
    Complaints,
    End,
    Header,
    bytes_at,
    end_of,
    headers_of,
    method_name,
    shown,
    widened,
)

DEFLATE64_EXTRA: Final = "pip install 'lambdalint[deflate64]' looks into it as it is"
_PACK_AGAIN: Final = "pack it again: lambdalint package, zip -r, or 7z a -tzip -mm=Deflate"
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
#: A bit of an entry's flags: its checksum and sizes stand behind it.
_SIZES_BEHIND: Final = 0x08
#: Deflate makes at most 258 bytes of two bits.  Source: https://zlib.net/zlib_tech.html
_MAX_EXPANSION: Final = 1_032


@dataclass(slots=True)
class Directory:
    """The headers of an archive in the order of its directory, and what is wrong with them.

    *overlapping* are the places of entries that share bytes with others.
    """

    headers: list[Header] = field(default_factory=list)
    zip64: bool = False
    damages: tuple[Damage, ...] = ()
    overlapping: frozenset[int] = frozenset()


def read_directory(file: BinaryIO) -> Directory:
    """The directory of the archive in *file*, compared with what stands before and behind each entry.

    Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3
    """
    size = file.seek(0, 2)
    complaints = Complaints()
    found = Directory()
    end = end_of(file, size, complaints)
    if end is not None:
        found.zip64 = end.zip64
        found.headers = headers_of(file, end, complaints)
        found.overlapping = _compared(file, size, end, found.headers, complaints)
    found.damages = complaints.damages()
    return found


def _reads_deflate64() -> bool:
    """Whether the extra that unpacks Deflate64 is installed."""
    return find_spec("inflate64") is not None


def _compared(file: BinaryIO, size: int, end: End, headers: Iterable[Header], complaints: Complaints) -> frozenset[int]:
    """Complain of what the entries themselves say otherwise; the answer is where overlapping ones begin."""
    overlapping: set[int] = set()
    reached, last = 0, None
    ordered = sorted(headers, key=lambda header: header.offset)
    if ordered and ordered[0].offset > 0 and not end.shift:
        complaints.archive(f"{ordered[0].offset:,} bytes stand before the first entry", sure=False)
    for header in ordered:
        _judge(header, complaints)
        data_at = _local(file, header, complaints)
        if data_at is None:
            continue
        behind = data_at + header.packed_bytes
        if header.offset < reached and last is not None:
            complaints.entry(header, "overlap", f"lies over {shown(last.name)}: both have the same bytes")
            overlapping |= {header.offset, last.offset}
        elif behind > end.start:
            where = "the file" if behind > size else "the entries"
            complaints.entry(header, "end", f"ends behind the end of {where}: the archive is cut short or damaged")
        elif header.flags & _SIZES_BEHIND:
            _descriptor(file, header, behind, complaints)
        if behind > reached:
            reached, last = behind, header
    return frozenset(overlapping)


def _judge(header: Header, complaints: Complaints) -> None:
    """Complain of what the directory itself says of an entry."""
    if header.is_encrypted:
        complaints.entry(header, "encrypted", "is encrypted", _PACK_AGAIN)
    elif header.method not in (STORED, DEFLATED):
        complaints.entry(
            header,
            f"method {header.method}",
            f"is packed with {method_name(header.method)}; Lambda reads stored and deflated entries",
            _PACK_AGAIN if header.method != DEFLATE64 or _reads_deflate64() else f"{_PACK_AGAIN}; {DEFLATE64_EXTRA}",
        )
    elif header.method == STORED and header.size != header.packed_bytes:
        text = f"is stored in {header.packed_bytes:,} bytes and unpacks to {header.size:,}, which cannot be"
        complaints.entry(header, "impossible size", text)
    elif header.size > _MAX_EXPANSION * (header.packed_bytes + 2):
        text = f"is said to unpack from {header.packed_bytes:,} bytes to {header.size:,}, which cannot be"
        complaints.entry(header, "impossible size", text)


def _local(file: BinaryIO, header: Header, complaints: Complaints) -> int | None:
    """Where the content begins, after a look at what stands before it; ``None`` when it is not there."""
    start = bytes_at(file, header.offset, _LOCAL.size + len(header.raw_name) + 32)
    if len(start) < _LOCAL.size or not start.startswith(b"PK\x03\x04"):
        complaints.entry(header, "missing", "is not where the archive says it is")
        return None
    _, _, flags, method, _, _, crc32, packed, size, name_bytes, extra_bytes = _LOCAL.unpack_from(start)
    data_at = header.offset + _LOCAL.size + name_bytes + extra_bytes
    name = start[_LOCAL.size : _LOCAL.size + name_bytes]
    if name != header.raw_name:
        text = f"is called {shown(name.decode('utf-8', 'surrogateescape'))} where its content stands"
        complaints.entry(header, "name", text)
    if method != header.method:
        text = f"is {_packed_by(header.method)} by the directory and {_packed_by(method)} by its own header"
        complaints.entry(header, "method", text)
    if (flags ^ header.flags) & ENCRYPTED:
        complaints.entry(header, "encryption", "is encrypted by one of its two headers only")
    if packed == WIDE or size == WIDE:
        extra = bytes_at(file, data_at - extra_bytes, extra_bytes)
        size, packed = widened(extra, (size, packed)) or (size, packed)
    stated = (header.crc32, header.packed_bytes, header.size)
    if (crc32, packed, size) != stated and not (flags & _SIZES_BEHIND and _is_blank((crc32, packed, size), stated)):
        complaints.entry(header, "header", _difference((crc32, packed, size), stated, "its own header"))
    return int(data_at)


def _is_blank(said: tuple[int, int, int], stated: tuple[int, int, int]) -> bool:
    """Whether a header leaves to the record behind the entry what it does not say rightly."""
    return all(one in (0, other, WIDE) for one, other in zip(said, stated, strict=True))


def _descriptor(file: BinaryIO, header: Header, at: int, complaints: Complaints) -> None:
    """Complain of a record behind the entry that agrees in none of the four forms it may have."""
    record = bytes_at(file, at, 24)
    stated = (header.crc32, header.packed_bytes, header.size)
    start = 4 if record.startswith(b"PK\x07\x08") else 0
    said = [
        struct.unpack_from(form, record, offset)
        for offset in {start, 0}
        for form in ("<III", "<IQQ")
        if offset + struct.calcsize(form) <= len(record)
    ]
    if stated not in said:
        first = said[0] if said else (0, 0, 0)
        complaints.entry(header, "descriptor", _difference(first, stated, "the record behind it"))


def _difference(said: tuple[int, ...], stated: tuple[int, ...], who: str) -> str:
    if said[2] != stated[2]:
        return f"unpacks to {stated[2]:,} bytes by the directory and to {said[2]:,} by {who}"
    if said[1] != stated[1]:
        return f"has {stated[1]:,} packed bytes by the directory and {said[1]:,} by {who}"
    return f"has the checksum {stated[0]:08x} by the directory and {said[0]:08x} by {who}"


def _packed_by(method: int) -> str:
    return {STORED: "stored", DEFLATED: "deflated"}.get(method, f"packed with {method_name(method)}")
