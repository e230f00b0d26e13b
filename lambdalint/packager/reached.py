"""What of a package its code leads to: which files import which, by their text, kept for each distribution."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final

from packaging.utils import canonicalize_name

from lambdalint.facts.import_closure import Closure, ModuleIndex, closure
from lambdalint.facts.import_scan import Imported, Scan, is_scanned, scanned, scanned_native
from lambdalint.facts.package_imports import imports_in
from lambdalint.facts.shown import name_of
from lambdalint.packager import spoken
from lambdalint.packager.contents import Contents
from lambdalint.packager.host import Host
from lambdalint.packager.plan import SOURCE, PlannedEntry

#: Changes with how files are scanned, so that what other rules found is not taken for ours.
_RULES: Final = ("6", *Scan.__slots__)
_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*")
_REQUIRED: Final = re.compile(r"^Requires-Dist: *([\w.-]+)(.*)$", re.MULTILINE)
_MAX_UNSEEN_BYTES: Final = 1024 * 1024
#: Lambda's own client, which asks for events in images that bring it along.
_CLIENT: Final = "awslambdaric"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the text of a file shows: its imports, and names that may be of tests."""

    scan: Scan
    tests: tuple[str, ...] = ()


class Scans:
    """What files show, read once for each distribution and kept; may be used from several threads."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = Lock()
        self._known: dict[tuple[str, ...], dict[str, Seen]] = {}
        self._grown: set[tuple[str, ...]] = set()
        self._with_tests: dict[tuple[str, ...], frozenset[str]] = {}

    def of(self, entry: PlannedEntry, key: tuple[str, ...]) -> Seen:
        """What *entry* shows, of the distribution whose content *key* names; of the source for ``()``."""
        # Nothing is gained by two that read at the same time, and what one has read serves the other.
        with self._lock:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = self._kept(key)
            name = _place(entry)
            if name not in known:
                known[name] = _seen(entry)
                if key:
                    self._grown.add(key)
            return known[name]

    def with_tests(self, entries: Iterable[PlannedEntry], key: tuple[str, ...]) -> frozenset[str]:
        """The paths of *entries*, all the code of one distribution, whose text has ``test`` in it at all."""
        with self._lock:
            listed = tuple(entries)
            found = self._with_tests.get((*key, str(len(listed))))
            if found is None:
                name = _name(("tests", *key, str(len(listed))))
                data = self._host.cache.get("scans", name) if key else None
                if data is None:
                    paths = [each.path for each in listed if b"test" in each.member.read()]
                    data = json.dumps(paths).encode()
                    if key:
                        self._host.cache.put("scans", name, data)
                found = frozenset(json.loads(data))
                if key:
                    self._with_tests[*key, str(len(listed))] = found
            return found

    def answers(self, entry: PlannedEntry, key: tuple[str, ...]) -> dict[str, Any]:
        """What was read of *entry*, as the facts of the rules ask for it: those then need not read it again."""
        with self._lock:
            seen = self._known.get(key, {}).get(_place(entry))
        if seen is None or not entry.path.endswith((".py", ".so")):
            return {}
        scan = seen.scan if entry.path.endswith(".so") else replace(seen.scan, hints=())
        return {name_of(imports_in): scan}

    def keep(self) -> None:
        """Keep what was read since the last time."""
        with self._lock:
            grown, self._grown = self._grown, set()
            for key in grown:
                document = {name: _row(seen) for name, seen in self._known[key].items()}
                self._host.cache.put("scans", _name(key), json.dumps(document).encode())

    def _kept(self, key: tuple[str, ...]) -> dict[str, Seen]:
        data = self._host.cache.get("scans", _name(key)) if key else None
        return {name: _read(row) for name, row in json.loads(data).items()} if data else {}


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The modules of a package, and what each imports."""

    contents: Contents
    index: ModuleIndex
    scans: Scans

    @classmethod
    def of(cls, contents: Contents, scans: Scans) -> "Reading":
        return cls(contents, ModuleIndex.of(contents.entries), scans)

    def seen(self, path: str) -> Seen:
        """What the file at *path* shows."""
        entry = self.contents.entries[path]
        return self.scans.of(entry, self.contents.keys.get(entry.origin, ()))

    def scan(self, path: str) -> Scan:
        """The imports of the file at *path*."""
        return self.seen(path).scan

    def _own_scan(self, path: str) -> Scan:
        """The imports that count at a cold start: of distributions those in functions do not, which may never run."""
        scan = self.scan(path)
        if self.contents.entries[path].origin == SOURCE:
            return scan
        return Scan(scan.init, exported=scan.exported, unclear=scan.unclear, hints=scan.hints)

    def started(self, handler: str | None) -> list[str]:
        """What the handler leads to: at its import, in load order, and then through functions of the project itself.

        Where the project has no such module, all of its modules are taken for started.  Compiled modules, and those
        that import by names which they work out, are taken to import all of what their distributions require, unless
        that is large.
        """
        starts = self._starts(handler)
        found = closure(self.index, starts, self._own_scan)
        paths = dict.fromkeys((*found.init, *sorted(found.deferred)))
        unseen = self._unseen(paths)
        if unseen:
            found = closure(self.index, [*starts, *filter(None, map(module_name, unseen))], self._own_scan)
            paths |= dict.fromkeys((*found.init, *sorted(found.deferred)))
        return list(paths)

    def _unseen(self, paths: Iterable[str]) -> list[str]:
        """The modules of distributions that nothing in *paths* is of, and that what is unclear in them requires."""
        entries = self.contents.entries
        origins = {entries[path].origin for path in paths}
        unclear = {entries[path].origin for path in paths if path.endswith(".so") or self.scan(path).unclear}
        wanted = {name for origin in unclear for name in self._required(origin)}
        wanted = {origin for origin in self.contents.keys if _project(origin) in wanted and origin not in origins}
        modules: dict[str, list[PlannedEntry]] = {}
        for path, entry in entries.items():
            if entry.origin in wanted and path.endswith(".py") and "tests" not in path.split("/"):
                modules.setdefault(entry.origin, []).append(entry)
        small = [each for each in modules.values() if sum(entry.member.size for entry in each) <= _MAX_UNSEEN_BYTES]
        return sorted(entry.path for each in small for entry in each)

    def _required(self, origin: str) -> Iterator[str]:
        """The names of the distributions that one requires, but for its extras."""
        for path, entry in self.contents.entries.items():
            if entry.origin == origin and path.endswith(".dist-info/METADATA") and path.count("/") == 1:
                head = entry.member.read().partition(b"\n\n")[0].decode("utf-8", "replace")
                for name, rest in _REQUIRED.findall(head):
                    if "extra" not in rest:
                        yield canonicalize_name(name)

    def reached(self, handler: str | None) -> Closure:
        """What the handler leads to in any way."""
        return closure(self.index, self._starts(handler), self.scan)

    def speaking_of_tests(self, paths: Iterable[str]) -> set[str]:
        """Which of the modules in the files *paths* have ``test`` in their text at all."""
        groups: dict[str, list[PlannedEntry]] = {}
        for path in paths:
            if path.endswith((".py", ".so")):
                groups.setdefault(self.contents.entries[path].origin, []).append(self.contents.entries[path])
        found = (self.scans.with_tests(each, self.contents.keys.get(origin, ())) for origin, each in groups.items())
        return {path for each in found for path in each}

    def led_to(self, starts: set[str], inside: set[str]) -> Closure:
        """What the modules in the files *starts* import, and what the files *inside* lead to from there."""

        def scan(path: str) -> Scan:
            return self.scan(path) if path in starts or path in inside else Scan()

        return closure(self.index, filter(None, map(module_name, sorted(starts))), scan)

    def has_own(self, handler: str | None) -> bool:
        """Whether the handler is in a module of the project."""
        located = self.index.find(_module_of(handler)) if handler else None
        return located is not None and any(self.contents.entries[path].origin == SOURCE for path in located.paths)

    def _starts(self, handler: str | None) -> list[str]:
        starts = [_module_of(handler)] if handler else []
        if not self.has_own(handler):
            own = sorted(path for path, entry in self.contents.entries.items() if entry.origin == SOURCE)
            starts += filter(None, map(module_name, own))
        return [*starts, _CLIENT] if self.index.find(_CLIENT) else starts


