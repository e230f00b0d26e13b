"""Comparing, wired: two artifacts are read, and held against each other file by file."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdalint.api import placed
from lambdalint.comparison.packing import packing_differences
from lambdalint.errors import LambdalintError, UnreadableInput
from lambdalint.facts.bytecode import BytecodeFiles
from lambdalint.facts.native import NativeFile, NativeFiles
from lambdalint.facts.parts import Parts, PartTitle
from lambdalint.inspection import bytecode_of
from lambdalint.join.artifacts import given_artifact
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.readers.tree import Folder
from lambdalint.reporters.comparison.document import (
    Comparison,
    FileChange,
    How,
    LinkChange,
    ModeChange,
    NativeChange,
    PartChange,
    Side,
)


@dataclass(frozen=True, slots=True)
class _Read:
    """An artifact with what both sides are asked for."""

    artifact: Artifact
    archive: Path | None
    shown: str
    entries: Mapping[str, Entry]
    natives: Mapping[str, NativeFile]

    @staticmethod
    def of(path: Path) -> "_Read":
        place = placed((path,))
        artifact = given_artifact(Folder(place.root), place.paths[0])
        if artifact is None:
            raise UnreadableInput(f"{path} is neither an archive nor a folder", path=str(path))
        if artifact.is_unreadable:
            damage = artifact.damages[0]
            raise UnreadableInput(f"{path} cannot be unpacked: {damage.message}", path=str(path), hint=damage.hint)
        natives = NativeFiles.of(artifact).files
        return _Read(
            artifact,
            path if artifact.kind is ArtifactKind.ZIP else None,
            place.shown(artifact.path) or ".",
            {entry.path: entry for entry in artifact.entries},
            {file.path: file for file in natives},
        )

    def side(self) -> Side:
        artifact = self.artifact
        needs = [file.glibc for file in self.natives.values() if file.glibc]
        floor = max(needs, key=lambda need: need.version, default=None)
        return Side(
            path=self.shown,
            kind=artifact.kind.value,
            files=len(artifact.entries),
            unpacked_bytes=artifact.unpacked_bytes,
            packed_bytes=artifact.packed_bytes,
            archive_bytes=self.archive.stat().st_size if self.archive else None,
            sha256=_sha256(self.archive) if self.archive else None,
            glibc=floor.text if floor else None,
            bytecode=bytecode_of(artifact, BytecodeFiles.of(artifact)),
        )


def compared(old: Path, new: Path) -> Comparison:
    """What is different between the artifacts at *old* and at *new*: archives or folders.

    Raises:
        LambdalintError: one of them is not there, or cannot be read.
    """
    before, after = _Read.of(old), _Read.of(new)
    parts_of = {**Parts.of(before.artifact).by_path, **Parts.of(after.artifact).by_path}
    files = tuple(_files(before, after, parts_of))
    one, other = before.side(), after.side()
    differs = before.archive and after.archive and one.sha256 != other.sha256
    return Comparison(
        old=one,
        new=other,
        parts=tuple(_parts(before.artifact, after.artifact, {change.path for change in files})),
        files=files,
        modes=tuple(_modes(before, after)),
        links=tuple(_links(before.artifact.links, after.artifact.links)),
        natives=tuple(_natives(before.natives, after.natives)),
        packing=tuple(packing_differences(before.artifact, after.artifact, old, new)) if differs else (),
    )


def _files(old: _Read, new: _Read, parts_of: Mapping[str, PartTitle]) -> Iterator[FileChange]:
    for path in sorted(old.entries.keys() | new.entries.keys()):
        before, after, part = old.entries.get(path), new.entries.get(path), parts_of[path].name
        if before is None and after is not None:
            yield FileChange(path, part, "added", None, after.size)
        elif after is None and before is not None:
            yield FileChange(path, part, "removed", before.size, None)
        elif before is not None and after is not None and not _is_same(before, after):
            yield FileChange(path, part, "changed", before.size, after.size)


def _is_same(one: Entry, other: Entry) -> bool:
    if one.size != other.size or (None not in (one.crc32, other.crc32) and one.crc32 != other.crc32):
        return False
    try:
        return one.read() == other.read()
    except LambdalintError:
        return False


def _modes(old: _Read, new: _Read) -> Iterator[ModeChange]:
    for path in sorted(old.entries.keys() & new.entries.keys()):
        before, after = old.entries[path].mode, new.entries[path].mode
        if before is not None and after is not None and before & 0o777 != after & 0o777:
            yield ModeChange(path, f"{before & 0o777:04o}", f"{after & 0o777:04o}")


def _links(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[LinkChange]:
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            yield LinkChange(path, old.get(path), new.get(path))


def _natives(old: Mapping[str, NativeFile], new: Mapping[str, NativeFile]) -> Iterator[NativeChange]:
    for path in sorted(old.keys() | new.keys()):
        before, after = _needs(old.get(path)), _needs(new.get(path))
        if before != after:
            yield NativeChange(path, before, after)


def _needs(file: NativeFile | None) -> str | None:
    if file is None:
        return None
    needs = [file.title.removesuffix(" file")]
    if file.glibc:
        needs.append(f"glibc {file.glibc.text}")
    if file.glibcxx:
        needs.append(f"libstdc++ {file.glibcxx.text}")
    if file.abi:
        needs.append(file.abi.title)
    return ", ".join(needs)


@dataclass(slots=True)
class _Share:
    version: str | None = None
    bytes: int = 0
    packed_bytes: int | None = 0
    files: int = 0

    def add(self, entry: Entry) -> None:
        self.bytes += entry.size
        known = None not in (self.packed_bytes, entry.packed_bytes)
        self.packed_bytes = (self.packed_bytes or 0) + (entry.packed_bytes or 0) if known else None


def _shares(artifact: Artifact, changed: Iterable[str]) -> dict[str, _Share]:
    """What each part of an artifact takes, and how many of its files are among the *changed*."""
    changed = set(changed)
    titles = Parts.of(artifact).by_path
    found: dict[str, _Share] = {}
    for entry in artifact.entries:
        title = titles[entry.path]
        share = found.setdefault(title.name, _Share(title.version))
        share.add(entry)
        share.files += entry.path in changed
    return found


def _parts(old: Artifact, new: Artifact, changed: set[str]) -> Iterator[PartChange]:
    before, after = _shares(old, changed), _shares(new, changed)
    names = before.keys() | after.keys()
    found = []
    for name in names:
        one, other = before.get(name, _Share()), after.get(name, _Share())
        if one.files or other.files or one.version != other.version:
            how: How = "changed" if name in before and name in after else "added" if name in after else "removed"
            files = max(one.files, other.files)
            found.append(
                PartChange(
                    name,
                    how,
                    one.version,
                    other.version,
                    one.bytes,
                    other.bytes,
                    one.packed_bytes,
                    other.packed_bytes,
                    files,
                )
            )
    yield from sorted(found, key=lambda each: (-abs(each.new_bytes - each.old_bytes), each.name))


def _sha256(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
