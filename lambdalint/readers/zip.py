"""The entries of a ZIP, without unpacking any of them."""

import io
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from lambdalint.aws.limits import limit
from lambdalint.errors import UnreadableInput
from lambdalint.model.artifact import Damage, Entry, Record, RecordKind
from lambdalint.model.links import Unpacked, inner_links
from lambdalint.readers.zip_directory import DEFLATE64, DEFLATED, MAKE_AGAIN, STORED, UTF_8, Header, method_name, shown
from lambdalint.readers.zip_headers import DEFLATE64_EXTRA, read_directory

#: An entry that unpacks to more than a whole function may have is not unpacked.
MAX_ENTRY_BYTES: Final = limit("artifact", "unpacked", "max_bytes")
#: Nor are entries after so much: whoever reads them all would not come to an end.
MAX_ARCHIVE_BYTES: Final = 4 * MAX_ENTRY_BYTES
#: A longer target of a link, path or name cannot be made.
MAX_PATH_BYTES: Final = limit("archive", "name", "max_path_bytes")
MAX_NAME_BYTES: Final = limit("archive", "name", "max_bytes")

#: So many symbolic links are followed.
MAX_LINKS: Final = 10_000
#: The sum of all paths times the folders that each is in: whoever asks for the folders gets so many characters.
_MAX_NESTED: Final = 128 * 1024 * 1024
_LOCAL_HEADER_BYTES: Final = 30
#: MS-DOS says by this attribute that an entry is a folder.
_DOS_FOLDER: Final = 0x10
#: Deflate64 makes up to 64 KB of 18 bits: so much at a time keeps what comes out below 8 MB.
_DEFLATE64_STEP: Final = 256


