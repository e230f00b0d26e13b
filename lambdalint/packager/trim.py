"""Tests that distributions bring along and that nothing in the package leads to.

A folder is never left out for its name alone.  It goes when it holds tests as pytest or unittest find them, no import
from outside of such folders leads into it, and no text of its own distribution, or of the project, speaks of it: what
only pytest could use does not count in a package without pytest.  Where an import does lead into it, only those of its
files go that are named as tests and that nothing leads to.
"""

import re
from collections.abc import Mapping
from typing import Final

from lambdalint.packager.plan import SOURCE, PlannedEntry
from lambdalint.packager.reached import Reading

UNREACHED_TEST: Final = "a test that nothing in the package leads to"

_TEST_FILE: Final = re.compile(r"(?:test_.*|.*_tests?|tests?|conftest)\.py")
_FOLDERS: Final = frozenset(("test", "tests"))
#: Files other than code that name modules and paths.
_LISTS: Final = (".txt", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml")
#: Files for those who develop a distribution.
_SETTINGS: Final = frozenset(("conftest.py", "pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini"))
#: What a module does that opens files or imports modules by names.
_READS: Final = re.compile(
    rb"\b(?:open|read\w*|import_\w+|__import__|i?glob|walk\w*|listdir|scandir|files|Path|load\w*|pkgutil|\w*resource\w*"
    rb"|exec\w*|spawn\w*|subprocess|is_?file|is_?dir|exists)\b"
)
_MAX_TEXT_BYTES: Final = 4 * 1024 * 1024


def unreached_tests(reading: Reading) -> dict[str, str]:
    """The files to leave out, with the reason."""
    entries = reading.contents.entries
    folders = _folders(entries)
    if not folders:
        return {}
    inside = {path for paths in folders.values() for path in paths}
    speaking = reading.speaking_of_tests(path for path in entries if path not in inside and not _is_setting(path))
    reached = reading.led_to(speaking, inside)
    paths = reached.deferred.union(reached.init)
    useless: list[str] = []
    for within in folders.values():
        if any(path in paths for path in within):
            useless += [path for path in within if path not in paths and _TEST_FILE.fullmatch(path.rpartition("/")[2])]
        else:
            useless += within
    kept = _spoken_of(reading, {_folder(path): entries[path].origin for path in useless}, speaking, inside)
    return {path: UNREACHED_TEST for path in useless if _folder(path) not in kept}


def _folders(entries: Mapping[str, PlannedEntry]) -> dict[str, list[str]]:
    """The files of distributions in folders of tests, by the outermost of them."""
    found: dict[str, list[str]] = {}
    for path, entry in entries.items():
        folder = _folder(path)
        if folder and entry.origin != SOURCE:
            found.setdefault(folder, []).append(path)
    return {
        folder: paths
        for folder, paths in found.items()
        if any(_TEST_FILE.fullmatch(path.rpartition("/")[2]) for path in paths)
    }


def _folder(path: str) -> str:
    """The outermost folder of that name around a file, ``""`` where there is none."""
    parts = path.split("/")[:-1]
    for number, part in enumerate(parts):
        if part in _FOLDERS:
            return "/".join(parts[: number + 1])
    return ""


def _spoken_of(reading: Reading, folders: Mapping[str, str], speaking: set[str], inside: set[str]) -> set[str]:
    """Which of *folders*, each with its origin, some module *speaking* of tests, or a list outside of them, names."""
    has_pytest = reading.index.find("pytest") is not None
    origins = {*folders.values(), SOURCE}
    found: set[str] = set()
    for path, entry in reading.contents.entries.items():
        is_list = path.endswith(_LISTS) and path not in inside and not _is_setting(path)
        is_code = path in speaking and path.endswith(".py")
        if entry.origin not in origins or entry.member.size > _MAX_TEXT_BYTES or not (is_list or is_code):
            continue
        names = reading.seen(path).tests
        text = entry.member.read() if names else b""
        if path.endswith(".py") and b"pytest" in text and not has_pytest:
            continue
        for name in names:
            found.update(
                folder
                for folder, origin in folders.items()
                if folder not in found and _means(name, folder, path, text, own=origin == entry.origin)
            )
    return found


def _is_setting(path: str) -> bool:
    """Whether only those who develop the distribution read a file, or it only says what was installed."""
    return path.rpartition("/")[2] in _SETTINGS or (".dist-info/" in path and not path.endswith("/entry_points.txt"))


def _means(name: str, folder: str, path: str, text: bytes, *, own: bool) -> bool:
    """Whether *name*, in the *text* of the file at *path*, may mean *folder*, of its *own* distribution or another."""
    parent, _, last = folder.rpartition("/")
    around = parent.rpartition("/")[2]
    words = name.split("/")
    for number, word in enumerate(words):
        if word != last:
            continue
        before = words[number - 1] if number else ""
        if before:
            # Part of a name that is put together may be any.
            if before == around or (own and not before.isidentifier()):
                return True
        elif own and path.endswith(".py") and _READS.search(text):
            # A bare name means what lies beside the file or above it, or in a folder that is named as well.
            is_above = not parent or f"{path}/".startswith(f"{parent}/")
            if is_above or re.search(rb"[\"'/]%s[\"'/]" % re.escape(around.encode()), text):
                return True
    return False
