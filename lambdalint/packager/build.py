"""Functions to plans, and plans to archives."""

import base64
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, Self, TypeVar, cast

from packaging.utils import canonicalize_name, parse_wheel_filename

from lambdalint.aws.limits import limit
from lambdalint.aws.runtimes import is_python
from lambdalint.errors import Refused
from lambdalint.model.function import Code, CodeKind, Function
from lambdalint.model.values import Known, Unknown
from lambdalint.packager import bytecode
from lambdalint.packager.bytecode import Bytecode, Interpreter, bytecode_path, takes_bytecode
from lambdalint.packager.choice import Pin
from lambdalint.packager.fetch import Fetcher
from lambdalint.packager.host import Host, Progress, silent
from lambdalint.packager.index import Indexes
from lambdalint.packager.inputs import Declared, Input, Inputs, Locked, Places, inputs
from lambdalint.packager.local import built_wheel
from lambdalint.packager.lock import pinned
from lambdalint.packager.manifest import manifest, rendered
from lambdalint.packager.pack import Member, Pack, RawMember, compressed_all, keep, lookup
from lambdalint.packager.plan import BYTECODE, SOURCE, Distribution, Plan, PlannedEntry, Skipped
from lambdalint.packager.resolve import FRESH_S, Answer, Question, resolve
from lambdalint.packager.source import Leaving, SourceFiles, single_file, source_files
from lambdalint.packager.target import Target, target
from lambdalint.packager.web import Web
from lambdalint.packager.wheel import RULES, installed
from lambdalint.packager.zip import zip_chunks
from lambdalint.readers.tree import Tree

T = TypeVar("T")

#: A file of the project from this size on is compressed once and kept.
_LARGE_BYTES: Final = 256 * 1024
_MAX_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Options:
    """How to build.

    *manifest* is a path in the project that counts instead of the ones beside the code; *extras* are those of the
    function's own project.  *fresh_s* is how old, in seconds, an answer of the resolver may be.
    """

    manifest: str | None = None
    extras: tuple[str, ...] = ()
    bytecode: Bytecode = Bytecode.ALL
    leaving: Leaving = field(default_factory=Leaving)
    fresh_s: int = FRESH_S


