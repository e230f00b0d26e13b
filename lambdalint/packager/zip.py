"""A ZIP whose bytes follow from the plan alone.

Entries are sorted, carry one time and plain Unix modes, and nothing else: no extra fields, no data descriptors,
no comment, no ZIP64.

Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from lambdalint.errors import Refused
from lambdalint.packager.pack import Buffer
from lambdalint.packager.plan import PlannedEntry
from lambdalint.packager.times import EARLIEST_S, dos_time

_LOCAL: Final = struct.Struct("<IHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<IHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<IHHHHIIH")

_UNIX: Final = 3 << 8
_REGULAR_FILE: Final = 0o100000
_UTF8: Final = 0x800
_MAX_ENTRIES: Final = 0xFFFF - 1
_MAX_BYTES: Final = 0xFFFF_FFFF - 1
_MAX_NAME_BYTES: Final = 0xFFFF


def zip_chunks(entries: Iterable[PlannedEntry], modified_s: int = EARLIEST_S) -> Iterator[Buffer]:
    """The archive of *entries*, piece by piece, in the order of their paths; *modified_s* is the time of all.

    Raises:
        Refused: it would need structures that Lambda is not known to read.
    """
    ordered = sorted(entries, key=lambda entry: entry.path)
    if len(ordered) > _MAX_ENTRIES:
        raise Refused(f"the package has {len(ordered):,} files; a plain ZIP holds {_MAX_ENTRIES:,}")
    modified = dos_time(modified_s)
    directory: list[bytes] = []
    offset = 0
    for entry in ordered:
        name = _name(entry.path)
        local, central = _headers(entry, name, offset, modified)
        directory.append(central + name)
        yield local + name
        yield entry.member.packed
        offset += len(local) + len(name) + len(entry.member.packed)
        if offset > _MAX_BYTES:
            raise Refused("the package has more than 4 GB")
    whole = b"".join(directory)
    yield whole
    yield _END.pack(0x06054B50, 0, 0, len(ordered), len(ordered), len(whole), offset, 0)


def zip_bytes(entries: Iterable[PlannedEntry]) -> int:
    """The size of the archive of *entries*."""
    end = _END.size
    return end + sum(
        _LOCAL.size + _CENTRAL.size + 2 * len(_name(entry.path)) + len(entry.member.packed) for entry in entries
    )


def _headers(entry: PlannedEntry, name: bytes, offset: int, modified: tuple[int, int]) -> tuple[bytes, bytes]:
    member = entry.member
    version = 20 if member.deflated else 10
    common = (
        version,
        0 if name.isascii() else _UTF8,
        8 if member.deflated else 0,
        *modified,
        member.crc32,
        len(member.packed),
        member.size,
        len(name),
        0,
    )
    attributes = (_REGULAR_FILE | entry.mode) << 16
    return (
        _LOCAL.pack(0x04034B50, *common),
        _CENTRAL.pack(0x02014B50, _UNIX | version, *common, 0, 0, 0, attributes, offset),
    )


def _name(path: str) -> bytes:
    try:
        name = path.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"{path!r} is not a name in Unicode", hint="rename the file") from error
    if len(name) > _MAX_NAME_BYTES:
        raise Refused(f"{path[:100]}… is too long a path for a ZIP")
    return name
