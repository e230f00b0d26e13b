"""Entries with names, kinds, modes and links that nobody should unpack."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tests.hostile.by_hand import Item, packed
from tests.hostile.case import APP, Case

UNSAFE = ("unsafe-entry",)
MODE = ("wrong-entry-mode",)
ENTRY = Item("app.py", APP)
LINK = stat.S_IFLNK | 0o777


def named(name: str | bytes, flags: int = 0) -> bytes:
    """A package with one more file of that name."""
    return packed([ENTRY, Item(name, b"eur,1\n", flags=flags)])


def linked(*links: tuple[str, str]) -> bytes:
    """A package with symbolic links: name and target."""
    return packed([ENTRY, Item("lib/rates.csv", b"1"), *(Item(name, target.encode(), LINK) for name, target in links)])


def moded(mode: int, name: str = "rates.csv") -> bytes:
    """A package with one more entry of that mode."""
    return packed([ENTRY, Item(name, b"" if name.endswith("/") else b"1", mode)])


def nesting(count: int, depth: int) -> bytes:
    """Files in many folders, of which none holds two."""
    return packed([ENTRY, *(Item(f"{number}/" + "a/" * depth + "b", b"1") for number in range(count))])


def ways(count: int) -> Iterator[tuple[str, str]]:
    """Links, each to the next one by the longest way that a path can take."""
    return ((f"l{number}", "lib/../" * 500 + f"l{number + 1}") for number in range(count))


NAMES = (
    *(Case(f"name with {byte:#04x}", named(b"ra" + bytes((byte,)) + b"tes"), UNSAFE) for byte in (*range(32), 127)),
    Case("name with a control character of C1", named("ra\u0085tes"), UNSAFE, named("ra\u00e4tes")),
    Case("name with a backslash", named("lib\\rates.csv"), UNSAFE, named("lib/rates.csv")),
    Case("name that leads upwards with backslashes", named("..\\..\\rates.csv"), UNSAFE),
    Case("name that leads upwards", named("../rates.csv"), UNSAFE),
    Case("name that leads upwards twice", named("../../../../../../../../tmp/rates.csv"), UNSAFE),
    Case("name that leads upwards from a folder", named("lib/../../rates.csv"), UNSAFE),
    Case("name of the folder above", named(".."), UNSAFE),
    Case("name of the handler, from above", named("../src/app.py"), UNSAFE),
    Case("absolute name", named("/etc/passwd"), UNSAFE),
    Case("absolute name with two slashes", named("//etc/passwd"), UNSAFE),
    Case("name on a drive", named("C:/rates.csv"), UNSAFE),
    Case("name on a drive with backslashes", named("C:\\rates.csv"), UNSAFE),
    Case("name on another machine", named("\\\\server\\share\\rates.csv"), UNSAFE),
    Case("no name", named(""), UNSAFE),
    Case("name of 256 bytes", named("r" * 256), UNSAFE, named("r" * 255)),
    Case("name of 256 bytes in 128 characters", named("ä" * 128), UNSAFE, named("ä" * 127)),
    Case("name of 60,000 bytes", named("r" * 60_000), UNSAFE),
    Case("20,000 folders in each other", named("a/" * 20_000 + "b"), UNSAFE),
    Case("500 names with 30,000 folders each", lambda _: nesting(500, 30_000), UNSAFE),
    Case("5,000 names with 2,000 folders each", lambda _: nesting(5_000, 2_000), ("unreadable-archive",)),
    Case("name in Latin 1", named(b"k\xf6ln.csv"), UNSAFE, named("köln.csv".encode())),
    Case("name in cp437", named(b"k\x94ln.csv"), UNSAFE),
    Case("name called UTF-8 that is not", named(b"k\xf6ln.csv", flags=0x800), UNSAFE),
    Case("name with a surrogate", named(b"k\xed\xa0\x80ln.csv", flags=0x800), UNSAFE),
    Case("name with a terminal's commands", named("\x1b]0;title\x07rates"), UNSAFE),
    Case("name that is turned around", named("rates\u202evsc.exe")),
)
KINDS = (
    *(
        Case(f"entry that is a {kind}", packed([ENTRY, Item("rates", mode=form | 0o644)]), UNSAFE)
        for kind, form in (
            ("character device", stat.S_IFCHR),
            ("block device", stat.S_IFBLK),
            ("pipe", stat.S_IFIFO),
            ("socket", stat.S_IFSOCK),
            ("kind that nobody knows", 0o030000),
        )
    ),
    Case("program with its owner's rights", moded(stat.S_IFREG | 0o4755), UNSAFE, moded(stat.S_IFREG | 0o755)),
    Case("program with its group's rights", moded(stat.S_IFREG | 0o2755), UNSAFE, moded(stat.S_IFREG | 0o1755)),
)
LINKS = (
    Case("absolute link", linked(("rates", "/etc/passwd")), UNSAFE, linked(("rates", "/opt/rates"))),
    Case("link that leads out", linked(("rates", "../rates")), UNSAFE, linked(("rates", "lib/../lib/rates.csv"))),
    Case(
        "link that leads out by another",
        linked(("a", "lib"), ("lib/b", "../../x")),
        UNSAFE,
        linked(("a", "lib"), ("b", "a")),
    ),
    Case("link to nothing", linked(("rates", "lib/none.csv")), UNSAFE, linked(("rates", "lib/rates.csv"))),
    Case("link to a file as a folder", linked(("rates", "app.py/none")), UNSAFE),
    Case("link to itself", linked(("rates", "rates")), UNSAFE),
    Case("links in a circle", linked(("a", "b"), ("b", "c"), ("c", "a")), UNSAFE),
    Case("link that grows without end", linked(("a", "a/a/a/a")), UNSAFE),
    Case("link without a target", linked(("rates", "")), UNSAFE),
    Case("link with a target of 5,000 bytes", linked(("rates", "lib/" * 1_250)), UNSAFE),
    Case(
        "100 links behind each other",
        linked(*((f"l{number}", f"l{number + 1}") for number in range(100)), ("l100", "lib")),
        UNSAFE,
        linked(*((f"l{number}", f"l{number + 1}") for number in range(30)), ("l30", "lib")),
    ),
    Case(
        "link that cannot be read",
        packed([ENTRY, Item("rates", b"app.py", LINK, method=8, stream=b"\xff\xff")]),
        UNSAFE,
    ),
    Case("5,000 links with long ways", lambda _: linked(*ways(5_000)), UNSAFE),
    Case("20,000 links to nothing", lambda _: linked(*((f"l{number}", "none") for number in range(20_000))), UNSAFE),
)
MODES = (
    *(
        Case(f"file with mode {mode:04o}", moded(stat.S_IFREG | mode), MODE, moded(stat.S_IFREG | 0o444))
        for mode in (0o600, 0o640, 0o711, 0o200)
    ),
    *(
        Case(
            f"folder with mode {mode:04o}",
            moded(stat.S_IFDIR | mode, "lib/"),
            MODE,
            moded(stat.S_IFDIR | 0o555, "lib/"),
        )
        for mode in (0o700, 0o754, 0o644)
    ),
    Case(
        "start of a custom runtime, packed on Windows",
        packed([Item("bootstrap", b"#!/bin/sh\n", 0x20, system=0)]),
        MODE,
        packed([Item("bootstrap", b"#!/bin/sh\n", 0o100755)]),
        runtime="provided.al2023",
    ),
    Case(
        "extension that may not be executed",
        packed([Item("extensions/logs", b"#!/bin/sh\n"), Item("python/rates.py", b"EUR = 1\n")]),
        MODE,
        packed([Item("extensions/logs", b"#!/bin/sh\n", 0o100755), Item("python/rates.py", b"EUR = 1\n")]),
        layer=True,
    ),
)


def looping(folder: Path) -> bytes:
    """A folder in which links lead around."""
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    (folder / "up").symlink_to("..")
    (folder / "here").symlink_to(".")
    (folder / "out").symlink_to("/etc")
    (folder / "gone").symlink_to("nothing")
    return b""


def strange_names(folder: Path) -> bytes:
    """A folder with names that archives cannot carry to everywhere."""
    for name in (b"k\xf6ln.csv", b"lib\\rates.csv", b"ra\ttes"):
        (folder / name.decode("utf-8", "surrogateescape")).write_bytes(b"1")
    return b""


def nested(folder: Path) -> bytes:
    """Folders in each other, deeper than anybody looks."""
    at = folder
    for _ in range(100):
        at = at / "a"
        at.mkdir()
    return b""


def shut(folder: Path) -> bytes:
    """A folder of which one file is its owner's alone."""
    (folder / "rates.csv").write_bytes(b"1")
    (folder / "rates.csv").chmod(0o600)
    return b""


def plain(folder: Path) -> bytes:
    """A folder with which all is well."""
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "rates.csv").write_bytes(b"1")
    (folder / "rates.csv").chmod(0o644)
    return b""


def piped(folder: Path) -> bytes:
    """A folder with a pipe into which nobody writes."""
    os.mkfifo(folder / "rates.py")
    return b""


FOLDERS = (
    Case("folder with a pipe", piped, (), plain, folder=True),
    Case("folder with links in circles", looping, (), plain, folder=True),
    Case("folder with strange names", strange_names, UNSAFE, plain, folder=True),
    Case("folders in 100 folders", nested, (), plain, folder=True),
    Case("folder with a file of its owner", shut, MODE, plain, folder=True),
)
CASES = (*NAMES, *KINDS, *LINKS, *MODES, *FOLDERS)
