"""Packages whose native files, metadata and bytecode are broken."""

import marshal
import struct
from collections.abc import Iterator

from lambdalint_rules.artifacts.samples import linux_library, macos_library, windows_library
from tests.hostile.by_hand import Item, packed
from tests.hostile.case import APP, Case, of_files

FOREIGN = ("foreign-binary",)
NATIVE = "fast.cpython-313-x86_64-linux-gnu.so"
INFO = "requests-2.32.5.dist-info"
HEALTHY_INFO = {
    "requests/__init__.py": b"",
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: requests\nVersion: 2.32.5\n",
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/RECORD": f"requests/__init__.py,,\n{INFO}/METADATA,,\n{INFO}/WHEEL,,\n{INFO}/RECORD,,\n".encode(),
}
HEALTHY_LAYER = packed([Item("python/rates.py", b"EUR = 1\n")])
LIBRARY = linux_library(versions={"libc.so.6": ("GLIBC_2.17",)})


def native(content: bytes, name: str = NATIVE) -> bytes:
    """A package that imports a native file."""
    return packed([Item("app.py", b"import fast\n\n" + APP), Item(name, content, 0o100755)])


def patched(offset: int, form: str, value: int) -> bytes:
    """A shared object with another number at *offset*."""
    made = bytearray(LIBRARY)
    struct.pack_into(form, made, offset, value)
    return bytes(made)


def info(**files: bytes) -> bytes:
    """A package with one distribution, of whose metadata some is something else."""
    return of_files({**HEALTHY_INFO, **{f"{INFO}/{name}": content for name, content in files.items()}})


def natives() -> Iterator[Case]:
    for size in (4, 5, 16, 20, 63, 64, 100, 176, len(LIBRARY) - 1):
        yield Case(f"ELF cut after {size} bytes", native(LIBRARY[:size]))
    numbers = {
        "class": (4, "<B", 9),
        "byte order": (5, "<B", 7),
        "machine": (18, "<H", 0xFFFF),
        "place of the program headers": (32, "<Q", 1 << 63),
        "size of a program header": (54, "<H", 0),
        "number of program headers": (56, "<H", 0xFFFF),
        "place of the sections": (40, "<Q", 1 << 60),
        "number of sections": (60, "<H", 0xFFFF),
        "place of the dynamic section": (64 + 56 + 8, "<Q", 1 << 50),
        "size of the dynamic section": (64 + 56 + 32, "<Q", 1 << 50),
        "size of the first segment": (64 + 32, "<Q", 1 << 62),
    }
    for what, (offset, form, value) in numbers.items():
        yield Case(f"ELF with a hostile {what}", native(patched(offset, form, value)))
    for offset in range(176, len(LIBRARY) - 8, 16):
        yield Case(f"ELF with ones at {offset}", native(patched(offset, "<Q", 0xFFFFFFFFFFFFFFFF)))


