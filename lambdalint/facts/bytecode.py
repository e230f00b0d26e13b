"""The bytecode in an artifact: for which Python, of which source, and whether Python would take it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from lambdalint.aws.bytecode import hashed_alike_since, magic_numbers
from lambdalint.errors import LambdalintError
from lambdalint.facts.package_imports import source_of
from lambdalint.model.artifact import Artifact, Entry

_HEADER: Final = struct.Struct("<HHIII")
#: A ZIP keeps every other second, in the time of whoever packed it.
_ZIP_STEP_S: Final = 2
_ZONE_STEP_S: Final = 15 * 60
_MAX_ZONE_S: Final = 14 * 3600
_MAX_SOURCE_BYTES: Final = 16 * 1024 * 1024


class Check(Enum):
    """How Python tells whether bytecode is that of its source."""

    TIME = "the time and size of the source"
    HASH = "the hash of the source"
    NONE = "nothing"


@dataclass(frozen=True, slots=True, eq=False)
class CompiledFile:
    """One ``.pyc`` file.

    *python* is the version that takes it, ``None`` for one that is not in the table.  *source* is the file that it is
    the bytecode of, as far as it is there.  *cached* says that it lies in a ``__pycache__``.  *time* and *size* are
    those that the source had, *digest* its hash.
    """

    entry: Entry
    python: tuple[int, int] | None
    check: Check
    cached: bool
    source: Entry | None
    time: int = 0
    size: int = 0
    digest: bytes = b""

    def is_of_source(self) -> bool | None:
        """Whether the hash in it is that of the source; ``None`` where that cannot be said."""
        if (
            self.check is Check.TIME
            or self.source is None
            or self.python is None
            or self.source.size > _MAX_SOURCE_BYTES
        ):
            return None
        if self.python < hashed_alike_since():
            return None
        import _imp

        try:
            content = self.source.read()
        except LambdalintError:
            return None
        key = int.from_bytes(struct.pack("<H", magic_numbers()[self.python]) + b"\r\n", "little")
        return _imp.source_hash(key, content) == self.digest


@dataclass(frozen=True, slots=True, eq=False)
class BytecodeFiles:
    """The bytecode of an artifact; *broken* is what is called so and is none."""

    files: tuple[CompiledFile, ...]
    broken: tuple[Entry, ...]
    _times: dict[str, tuple[int, int, int, int, int, int]]

    @classmethod
    def of(cls, artifact: Artifact) -> "BytecodeFiles":
        compiled = [entry for entry in artifact.entries if entry.suffix == ".pyc"]
        if not compiled:
            return cls((), (), {})
        entries = {entry.path: entry for entry in artifact.entries}
        files: list[CompiledFile] = []
        broken: list[Entry] = []
        for entry in compiled:
            found = _compiled(entry, entries)
            if found is None:
                broken.append(entry)
            else:
                files.append(found)
        return cls(tuple(files), tuple(broken), {record.name: record.modified for record in artifact.records})

    def keeps_time(self, file: CompiledFile) -> bool | None:
        """Whether the source can have the time and size in *file* once unpacked; ``None`` where nobody knows."""
        if file.check is not Check.TIME or file.source is None:
            return None
        if file.size != file.source.size & 0xFFFFFFFF:
            return False
        modified = self._times.get(file.source.path)
        if modified is None:
            return None
        try:
            packed = datetime(*modified, tzinfo=UTC).timestamp()
        except ValueError:
            return False
        apart = abs(packed - file.time)
        zone = round(apart / _ZONE_STEP_S) * _ZONE_STEP_S
        return zone <= _MAX_ZONE_S and abs(apart - zone) <= _ZIP_STEP_S

    def usable(self, python: tuple[int, int]) -> Iterator[CompiledFile]:
        """The files that *python* takes in place of a source that it would have to compile."""
        for file in self.files:
            if file.cached and file.python == python and file.source is not None and self.keeps_time(file) is not False:
                yield file


def _compiled(entry: Entry, entries: dict[str, Entry]) -> CompiledFile | None:
    try:
        head = entry.head(_HEADER.size)
    except LambdalintError:
        return None
    if len(head) < _HEADER.size or head[2:4] != b"\r\n":
        return None
    magic, _, flags, time, size = _HEADER.unpack(head)
    python = next((version for version, number in magic_numbers().items() if number == magic), None)
    cached = f"/{entry.path}".rpartition("/")[0].endswith("/__pycache__")
    source = entries.get(source_of(entry.path) if cached else entry.path[:-1])
    if flags & 1:
        return CompiledFile(entry, python, Check.HASH if flags & 2 else Check.NONE, cached, source, digest=head[8:16])
    return CompiledFile(entry, python, Check.TIME, cached, source, time, size)