@dataclass(frozen=True, slots=True)
class Archive:
    """What is in a ZIP; see ``Artifact`` for what each means."""

    entries: tuple[Entry, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    damages: tuple[Damage, ...] = ()
    zip64: bool = False


def read_zip(source: Path | bytes, path: str, origin: str = "") -> Archive:
    """The files of the archive, in the order of its directory; *path* names it in errors.

    What cannot be unpacked onto Linux is a record without an entry: folders, symbolic links, devices, names that lead
    out of the folder they would be unpacked into or that cannot be names.  Of two entries with one name the last one
    counts, as for whoever unpacks them in order.

    Raises:
        UnreadableInput: the file cannot be opened.
    """
    try:
        # Headers lie far apart: a buffer would read much around each for nothing.
        with _opened(source, buffering=0) as file:
            directory = read_directory(file)
    except OSError as error:
        raise UnreadableInput(f"the file cannot be read: {error.strerror or error}", path=path) from error
    entries: dict[str, Entry] = {}
    folders: set[str] = set()
    targets: dict[str, str] = {}
    records = []
    unpacked = nested = 0
    left_out: list[str] = []
    for header in directory.headers:
        kind = _kind(header)
        inner = inner_path(_text(header))
        unpacked += header.size
        packed = _Packed(source, path, header, shown(header.name), _refusal(header, directory.overlapping, unpacked))
        target = packed.target() if kind is RecordKind.LINK and len(targets) < MAX_LINKS else None
        records.append(_record(header, kind, target))
        if inner is None:
            continue
        nested += len(inner) * inner.count("/")
        if nested > _MAX_NESTED:
            left_out.append(inner)
            continue
        if kind is RecordKind.FOLDER:
            folders.add(inner)
        elif kind is RecordKind.LINK and target is not None:
            targets[inner] = target
        elif kind is RecordKind.FILE:
            entries[inner] = _entry(packed, inner, origin)
    return Archive(
        entries=tuple(entries.values()),
        links=dict(inner_links(targets, Unpacked((*entries, *targets), folders))) if targets else {},
        records=tuple(records),
        damages=(*directory.damages, *_too_nested(left_out)),
        zip64=directory.zip64,
    )


def _too_nested(left_out: list[str]) -> Iterator[Damage]:
    if left_out:
        name, count = shown(left_out[0]), len(left_out)
        yield Damage(f"{name} is one of {count:,} entries that lie too deep in folders to be looked at", left_out[0])


def inner_path(name: str) -> str | None:
    """*name* without ``.`` and doubled slashes; ``None`` when it cannot be a path in the folder it is unpacked into."""
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:2] == ":":
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or (len(name) > MAX_NAME_BYTES // 4 and not _is_short(parts)):
        return None
    return "/".join(parts)


def _is_short(parts: list[str]) -> bool:
    sizes = [len(part.encode("utf-8", "surrogateescape")) for part in parts]
    return max(sizes) <= MAX_NAME_BYTES and sum(sizes) + len(sizes) <= MAX_PATH_BYTES


def _kind(header: Header) -> RecordKind:
    form = stat.S_IFMT(header.attributes >> 16) if header.is_unix else 0
    if form in (0, stat.S_IFREG, stat.S_IFDIR):
        is_folder = form == stat.S_IFDIR or header.raw_name.endswith(b"/")
        if not header.is_unix and header.attributes & _DOS_FOLDER:
            is_folder = True
        return RecordKind.FOLDER if is_folder else RecordKind.FILE
    return RecordKind.LINK if form == stat.S_IFLNK else RecordKind.OTHER


def _mode(header: Header) -> int | None:
    """All Unix bits; the upper half of the attributes means nothing elsewhere, and none of them is no statement."""
    return (header.attributes >> 16 or None) if header.is_unix else None


def _record(header: Header, kind: RecordKind, target: str | None) -> Record:
    date, time = header.date, header.time
    return Record(
        name=header.name,
        kind=kind,
        size=header.size,
        packed_bytes=header.packed_bytes,
        crc32=header.crc32,
        method=header.method,
        is_utf8=bool(header.flags & UTF_8),
        mode=_mode(header),
        modified=(1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2),
        target=target,
    )


def _entry(packed: "_Packed", inner: str, origin: str) -> Entry:
    header = packed.header
    mode = _mode(header)
    return Entry(
        path=inner,
        size=header.size,
        read=packed.content,
        packed_bytes=header.packed_bytes,
        executable=bool((mode or 0) & 0o111),
        origin=origin,
        peek=packed.start,
        mode=None if mode is None else mode & 0o777,
        crc32=header.crc32,
    )


def _text(header: Header) -> str:
    """The name as it is unpacked.

    Without the flag for UTF-8 it is UTF-8 all the same if it can be, as from macOS, and else of the code page of
    MS-DOS.
    """
    try:
        return header.raw_name.decode()
    except UnicodeDecodeError:
        return header.name if header.flags & UTF_8 else header.raw_name.decode("cp437")


def _refusal(header: Header, overlapping: frozenset[int], unpacked: int) -> str | None:
    """Why the content is not to be read."""
    if header.is_encrypted:
        return "is encrypted"
    if header.method not in (STORED, DEFLATED, DEFLATE64):
        return f"is packed with {method_name(header.method)}"
    if header.offset in overlapping:
        return "lies over another entry"
    if header.size > MAX_ENTRY_BYTES:
        return f"unpacks to {header.size:,} bytes, more than a function may have"
    if unpacked > MAX_ARCHIVE_BYTES:
        return f"is one of so many that {MAX_ARCHIVE_BYTES:,} bytes are unpacked before it"
    return None


@dataclass(frozen=True, slots=True)
class _Packed:
    """Where one entry's bytes are, by the central directory: a local header may hold zeroes."""

    source: Path | bytes = field(repr=False)
    archive: str
    header: Header
    name: str
    refusal: str | None

    def content(self) -> bytes:
        size = self.header.size
        data = self.start(size + 1)
        if len(data) != size:
            raise self._unreadable(f"does not unpack to the {size:,} bytes that the archive says it has")
        if zlib.crc32(data) != self.header.crc32:
            raise self._unreadable("is damaged: its checksum is wrong")
        return data

    def start(self, count: int) -> bytes:
        """The first *count* bytes, unpacked."""
        if self.refusal:
            raise self._unreadable(self.refusal)
        try:
            with _opened(self.source) as file:
                return self._unpacked(file, count)
        except (OSError, ValueError, OverflowError) as error:
            raise self._unreadable(f"cannot be read: {error}") from error
        except zlib.error as error:
            raise self._unreadable("is damaged: it does not unpack") from error

    def target(self) -> str | None:
        """What a link points at; ``None`` when that cannot be read or cannot be a path."""
        try:
            target = self.start(MAX_PATH_BYTES)
        except UnreadableInput:
            return None
        return None if len(target) == MAX_PATH_BYTES else target.decode("utf-8", "surrogateescape")

    def _unpacked(self, file: BinaryIO, count: int) -> bytes:
        file.seek(self.header.offset)
        start = file.read(_LOCAL_HEADER_BYTES)
        if len(start) < _LOCAL_HEADER_BYTES or not start.startswith(b"PK\x03\x04"):
            raise self._unreadable("is not where the archive says it is")
        name_bytes, extra_bytes = int.from_bytes(start[26:28], "little"), int.from_bytes(start[28:30], "little")
        file.seek(name_bytes + extra_bytes, io.SEEK_CUR)
        if self.header.method == STORED:
            return file.read(min(count, self.header.packed_bytes))
        if self.header.method == DEFLATE64:
            return self._inflated64(file, count)
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        left = self.header.packed_bytes
        chunks: list[bytes] = []
        while count > 0 and left > 0 and not inflate.eof:
            packed = inflate.unconsumed_tail or file.read(min(left, 1 << 16))
            if not packed:
                break
            chunk = inflate.decompress(packed, count)
            left -= len(packed) - len(inflate.unconsumed_tail)
            count -= len(chunk)
            chunks.append(chunk)
        if count > 0 and not inflate.eof:
            raise self._unreadable("is cut short: it does not unpack to its end")
        return b"".join(chunks)

    def _inflated64(self, file: BinaryIO, count: int) -> bytes:
        try:
            from inflate64 import Inflater
        except ImportError:
            raise self._unreadable(f"is packed with {method_name(DEFLATE64)}", DEFLATE64_EXTRA) from None
        inflater = Inflater()
        left = self.header.packed_bytes
        chunks: list[bytes] = []
        while count > 0 and left > 0 and not inflater.eof:
            packed = file.read(min(left, _DEFLATE64_STEP))
            if not packed:
                break
            left -= len(packed)
            chunk = inflater.inflate(packed)[:count]
            count -= len(chunk)
            chunks.append(chunk)
        return b"".join(chunks)

    def _unreadable(self, what: str, hint: str = MAKE_AGAIN) -> UnreadableInput:
        return UnreadableInput(f"{self.name} in the archive {what}", path=self.archive, hint=hint)


def _opened(source: Path | bytes, buffering: int = -1) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb", buffering)