NATIVES = (
    *natives(),
    Case("library of macOS", native(macos_library("arm64"), "fast.so"), FOREIGN, native(LIBRARY)),
    Case("library of macOS for both", native(macos_library("arm64", "x86_64"), "fast.so"), FOREIGN, native(LIBRARY)),
    Case("library of Windows", native(windows_library(), "fast.pyd"), FOREIGN, native(LIBRARY)),
    Case("fat library of 4 billion parts", native(b"\xca\xfe\xba\xbe" + b"\xff" * 4 + bytes(60), "fast.so")),
    Case("fat library without parts", native(b"\xca\xfe\xba\xbe" + bytes(60), "fast.so")),
    Case("library of Windows that is cut", native(windows_library()[:30], "fast.pyd")),
    Case("library of Windows with a header far away", native(b"MZ" + bytes(58) + b"\xff" * 4, "fast.pyd")),
    Case("library of nothing", native(b"")),
    Case("library of text", native(b"not a library\n" * 100)),
    Case("library of 64 MB", lambda _: native(LIBRARY + bytes(64 << 20)), (), lambda _: native(LIBRARY)),
)
METADATA = (
    Case("RECORD that leads out", info(RECORD=b"../../../etc/passwd,sha256=x,1\n/etc/passwd,,\n..\\x,,\n")),
    Case("RECORD with a line of 10 MB", lambda _: info(RECORD=b"a" * (10 << 20) + b",,\n")),
    Case("RECORD of 10 MB of commas", lambda _: info(RECORD=b"," * (10 << 20))),
    Case("RECORD with an open quote", info(RECORD=b'"requests/__init__.py,,\n' * 1_000)),
    Case("RECORD with NUL", info(RECORD=b"requests/\0__init__.py,,\n")),
    Case("RECORD in another encoding", info(RECORD=b"requests/k\xf6ln.py,,\n")),
    Case("RECORD with sizes that are none", info(RECORD=b"requests/__init__.py,sha256=,x\nb,md5=1,-1\nc,sha1,\n,,\n")),
    Case("METADATA that is not UTF-8", info(METADATA=b"Name: requests\nVersion: 2.32.5\nAuthor: J\xf6rg\n")),
    Case("METADATA of zero bytes", info(METADATA=bytes(1_000))),
    Case("METADATA with a header of 10 MB", lambda _: info(METADATA=b"Summary: " + b"x" * (10 << 20))),
    Case(
        "METADATA with 100,000 requirements",
        lambda _: info(METADATA=b"Name: requests\nVersion: 1\n" + b"Requires-Dist: urllib3 (>=1.21.1,<3)\n" * 100_000),
    ),
    Case("METADATA with nonsense", info(METADATA=b"Requires-Dist: ;;;[[[\nRequires-Python: ?\nVersion: ..\nName:\n")),
    Case(
        "METADATA with nested markers", info(METADATA=b"Name: requests\nVersion: 1\nRequires-Dist: a; " + b"(" * 20_000)
    ),
    Case("WHEEL with nonsense", info(WHEEL=b"Tag: \nTag: x\nTag: -\nTag: " + b"py3." * 50_000 + b"-none-any\n")),
    Case("entry points with nonsense", info(**{"entry_points.txt": b"[console_scripts\nx=\n=y\n[[]]\n\xff"})),
    Case(
        "distribution without a name",
        of_files({"-1.dist-info/METADATA": b"", "-.dist-info/RECORD": b"", ".dist-info/METADATA": b""}),
    ),
    Case(
        "5,000 distributions",
        lambda _: of_files({f"d{number}-1.dist-info/METADATA": b"Name: d\nVersion: 1\n" for number in range(5_000)}),
    ),
    Case("path file that runs code", of_files({"x.pth": b"import os; os.system('touch /tmp/owned')\n"})),
)
BYTECODE = (
    Case("bytecode of no bytes", of_files({"rates.pyc": b""})),
    Case("bytecode of three bytes", of_files({"rates.pyc": b"\xf3\r\r"})),
    Case("bytecode of its head alone", of_files({"rates.pyc": b"\xf3\r\r\n" + bytes(12)})),
    Case("bytecode of Python 2", of_files({"rates.pyc": b"\x03\xf3\r\n" + bytes(12) + marshal.dumps(1)})),
    Case("bytecode of no Python", of_files({"rates.pyc": b"\0\0\r\n" + bytes(12)})),
    Case(
        "bytecode with strange flags", of_files({"rates.pyc": b"\xf3\r\r\n\xff\xff\xff\xff" + bytes(8) + b"\xff" * 100})
    ),
    Case(
        "bytecode that says to be huge", of_files({"rates.pyc": b"\xf3\r\r\n" + bytes(12) + b"(\xff\xff\xff\x7f" * 20})
    ),
    Case(
        "bytecode beside its source",
        of_files({"rates.py": b"EUR = 1\n", "__pycache__/rates.cpython-313.pyc": b"\xf3\r\r\n"}),
    ),
)
SOURCES = (
    Case("handler with NUL", packed([Item("app.py", APP + b"\0")])),
    Case("handler in no encoding", packed([Item("app.py", b"# coding: klingon\n" + APP)])),
    Case("handler nested 5,000 deep", packed([Item("app.py", b"x = " + b"(" * 5_000 + b")" * 5_000 + b"\n" + APP)])),
    Case("handler of one line of 5 MB", lambda _: packed([Item("app.py", b"x = '" + b"y" * (5 << 20) + b"'\n" + APP)])),
    Case("template in the package", of_files({"template.yaml": b"a: &a [*a, *a]\n" * 100})),
)
LAYERS = (
    Case("layer that is cut", HEALTHY_LAYER[:-30], ("unreadable-archive",), HEALTHY_LAYER, layer=True),
    Case("layer of nothing", b"", ("unreadable-archive",), HEALTHY_LAYER, layer=True),
    Case(
        "layer that leads out", packed([Item("python/../../x.py", b"")]), ("unsafe-entry",), HEALTHY_LAYER, layer=True
    ),
    Case("layer without entries", packed([]), ("empty-artifact",), HEALTHY_LAYER, layer=True),
)
CASES = (*NATIVES, *METADATA, *BYTECODE, *SOURCES, *LAYERS)
