"""Functions to plans, and plans to archives."""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from lambdalint.model.function import CodeKind, Function, Layer
from lambdalint.packager import bytecode
from lambdalint.packager.bytecode import Bytecode, Interpreter, takes_bytecode
from lambdalint.packager.compiling import Compiling
from lambdalint.packager.contents import Brought, Contents
from lambdalint.packager.dependencies import Dependencies, Needed
from lambdalint.packager.host import Host, Progress, silent
from lambdalint.packager.once import Once
from lambdalint.packager.options import Options
from lambdalint.packager.own import leave_unreached
from lambdalint.packager.pack import Loss, Member, RawMember, compressed_all, keep, lookup
from lambdalint.packager.plan import BYTECODE, SOURCE, Kind, Plan, Skipped, moved, together
from lambdalint.packager.reached import Reading, Scans
from lambdalint.packager.sdk import Sdk, cost_note, leave_to_runtime, missing_sdk
from lambdalint.packager.slim_sdk import slim
from lambdalint.packager.source import SourceFiles, single_file, source_files
from lambdalint.packager.subjects import Subject, function_subject, layer_subjects
from lambdalint.packager.target import Target
from lambdalint.packager.times import source_date_epoch
from lambdalint.packager.trim import unreached_tests
from lambdalint.readers.tree import Tree

if TYPE_CHECKING:
    from lambdalint.packager.image.base import Base, Workbench
    from lambdalint.packager.image.build import ImagePlan

#: A file of the project from this size on is compressed once and kept.
_LARGE_BYTES: Final = 256 * 1024


