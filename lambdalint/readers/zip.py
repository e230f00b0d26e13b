"""The entries of a ZIP, from its central directory, without unpacking any of them."""

import io
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from lambdalint.aws.limits import limit
from lambdalint.errors import UnreadableInput
from lambdalint.model.artifact import Entry

#: More entries need ZIP64, of which nobody says what Lambda makes.
MAX_ENTRIES: Final = 65_535
#: Room for ``MAX_ENTRIES`` with names and extra fields of usual length.
MAX_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
#: An entry that unpacks to more than a whole function may have is not unpacked.
MAX_ENTRY_BYTES: Final = limit("artifact", "unpacked", "max_bytes")

_METHODS: Final = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64 (Windows Explorer makes such archives)",
    12: "bzip2",
    14: "LZMA",
    20: "Zstandard",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
    99: "AES encryption",
}
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
_PACK_AGAIN: Final = "pack it again, with zip -r or 7z a -tzip -mm=Deflate"


def read_zip(source: Path | bytes, path: str, origin: str = "") -> tuple[Entry, ...]:
    """The files of the archive, in the order of its directory; *path* names it in errors.

    Folders, symbolic links, and names that lead out of the folder they would be unpacked into are left out.  Of two
    entries with one name the last one counts, as for whoever unpacks them in order.

    Raises:
        UnreadableInput: it is no ZIP, it is cut short or encrypted, an entry is packed by another method than
            Lambda reads, or it has more than ``MAX_ENTRIES`` entries.

    Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3
    """
    found: dict[str, Entry] = {}
    for info in _directory(source, path):
        if info.flag_bits & 0x41:
            raise UnreadableInput(f"the archive is encrypted ({_name(info)})", path=path, hint=_PACK_AGAIN)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
            raise UnreadableInput(
                f"{_name(info)} is packed with {method}; Lambda reads stored and deflated entries",
                path=path,
                hint=_PACK_AGAIN,
            )
        mode = info.external_attr >> 16 if info.create_system == 3 else 0  # Unix: else the upper half means nothing
        name = _inner_path(_name(info))
        if name is None or _name(info).endswith("/") or stat.S_ISLNK(mode):
            continue
        packed = _Packed(source, path, name, info.header_offset, info.compress_type, info.compress_size, info.file_size)
        found[name] = Entry(
            path=name,
            size=info.file_size,
            read=partial(packed.content, info.CRC),
            packed_bytes=info.compress_size,
            executable=bool(mode & 0o111),
            origin=origin,
            peek=packed.start,
        )
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Packed:
    """Where one entry's bytes are, by the central directory: a local header may hold zeroes."""

    source: Path | bytes = field(repr=False)
    archive: str
    name: str
    offset: int
    method: int
    packed_bytes: int
    size: int

    def content(self, crc: int) -> bytes:
        if self.size > MAX_ENTRY_BYTES:
            raise self._unreadable(f"unpacks to {self.size:,} bytes, more than a function may have")
        data = self.start(self.size + 1)
        if len(data) != self.size:
            raise self._unreadable(f"does not unpack to the {self.size:,} bytes that the archive says it has")
        if zlib.crc32(data) != crc:
            raise self._unreadable("is damaged: its checksum is wrong")
        return data

    def start(self, count: int) -> bytes:
        """The first *count* bytes, unpacked."""
        try:
            with _opened(self.source) as file:
                return self._unpacked(file, count)
        except (OSError, ValueError, OverflowError) as error:
            raise self._unreadable(f"cannot be read: {error}") from error
        except zlib.error as error:
            raise self._unreadable("is damaged: it does not unpack") from error

    def _unpacked(self, file: BinaryIO, count: int) -> bytes:
        file.seek(self.offset)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise self._unreadable("is not where the archive says it is")
        _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
        file.seek(name_bytes + extra_bytes, io.SEEK_CUR)
        if self.method == zipfile.ZIP_STORED:
            return file.read(min(count, self.packed_bytes))
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        left = self.packed_bytes
        chunks: list[bytes] = []
        while count > 0 and left > 0 and not inflate.eof:
            packed = inflate.unconsumed_tail or file.read(min(left, 1 << 16))
            if not packed:
                break
            chunk = inflate.decompress(packed, count)
            left -= len(packed) - len(inflate.unconsumed_tail)
            count -= len(chunk)
            chunks.append(chunk)
        return b"".join(chunks)

    def _unreadable(self, what: str) -> UnreadableInput:
        return UnreadableInput(f"{self.name} in the archive {what}", path=self.archive, hint="make the archive again")


def _directory(source: Path | bytes, path: str) -> list[zipfile.ZipInfo]:
    try:
        with _opened(source) as file:
            start = file.read(4)
            try:
                with zipfile.ZipFile(_Bounded(file, path)) as archive:
                    entries = archive.infolist()
            except zipfile.BadZipFile as error:
                raise UnreadableInput(_reason(start, error), path=path, hint="make the archive again") from error
    except OSError as error:
        raise UnreadableInput(f"the file cannot be read: {error.strerror or error}", path=path) from error
    # Not only BadZipFile: a directory of nonsense makes zipfile unpack, decode or seek what is not there.
    except (ValueError, NotImplementedError, RuntimeError, LookupError, OverflowError, EOFError, struct.error) as error:
        raise UnreadableInput(f"this is no ZIP archive that can be read: {error}", path=path) from error
    if len(entries) > MAX_ENTRIES:
        raise UnreadableInput(f"the archive has {len(entries):,} entries; {MAX_ENTRIES:,} are read", path=path)
    return entries


def _reason(start: bytes, error: zipfile.BadZipFile) -> str:
    if not start:
        return "the archive is empty: it has no bytes at all"
    if start == b"PK\x03\x04":
        return "the archive is cut short or damaged: its directory cannot be read"
    if "span multiple disks" in str(error):
        return "the archive is one part of several"
    return "this is no ZIP archive"


class _Bounded(io.BufferedIOBase):
    """A file that refuses to give more at a time than a central directory may have."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file, self._path = file, path

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise UnreadableInput(f"the archive's directory has {size:,} bytes; nothing else is read", path=self._path)
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _opened(source: Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _name(info: zipfile.ZipInfo) -> str:
    """The name as written; without the flag for UTF-8 it is UTF-8 all the same if it can be, as from macOS."""
    name = info.orig_filename
    if info.flag_bits & 0x800 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


def _inner_path(name: str) -> str | None:
    """*name* without ``.`` and doubled slashes; ``None`` when it leads elsewhere than into its folder."""
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:2] == ":":
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/".join(parts) if parts and ".." not in parts else None
