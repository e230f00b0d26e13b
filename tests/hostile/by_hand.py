"""ZIPs written byte by byte, which may lie about everything."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_APP: Final = b"def handler(event, context):\n    return event\n"


@dataclass(frozen=True)
class Item:
    """One entry; *local* holds what its own header says otherwise than the directory, *stream* its packed bytes."""

    name: str | bytes
    content: bytes = b""
    mode: int = 0o100644
    method: int = 0
    flags: int = 0
    system: int = 3
    crc: int | None = None
    size: int | None = None
    packed: int | None = None
    date: int = 33
    disk: int = 0
    extra: bytes = b""
    descriptor: bytes = b""
    offset: int | None = None
    stream: bytes | None = None
    local: dict[str, Any] = field(default_factory=dict)

    @property
    def raw_name(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()

    @property
    def data(self) -> bytes:
        if self.stream is not None:
            return self.stream
        return deflated(self.content) if self.method == 8 else self.content

    def header(self, said: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """The fields that both headers have, and the name; *said* is what one of them says otherwise."""
        name = said.get("name", self.raw_name)
        ascii_flag = 0 if isinstance(self.name, bytes) or self.name.isascii() else 0x800
        fields = struct.pack(
            "<HHHHHIIIHH",
            20,
            said.get("flags", self.flags | ascii_flag),
            said.get("method", self.method),
            0,
            self.date,
            said.get("crc", zlib.crc32(self.content) if self.crc is None else self.crc),
            said.get("packed", len(self.data) if self.packed is None else self.packed),
            said.get("size", len(self.content) if self.size is None else self.size),
            len(name),
            len(said.get("extra", self.extra)),
        )
        return fields, name


def deflated(content: bytes) -> bytes:
    """*content* as a raw stream of Deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def packed(
    items: Sequence[Item],
    *,
    prefix: bytes = b"",
    counted: bool = True,
    comment: bytes = b"",
    zip64: bytes | None = None,
    **end: int,
) -> bytes:
    """A ZIP of *items*.

    *prefix* stands before them, and is *counted* by the offsets or not; *zip64* are the records before the end record.
    *end* are fields of the end record that say something else: ``disk``, ``first_disk``, ``here``, ``count``,
    ``bytes``, ``start``.
    """
    base = len(prefix) if counted else 0
    body, directory = bytearray(), bytearray()
    for item in items:
        offset = base + len(body) if item.offset is None else item.offset
        common, name = item.header(item.local)
        body += b"PK\x03\x04" + common + name + item.local.get("extra", item.extra) + item.data + item.descriptor
        common, name = item.header({})
        attributes = item.mode << 16 if item.system == 3 else item.mode
        directory += b"PK\x01\x02" + bytes((20, item.system)) + common
        directory += struct.pack("<HHHII", 0, item.disk, 0, attributes, offset) + name + item.extra
    count = end.get("count", len(items))
    record = struct.pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        end.get("disk", 0),
        end.get("first_disk", 0),
        end.get("here", count),
        count,
        end.get("bytes", len(directory)),
        end.get("start", base + len(body)),
        len(comment),
    )
    return prefix + bytes(body + directory) + (zip64 or b"") + record + comment


def wide(count: int, size: int, start: int, at: int, *, disks: int = 1) -> bytes:
    """The two records of a ZIP64 archive that stand before its end record; they begin *at* this offset."""
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    return record + struct.pack("<4sIQI", b"PK\x06\x07", 0, at, disks)


def zip64_extra(*numbers: int) -> bytes:
    """The extra field that holds what is too wide for a header."""
    return struct.pack("<HH", 1, 8 * len(numbers)) + b"".join(struct.pack("<Q", number) for number in numbers)


def healthy(_: Path) -> bytes:
    """A package with which all is well."""
    return packed([Item("app.py", _APP, method=8), Item("lib/", mode=0o040755), Item("lib/rates.csv", b"eur,1\n")])
