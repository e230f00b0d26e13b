"""Which files of a function's package and layers importing its handler leads to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.errors import LambdalintError
from lambdalint.facts.distributions import Distributions
from lambdalint.facts.import_closure import Closure, ModuleIndex, closure
from lambdalint.facts.import_scan import Scan, is_scanned, scanned, scanned_native
from lambdalint.facts.shown import shown
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.model.function import Function
from lambdalint.model.project import Project
from lambdalint.model.values import Known

#: Where Lambda unpacks a function and its layers.
TASK: Final = "/var/task/"
OPT: Final = "/opt/"

_CONSOLE: Final = frozenset(("console_scripts", "gui_scripts"))


@dataclass(frozen=True, slots=True)
class Packaged:
    """A file as Lambda unpacks it, and the distribution that brought it, where that is known."""

    entry: Entry
    artifact: Artifact
    distribution: str | None


@dataclass(frozen=True)
class ImportClosure:
    """What the handler of a function reaches through imports, in its package and the layers that are known.

    *files* are all files by where they are unpacked.  *start* are the modules that Lambda imports.  *complete* says
    that what is not reached is not imported: package and layers are known, and no code of the project imports by names
    that it works out, or looks into other folders.  *scans* are the imports of each file that is read.
    """

    function: Function
    files: Mapping[str, Packaged] = field(default_factory=dict)
    index: ModuleIndex = field(default_factory=lambda: ModuleIndex.of(()))
    closure: Closure = field(default_factory=Closure)
    start: tuple[str, ...] = ()
    complete: bool = False
    uses_entry_points: bool = False
    scans: Mapping[str, Scan] = field(default_factory=dict)

    @classmethod
    def of(cls, function: Function) -> "ImportClosure":
        return _closure_of(function, _Known())

    @cached_property
    def reached(self) -> frozenset[str]:
        """The files that are read, at once or later, by where they are unpacked."""
        return self.closure.deferred.union(self.closure.init)

    @cached_property
    def reached_distributions(self) -> frozenset[str]:
        """The distributions of which some file is read."""
        return frozenset(each for path in self.reached if (each := self.files[path].distribution))

    def importers(self) -> Mapping[str, tuple[str, ...]]:
        """The files that import each top-level name, of those that are read."""
        found: dict[str, list[str]] = {}
        for path in (*self.closure.init, *sorted(self.closure.deferred)):
            scan = self.scans.get(path)
            for imported in (*scan.init, *scan.deferred) if scan else ():
                if not imported.level:
                    found.setdefault(imported.module.partition(".")[0], []).append(path)
        return {name: tuple(dict.fromkeys(paths)) for name, paths in found.items()}

    def path_of(self, artifact: Artifact, entry: Entry) -> str:
        """Where *entry* is unpacked."""
        return f"{OPT if artifact.layer else TASK}{entry.path}"

    def reaches(self, artifact: Artifact, entry: Entry) -> bool | None:
        """Whether importing the handler leads to *entry*; ``None`` where that is not certain.

        Bytecode is reached with its source, and what is no module with any module of its distribution.
        """
        path = self.path_of(artifact, entry)
        packaged = self.files.get(path)
        if packaged is None or packaged.entry is not entry:
            return None
        path = source_of(path)
        if path in self.reached:
            return True
        if not self.complete:
            return None
        if packaged.distribution in self.reached_distributions:
            is_module = path.endswith((".py", ".pyc", ".so")) and self._top(path) not in self._unclear_tops
            return False if is_module and ".libs/" not in path else None
        if packaged.distribution is None:
            return False if path.endswith((".py", ".pyc")) and self._top(path) not in self._unclear_tops else None
        return None if packaged.distribution in self._plugins else False

    @cached_property
    def _unclear_tops(self) -> frozenset[str]:
        """The top-level packages in which something is imported by a name that is worked out."""
        return frozenset(map(self._top, self.closure.unclear))

    @cached_property
    def _plugins(self) -> frozenset[str]:
        """The distributions that say what others are to import of them, where somebody asks for that."""
        if not self.uses_entry_points:
            return frozenset()
        return frozenset(
            packaged.distribution
            for path, packaged in self.files.items()
            if packaged.distribution and path.endswith(".dist-info/entry_points.txt") and _has_plugins(packaged.entry)
        )

    def _top(self, path: str) -> str:
        root = next((each for each in self.index.roots if path.startswith(each)), "")
        return root + path[len(root) :].partition("/")[0]


@dataclass(frozen=True, slots=True)
class PackageImports:
    """The closures of a project's functions, each worked out when somebody asks for it."""

    project: Project
    _closures: dict[int, ImportClosure] = field(default_factory=dict)
    _known: "_Known" = field(default_factory=lambda: _Known())

    @classmethod
    def of(cls, project: Project) -> "PackageImports":
        return cls(project)

    def of_function(self, function: Function) -> ImportClosure:
        """The closure of one of the project's functions."""
        key = id(function)
        if key not in self._closures:
            self._closures[key] = _closure_of(function, self._known)
        return self._closures[key]

    def of_artifact(self, artifact: Artifact) -> tuple[ImportClosure, ...]:
        """The closures of the functions that have *artifact* as their package or as a layer."""
        return tuple(self.of_function(each) for each in self.project.functions if _runs_with(each, artifact))

    def unreached(self, artifact: Artifact, entry: Entry) -> bool:
        """Whether somebody runs with *artifact*, and no one of them reaches *entry*."""
        closures = self.of_artifact(artifact)
        return bool(closures) and all(each.reaches(artifact, entry) is False for each in closures)