class Packager:
    """Plans packages of the functions and layers of one project.

    May be used from several threads.  What functions share is worked out once: the files of a distribution, and all
    dependencies of functions with the same code and target.  Closing it removes its temporary files, so plans are
    written before.
    """

    def __init__(
        self, tree: Tree, options: Options | None = None, host: Host | None = None, progress: Progress = silent
    ) -> None:
        self._tree = tree
        self._options = options or Options()
        self._host = host or Host.here()
        self._progress = progress
        self._epoch = source_date_epoch(self._host.environment)
        self._exit = ExitStack()
        # A download that was begun and is not needed after all may still be writing.
        scratch = tempfile.TemporaryDirectory(prefix="lambdalint-", ignore_cleanup_errors=True)
        self._scratch = Path(self._exit.enter_context(scratch))
        self._once = Once()
        self._dependencies = Dependencies(tree, self._options, self._host, self._once, self._scratch, progress)
        self._scans = Scans(self._host)
        self._compiling = Compiling(self._host, progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit.close()

    def plan(self, function: Function) -> Plan | Skipped:
        """What the package of *function* will hold, or why none is made.

        Raises:
            LambdalintError: it cannot be built, in words.
        """
        subject = function_subject(function, self._options.kind)
        if isinstance(subject, Skipped):
            return subject
        if subject.kind is Kind.IMAGE and self._options.base is not None:
            subject = replace(subject, base=self._options.base)
        return self._planned(subject)

    def image(self, plan: Plan) -> "ImagePlan":
        """The image of *plan*, which is one of an image.

        Raises:
            LambdalintError: its base is not there, or Lambda would refuse the image.
        """
        from lambdalint.packager.image.build import image_plan

        return image_plan(plan, self._base(plan.base, plan.target), self._host)

    @property
    def bench(self) -> "Workbench":
        """What fetching and pushing images takes."""
        from lambdalint.packager.image.base import Workbench

        return Workbench(self._host, self._dependencies.web, self._scratch, self._progress)

    def _base(self, name: str | None, aim: Target) -> "Base":
        from lambdalint.packager.image.base import base

        assert name is not None
        return self._once.of(("base", name, aim.architecture), lambda: base(name, aim.architecture, self.bench))

    def _runtime_client(self, subject: Subject) -> Needed:
        """What an image needs besides, so that somebody asks for events."""
        if subject.kind is not Kind.IMAGE:
            return Needed()
        from lambdalint.aws.images import runtime_client
        from lambdalint.packager.image.build import has_runtime_client

        if has_runtime_client(self._base(subject.base, subject.aim)):
            return Needed()
        named = (runtime_client(),)
        return self._dependencies.named(named, subject.code.root or "", subject.aim)

    def plan_layer(self, layer: Layer, users: Sequence[Function]) -> Plan | Skipped:
        """What the package of *layer* will hold, or why none is made; *users* are the functions that have it.

        Raises:
            LambdalintError: it cannot be built, in words.
        """
        subjects = layer_subjects(layer, users, self._tree)
        if isinstance(subjects, Skipped):
            return subjects
        return together([self._planned(subject) for subject in subjects])

    def compile(self, contents: Contents, paths: Sequence[str], plan: Plan, root: str) -> None:
        """Add bytecode of the modules *paths* to *contents*, which come out of *plan* and will lie in *root*."""
        compiler = self._compiler(plan.target)
        if compiler is not None and paths:
            self._compiling.add(contents, paths, replace(compiler, root=root))

    def _planned(self, subject: Subject) -> Plan:
        aim = subject.aim
        compiler = self._compiler(aim) if subject.builds else None
        if compiler is not None and subject.kind is Kind.LAYER:
            compiler = replace(compiler, root=f"{bytecode.LAYERS_ROOT}{subject.prefix}")
        own, notes = self._own(subject) if subject.takes_source else (Brought(SOURCE, ()), [])
        needed = self._dependencies.needed(subject.code, aim) if subject.builds else Needed()
        client = self._runtime_client(subject)
        brought = {one.origin.partition(" ")[0]: one for one in (*client.brought, *needed.brought)}
        contents = Contents.of((*brought.values(), own))
        pinned = self._pinned_sdk(contents, subject)
        if pinned.brought:
            brought = {one.origin.partition(" ")[0]: one for one in (*pinned.brought, *brought.values())}
            contents = Contents.of((*brought.values(), own))
        if subject.builds:
            self._fit(contents, subject, compiler, needed.asked)
        distributions = (*client.distributions, *pinned.distributions, *needed.distributions)
        present = {entry.origin for entry in contents.entries.values()}
        return Plan(
            name=subject.name,
            handler=subject.handler,
            target=aim,
            entries=moved(contents.sorted(), subject.prefix),
            distributions=tuple(
                {each.name: each for each in distributions if f"{each.name} {each.version}" in present}.values()
            ),
            inputs=needed.inputs,
            notes=(
                *notes,
                *needed.notes,
                *contents.notes,
                *(self._bytecode_notes(aim, compiler) if subject.builds else ()),
            ),
            compiler=compiler.version
            if compiler and any(entry.origin == BYTECODE for entry in contents.sorted())
            else None,
            source=subject.code.span,
            kind=subject.kind,
            base=subject.base,
            losses=_below(subject.prefix, contents.losses),
            keys=contents.keys,
            epoch=self._epoch,
            answers=lambda entry: self._scans.answers(entry, contents.keys.get(entry.origin, ())),
        )

    def _pinned_sdk(self, contents: Contents, subject: Subject) -> Needed:
        """The SDK that the project imports and does not require, where it is to be in the package in any case."""
        if self._options.sdk is not Sdk.PIN or not subject.builds or not subject.takes_source:
            return Needed()
        missing = missing_sdk(contents, Reading.of(contents, self._scans), subject.aim.runtime)
        if missing is None:
            return Needed()
        return self._dependencies.named((missing,), subject.code.root or "", subject.aim)

    def _fit(self, contents: Contents, subject: Subject, compiler: Interpreter | None, asked: tuple[str, ...]) -> None:
        """Leave out what nothing leads to, and compile what a start needs; *asked* are the project's requirements."""
        options, runtime = self._options, subject.aim.runtime

        def reading() -> Reading:
            return Reading.of(contents, self._scans)

        notes: list[str | None] = []
        if subject.takes_source and options.reachable_source:
            notes.append(leave_unreached(contents, reading(), subject.handler))
        if options.sdk is Sdk.RUNTIME and subject.kind is not Kind.IMAGE:
            notes.append(leave_to_runtime(contents, reading(), runtime, asked))
        elif subject.kind is not Kind.IMAGE:
            notes.append(cost_note(contents, runtime))
        if subject.takes_source and options.slim_sdk:
            notes.append(slim(contents, reading(), subject.handler))
        if subject.takes_source and options.trim:
            contents.remove(unreached_tests(reading()))
        contents.notes.extend(note for note in notes if note)
        if compiler is not None:
            self._compiling.add(contents, self._ranked(contents, reading(), subject), compiler)
        self._scans.keep()

    def _ranked(self, contents: Contents, reading: Reading, subject: Subject) -> list[str]:
        """The modules that get bytecode, the most important first: those of the project, and what it starts with.

        Who starts with a layer is not known.
        """
        modules = sorted(path for path in contents.entries if takes_bytecode(path))
        own = [path for path in modules if contents.entries[path].origin == SOURCE]
        if not subject.takes_source:
            return modules
        ranked = [*own, *reading.started(subject.handler)]
        if self._options.bytecode is Bytecode.ALL:
            ranked += modules
        return [path for path in dict.fromkeys(ranked) if path in contents.entries and path.endswith(".py")]

    def _compiler(self, aim: Target) -> Interpreter | None:
        if self._options.bytecode is Bytecode.NONE:
            return None
        return self._once.of(
            ("interpreter", aim.python), lambda: bytecode.interpreter(aim.python, self._host.environment)
        )

    def _bytecode_notes(self, aim: Target, compiler: Interpreter | None) -> list[str]:
        if self._options.bytecode is Bytecode.NONE or compiler is not None:
            return []
        version = f"{aim.python[0]}.{aim.python[1]}"
        return [
            f"no Python {version} is here to compile with, so there is no bytecode and the first import takes "
            f"longer; `uv python install {version}` provides one"
        ]

    def _own(self, subject: Subject) -> tuple[Brought, list[str]]:
        self._progress("source", subject.name, 0, 1)
        code = subject.code
        root, path = code.root, code.path
        out = (*self._options.leaving.out, *filter(None, (subject.template,)))
        leaving = replace(self._options.leaving, out=out)

        def read() -> SourceFiles:
            if code.kind is CodeKind.FILE and path is not None:
                return SourceFiles((single_file(self._tree, path),))
            return source_files(self._tree, root or "", leaving)

        key = ("source", code.kind, root, path, subject.template)
        files = self._once.of(key, read)
        members = self._once.of((*key, "members"), lambda: self._compressed(files.members))
        self._progress("source", subject.name, 1, 1)
        return Brought(SOURCE, members), list(files.notes)

    def _compressed(self, raws: Sequence[RawMember]) -> tuple[Member, ...]:
        found: list[Member] = []
        small: list[RawMember] = []
        for raw in raws:
            if len(raw.data) < _LARGE_BYTES:
                small.append(raw)
                continue
            # Kept under its content alone: the same file may lie elsewhere tomorrow.
            key = ("file", hashlib.sha256(raw.data).hexdigest())
            pack = lookup(self._host, key) or keep(self._host, key, [raw])
            found.append(replace(pack.members[0], path=raw.path, executable=raw.executable))
        return (*found, *compressed_all(small, self._host.jobs))


def _below(prefix: str, losses: Mapping[str, Sequence[Loss]]) -> dict[str, tuple[Loss, ...]]:
    """*losses* where a package lies in the folder *prefix*."""
    return {
        origin: tuple(replace(each, path=prefix + each.path) for each in listed) for origin, listed in losses.items()
    }


def plan_function(
    tree: Tree,
    function: Function,
    options: Options | None = None,
    host: Host | None = None,
    progress: Progress = silent,
) -> Plan | Skipped:
    """The plan of one function alone; see :class:`Packager` for several."""
    with Packager(tree, options, host, progress) as packager:
        return packager.plan(function)