def _project(origin: str) -> str:
    return origin.partition(" ")[0]


def module_name(path: str) -> str | None:
    """The dotted name of the module in a file, ``None`` for other files."""
    folder, _, name = path.rpartition("/")
    if not name.endswith((".py", ".so")):
        return None
    parts = [*folder.split("/"), name.partition(".")[0]] if folder else [name.partition(".")[0]]
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(map(_IDENTIFIER.fullmatch, parts)) else None


def _module_of(handler: str) -> str:
    return handler.rpartition(".")[0].replace("/", ".")


def _seen(entry: PlannedEntry) -> Seen:
    if not is_scanned(entry.path, entry.member.size):
        return Seen(Scan(unclear=True))
    text = entry.member.read()
    if entry.path.endswith(".so"):
        return Seen(scanned_native(text))
    if not entry.path.endswith(".py"):
        return Seen(Scan(), spoken.tests(text, code=False))
    scan = replace(scanned(text), hints=spoken.modules(text, entry.path))
    return Seen(scan, spoken.tests(text, code=True))


def _place(entry: PlannedEntry) -> str:
    return f"{entry.member.sha256} {entry.path}"


def _name(key: tuple[str, ...]) -> str:
    import hashlib

    return hashlib.sha256(json.dumps([*key, *_RULES]).encode()).hexdigest()


def _row(seen: Seen) -> list[Any]:
    """*seen* as :func:`_read` takes it."""
    scan = seen.scan
    groups = [
        [(imported.module, imported.level, imported.names) for imported in group]
        for group in (scan.init, scan.deferred, scan.typing)
    ]
    return [*groups, scan.exported, scan.unclear, scan.hints, scan.of_path, scan.of_plugins, seen.tests]


def _read(row: list[Any]) -> Seen:
    init, deferred, typing, exported, unclear, hints, of_path, of_plugins, tests = row
    scan = Scan(
        _imports(init),
        _imports(deferred),
        _imports(typing),
        tuple(exported),
        unclear,
        tuple(hints),
        of_path,
        of_plugins,
    )
    return Seen(scan, tuple(tests))


def _imports(rows: list[Any]) -> tuple[Imported, ...]:
    return tuple(Imported(module, level, tuple(names)) for module, level, names in rows)
