"""Small native files and archives for examples, made byte by byte when an example is run."""

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Final

_ELF_MACHINES: Final = {"x86_64": 62, "arm64": 183}
_MACHO_MACHINES: Final = {"x86_64": 0x01000007, "arm64": 0x0100000C}
_START: Final = 64 + 2 * 56
_WEAK: Final = 2


def linux_library(
    machine: str = "x86_64",
    versions: Mapping[str, tuple[str, ...]] | None = None,
    needed: tuple[str, ...] = (),
    weak: bool = False,
) -> bytes:
    """A 64-bit shared object that asks for symbol *versions* by library: ``{"libc.so.6": ("GLIBC_2.28",)}``."""
    versions = versions or {}
    strings = bytearray(b"\0")
    offsets: dict[str, int] = {}
    for name in (*needed, *versions, *(version for names in versions.values() for version in names)):
        offsets[name] = len(strings)
        strings += name.encode() + b"\0"
    needs = bytearray()
    for number, (library, names) in enumerate(versions.items(), start=1):
        following = 0 if number == len(versions) else 16 + 16 * len(names)
        needs += struct.pack("<HHIII", 1, len(names), offsets[library], 16, following)
        for position, name in enumerate(names, start=1):
            more = 0 if position == len(names) else 16
            needs += struct.pack("<IHHII", 0, _WEAK if weak else 0, position, offsets[name], more)
    needs_at = _START + len(strings)
    tags = [(1, offsets[name]) for name in needed]
    tags += [(5, _START), (10, len(strings)), (0x6FFFFFFE, needs_at), (0x6FFFFFFF, len(versions)), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    dynamic_at = needs_at + len(needs)
    size = dynamic_at + len(dynamic)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, _ELF_MACHINES[machine], 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    place = struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, dynamic_at, dynamic_at, len(dynamic), len(dynamic), 8)
    return header + load + place + bytes(strings) + bytes(needs) + dynamic


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


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of *files*."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for path, content in files.items():
            made.writestr(zipfile.ZipInfo(path), content)
    return out.getvalue()


def claiming_archive(sizes: Mapping[str, tuple[int, int]]) -> bytes:
    """A ZIP of a few hundred bytes whose directory says that its files have these packed and unpacked sizes."""
    entries, directory = bytearray(), bytearray()
    for path, (packed, size) in sizes.items():
        name = path.encode()
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, packed, size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 0x314) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(entries)) + name
        entries += b"PK\x03\x04" + common + name
    count = len(sizes)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(entries), 0)
    return bytes(entries + directory + end)
