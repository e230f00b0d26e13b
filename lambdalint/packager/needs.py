"""What code needs, as it is said: pinned by a lock, or to be resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdalint.packager.index import IndexSettings
from lambdalint.packager.resolve import Question
from lambdalint.readers.locks import Lock, LockedDistribution
from lambdalint.readers.tree import Tree
from lambdalint.readers.uv_lock import LockedPackage, UvLock


@dataclass(frozen=True, slots=True)
class Input:
    """A file that says what is needed: its *path* in the project and the SHA-256 of its content."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Locked:
    """Dependencies that a lock of uv states."""

    lock: UvLock
    project: LockedPackage


@dataclass(frozen=True, slots=True)
class Listed:
    """Dependencies that another tool's lock states; *local* are folders of projects to be built."""

    lock: Lock
    distributions: tuple[LockedDistribution, ...]
    indexes: IndexSettings
    local: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """Dependencies that are to be resolved; *local* are projects to be built first: folder, extras asked of it."""

    question: Question
    indexes: IndexSettings
    local: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a function needs and where it says so; ``None`` when it says nothing."""

    needs: Locked | Listed | Declared | None = None
    files: tuple[Input, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: the tree, the code's root, another manifest than the ones there.

    *extras* and *groups* are those of the project that are wanted.  *file* is the code's only file, where it is one.
    """

    tree: Tree
    root: str
    manifest: str | None = None
    extras: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    groups: tuple[str, ...] = ()
    file: str | None = None
