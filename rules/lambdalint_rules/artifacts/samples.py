"""Small native files and archives for examples, made byte by byte when an example is run."""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Final

from lambdalint.aws.bytecode import magic_numbers

_ELF_MACHINES: Final = {"x86_64": 62, "arm64": 183}
_MACHO_MACHINES: Final = {"x86_64": 0x01000007, "arm64": 0x0100000C}
_WEAK: Final = 2
_MB: Final = 1024 * 1024
#: A block that is stored has at most so many bytes.
_BLOCK: Final = 0xFFFF


def linux_library(
    machine: str = "x86_64",
    versions: Mapping[str, tuple[str, ...]] | None = None,
    needed: tuple[str, ...] = (),
    weak: bool = False,
    search: str | None = None,
    level: int | None = None,
    executable_stack: bool = False,
    debug_bytes: int = 0,
) -> bytes:
    """A 64-bit shared object that asks for symbol *versions* by library: ``{"libc.so.6": ("GLIBC_2.28",)}``.

    *search* is its RUNPATH and *level* the one of x86-64 that it asks for.
    """
    versions = versions or {}
    start = 64 + (2 + (level is not None) + executable_stack) * 56
    strings = bytearray(b"\0")
    offsets: dict[str, int] = {}
    for name in (
        *needed,
        *((search,) if search else ()),
        *versions,
        *(version for names in versions.values() for version in names),
    ):
        offsets[name] = len(strings)
        strings += name.encode() + b"\0"
    needs = bytearray()
    for number, (library, names) in enumerate(versions.items(), start=1):
        following = 0 if number == len(versions) else 16 + 16 * len(names)
        needs += struct.pack("<HHIII", 1, len(names), offsets[library], 16, following)
        for position, name in enumerate(names, start=1):
            more = 0 if position == len(names) else 16
            needs += struct.pack("<IHHII", 0, _WEAK if weak else 0, position, offsets[name], more)
    needs_at = start + len(strings)
    tags = [(1, offsets[name]) for name in needed]
    tags += [(29, offsets[search])] if search else []
    tags += [(5, start), (10, len(strings)), (0x6FFFFFFE, needs_at), (0x6FFFFFFF, len(versions)), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    dynamic_at = needs_at + len(needs)
    size = dynamic_at + len(dynamic)
    segments = [(1, 5, 0, size, 4096), (2, 6, dynamic_at, len(dynamic), 8)]
    note = b""
    if level is not None:
        note = struct.pack("<III4sIIII", 4, 16, 5, b"GNU\0", 0xC0008002, 4, (1 << level) - 1, 0)
        segments.append((4, 4, size, len(note), 8))
    if executable_stack:
        segments.append((0x6474E551, 7, 0, 0, 16))
    sections = _debug_section(size + len(note), debug_bytes) if debug_bytes else b""
    table_at = size + len(note) + len(sections) - 3 * 64 if sections else 0
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    counts = (64, 56, len(segments), 64, 3, 2) if sections else (64, 56, len(segments), 0, 0, 0)
    header += struct.pack("<HHIQQQIHHHHHH", 3, _ELF_MACHINES[machine], 1, 0, 64, table_at, 0, *counts)
    table = b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, at, at, at, length, length, alignment)
        for kind, flags, at, length, alignment in segments
    )
    return header + table + bytes(strings) + bytes(needs) + dynamic + note + sections


def _debug_section(at: int, size: int) -> bytes:
    """A section of debug information of *size* bytes, the names of sections and the table of them, to lie at *at*."""
    names = b"\0.debug_info\0.shstrtab\0"
    empty = bytes(64)
    info = struct.pack("<IIQQQQIIQQ", 1, 1, 0, 0, at, size, 0, 0, 1, 0)
    strings = struct.pack("<IIQQQQIIQQ", names.index(b".shstrtab"), 3, 0, 0, at + size, len(names), 0, 0, 1, 0)
    return bytes(size) + names + empty + info + strings


