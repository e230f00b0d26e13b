"""What is known of one artifact, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdalint.engine.result import Result
from lambdalint.facts.import_frames import Frame


@dataclass(frozen=True, slots=True)
class Quota:
    """What the service allows: *name* says of what; *used_bytes* may be more than *max_bytes*."""

    name: str
    used_bytes: int
    max_bytes: int

    @property
    def share(self) -> float:
        """The part of it that is used; 1.0 is all."""
        return self.used_bytes / self.max_bytes


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one distribution; where none is known, of one folder at the root, and *version* is ``None``.

    *required_by* are distributions that ask for it, *imported_by* is the file outside of it that imports it first.
    """

    name: str
    version: str | None
    files: int
    unpacked_bytes: int
    packed_bytes: int | None
    required_by: tuple[str, ...] = ()
    imported_by: str | None = None

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class File:
    """One file; *part* is the index of its part.

    *kind* is ``python``, ``bytecode``, ``native``, ``metadata`` or ``data``.  *reached* says when importing the handler
    reads it: ``init``, ``later``, ``never``, or ``None`` where that is not certain.  *imported_by* is the file that
    imports it first.
    """

    path: str
    size: int
    packed_bytes: int | None
    part: int
    kind: str
    reached: str | None = None
    imported_by: str | None = None


@dataclass(frozen=True, slots=True)
class Native:
    """One native file; *runs* says whether the function can load it, ``None`` where its architecture is not known."""

    path: str
    size: int
    part: int
    system: str
    machines: tuple[str, ...]
    glibc: str | None
    glibcxx: str | None
    abi: str | None
    runs: bool | None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Bytecode:
    """The bytecode of an artifact; *usable* of the *sources* have one that the function's Python takes as it is.

    *usable* is ``None`` where the Python is not known.  *init_sources* and *init_usable* are those that importing the
    handler reads at once, ``None`` where that is not known.  *checks* count the files by how Python tells whether they
    are of their source: ``time``, ``hash``, ``none``.
    """

    sources: int
    files: int
    unpacked_bytes: int
    usable: int | None
    init_sources: int | None = None
    init_usable: int | None = None
    pythons: tuple[str, ...] = ()
    checks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportTimes:
    """What loading the handler's module takes: *measured* by a boot, or estimated from sizes and a table."""

    measured: bool
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """An artifact, what it is made of, and what the rules say about it in *check*.

    *archive_bytes*, *sha256* and *code_sha256*, which is the same in Lambda's spelling, are ``None`` of a folder.
    Parts and files stand with the largest first.
    """

    path: str
    kind: str
    name: str
    layer: bool
    runtime: str | None
    architecture: str | None
    handler: str | None
    unpacked_bytes: int
    packed_bytes: int | None
    archive_bytes: int | None
    sha256: str | None
    code_sha256: str | None
    quotas: tuple[Quota, ...]
    parts: tuple[Part, ...]
    files: tuple[File, ...]
    natives: tuple[Native, ...]
    bytecode: Bytecode
    imports: ImportTimes | None
    check: Result
