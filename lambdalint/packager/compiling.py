"""Bytecode for the modules of a package that matter, made once and kept: of each file of the project, and by wheel."""

import hashlib
from collections.abc import Sequence
from threading import Lock
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.packager import bytecode
from lambdalint.packager.bytecode import Interpreter, bytecode_path
from lambdalint.packager.contents import Contents, some
from lambdalint.packager.host import Host, Progress
from lambdalint.packager.pack import Member, Pack, RawMember, compressed_all, keep_pack, lookup
from lambdalint.packager.plan import BYTECODE, PlannedEntry

_NOTHING: Final = Pack(())


class Compiling:
    """Compiles modules; may be used from several threads."""

    def __init__(self, host: Host, progress: Progress) -> None:
        self._host = host
        self._progress = progress
        # One at a time: each uses all processors, and the next one finds what it made.
        self._lock = Lock()

    def add(self, contents: Contents, paths: Sequence[str], compiler: Interpreter) -> None:
        """Add bytecode of the modules *paths*, the most important first, as far as the package may grow."""
        with self._lock:
            made, failed = self._made(contents, paths, compiler)
        room = limit("artifact", "unpacked", "max_bytes") - contents.unpacked_bytes
        left = 0
        for path in paths:
            member = made.get(bytecode_path(path, compiler))
            if member is None or member.path in contents.entries:
                continue
            if member.size > room:
                left += 1
                continue
            room -= member.size
            contents.entries[member.path] = PlannedEntry(member, BYTECODE, contents.entries[path].origin)
        if left:
            modules = "1 module is" if left == 1 else f"{left:,} modules are"
            contents.notes.append(f"{modules} left without bytecode: with it the package would be too large")
        if failed:
            version = ".".join(compiler.version.split(".")[:2])
            contents.notes.append(f"not Python {version}, hence without bytecode: {some(sorted(failed))}")

    def _made(
        self, contents: Contents, paths: Sequence[str], compiler: Interpreter
    ) -> tuple[dict[str, Member], set[str]]:
        """Bytecode by its path, and the modules that do not compile."""
        groups: dict[str, list[str]] = {}
        for path in paths:
            groups.setdefault(contents.entries[path].origin, []).append(path)
        packs: dict[str, Pack] = {}
        missing: dict[str, list[RawMember]] = {}
        for origin, wanted in groups.items():
            key = contents.keys.get(origin, ())
            packs[origin] = self._of_wheel(key, compiler) if key else self._of_files(contents, wanted, compiler)
            known = {member.path for member in packs[origin].members}
            failed = set(packs[origin].remarks)
            missing[origin] = [
                RawMember(path, contents.entries[path].member.read())
                for path in wanted
                if bytecode_path(path, compiler) not in known and path not in failed
            ]
        count = sum(map(len, missing.values()))
        if count:
            self._progress("compile", "modules", 0, count)
            self._compile(contents, packs, missing, compiler)
            self._progress("compile", "modules", count, count)
        members = {member.path: member for pack in packs.values() for member in pack.members}
        return members, {path for pack in packs.values() for path in pack.remarks}.intersection(paths)

    def _compile(
        self,
        contents: Contents,
        packs: dict[str, Pack],
        missing: dict[str, list[RawMember]],
        compiler: Interpreter,
    ) -> None:
        """Compile what is *missing* into *packs*, and keep it."""
        answers = bytecode.compiled(
            {origin: raws for origin, raws in missing.items() if raws}, compiler, self._host.jobs
        )
        fresh = iter(compressed_all([raw for made in answers.values() for raw in made.members], self._host.jobs))
        for origin, made in answers.items():
            before = packs[origin]
            members = (*before.members, *(next(fresh) for _ in made.members))
            pack = Pack(
                tuple(sorted(members, key=lambda member: member.path)), tuple(sorted({*before.remarks, *made.failed}))
            )
            packs[origin] = pack
            key = contents.keys.get(origin, ())
            if key:
                keep_pack(self._host, _wheel_key(key, compiler), pack)
                continue
            by_path = {raw.path: raw.data for raw in made.members}
            for raw in missing[origin]:
                data = by_path.get(bytecode_path(raw.path, compiler), b"")
                self._host.cache.put("bytecode", _file_key(raw.path, contents, compiler), data)

    def _of_wheel(self, key: tuple[str, ...], compiler: Interpreter) -> Pack:
        return lookup(self._host, _wheel_key(key, compiler)) or _NOTHING

    def _of_files(self, contents: Contents, paths: Sequence[str], compiler: Interpreter) -> Pack:
        """Bytecode of files that change one by one, as far as it is kept."""
        found: list[RawMember] = []
        failed: list[str] = []
        for path in paths:
            data = self._host.cache.get("bytecode", _file_key(path, contents, compiler))
            if data:
                found.append(RawMember(bytecode_path(path, compiler), data))
            elif data is not None:
                failed.append(path)
        return Pack(compressed_all(found, self._host.jobs), tuple(failed))


def _wheel_key(key: tuple[str, ...], compiler: Interpreter) -> tuple[str, ...]:
    return ("wheel bytecode", *key, compiler.version, compiler.root, bytecode.FINGERPRINT)


def _file_key(path: str, contents: Contents, compiler: Interpreter) -> str:
    parts = (path, compiler.version, compiler.root, bytecode.FINGERPRINT, contents.entries[path].member.sha256)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
