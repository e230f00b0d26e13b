"""Tests that distributions bring along and that nothing in the package leads to.

A folder is never left out for its name alone.  It goes when it holds tests as pytest or unittest find them, no import
from outside of such folders leads into it, and no text of its own distribution, or of the project, speaks of it.  Where
an import does lead into it, only those of its files go that are named as tests and that nothing leads to.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from lambdalint.packager.plan import SOURCE, PlannedEntry
from lambdalint.packager.reached import Reading

UNREACHED_TEST: Final = "a test that nothing in the package leads to"

_TEST_FILE: Final = re.compile(r"(?:test_.*|.*_tests?|tests?|conftest)\.py")
_FOLDERS: Final = frozenset(("test", "tests"))
#: A string that may be a path or a dotted name with such a part.
_NAMED: Final = re.compile(rb"""["'`]([\w./{}%$\\-]{0,200}\btests?\b[\w./{}%$\\:-]{0,200})["'`]""")
_WORD: Final = re.compile(rb"[\w./-]{0,200}\btests?\b[\w./-]{0,200}")
#: Files other than code that name modules and paths.
_LISTS: Final = (".txt", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml")
_MAX_TEXT_BYTES: Final = 4 * 1024 * 1024


def unreached_tests(reading: Reading) -> dict[str, str]:
    """The files to leave out, with the reason."""
    entries = reading.contents.entries
    folders = _folders(entries)
    if not folders:
        return {}
    inside = {path for paths in folders.values() for path in paths}
    reached = reading.from_all(path for path in entries if path not in inside)
    paths = reached.deferred.union(reached.init)
    useless: list[str] = []
    for within in folders.values():
        if any(path in paths for path in within):
            useless += [path for path in within if path not in paths and _TEST_FILE.fullmatch(path.rpartition("/")[2])]
        else:
            useless += within
    origins = {entries[path].origin for path in useless}
    named = {origin: _named(entries, inside, origin) for origin in (*origins, SOURCE)}
    return {
        path: UNREACHED_TEST
        for path in useless
        if not _is_named(_folder(path), named[entries[path].origin], own=True)
        and not _is_named(_folder(path), named[SOURCE], own=False)
    }


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


def _named(entries: Mapping[str, PlannedEntry], inside: Iterable[str], origin: str) -> set[str]:
    """Paths and dotted names with such a part that the files of *origin* outside of *inside* speak of, with slashes."""
    found: set[bytes] = set()
    for path, entry in entries.items():
        if entry.origin != origin or path in inside or entry.member.size > _MAX_TEXT_BYTES or _is_licence(path):
            continue
        if path.endswith(".py"):
            found.update(match[1] for match in _NAMED.finditer(entry.member.read()))
        elif path.endswith(_LISTS):
            found.update(_WORD.findall(entry.member.read()))
    return {text.decode().replace(".", "/").strip("/") for text in found if text.isascii()}


def _is_licence(path: str) -> bool:
    return ".dist-info/" in path and not path.endswith("/entry_points.txt")


def _is_named(folder: str, named: Iterable[str], *, own: bool) -> bool:
    """Whether one of *named* may mean *folder*; a bare name can only mean one of its *own* distribution."""
    parent, _, last = f"/{folder}".rpartition("/")
    around = parent.rpartition("/")[2]
    for text in named:
        words = text.split("/")
        for number, word in enumerate(words):
            if word != last:
                continue
            before = words[number - 1] if number else ""
            if before == around if before else own:
                return True
    return False
