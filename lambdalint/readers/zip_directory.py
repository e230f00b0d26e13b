"""The directory of a ZIP: where it is, and what it says about each entry."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

from lambdalint.model.artifact import Damage

#: More records than this are not listed; Lambda's 250 MB would be files of 2 KB.
MAX_RECORDS: Final = 100_000
#: Room for ``MAX_RECORDS`` with names and extra fields of usual length.
MAX_DIRECTORY_BYTES: Final = 32 * 1024 * 1024

MAKE_AGAIN: Final = "make the archive again"

STORED: Final = 0
DEFLATED: Final = 8
DEFLATE64: Final = 9
_METHODS: Final = {
    1: "Shrink",
    6: "Implode",
    DEFLATE64: "Deflate64 (Windows Explorer makes such archives)",
    12: "bzip2",
    14: "LZMA",
    20: "Zstandard",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
    99: "AES encryption",
}

_END: Final = struct.Struct("<4sHHHHIIH")
_LOCATOR: Final = struct.Struct("<4sIQI")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_CENTRAL: Final = struct.Struct("<4sBBHHHHHIIIHHHHHII")
_MAX_COMMENT: Final = 0xFFFF
WIDE: Final = 0xFFFFFFFF
_ZIP64_FIELD: Final = 1
#: Bits of an entry's flags: its content is encrypted, in one of three ways; its name is UTF-8.
ENCRYPTED: Final = 0x01
_STRONGLY_ENCRYPTED: Final = 0x40
_MASKED: Final = 0x2000
UTF_8: Final = 0x800
#: The newest version of the format, times ten; what asks for more is not read by anybody.
_NEWEST: Final = 63
_UNIX: Final = (3, 19)

#: How other files begin that are taken for an archive.
_STARTS: Final = (
    (b"\x1f\x8b", "a gzip file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"version https://git-lfs", "a pointer of Git LFS: the archive itself was not fetched"),
    (b"<", "a page of HTML or XML, perhaps of a failed download"),
)


class Header(NamedTuple):
    """One entry as the directory states it; *offset* is where its local header stands in the file."""

    raw_name: bytes
    is_unix: bool
    flags: int
    method: int
    time: int
    date: int
    crc32: int
    packed_bytes: int
    size: int
    attributes: int
    offset: int

    @property
    def name(self) -> str:
        """As written; bytes that are no UTF-8 are surrogates."""
        return self.raw_name.decode("utf-8", "surrogateescape")

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody reads it without a password."""
        return bool(self.flags & (ENCRYPTED | _STRONGLY_ENCRYPTED | _MASKED))


class End(NamedTuple):
    """What the records at the end say, with what was added to the front of the file since."""

    start: int
    size: int
    listed: int
    shift: int
    zip64: bool


@dataclass(slots=True)
class Complaints:
    """What is wrong; the same about several entries is said once."""

    about_archive: list[Damage] = field(default_factory=list)
    about_entries: dict[str, tuple[Header, str, str, list[int]]] = field(default_factory=dict)

    def archive(self, message: str, hint: str | None = MAKE_AGAIN, *, sure: bool = True) -> None:
        self.about_archive.append(Damage(message, hint=hint, sure=sure))

    def entry(self, header: Header, kind: str, text: str, hint: str = MAKE_AGAIN) -> None:
        """*kind* is what entries have in common of which the same is said."""
        self.about_entries.setdefault(kind, (header, text, hint, []))[3].append(header.offset)

    def damages(self) -> tuple[Damage, ...]:
        return (*self.about_archive, *self._of_entries())

    def _of_entries(self) -> Iterator[Damage]:
        for header, text, hint, offsets in self.about_entries.values():
            name = shown(header.name)
            more = f" (like {len(offsets) - 1:,} more)" if len(offsets) > 1 else ""
            yield Damage(f"{name} {text}{more}", header.name, hint)


def shown(name: str) -> str:
    """*name* as a message can hold it: what is no visible character is escaped, a long one is cut."""
    if len(name) > 120:
        name = f"{name[:100]}…"
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)


def method_name(method: int) -> str:
    """A way of packing in words."""
    return _METHODS.get(method, f"method {method}")


def bytes_at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def end_of(file: BinaryIO, size: int, complaints: Complaints) -> End | None:
    """The end of the directory; ``None`` with a complaint where there is none, or it cannot be used."""
    tail_at = max(0, size - _END.size - _MAX_COMMENT)
    tail = bytes_at(file, tail_at, size - tail_at)
    records = list(_end_records(tail))
    exact = [each for each in records if each[0] + _END.size + each[1][-1] == len(tail)]
    if not records:
        complaints.archive(_reason(bytes_at(file, 0, 512), size))
        return None
    if len(exact) > 1:
        complaints.archive(f"the archive has {len(exact)} directories; which one counts depends on the reader")
    at, (_, disk, first_disk, _, count, directory_bytes, start, _) = (exact or records)[0]
    end_at = tail_at + at
    zip64 = False
    if end_at >= _LOCATOR.size:
        signature, locator_disk, wide_at, disks = _LOCATOR.unpack(bytes_at(file, end_at - _LOCATOR.size, _LOCATOR.size))
        if signature == b"PK\x06\x07":
            wide = _end_64(file, wide_at, end_at - _LOCATOR.size)
            if wide is None:
                complaints.archive("the archive says that it is a ZIP64 one, and has no ZIP64 directory")
                return None
            zip64 = True
            end_at, (_, _, _, _, disk, first_disk, _, count, directory_bytes, start) = wide
            disk = max(disk, locator_disk, disks - 1)
    if disk or first_disk:
        complaints.archive("the archive is one part of several", "pack it again as one file")
        return None
    return _placed(file, end_at, start, directory_bytes, count, zip64, complaints)


