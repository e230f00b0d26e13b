"""Archives that are none, not whole, or at odds with themselves."""

import gzip
import io
import os
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from lambdalint_rules.artifacts.samples import archive, member, sized_archive, written
from tests.hostile.by_hand import Item, deflated, packed, wide, zip64_extra
from tests.hostile.case import APP, Case, of_files

MB = 1024 * 1024
UNREADABLE = ("unreadable-archive",)
ODD = ("odd-archive",)
GOOD = archive({"app.py": APP, "rates.csv": b"eur,1.00\n" * 200})
ENTRY = Item("app.py", APP)
_END_BYTES = 22
RATES = Item("rates.csv", b"eur,1.00\n" * 20)


def tool(*command: str) -> Callable[[Path], bytes]:
    """What a tool makes of a small project into ``out.zip``."""

    def make(folder: Path) -> bytes:
        (folder / "app.py").write_bytes(APP)
        (folder / "rates.csv").write_bytes(b"eur,1.00\n" * 4_000)
        for path in folder.iterdir():
            os.utime(path, (1_700_000_000, 1_700_000_000))
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (folder / "out.zip").read_bytes()

    return make


def tar(_: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        made.addfile(tarfile.TarInfo("app.py"), io.BytesIO(b""))
    return out.getvalue()


def python_method(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        info = member("app.py")
        info.compress_type = method
        made.writestr(info, APP)
    return out.getvalue()


def quoting(count: int) -> bytes:
    """A bomb whose entries all unpack the same bytes.

    Source: https://www.bamsoftware.com/hacks/zipbomb/
    """
    kernel = Item("0", bytes(8 * MB), method=8)
    crc, size, length = zlib.crc32(kernel.content), len(kernel.content), len(kernel.data)
    others = (
        Item(f"{number}", method=8, crc=crc, size=size, packed=length, stream=b"", offset=0)
        for number in range(1, count)
    )
    return packed([kernel, *others])


def containing_itself() -> bytes:
    """An archive with an entry whose content is the archive, as far as it can be."""
    item = Item("bundle.zip", b"x" * 100, packed=400, size=400)
    return packed([Item("app.py", APP), Item("bundle.zip", b"", packed=200, size=200, offset=0), item])


def deep(levels: int) -> bytes:
    inner = archive({"app.py": APP})
    for number in range(levels):
        inner = archive({f"{number}.zip": inner})
    return inner


def cut(size: int) -> bytes:
    return GOOD[:size] if size >= 0 else GOOD[: len(GOOD) + size]


def with_descriptor(record: bytes, flags: int = 8) -> bytes:
    """An archive of one entry, written as a stream, with *record* behind the entry."""
    blank = {"crc": 0, "packed": 0, "size": 0}
    return packed([Item("app.py", APP, method=8, flags=flags, descriptor=record, local=blank)])


def descriptor(size: int = len(APP), crc: int | None = None) -> bytes:
    checksum = zlib.crc32(APP) if crc is None else crc
    return b"PK\x07\x08" + struct.pack("<III", checksum, len(deflated(APP)), size)


def many(count: int) -> bytes:
    return packed([ENTRY, *(Item(f"rates/{number}.csv", b"1") for number in range(count - 1))], count=count % 65_536)


def crowded(count: int) -> bytes:
    """An archive whose directory names one entry *count* times."""
    one = packed([ENTRY])
    start = one.index(b"PK\x01\x02")
    record = one[start:-_END_BYTES]
    stated = struct.pack("<HHII", count % 65_536, count % 65_536, len(record) * count, start)
    return one[:start] + record * count + b"PK\x05\x06" + bytes(4) + stated + bytes(2)


def zip64(**changes: int) -> bytes:
    """A small archive in the wide form."""
    said = {"count": 1, "size": 52, "start": 36 + len(APP), **changes}
    at = said.pop("at", 36 + len(APP) + 52)
    disks = said.pop("disks", 1)
    return packed([ENTRY], zip64=wide(**said, at=at, disks=disks), count=0xFFFF, bytes=0xFFFFFFFF, start=0xFFFFFFFF)


def broken_headers() -> Iterator[Case]:
    """Entries of which the directory and their own header say different things."""
    lies = {
        "name": b"apq.py",
        "method": 8,
        "size": 5,
        "packed": 7,
        "crc": 1,
        "flags": 1,
    }
    for field, value in lies.items():
        yield Case(f"own header says another {field}", packed([Item("app.py", APP, local={field: value})]), UNREADABLE)


NO_ARCHIVES = (
    Case("empty file", b"", UNREADABLE),
    Case("one byte", b"P", UNREADABLE),
    Case("two letters", b"PK", UNREADABLE),
    Case("text", b"not yet built\n", UNREADABLE),
    Case("page of HTML", b"<!DOCTYPE html><title>404</title>", UNREADABLE),
    Case("pointer of Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", UNREADABLE),
    Case("gzip", gzip.compress(APP), UNREADABLE),
    Case("tar", tar, UNREADABLE),
    Case(
        "7z",
        tool("7z", "a", "-bd", "-t7z", "out.zip", "app.py"),
        UNREADABLE,
        tool("7z", "a", "-tzip", "-mm=Deflate", "out.zip", "."),
    ),
    Case(
        "tar.gz of bsdtar",
        tool("bsdtar", "-czf", "out.zip", "app.py"),
        UNREADABLE,
        tool("bsdtar", "-a", "-cf", "out.zip", "app.py"),
    ),
    Case("xz", b"\xfd7zXZ\0" + bytes(100), UNREADABLE),
    Case("bzip2", b"BZh91AY" + bytes(100), UNREADABLE),
    Case("Zstandard", b"\x28\xb5\x2f\xfd" + bytes(100), UNREADABLE),
    Case("RAR", b"Rar!\x1a\x07\0" + bytes(100), UNREADABLE),
    Case("zero bytes", bytes(4_096), UNREADABLE),
    Case("first of several parts", b"PK\x07\x08" + GOOD[:100], UNREADABLE),
    *(
        Case(f"cut after {size} bytes", cut(size), UNREADABLE)
        for size in (4, 29, 40, 100, -1, -21, -22, -23, -60, -100)
    ),
)
DIRECTORIES = (
    Case("directory behind the file", packed([ENTRY], start=1 << 30), UNREADABLE),
    Case("directory before the file", packed([ENTRY], start=100_000), UNREADABLE),
    Case("directory said to be huge", packed([ENTRY], bytes=0xFFFFFF00), UNREADABLE),
    Case("directory said to be short", packed([ENTRY, RATES], bytes=52), UNREADABLE),
    Case("directory said to be empty", packed([ENTRY], bytes=0, count=0), UNREADABLE),
    Case("more entries stated than there are", packed([ENTRY], count=60_000), UNREADABLE),
    Case("fewer entries stated than there are", packed([ENTRY, RATES], count=1), UNREADABLE),
    Case("directory of 600,000 records", lambda _: crowded(600_000), UNREADABLE),
    Case("directory of 2,000,000 records", lambda _: crowded(2_000_000), UNREADABLE),
    Case("directory of nonsense", GOOD.replace(b"PK\x01\x02", b"PK\x01\x03"), UNREADABLE),
    Case("end record of a second part", packed([ENTRY], disk=1), UNREADABLE),
    Case("directory in another part", packed([ENTRY], first_disk=2), UNREADABLE),
    Case("entry in another part", packed([Item("app.py", APP, disk=3)]), UNREADABLE),
    Case("two directories", packed([ENTRY], comment=packed([RATES])), UNREADABLE, packed([ENTRY], comment=b"today")),
    Case("junk before it, not counted", packed([ENTRY], prefix=b"#!/bin/sh\n", counted=False), UNREADABLE),
    Case("junk before it, counted", packed([ENTRY], prefix=b"#!/usr/bin/env python3\n"), UNREADABLE),
    Case("ZIP64 directory that is not there", zip64(at=1 << 40).replace(b"PK\x06\x06", b"PK\x06\x05"), UNREADABLE),
    Case("ZIP64 directory in another part", zip64(disks=3), UNREADABLE),
    Case("ZIP64 directory of 2^60 bytes", zip64(size=1 << 60), UNREADABLE),
    Case("ZIP64 directory of 2^63 entries", zip64(count=1 << 63), UNREADABLE),
    Case("ZIP64 directory at 2^63", zip64(start=1 << 63), UNREADABLE),
)
ENTRIES = (
    *broken_headers(),
    Case("encrypted entry", packed([Item("app.py", APP, flags=1)]), UNREADABLE),
    Case("strongly encrypted entry", packed([Item("app.py", APP, flags=0x41)]), UNREADABLE),
    Case(
        "zip -P",
        tool("zip", "-q", "-P", "secret", "out.zip", "app.py"),
        UNREADABLE,
        tool("zip", "-q", "out.zip", "app.py"),
    ),
    Case("7z with AES", tool("7z", "a", "-tzip", "-psecret", "-mem=AES256", "out.zip", "app.py"), UNREADABLE),
    Case("7z with Deflate64", tool("7z", "a", "-tzip", "-mm=Deflate64", "out.zip", "app.py", "rates.csv"), UNREADABLE),
    Case("7z with PPMd", tool("7z", "a", "-tzip", "-mm=PPMd", "out.zip", "app.py", "rates.csv"), UNREADABLE),
    Case("7z with bzip2", tool("7z", "a", "-tzip", "-mm=BZip2", "out.zip", "app.py", "rates.csv"), UNREADABLE),
    Case("7z with LZMA", tool("7z", "a", "-tzip", "-mm=LZMA", "out.zip", "app.py", "rates.csv"), UNREADABLE),
    Case("Python's bzip2", python_method(zipfile.ZIP_BZIP2), UNREADABLE, python_method(zipfile.ZIP_DEFLATED)),
    Case("Python's LZMA", python_method(zipfile.ZIP_LZMA), UNREADABLE, python_method(zipfile.ZIP_STORED)),
    *(
        Case(f"method {number}", packed([Item("app.py", APP, method=number)]), UNREADABLE)
        for number in (1, 6, 20, 93, 95, 77)
    ),
    Case(
        "record behind the entry with another size",
        with_descriptor(descriptor(size=1)),
        UNREADABLE,
        with_descriptor(descriptor()),
    ),
    Case(
        "record behind the entry with another checksum",
        with_descriptor(descriptor(crc=7)),
        UNREADABLE,
        with_descriptor(descriptor()[4:]),
    ),
    Case("no record behind the entry", with_descriptor(b""), UNREADABLE),
    Case("header of zeroes and nothing behind", with_descriptor(b"", flags=0), UNREADABLE),
    Case("two entries in one place", packed([ENTRY, Item("apq.py", APP, offset=0)]), UNREADABLE),
    Case("bomb of 1,000 entries in one place", lambda _: quoting(1_000), UNREADABLE),
    Case("archive that contains itself", containing_itself(), UNREADABLE),
    Case("entry behind the end", packed([Item("app.py", APP, offset=1 << 30)]), UNREADABLE),
    Case("entry at the end", packed([Item("app.py", APP, packed=1 << 20, size=1 << 20)]), UNREADABLE),
    Case("entry in the directory", packed([Item("app.py", APP, offset=40 + len(APP))]), UNREADABLE),
    Case("stored entry of another size", packed([Item("app.py", APP, size=3)]), UNREADABLE),
    Case("100 bytes that unpack to 4 GB", packed([Item("core", b"x" * 100, method=8, size=0xFFFFFFF0)]), UNREADABLE),
    Case("wide sizes that are missing", packed([Item("app.py", APP, size=0xFFFFFFFF)]), UNREADABLE),
    Case("wide sizes that are cut", packed([Item("app.py", APP, size=0xFFFFFFFF, extra=b"\1\0\x08\0\0")]), UNREADABLE),
    Case("entry of 2^62 bytes", packed([Item("app.py", APP, size=0xFFFFFFFF, extra=zip64_extra(1 << 62))]), UNREADABLE),
    Case(
        "content that does not unpack",
        packed([Item("app.py", APP, method=8, stream=b"\xff" * 60)]),
        ("unreadable-input",),
    ),
    Case("content with another checksum", packed([Item("app.py", APP, crc=7)]), ("unreadable-input",)),
    Case(
        "content that is longer than it says",
        packed([Item("app.py", b" " * MB, method=8, size=10)]),
        ("unreadable-input",),
    ),
    Case("module of 1 GB", sized_archive({"app.py": (1_500_000, 1024 * MB)}), (*ODD, "oversized-function")),
)
ODDITIES = (
    Case(
        "entry that unpacks to 1,000 times its size",
        sized_archive({"app.py": (200, 400), "core": (21_000, 20 * MB)}),
        ODD,
        sized_archive({"app.py": (200, 400), "core": (1_000_000, 20 * MB)}),
        runtime="nodejs22.x",
    ),
    Case("70,000 entries", lambda _: many(70_000), ODD, lambda _: many(60_000)),
    Case("ZIP64 without need", zip64(), ODD, packed([ENTRY])),
    Case("changed on no day", packed([Item("app.py", APP, date=0)]), ODD),
    Case(
        "changed in 2107",
        packed([Item("app.py", APP, date=127 << 9 | 33)]),
        ODD,
        packed([Item("app.py", APP, date=45 << 9 | 33)]),
    ),
    Case(
        "packed to twice its size",
        packed([ENTRY, Item("rates.csv", bytes(2_000), method=8, stream=b"\0" * 4_000)]),
        ODD,
    ),
    Case("package in a folder", archive({"orders/app.py": APP}), ("wrapped-in-folder",)),
    Case("package in a package", archive({"bundle.zip": archive({"app.py": APP})}), ("wrapped-in-folder",)),
    Case("package in 40 packages", deep(40), ("wrapped-in-folder",)),
    Case(
        "packed requirements without what unpacks them",
        archive({"app.py": APP, ".requirements.zip": GOOD}),
        ("wrapped-in-folder",),
    ),
    Case("no entries", archive({}), ("empty-artifact",)),
    Case("end record alone", b"PK\x05\x06" + bytes(18), ("empty-artifact",)),
    Case("only folders", packed([Item("app/", mode=0o040755)]), ("empty-artifact",)),
    Case("only empty files", archive({"app.py": b"", "lib.py": b""}), ("empty-artifact",)),
    Case("no Python", archive({"index.js": b"exports.handler = 1\n"}), ("empty-artifact",)),
    Case("module of zero bytes", of_files({"rates.py": bytes(4_096)}), ("empty-artifact",)),
    Case(
        "one name twice",
        written([(member("app.py"), APP), (member("app.py"), APP + b"#\n")]),
        ("colliding-entries",),
        written([(member("app.py"), APP), (member("app.py"), APP)]),
    ),
    Case(
        "one name 500 times",
        lambda _: packed([Item("app.py", APP + b"%d" % number) for number in range(500)]),
        ("colliding-entries",),
    ),
    Case("file that is a folder", of_files({"rates": b"1", "rates/eur": b"2"}), ("colliding-entries",)),
    Case(
        "folder that is a file",
        packed([ENTRY, Item("rates/", mode=0o040755), Item("rates", b"1")]),
        ("colliding-entries",),
    ),
    Case(
        "names that are one in another form", of_files({"caf\u00e9": b"1", "cafe\u0301": b"2"}), ("colliding-entries",)
    ),
    Case("names that differ by case", of_files({"Rates.csv": b"1", "rates.csv": b"2"}), ("colliding-entries",)),
    Case(
        "link that is a folder",
        packed([ENTRY, Item("lib", b"etc", mode=0o120777), Item("lib/rates", b"1"), Item("etc/x", b"1")]),
        ("colliding-entries",),
    ),
)
CASES = (*NO_ARCHIVES, *DIRECTORIES, *ENTRIES, *ODDITIES)