def source_of(path: str) -> str:
    """The source whose bytecode *path* is in a ``__pycache__``; otherwise *path* itself."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".pyc") or not f"/{folder}".endswith("/__pycache__"):
        return path
    return f"{folder[: -len('__pycache__')]}{name.split('.')[0]}.py"


def _runs_with(function: Function, artifact: Artifact) -> bool:
    if artifact.layer:
        return any(
            layer.artifact is not None and layer.artifact.path == artifact.path for layer in function.local_layers
        )
    return function.artifact is artifact or (
        function.artifact is not None and function.artifact.path == artifact.path and bool(artifact.path)
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What several functions with one package find out once: by its path, that and a file's, or a content's hash."""

    distributions: dict[str, Distributions] = field(default_factory=dict)
    read: dict[tuple[str, str], Scan] = field(default_factory=dict)


def _closure_of(function: Function, shared: _Known) -> ImportClosure:
    known = runtime(str(function.runtime.value)) if isinstance(function.runtime, Known) else None
    python = known.version if known and is_python(known.name) else None
    if function.artifact is None or python is None or not isinstance(function.handler, Known):
        return ImportClosure(function)
    files = _files(function, shared)
    index = ModuleIndex.of(files, _roots(function, python), python)
    reading = _Reading(files, shared.read)
    module = str(function.handler.value).rpartition(".")[0].replace("/", ".")
    start = (module, *_named_in_environment(function, index))
    found = closure(index, start, reading.scan_of)
    layers_known = function.layers_complete and all(layer.artifact for layer in function.local_layers)
    code = function.code
    complete = (
        index.find(module) is not None
        and layers_known
        and not reading.looks_elsewhere
        and not any(files[path].distribution is None for path in found.unclear)
        and not (code and (code.picked or code.more_roots))
        and not _has_unknown_environment(function)
    )
    return ImportClosure(function, files, index, found, start, complete, reading.uses_entry_points, reading.read)


def _files(function: Function, shared: _Known) -> dict[str, Packaged]:
    """All files where they are unpacked; those of a later layer lie over those of an earlier one."""
    artifacts = [function.artifact, *(layer.artifact for layer in function.local_layers)]
    found: dict[str, Packaged] = {}
    for artifact in artifacts:
        if artifact is None:
            continue
        if artifact.path not in shared.distributions:
            shared.distributions[artifact.path] = Distributions.of(artifact)
        brought_by = shared.distributions[artifact.path]
        root = OPT if artifact.layer else TASK
        found.update(
            (root + entry.path, Packaged(entry, artifact, brought_by.of_entry(entry))) for entry in artifact.entries
        )
    return found


def _roots(function: Function, python: tuple[int, int]) -> tuple[str, ...]:
    versioned = f"{OPT}python/lib/python{python[0]}.{python[1]}/site-packages/"
    # ``sam build`` puts the source of a layer into its folder python.
    built = any(layer.artifact and layer.artifact.kind is ArtifactKind.FOLDER for layer in function.local_layers)
    return (TASK, versioned, f"{OPT}python/", *((OPT,) if built else ()))


@dataclass(slots=True)
class _Reading:
    """Scans files, and notes what makes the imports in them no longer say everything."""

    files: Mapping[str, Packaged]
    known: dict[tuple[str, str], Scan]
    looks_elsewhere: bool = False
    uses_entry_points: bool = False
    read: dict[str, Scan] = field(default_factory=dict)

    def scan_of(self, path: str) -> Scan:
        packaged = self.files[path]
        # Functions are packaged with the same distributions: what was read of one serves all.
        key = (packaged.artifact.path, packaged.entry.path)
        if packaged.entry.sha256 is not None:
            key = (packaged.entry.sha256, packaged.entry.suffix)
        if key not in self.known:
            self.known[key] = shown(packaged.entry, imports_in)
        found = self.read[path] = self.known[key]
        self.looks_elsewhere = self.looks_elsewhere or (packaged.distribution is None and found.of_path)
        self.uses_entry_points = self.uses_entry_points or found.of_plugins
        return found


def imports_in(entry: Entry) -> Scan:
    """What a module imports; of one that cannot be read, or is bytecode, that is unclear."""
    if not is_scanned(entry.path, entry.size):
        return Scan(unclear=True)
    try:
        content = entry.read()
    except LambdalintError:
        return Scan(unclear=True)
    return scanned_native(content) if entry.path.endswith(".so") else scanned(content)


def _named_in_environment(function: Function, index: ModuleIndex) -> Iterable[str]:
    """Modules that variables name as ``module.name``: a wrapper of the handler is told so what it wraps."""
    match function.env:
        case Known(Mapping() as variables):
            for value in variables.values():
                module, _, name = str(value.value).rpartition(".") if isinstance(value, Known) else ("", "", "")
                if name.isidentifier() and module and "/" not in name and index.find(module.replace("/", ".")):
                    yield module.replace("/", ".")


def _has_unknown_environment(function: Function) -> bool:
    """Whether a variable may have something else started before the handler."""
    match function.env:
        case None:
            return False
        case Known(Mapping() as variables):
            return any(name in ("AWS_LAMBDA_EXEC_WRAPPER", "PYTHONPATH", "PYTHONSTARTUP") for name in variables)
        case _:
            return True


def _has_plugins(entry: Entry) -> bool:
    """Whether entry_points.txt names more than commands."""
    if entry.size > 1024 * 1024:
        return True
    try:
        lines = entry.read().decode(errors="replace").splitlines()
    except LambdalintError:
        return True
    return any(line.strip()[1:-1].strip() not in _CONSOLE for line in lines if line.strip().startswith("["))