def _end_records(tail: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    """What may be the end record in the last bytes of a file, the last one first."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            yield at, _END.unpack_from(tail, at)
        at = tail.rfind(b"PK\x05\x06", 0, at)


def _end_64(file: BinaryIO, stated: int, locator_at: int) -> tuple[int, tuple[int, ...]] | None:
    for at in (stated, locator_at - _END_64.size):
        if 0 <= at <= locator_at - _END_64.size:
            record = bytes_at(file, at, _END_64.size)
            if record.startswith(b"PK\x06\x06"):
                return at, _END_64.unpack(record)
    return None


def _placed(
    file: BinaryIO, end_at: int, stated: int, directory_bytes: int, count: int, zip64: bool, complaints: Complaints
) -> End | None:
    """The directory where it is, which is elsewhere than *stated* when something was put before the archive."""
    if directory_bytes > MAX_DIRECTORY_BYTES:
        complaints.archive(f"the archive's directory has {directory_bytes:,} bytes; nothing else is read")
        return None
    if count == directory_bytes == 0:
        if end_at:
            complaints.archive(f"the archive says that it has no entries, and {end_at:,} bytes stand before its end")
        return End(end_at, 0, 0, 0, zip64)
    for start in (end_at - directory_bytes, stated):
        if 0 <= start < end_at and bytes_at(file, start, 4) == b"PK\x01\x02":
            if start < stated:
                break
            if start > stated:
                complaints.archive(
                    f"{start - stated:,} bytes stand before the first entry, and the archive does not count them"
                )
            elif end_at - start != directory_bytes:
                complaints.archive(
                    f"the archive's directory has {end_at - start:,} bytes; {directory_bytes:,} are stated"
                )
            return End(start, min(directory_bytes, end_at - start), count, start - stated, zip64)
    complaints.archive("the archive's directory is not where the archive says it is")
    return None


def headers_of(file: BinaryIO, end: End, complaints: Complaints) -> list[Header]:
    data = bytes_at(file, end.start, end.size)
    headers: list[Header] = []
    at = 0
    while at + _CENTRAL.size <= len(data) and len(headers) < MAX_RECORDS:
        fields = _CENTRAL.unpack_from(data, at)
        (signature, _, system, version, flags, method, time, date, crc32, packed, size) = fields[:11]
        (name_bytes, extra_bytes, comment_bytes, disk, _, attributes, offset) = fields[11:]
        name_at = at + _CENTRAL.size
        extra_at = name_at + name_bytes
        at = extra_at + extra_bytes + comment_bytes
        if signature != b"PK\x01\x02" or at > len(data):
            break
        name = data[name_at:extra_at]
        header = Header(
            name, system in _UNIX, flags, method, time, date, crc32, packed, size, attributes, offset + end.shift
        )
        if WIDE in (packed, size, offset):
            extra = data[extra_at : extra_at + extra_bytes]
            wide = widened(extra, (size, packed, offset))
            if wide is None:
                complaints.entry(header, "zip64", "is said to be too large for a plain ZIP, and its sizes are missing")
            else:
                header = header._replace(size=wide[0], packed_bytes=wide[1], offset=wide[2] + end.shift)
        if version & 0xFF > _NEWEST:
            text = f"asks for version {(version & 0xFF) / 10} of the format; {_NEWEST / 10} is the newest"
            complaints.entry(header, "version", text)
        if disk not in (0, 0xFFFF):
            complaints.entry(header, "disk", "lies in another part of the archive", "pack it again as one file")
        headers.append(header)
    if len(headers) == MAX_RECORDS < end.listed:
        complaints.archive(f"the archive has {end.listed:,} entries; the first {MAX_RECORDS:,} were looked at")
    elif len(headers) != end.listed:
        complaints.archive(f"the archive says it has {end.listed:,} entries, and its directory lists {len(headers):,}")
    return headers


def widened(extra: bytes, stated: tuple[int, ...]) -> list[int] | None:
    """*stated* with the wide numbers of an entry's extra fields in the place of those that say to look there."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _ZIP64_FIELD:
            content = extra[at + 4 : at + 4 + length]
            numbers = [int.from_bytes(content[start : start + 8], "little") for start in range(0, len(content) - 7, 8)]
            if len(numbers) < stated.count(WIDE):
                return None
            wide = iter(numbers)
            return [next(wide) if number == WIDE else number for number in stated]
        at += 4 + length
    return None


def _reason(start: bytes, size: int) -> str:
    """Why a file without a directory is no archive."""
    if not size:
        return "the archive is empty: it has no bytes at all"
    if start.startswith((b"PK\x03\x04", b"PK\x01\x02")):
        return "the archive is cut short or damaged: its directory cannot be read"
    if start.startswith((b"PK\x07\x08", b"PK00PK")):
        return "the archive is one part of several"
    if not start.strip(b"\0"):
        return "this is no ZIP archive: it begins with zero bytes, as after a copy that was broken off"
    for signature, name in _STARTS:
        if start.lstrip().startswith(signature):
            return f"this is no ZIP archive, but {name}"
    if start[257:262] == b"ustar":
        return "this is no ZIP archive, but a tar archive"
    return "this is no ZIP archive"
