"""What is different between two artifacts, as plain data."""

from dataclasses import dataclass
from typing import Literal

from lambdalint.reporters.inspection.document import Bytecode

How = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two artifacts; *archive_bytes* and *sha256* are ``None`` of a folder."""

    path: str
    kind: str
    files: int
    unpacked_bytes: int
    packed_bytes: int | None
    archive_bytes: int | None
    sha256: str | None
    glibc: str | None
    bytecode: Bytecode


@dataclass(frozen=True, slots=True)
class PartChange:
    """A distribution, or a folder of the artifact's own, in which something is different.

    Versions are ``None`` where it has none or is not there; sizes are 0 then.  *old_packed_bytes* and
    *new_packed_bytes* are ``None`` where something is not packed.
    """

    name: str
    how: How
    old_version: str | None
    new_version: str | None
    old_bytes: int
    new_bytes: int
    old_packed_bytes: int | None
    new_packed_bytes: int | None
    files: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of which the content is different; a size is ``None`` on the side where it is not.

    *part* is the name of its distribution, or of its folder.
    """

    path: str
    part: str
    how: How
    old_bytes: int | None
    new_bytes: int | None


@dataclass(frozen=True, slots=True)
class ModeChange:
    """A file with other permissions, as ``0644``."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A symbolic link that leads elsewhere; ``None`` on the side where it is not."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class NativeChange:
    """A native file that needs or is something else, in words; ``None`` on the side where it is not."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class PackingDifference:
    """Why the bytes of two archives differ whatever they unpack to: *what* in a word, and in a sentence."""

    what: str
    message: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is different; *packing* is only asked for of two archives."""

    old: Side
    new: Side
    parts: tuple[PartChange, ...]
    files: tuple[FileChange, ...]
    modes: tuple[ModeChange, ...]
    links: tuple[LinkChange, ...]
    natives: tuple[NativeChange, ...]
    packing: tuple[PackingDifference, ...]

    @property
    def single_files(self) -> tuple[FileChange, ...]:
        """The files without those of distributions that came or went as a whole."""
        whole = {part.name for part in self.parts if part.how != "changed" and (part.old_version or part.new_version)}
        return tuple(file for file in self.files if file.part not in whole)

    @property
    def is_equal(self) -> bool:
        """Whether both unpack to the same files, with the same permissions and links."""
        return not (self.files or self.modes or self.links)

    @property
    def is_identical(self) -> bool:
        """Whether they are the same bytes."""
        return self.old.sha256 is not None and self.old.sha256 == self.new.sha256
