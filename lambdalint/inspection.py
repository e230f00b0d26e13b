"""Inspecting, wired: one artifact is read, checked and taken apart."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from lambdalint.api import Place, Running, options, placed
from lambdalint.aws.limits import limit
from lambdalint.aws.runtimes import runtime
from lambdalint.config import Config
from lambdalint.engine.cache import Cache
from lambdalint.engine.executors import Serial
from lambdalint.engine.planned import Planned
from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Result
from lambdalint.engine.run import run
from lambdalint.errors import UnreadableInput
from lambdalint.facts.bytecode import BytecodeFiles
from lambdalint.facts.import_frames import Frame, estimated_frames
from lambdalint.facts.installed import comparable
from lambdalint.facts.native import NativeFile, NativeFiles, Need
from lambdalint.facts.package_imports import OPT, TASK, ImportClosure, source_of
from lambdalint.facts.parts import Parts, PartTitle
from lambdalint.facts.requirements import Requirements
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.model.function import Function
from lambdalint.model.project import Project
from lambdalint.readers.tree import Folder
from lambdalint.reporters.inspection.document import (
    Bytecode,
    File,
    ImportTimes,
    Inspection,
    Native,
    Part,
    Quota,
)

_PYTHON: Final = (".py", ".pyi")
_METADATA: Final = (".dist-info/", ".egg-info/")


def inspected(
    path: Path,
    config: Config | None = None,
    *,
    running: Running | None = None,
    today: date | None = None,
    frames: Sequence[Frame] | None = None,
) -> Inspection:
    """What the artifact at *path* is made of; a folder is taken for an unpacked one.

    *frames* are import times that were measured; without them they are estimated.

    Raises:
        LambdalintError: there is nothing at *path*, it cannot be read, or the configuration is wrong.
    """
    running = running or Running()
    place = placed((path,), running.layers)
    config = Config.find((path,)) if config is None else config
    project, result = _joined_and_checked(place, config, today or date.today(), running)
    subject = next(_subjects(project, place.paths[0]), None)
    if subject is None:
        failure = next(iter(result.failures), None)
        text = failure.message if failure else "there is nothing in it that Lambda could unpack"
        raise UnreadableInput(text, path=str(path), hint=failure.hint if failure else "give a ZIP or a folder")
    artifact, function = subject
    return _Inspecting(artifact, function).document(path, result, frames)


def _joined_and_checked(place: Place, config: Config, today: date, running: Running) -> tuple[Project, Result]:
    projects: list[Project] = []

    def seen(project: Project) -> Planned:
        projects.append(project)
        return Planned(functions={each.name: each.artifact for each in project.functions if each.artifact})

    result = run(
        Folder(place.root),
        place.paths,
        options(config, place, today, running),
        Registry.load(),
        cache=Cache(None),
        executor=Serial(),
        version="",
        shown=place.shown,
        plans=seen,
    )
    return projects[0], result


def _subjects(project: Project, path: str) -> Iterator[tuple[Artifact, Function | None]]:
    for function in project.functions:
        if function.artifact is not None and function.artifact.path == path:
            yield function.artifact, function
    for layer in project.layers:
        if layer.artifact is not None and layer.artifact.path == path:
            yield layer.artifact, None


@dataclass(slots=True)
class _Inspecting:
    """What is worked out of *artifact* once, for all that is said about it."""

    artifact: Artifact
    function: Function | None
    imports: ImportClosure | None = field(init=False)
    root: str = field(init=False)
    init: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.imports = ImportClosure.of(self.function) if self.function else None
        self.root = OPT if self.artifact.layer else TASK
        self.init = frozenset(self.imports.closure.init) if self.imports else frozenset()

    def document(self, path: Path, result: Result, frames: Sequence[Frame] | None) -> Inspection:
        artifact = self.artifact
        ordered = sorted(artifact.entries, key=lambda entry: (-entry.size, entry.path))
        by_path = Parts.of(artifact).by_path
        titles = [by_path[entry.path] for entry in ordered]
        sizes: Counter[PartTitle] = Counter()
        for title, entry in zip(titles, ordered, strict=True):
            sizes[title] += entry.size
        names = sorted(sizes, key=lambda title: (-sizes[title], title.text))
        part_of = dict(zip((entry.path for entry in ordered), map(_indices(names), titles), strict=True))
        native = NativeFiles.of(artifact).files
        bytecode = BytecodeFiles.of(artifact)
        archive = path if artifact.kind is ArtifactKind.ZIP else None
        digest = _digest(archive) if archive else None
        archive_bytes = archive.stat().st_size if archive else None
        return Inspection(
            path=result.shown(artifact.path) or ".",
            kind=artifact.kind.value,
            name=self.function.name if self.function else path.stem,
            layer=artifact.layer,
            runtime=artifact.runtime,
            architecture=artifact.architecture,
            handler=self._handler(),
            unpacked_bytes=artifact.unpacked_bytes,
            packed_bytes=artifact.packed_bytes,
            archive_bytes=archive_bytes,
            sha256=digest.hex() if digest else None,
            code_sha256=base64.b64encode(digest).decode() if digest else None,
            quotas=tuple(self._quotas(archive_bytes)),
            parts=tuple(self._parts(names, ordered, part_of)),
            files=tuple(self._files(ordered, part_of, {file.path for file in native})),
            natives=tuple(self._natives(native, part_of)),
            bytecode=bytecode_of(artifact, bytecode, frozenset(filter(None, map(self._inner, self.init)))),
            imports=self._import_times(bytecode, frames),
            check=result,
        )

    def _handler(self) -> str | None:
        handler = self.function.handler if self.function else None
        value = getattr(handler, "value", None)
        return value if isinstance(value, str) else None

    def _quotas(self, archive_bytes: int | None) -> Iterator[Quota]:
        layers = self.function.local_layers if self.function else ()
        unpacked = self.artifact.unpacked_bytes
        unpacked += sum(layer.artifact.unpacked_bytes for layer in layers if layer.artifact)
        name = "unpacked, with layers" if layers else "unpacked"
        yield Quota(name, unpacked, limit("artifact", "unpacked", "max_bytes"))
        if archive_bytes is not None:
            yield Quota("direct upload", archive_bytes, limit("artifact", "upload", "max_bytes"))

    def _parts(
        self, titles: Sequence[PartTitle], entries: Iterable[Entry], part_of: Mapping[str, int]
    ) -> Iterator[Part]:
        files: dict[int, list[Entry]] = {}
        for entry in entries:
            files.setdefault(part_of[entry.path], []).append(entry)
        requirers = _requirers(Requirements.of(self.artifact))
        importers = self._first_importers(part_of)
        for index, title in enumerate(titles):
            packed = [entry.packed_bytes for entry in files[index]]
            yield Part(
                name=title.name,
                version=title.version,
                files=len(files[index]),
                unpacked_bytes=sum(entry.size for entry in files[index]),
                packed_bytes=None if None in packed else sum(each for each in packed if each is not None),
                required_by=tuple(sorted(requirers.get(comparable(title.name), ()))) if title.version else (),
                imported_by=importers.get(index),
            )

    def _first_importers(self, part_of: Mapping[str, int]) -> Mapping[int, str]:
        """The first file that imports each part from outside of it."""
        found: dict[int, str] = {}
        if self.imports is None:
            return found
        for path, importer in self.imports.closure.importers.items():
            inner, outer = self._inner(path), self._inner(importer)
            if inner is not None and inner in part_of and outer is not None and part_of.get(outer) != part_of[inner]:
                found.setdefault(part_of[inner], outer)
        return found

    def _inner(self, path: str) -> str | None:
        return path[len(self.root) :] if path.startswith(self.root) else None

    def _files(self, entries: Iterable[Entry], part_of: Mapping[str, int], native: set[str]) -> Iterator[File]:
        for entry in entries:
            yield File(
                path=entry.path,
                size=entry.size,
                packed_bytes=entry.packed_bytes,
                part=part_of[entry.path],
                kind="native" if entry.path in native else _kind(entry),
                reached=self._reached(entry),
                imported_by=self._imported_by(entry),
            )

    def _reached(self, entry: Entry) -> str | None:
        if self.imports is None or not self.imports.files:
            return None
        match self.imports.reaches(self.artifact, entry):
            case True:
                return "init" if source_of(self.root + entry.path) in self.init else "later"
            case False:
                return "never"
            case None:
                return None

    def _imported_by(self, entry: Entry) -> str | None:
        importers = self.imports.closure.importers if self.imports else {}
        return self._inner(importers.get(source_of(self.root + entry.path), "")) or None

    def _natives(self, files: Iterable[NativeFile], part_of: Mapping[str, int]) -> Iterator[Native]:
        architecture = self.artifact.architecture
        for file in sorted(files, key=lambda each: (-each.entry.size, each.path)):
            yield Native(
                path=file.path,
                size=file.entry.size,
                part=part_of[file.path],
                system="Linux (musl)" if file.musl else file.format.value,
                machines=file.machines,
                glibc=_text(file.glibc),
                glibcxx=_text(file.glibcxx),
                abi=file.abi.title if file.abi else None,
                runs=file.runs_on(architecture) if architecture and not file.unreadable else None,
                unreadable=file.unreadable,
            )

    def _import_times(self, bytecode: BytecodeFiles, frames: Sequence[Frame] | None) -> ImportTimes | None:
        if frames is not None:
            return ImportTimes(True, tuple(frames))
        if self.imports is None or not self.imports.closure.init:
            return None
        known = runtime(self.artifact.runtime) if self.artifact.runtime else None
        python = known.version if known else None
        usable = bytecode.usable(python) if python else ()
        compiled = {self.root + file.source.path for file in usable if file.source}
        return ImportTimes(False, estimated_frames(self.imports, compiled))


def bytecode_of(artifact: Artifact, bytecode: BytecodeFiles, init: frozenset[str] = frozenset()) -> Bytecode:
    """What the *bytecode* of an artifact comes to; *init* are the files that are read at once, if that is known."""
    known = runtime(artifact.runtime) if artifact.runtime else None
    python = known.version if known and known.family == "python" else None
    checks = Counter(file.check.name.lower() for file in bytecode.files)
    versions = {file.python for file in bytecode.files if file.python}
    usable = {file.source.path for file in bytecode.usable(python) if file.source} if python else None
    started = {path for path in init if path.endswith(".py")}
    return Bytecode(
        sources=sum(entry.suffix == ".py" for entry in artifact.entries),
        files=len(bytecode.files) + len(bytecode.broken),
        unpacked_bytes=sum(entry.size for entry in artifact.entries if entry.suffix == ".pyc"),
        usable=None if usable is None else len(usable),
        init_sources=len(started) if init else None,
        init_usable=None if usable is None or not init else len(started & usable),
        pythons=tuple(f"{major}.{minor}" for major, minor in sorted(versions)),
        checks=dict(sorted(checks.items())),
    )


def _indices(titles: Sequence[PartTitle]) -> Callable[[PartTitle], int]:
    return {title: index for index, title in enumerate(titles)}.__getitem__


def _requirers(requirements: Requirements) -> Mapping[str, set[str]]:
    """Those that require each distribution."""
    found: dict[str, set[str]] = {}
    for name, required in requirements.required_by.items():
        for each in required:
            found.setdefault(each, set()).add(name)
    return found


def _kind(entry: Entry) -> str:
    if any(mark in entry.path for mark in _METADATA):
        return "metadata"
    if entry.suffix == ".pyc":
        return "bytecode"
    return "python" if entry.suffix in _PYTHON else "data"


def _text(need: Need | None) -> str | None:
    return need.text if need else None


def _digest(archive: Path) -> bytes:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
