"""Which files of a package Python reads when it imports a module, by the text of what is imported."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lambdalint.facts.import_scan import Imported, Scan

_INIT: Final = "__init__"


@dataclass(frozen=True, slots=True)
class Located:
    """A module: its file first, then others that stand in for it on other platforms, and its folders if a package.

    A package without ``__init__`` has folders and no file.
    """

    paths: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class ModuleIndex:
    """Modules by the names under which Python finds them, whatever is asked for first.

    *roots* are folders, ``""`` or with a ``/`` at their end, in the order of ``sys.path``.
    """

    roots: tuple[str, ...]
    _files: Mapping[str, Mapping[str, tuple[str, ...]]]
    _folders: frozenset[str]
    _names: frozenset[str]
    _located: dict[str, Located | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls, paths: Iterable[str], roots: Sequence[str] = ("",), python: tuple[int, int] | None = None
    ) -> "ModuleIndex":
        """The modules in *paths*; *python* takes a source where what is compiled beside it is for another version."""
        files: dict[str, dict[str, list[str]]] = {}
        folders: set[str] = set()
        for path in paths:
            folder, _, name = path.rpartition("/")
            folder = f"{folder}/" if folder else ""
            around = folder
            while around not in folders:
                folders.add(around)
                around = around[: around.rfind("/", 0, -1) + 1]
            if name.endswith((".py", ".pyc", ".so")):
                files.setdefault(folder, {}).setdefault(name.partition(".")[0], []).append(path)
        ranked = {
            folder: {name: _ranked(found, python) for name, found in modules.items()}
            for folder, modules in files.items()
        }
        names = {folder[:-1].rpartition("/")[2] for folder in folders}.union(*files.values())
        return cls(tuple(roots), ranked, frozenset(folders), frozenset(names))

    def may_have(self, module: str) -> bool:
        """Whether something ends in the name of *module*, so that looking for it may be worth while."""
        return module.rpartition(".")[2] in self._names

    def find(self, module: str) -> Located | None:
        """Where Python finds *module*, as ``a.b``; ``None`` where it does not."""
        if module not in self._located:
            parent, _, name = module.rpartition(".")
            if parent:
                package = self.find(parent) if parent.count(".") < 100 else None
                self._located[module] = self._find(name, package.folders) if package else None
            else:
                self._located[module] = self._find(name, self.roots)
        return self._located[module]

    def submodules(self, package: str) -> Iterator[str]:
        """The names of the modules and packages right in *package*; of what is at the roots for ``""``."""
        located = self.find(package) if package else Located(folders=self.roots)
        for folder in located.folders if located else ():
            yield from (name for name in self._files.get(folder, ()) if name != _INIT)
            yield from (
                each[len(folder) : -1]
                for each in self._folders
                if each.startswith(folder) and each.find("/", len(folder)) == len(each) - 1
            )

    def _find(self, name: str, folders: tuple[str, ...]) -> Located | None:
        portions = []
        for folder in folders:
            inner = f"{folder}{name}/"
            if inner in self._folders:
                if init := self._files.get(inner, {}).get(_INIT):
                    return Located(init, (inner,))
                portions.append(inner)
            if paths := self._files.get(folder, {}).get(name):
                return Located(paths)
        return Located(folders=tuple(portions)) if portions else None


def _ranked(paths: list[str], python: tuple[int, int] | None) -> tuple[str, ...]:
    if len(paths) > 1 and python and any(path.endswith(".py") for path in paths):
        tag = f".cpython-{python[0]}{python[1]}-"
        paths = [path for path in paths if ".cpython-" not in path.rpartition("/")[2] or tag in path]
    return tuple(sorted(paths, key=_rank))


def _rank(path: str) -> tuple[int, str]:
    """The order in which Python looks for files of one module."""
    return (".so", ".py", ".pyc").index(path[path.rfind(".") :]), path


@dataclass(frozen=True, slots=True)
class Closure:
    """What is read for some modules: *init* as they are loaded, in this order, *deferred* if only functions import it.

    *missing* are names that are imported and not there, with the file that imports each first; the standard library's
    are among them.  *importers* are the files that import each file first, ``""`` for what is started from; a package
    is imported by whoever imports something in it.  *unclear* are files that import what their text does not say; of
    compiled modules nothing is certain.
    """

    init: tuple[str, ...] = ()
    deferred: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()
    importers: Mapping[str, str] = field(default_factory=dict)


def closure(index: ModuleIndex, start: Iterable[str], scan_of: Callable[[str], Scan]) -> Closure:
    """The files that importing the modules *start* leads to; *scan_of* gives the imports of a file."""
    search = _Search(index, scan_of)
    for module in start:
        search.load(module, "")
    init = tuple(search.paths)
    search.follow_deferred()
    deferred = frozenset(search.paths).difference(init)
    return Closure(init, deferred, search.missing, frozenset(search.unclear), search.importers)


class _Search:
    def __init__(self, index: ModuleIndex, scan_of: Callable[[str], Scan]) -> None:
        self.index = index
        self.scan_of = scan_of
        self.paths: dict[str, None] = {}
        self.missing: dict[str, str] = {}
        self.importers: dict[str, str] = {}
        self.unclear: set[str] = set()
        self.loaded: set[str] = set()
        self.later: deque[tuple[str, str, bool, Scan]] = deque()
        self.scans: dict[str, Scan] = {}

    def load(self, module: str, importer: str) -> None:
        """Load *module* and what it imports at once, in Python's order."""
        running = [iter(((module, importer),))]
        while running:
            wanted = next(running[-1], None)
            if wanted is None:
                running.pop()
            else:
                # A module is loaded after the packages around it, and those import on their own.
                name, by = wanted
                for parent in _parents(name):
                    if parent in self.loaded:
                        continue
                    located = self.index.find(parent)
                    if located is None:
                        self.missing.setdefault(parent, by)
                        break
                    self.loaded.add(parent)
                    for path in located.paths:
                        self.importers.setdefault(path, by)
                    if parent != name:
                        running.append(iter((wanted,)))
                    running.append(self._read(parent, located))
                    break

    def follow_deferred(self) -> None:
        """Load what functions of the loaded modules import, and so on."""
        while self.later:
            module, path, is_package, scan = self.later.popleft()
            for imported in scan.deferred:
                for name in self._meant(imported, module, is_package, path):
                    self.load(name, path)
            package = module if is_package else module.rpartition(".")[0]
            for hint in filter(self.index.may_have, scan.hints):
                for name in (hint, f"{package}.{hint}"):
                    if name not in self.loaded and self.index.find(name):
                        self.load(name, path)

    def _read(self, module: str, located: Located) -> Iterator[tuple[str, str]]:
        """The modules that *module* imports as it is loaded, each with the file that says so."""
        is_package = bool(located.folders)
        for path in located.paths:
            self.paths[path] = None
            scan = self._scan(path)
            if scan.unclear:
                self.unclear.add(path)
            if scan.deferred or scan.hints:
                self.later.append((module, path, is_package, scan))
            for imported in scan.init:
                for name in self._meant(imported, module, is_package, path):
                    if name not in self.loaded:
                        yield name, path

    def _scan(self, path: str) -> Scan:
        if path not in self.scans:
            self.scans[path] = self.scan_of(path)
        return self.scans[path]

    def _meant(self, imported: Imported, module: str, is_package: bool, path: str) -> Iterator[str]:
        """The modules that an import in *module* loads: what it names, and the submodules that it takes from it."""
        base = imported.module
        if imported.level:
            around = module.split(".") if is_package else module.split(".")[:-1]
            kept = len(around) - imported.level + 1
            if kept < 1:
                return
            base = ".".join((*around[:kept], *((base,) if base else ())))
        yield base
        for name in imported.names:
            if name == "*":
                located = self.index.find(base)
                exported = (each for file in (located.paths if located else ()) for each in self._scan(file).exported)
                yield from (f"{base}.{each}" for each in exported if self.index.find(f"{base}.{each}"))
            elif self.index.find(f"{base}.{name}"):
                yield f"{base}.{name}"


def _parents(module: str) -> Iterator[str]:
    """``a``, ``a.b`` and ``a.b.c`` for ``a.b.c``."""
    end = module.find(".")
    while end >= 0:
        yield module[:end]
        end = module.find(".", end + 1)
    yield module