@dataclass(frozen=True, slots=True)
class Written:
    """An archive on disk and its manifest; *sha256_base64* is how Lambda states a package's hash."""

    path: Path
    manifest_path: Path
    sha256: str
    sha256_base64: str
    packed_bytes: int
    unpacked_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Brought:
    """A pack with its bytecode: what one distribution, or the source, brings."""

    origin: str
    members: tuple[Member, ...]
    bytecode: tuple[Member, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Dependencies:
    brought: tuple[_Brought, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    inputs: tuple[Input, ...] = ()
    notes: tuple[str, ...] = ()


class Packager:
    """Plans packages of the functions of one project.

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
        self._exit = ExitStack()
        self._scratch = Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="lambdalint-")))
        self._web = Web(self._host.environment)
        self._fetcher = Fetcher(self._web, self._host, self._scratch)
        self._once = _Once()

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
        reason = _reason_to_skip(function)
        if reason is not None:
            return Skipped(function.name, reason)
        assert isinstance(function.runtime, Known)
        assert function.code is not None
        aim = target(function.runtime.value, _architecture(function))
        compiler = self._compiler(aim)
        own, notes = self._own(function, function.code, aim, compiler)
        needed = self._needed(function.code, aim, compiler)
        entries, more = _merged((*needed.brought, own))
        notes = [*notes, *needed.notes, *more, *self._bytecode_notes((*needed.brought, own), aim, compiler)]
        return Plan(
            name=function.name,
            handler=function.handler.value if isinstance(function.handler, Known) else None,
            target=aim,
            entries=entries,
            distributions=needed.distributions,
            inputs=needed.inputs,
            notes=tuple(notes),
            compiler=compiler.version if compiler and any(entry.origin == BYTECODE for entry in entries) else None,
            source=function.code.span,
        )

    def _compiler(self, aim: Target) -> Interpreter | None:
        if self._options.bytecode is Bytecode.NONE:
            return None
        return self._once.of(
            ("interpreter", aim.python), lambda: bytecode.interpreter(aim.python, self._host.environment)
        )

    def _bytecode_notes(self, brought: Sequence[_Brought], aim: Target, compiler: Interpreter | None) -> list[str]:
        version = f"{aim.python[0]}.{aim.python[1]}"
        if self._options.bytecode is Bytecode.NONE:
            return []
        if compiler is None:
            return [
                f"no Python {version} is here to compile with, so there is no bytecode and the first import takes "
                f"longer; `uv python install {version}` provides one"
            ]
        failed = [path for one in brought for path in one.failed]
        if not failed:
            return []
        return [f"not Python {version}, hence without bytecode: {_some(failed)}"]

    def _own(
        self, function: Function, code: Code, aim: Target, compiler: Interpreter | None
    ) -> tuple[_Brought, list[str]]:
        self._progress("source", function.name, 0, 1)
        root, path = code.root, code.path
        out = (*self._options.leaving.out, function.template)
        leaving = replace(self._options.leaving, out=out)

        def read() -> SourceFiles:
            if code.kind is CodeKind.FILE and path is not None:
                return SourceFiles((single_file(self._tree, path),))
            return source_files(self._tree, root or "", leaving)

        key = ("source", code.kind, root, path, function.template)
        files = self._once.of(key, read)
        members = self._once.of((*key, "members"), lambda: self._compressed(files.members))
        compiled = self._once.of((*key, "bytecode", aim.python), lambda: self._compiled(files.members, compiler))
        self._progress("source", function.name, 1, 1)
        return replace(compiled, members=members), list(files.notes)

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

    def _compiled(self, raws: Sequence[RawMember], compiler: Interpreter | None) -> _Brought:
        """Bytecode of the project's own modules; one by one in the cache, since they change one by one."""
        if compiler is None:
            return _Brought(SOURCE, ())
        known: dict[str, bytes] = {}
        missing: list[RawMember] = []
        keys: dict[str, str] = {}
        for raw in raws:
            if not takes_bytecode(raw.path):
                continue
            named = f"{raw.path}\0{compiler.version}\0{bytecode.FINGERPRINT}\0".encode("utf-8", "surrogateescape")
            keys[raw.path] = hashlib.sha256(named + raw.data).hexdigest()
            data = self._host.cache.get("bytecode", keys[raw.path])
            if data is None:
                missing.append(raw)
            else:
                known[raw.path] = data
        if missing:
            made = bytecode.compiled({SOURCE: missing}, compiler, self._host.jobs)[SOURCE]
            by_path = {member.path: member.data for member in made.members}
            for raw in missing:
                known[raw.path] = by_path.get(bytecode_path(raw.path, compiler), b"")
                self._host.cache.put("bytecode", keys[raw.path], known[raw.path])
        members = [RawMember(bytecode_path(path, compiler), data) for path, data in sorted(known.items()) if data]
        failed = tuple(path for path, data in sorted(known.items()) if not data)
        return _Brought(SOURCE, (), compressed_all(members, self._host.jobs), failed)

    def _needed(self, code: Code, aim: Target, compiler: Interpreter | None) -> _Dependencies:
        if code.kind is not CodeKind.FOLDER:
            return _Dependencies()
        root = code.root or ""
        return self._once.of(("needed", root, str(aim)), lambda: self._dependencies(root, aim, compiler))

    def _dependencies(self, root: str, aim: Target, compiler: Interpreter | None) -> _Dependencies:
        options = self._options
        places = Places(self._tree, root, options.manifest, options.extras, self._host.environment)
        said = inputs(places, aim)
        if said.needs is None:
            return _Dependencies(notes=said.notes)
        self._progress("resolve", root or ".", 0, 1)
        answer = self._pins(said, aim)
        self._progress("resolve", root or ".", 1, 1)
        packs = self._packs(answer.pins)
        compiled = self._bytecode_packs(packs, compiler)
        brought = []
        distributions = []
        for pin in answer.pins:
            pack, sha256 = packs[pin]
            made = compiled.get(pin, Pack(()))
            brought.append(_Brought(pin.origin, pack.members, made.members, made.remarks))
            url = None if pin.url.startswith("file:") else self._web.remember(pin.url)
            distributions.append(Distribution(pin.name, pin.version, pin.filename, url, sha256))
        notes = (*said.notes, *answer.notes)
        return _Dependencies(tuple(brought), tuple(distributions), said.files, notes)

    def _pins(self, said: Inputs, aim: Target) -> Answer:
        match said.needs:
            case Locked(lock, project):
                folder = self._tree.on_disk(lock.path.rpartition("/")[0])
                pins, members = pinned(lock, project, self._options.extras, aim, folder)
                base = lock.path.rpartition("/")[0]
                built = [
                    self._built(f"{base}/{member.source[1]}".strip("/"), aim)
                    for member in members
                    if member.source[0] != "virtual"
                ]
                return Answer(tuple(sorted((*pins, *built), key=lambda pin: pin.name)))
            case Declared(question, settings, local):
                texts = [*question.requirements]
                for folder_path, extras in local:
                    pin = self._built(folder_path, aim)
                    asked = f"[{','.join(extras)}]" if extras else ""
                    texts.append(f"{pin.name}{asked} @ {pin.url}")
                indexes = self._once.of(("indexes", settings), lambda: Indexes(settings, self._web))
                whole: Question = replace(question, requirements=tuple(texts))
                return resolve(whole, indexes, aim, self._host, fresh_s=self._options.fresh_s)
            case _:
                return Answer(())

    def _built(self, folder: str, aim: Target) -> Pin:
        place = self._tree.on_disk(folder)
        if place is None:
            raise Refused(f"the project in {folder} is not there", hint="is the lock or the requirement up to date?")
        wheel = self._once.of(
            ("built", folder, str(aim)), lambda: built_wheel(place, folder or ".", self._scratch, aim)
        )
        name, version, _, _ = parse_wheel_filename(wheel.name)
        return Pin(canonicalize_name(name), str(version), wheel.name, wheel.as_uri())

    def _packs(self, pins: Sequence[Pin]) -> dict[Pin, tuple[Pack, str]]:
        """The files of each pin; wheels are fetched only for those that were not unpacked before."""
        found: dict[Pin, tuple[Pack, str]] = {}
        for pin in pins:
            pack = lookup(self._host, _wheel_key(pin.sha256)) if pin.sha256 else None
            if pack is not None and pin.sha256 is not None:
                found[pin] = (pack, pin.sha256)
        missing = [pin for pin in pins if pin not in found]
        fetched = self._fetcher.fetch(missing, self._progress)

        def unpacked(pin: Pin) -> tuple[Pack, str]:
            path, sha256 = fetched[pin]
            key = _wheel_key(sha256)
            return lookup(self._host, key) or keep(self._host, key, installed(path, pin)), sha256

        with ThreadPoolExecutor(max_workers=self._host.jobs) as pool:
            for done, (pin, pack_and_hash) in enumerate(zip(missing, pool.map(unpacked, missing), strict=True), 1):
                found[pin] = pack_and_hash
                self._progress("unpack", pin.origin, done, len(missing))
        return found

    def _bytecode_packs(self, packs: dict[Pin, tuple[Pack, str]], compiler: Interpreter | None) -> dict[Pin, Pack]:
        if compiler is None:
            return {}
        found: dict[Pin, Pack] = {}
        missing: list[Pin] = []
        for pin, (_, sha256) in packs.items():
            pack = lookup(self._host, _bytecode_key(sha256, compiler))
            if pack is None:
                missing.append(pin)
            else:
                found[pin] = pack
        if not missing:
            return found
        self._progress("compile", missing[0].origin, 0, len(missing))
        sources = {
            pin: [
                RawMember(member.path, member.read()) for member in packs[pin][0].members if takes_bytecode(member.path)
            ]
            for pin in missing
        }
        made = bytecode.compiled(sources, compiler, self._host.jobs)
        for done, pin in enumerate(missing, 1):
            key = _bytecode_key(packs[pin][1], compiler)
            found[pin] = keep(self._host, key, made[pin].members, made[pin].failed)
            self._progress("compile", pin.origin, done, len(missing))
        return found


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


def write(plan: Plan, folder: Path, progress: Progress = silent) -> Written:
    """Write the archive of *plan* and its manifest into *folder*; an archive is there whole or not at all.

    Raises:
        Refused: they cannot be written.
    """
    path, manifest_path = folder / f"{plan.stem}.zip", folder / f"{plan.stem}.json"
    progress("write", plan.name, 0, 1)
    digest = hashlib.sha256()
    size = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{plan.stem}-") as scratch:
            archive, listing = Path(scratch, "zip"), Path(scratch, "json")
            with archive.open("wb") as file:
                for chunk in zip_chunks(plan.entries):
                    digest.update(chunk)
                    size += file.write(chunk)
            listing.write_bytes(rendered(manifest(plan, sha256=digest.digest(), zip_bytes=size)))
            archive.replace(path)
            listing.replace(manifest_path)
    except OSError as error:
        raise Refused(
            f"{path} cannot be written: {error.strerror}", hint="is there room, and may you write?"
        ) from error
    progress("write", plan.name, 1, 1)
    return Written(
        path=path,
        manifest_path=manifest_path,
        sha256=digest.hexdigest(),
        sha256_base64=base64.b64encode(digest.digest()).decode(),
        packed_bytes=size,
        unpacked_bytes=plan.unpacked_bytes,
    )


def _wheel_key(sha256: str) -> tuple[str, ...]:
    return ("wheel", sha256, RULES)


def _bytecode_key(sha256: str, compiler: Interpreter) -> tuple[str, ...]:
    return ("wheel bytecode", sha256, RULES, compiler.version, bytecode.FINGERPRINT)


def _reason_to_skip(function: Function) -> str | None:
    code = function.code
    if function.image or (code is not None and code.kind is CodeKind.IMAGE):
        return "it is a container image; only ZIP packages are built"
    match function.runtime:
        case None:
            return "it has no runtime"
        case Unknown(expression):
            return f"its runtime is decided outside the template: {expression}"
        case Known(name) if not is_python(name):
            return f"it runs on {name}; only Python is built"
    match function.architectures:
        case Unknown(expression):
            return f"its architecture is decided outside the template: {expression}"
        case Known(values) if any(isinstance(value, Unknown) for value in values):
            return "its architecture is decided outside the template"
    if code is None:
        return "its code is not stated"
    reasons = {
        CodeKind.INLINE: "its code stands in the template; there is nothing to build",
        CodeKind.REMOTE: "its code is already uploaded",
        CodeKind.ZIP: f"{code.path} is a finished archive",
        CodeKind.MISSING: f"there is nothing at {code.path}",
    }
    return reasons.get(code.kind)


def _architecture(function: Function) -> str:
    if isinstance(function.architectures, Known):
        for value in function.architectures.value:
            if isinstance(value, Known):
                return value.value
    return "x86_64"


def _merged(brought: Iterable[_Brought]) -> tuple[tuple[PlannedEntry, ...], list[str]]:
    """The entries of all, later ones replacing earlier ones as installers do, the source last; bytecode as fits."""
    owners: dict[str, tuple[_Brought, Member]] = {}
    notes: dict[tuple[str, str], list[str]] = {}
    for one in brought:
        for member in one.members:
            before = owners.get(member.path)
            if before is not None and before[1].sha256 != member.sha256:
                notes.setdefault((before[0].origin, one.origin), []).append(member.path)
            owners[member.path] = (one, member)
    _check_folders(owners)
    entries = {path: PlannedEntry(member, one.origin, one.origin) for path, (one, member) in owners.items()}
    said = [_replaced(old, new, paths) for (old, new), paths in notes.items()]
    room = limit("artifact", "unpacked", "max_bytes") - sum(entry.member.size for entry in entries.values())
    left = 0
    for one, member in _bytecode(owners):
        if member.path in entries:
            continue
        if member.size > room:
            left += 1
            continue
        room -= member.size
        entries[member.path] = PlannedEntry(member, BYTECODE, one.origin)
    if left:
        modules = "1 module is" if left == 1 else f"{left:,} modules are"
        said.append(f"{modules} left without bytecode: with it the package would be too large")
    return tuple(entries[path] for path in sorted(entries)), said


def _bytecode(owners: dict[str, tuple[_Brought, Member]]) -> Iterable[tuple[_Brought, Member]]:
    """Bytecode whose source is in the package, the project's own first, then by path."""
    groups = {id(one): one for one, _ in owners.values()}
    for one in sorted(groups.values(), key=lambda one: (one.origin != SOURCE, one.origin)):
        for member in one.bytecode:
            folder, _, name = member.path.rpartition("__pycache__/")
            source = owners.get(f"{folder}{name.rsplit('.', 2)[0]}.py")
            if source is not None and source[0] is one:
                yield one, member


def _check_folders(owners: dict[str, tuple[_Brought, Member]]) -> None:
    for path, (one, _) in owners.items():
        parent = path
        while parent := parent.rpartition("/")[0]:
            if parent in owners:
                other = owners[parent][0].origin
                raise Refused(
                    f"{other} has a file {parent}, where {one.origin} has a folder", hint="rename one of them"
                )


def _replaced(old: str, new: str, paths: list[str]) -> str:
    if new == SOURCE:
        return f"own files replace those of {old}: {_some(paths)}"
    return f"{old} and {new} both bring {_some(paths)}, with different content; that of {new} is taken"


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - _MAX_NAMED
    return ", ".join(paths[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


class _Once:
    """Remembers results by key; of two threads that ask for the same, one waits for the other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[object, Lock] = {}
        self._results: dict[object, object] = {}

    def of(self, key: object, make: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._results:
                self._results[key] = make()
            return cast("T", self._results[key])
