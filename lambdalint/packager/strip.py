"""Native files without what only a debugger reads: symbol tables, debug information, the compiler's remarks.

Nothing that a loader maps is moved or changed, since tools that move it break libraries whose segments were laid out
anew before, as ``auditwheel`` does. What is cut off are the sections outside of every segment, and where one lies
between segments, it becomes zeroes, which cost nothing once they are compressed.

Source: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.sheader.html
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_IDENT: Final = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian: what Lambda runs
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_EXECUTABLE, _SHARED = 2, 3
_NULL, _NO_BITS, _STRINGS = 0, 8, 3
_ALLOCATED: Final = 2
_LOADED: Final = 1
_NAMES: Final = ".shstrtab"
_ALIGNMENT: Final = 8
#: ``patchelf`` leaves some zeroes at the end.
_MAX_REST: Final = 64

#: More of either than any real file has.
_MAX_SEGMENTS: Final = 256
_MAX_SECTIONS: Final = 4_096

#: Winning less is not worth a file that differs from the one that was published.
MIN_GAIN_BYTES: Final = 4_096
#: Changes with what is cut, so that packs made by other rules are not taken for ours.
RULES: Final = "2"


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_bytes: int

    @property
    def file_bytes(self) -> int:
        return 0 if self.kind in (_NULL, _NO_BITS) else self.size

    @property
    def end(self) -> int:
        return self.offset + self.file_bytes


def stripped(data: bytes) -> bytes | None:
    """*data* without what no loader reads; ``None`` when that wins little, or the file is laid out in an unknown way.

    Files that are no 64-bit little-endian ELF programs or libraries, that contradict themselves, or that carry
    something behind their last section are left as they are.
    """
    try:
        shorter = _stripped(data)
    except (struct.error, ValueError):
        return None
    if shorter is None or not _loads_alike(data, shorter):
        return None
    won = len(data) - len(shorter) + shorter.count(0) - data.count(0)
    return shorter if won >= MIN_GAIN_BYTES else None


def _stripped(data: bytes) -> bytes | None:
    if not data.startswith(_IDENT):
        return None
    header = _HEADER.unpack_from(data)
    kind, sections_at, section_bytes, section_count = header[1], header[6], header[11], header[12]
    if kind not in (_EXECUTABLE, _SHARED) or section_bytes != _SECTION.size or not 0 < section_count <= _MAX_SECTIONS:
        return None
    sections = _sections(data, sections_at, section_count, header[13])
    kept_ranges = [(0, _HEADER.size), *_segments(data)]
    kept_ranges += [(each.offset, each.end) for each in sections if each.flags & _ALLOCATED and each.file_bytes]
    table_end = sections_at + section_count * _SECTION.size
    known_end = max(table_end, *(end for _, end in kept_ranges), *(each.end for each in sections))
    if known_end > len(data) or len(data) - known_end >= _MAX_REST or any(data[known_end:]):
        return None  # cut short, or with an archive or a signature behind it
    last = max(number for number, each in enumerate(sections) if number == 0 or each.flags & _ALLOCATED)
    kept = [
        each if each.flags & _ALLOCATED or number == 0 else _Section("", _NULL, 0, 0, 0, 0, 0, 0, 0, 0)
        for number, each in enumerate(sections[: last + 1])
    ]
    end = max(stop for _, stop in kept_ranges)
    body = bytearray(data[:end])
    for start, stop in _gaps(kept_ranges, end):
        body[start:stop] = bytes(stop - start)
    return _with_table(body, kept, header)


def _sections(data: bytes, start: int, count: int, names_at: int) -> list[_Section]:
    rows = [_SECTION.unpack_from(data, start + number * _SECTION.size) for number in range(count)]
    if names_at >= count:
        raise ValueError("the names of sections are in no section")
    names = data[rows[names_at][4] : rows[names_at][4] + rows[names_at][5]]
    found = [_Section(_text(names, row[0]), *row[1:]) for row in rows]
    if any(each.end > len(data) for each in found):
        raise ValueError("a section lies outside the file")
    return found


def _text(names: bytes, at: int) -> str:
    return names[at : names.find(b"\0", at)].decode("latin-1")


def _segments(data: bytes) -> list[tuple[int, int]]:
    """The parts of the file that segments, and the table of them, take."""
    header = _HEADER.unpack_from(data)
    start, size, count = header[5], header[9], header[10]
    if size != _SEGMENT.size or not 0 < count <= _MAX_SEGMENTS:
        raise ValueError("the table of segments makes no sense")
    rows = [_SEGMENT.unpack_from(data, start + number * size) for number in range(count)]
    return [(start, start + count * size), *((row[2], row[2] + row[5]) for row in rows if row[5])]


def _gaps(ranges: Iterable[tuple[int, int]], end: int) -> list[tuple[int, int]]:
    """What *ranges* leave free before *end*."""
    found, at = [], 0
    for start, stop in sorted(ranges):
        if start > at:
            found.append((at, min(start, end)))
        at = max(at, stop)
    return found


def _with_table(body: bytearray, kept: list[_Section], header: tuple[bytes | int, ...]) -> bytes:
    """*body* with a table of the sections that are left; their numbers stay, since symbols refer to them."""
    names, offsets = _names([each.name for each in kept] + [_NAMES])
    names_at = len(body)
    body += names
    body += bytes(-len(body) % _ALIGNMENT)
    table_at = len(body)
    for each, name in zip(kept, offsets, strict=False):
        link, info = (number if number < len(kept) else 0 for number in (each.link, each.info))
        row = (name, each.kind, each.flags, each.address, each.offset, each.size, link, info)
        body += _SECTION.pack(*row, each.alignment, each.entry_bytes)
    body += _SECTION.pack(offsets[-1], _STRINGS, 0, 0, names_at, len(names), 0, 0, 1, 0)
    new = list(header)
    new[6], new[12], new[13] = table_at, len(kept) + 1, len(kept)
    _HEADER.pack_into(body, 0, *new)
    return bytes(body)


def _names(names: Iterable[str]) -> tuple[bytes, list[int]]:
    """A table of strings, and where each of *names* begins in it."""
    table = bytearray(b"\0")
    offsets = []
    for name in names:
        offsets.append(len(table) if name else 0)
        table += name.encode("latin-1") + b"\0" if name else b""
    return bytes(table), offsets


def _loads_alike(before: bytes, after: bytes) -> bool:
    """Whether a loader maps the same bytes to the same addresses; the header's view of sections may differ."""
    tables = [_table(data) for data in (before, after)]
    if tables[0] != tables[1]:
        return False
    for kind, _, offset, _, _, size, _, _ in tables[0]:
        start = max(offset, _HEADER.size)
        if kind == _LOADED and before[start : offset + size] != after[start : offset + size]:
            return False
    return True


def _table(data: bytes) -> list[tuple[int, ...]]:
    header = _HEADER.unpack_from(data)
    return [_SEGMENT.unpack_from(data, header[5] + number * header[9]) for number in range(header[10])]