def macos_library(*machines: str) -> bytes:
    """The head of a Mach-O bundle, a fat one for several *machines*."""
    thin = [struct.pack("<IIIIIIII", 0xFEEDFACF, _MACHO_MACHINES[each], 0, 8, 0, 0, 0, 0) for each in machines]
    if len(thin) == 1:
        return thin[0]
    parts = b"".join(struct.pack(">IIIII", _MACHO_MACHINES[each], 0, 0, 32, 12) for each in machines)
    return struct.pack(">II", 0xCAFEBABE, len(thin)) + parts + b"".join(thin)


def windows_library() -> bytes:
    """The head of an x86-64 DLL."""
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HH", 0x8664, 0) + bytes(16)


def archive(files: Mapping[str, bytes], executable: Collection[str] = ()) -> bytes:
    """A ZIP of *files*, which everybody may read and, if *executable*, run."""
    return written((member(path, 0o100755 if path in executable else 0o100644), files[path]) for path in files)


def written(members: Iterable[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """A ZIP of *members* in their order, also of those with one name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for info, content in members:
            made.writestr(info, content)
    return out.getvalue()


def commented(files: Mapping[str, bytes], comment: bytes) -> bytes:
    """A ZIP of *files* with *comment* at its end."""
    return archive(files)[:-2] + struct.pack("<H", len(comment)) + comment


def changed(
    files: Mapping[str, bytes],
    path: str,
    *,
    only_directory: bool = False,
    method: int | None = None,
    size: int | None = None,
    flags: int | None = None,
    system: int | None = None,
) -> bytes:
    """A ZIP of *files* that says other things about the entry *path*: in its directory and, as a rule, before it."""
    made = bytearray(archive(files))
    at = made.rindex(path.encode()) - 46
    if system is not None:
        made[at + 5] = system
        made[at + 38 : at + 42] = bytes(4)
    local = made.index(path.encode()) - 30
    for value, offset, form in ((flags, 8, "<H"), (method, 10, "<H"), (size, 24, "<I")):
        if value is not None:
            struct.pack_into(form, made, at + offset, value)
            if not only_directory:
                struct.pack_into(form, made, local + offset - 2, value)
    return bytes(made)


def member(path: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    """What is said about an entry of a ZIP made on Unix."""
    info = zipfile.ZipInfo(path)
    info.create_system, info.external_attr, info.compress_type = 3, mode << 16, zipfile.ZIP_DEFLATED
    return info


def sized_archive(sizes: Mapping[str, tuple[int, int]]) -> bytes:
    """A ZIP whose files have about these packed and exactly these unpacked sizes."""
    entries, directory = bytearray(), bytearray()
    for path, (packed, size) in sizes.items():
        name, (content, crc32) = path.encode(), _deflated(packed, size)
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc32, len(content), size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 0x314) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(entries)) + name
        entries += b"PK\x03\x04" + common + name + content
    count = len(sizes)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(entries), 0)
    return bytes(entries + directory + end)


@lru_cache(maxsize=16)
def _deflated(packed: int, size: int) -> tuple[bytes, int]:
    """About *packed* bytes that unpack to *size*, with the checksum: some are stored, the rest is one letter."""
    stored, block = divmod(min(packed, size), _BLOCK)
    pieces = [*[_BLOCK] * stored, block]
    content = b"".join(b"\0" + struct.pack("<HH", piece, piece ^ 0xFFFF) + b"x" * piece for piece in pieces)
    left = size - min(packed, size)
    content += _letters(_MB) * (left // _MB) + _letters(left % _MB) + b"\x03\0"
    checksum = 0
    for piece in (*[_MB] * (size // _MB), size % _MB):
        checksum = zlib.crc32(b"x" * piece, checksum)
    return content, checksum


def _letters(count: int) -> bytes:
    """Blocks that unpack to *count* letters, after which others may follow."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(b"x" * count) + packer.flush(zlib.Z_FULL_FLUSH)


def bytecode(python: tuple[int, int], source: bytes | None = None, *, checked: bool = False, time: int = 0) -> bytes:
    """The head of a ``.pyc`` for *python*: with the hash of *source*, or with a *time* if there is none."""
    magic = struct.pack("<H", magic_numbers()[python]) + b"\r\n"
    if source is None:
        return magic + struct.pack("<III", 0, time, 0)
    import _imp

    return magic + struct.pack("<I", 3 if checked else 1) + _imp.source_hash(int.from_bytes(magic, "little"), source)
