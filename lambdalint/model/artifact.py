"""What Lambda unpacks, as a listing: of a ZIP, a folder, a layer, or a plan that is not written yet."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lambdalint.model.places import Member, Span


class ArtifactKind(Enum):
    """What the listing was made from."""

    ZIP = "zip"
    FOLDER = "folder"
    PLAN = "plan"
    IMAGE = "image"  # the part of one that is a function's own


class RecordKind(Enum):
    """What a record of an archive becomes when it is unpacked."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "symbolic link"
    OTHER = "device, pipe or socket"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an archive as it is written, also one that cannot or must not be unpacked.

    *name* is as written, bytes that are no text as surrogates; *is_utf8* says that the record calls it UTF-8.  *mode*
    holds all Unix bits, kind of file included, and is ``None`` where the archive was made without them, on Windows say.
    *target* is where a link points, as written.  *modified* is year, month, day, hour, minute, second.
    """

    name: str
    kind: RecordKind
    size: int
    packed_bytes: int
    crc32: int
    method: int
    is_utf8: bool
    mode: int | None
    modified: tuple[int, int, int, int, int, int]
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """Why an archive, or *entry* of it, cannot be unpacked by Lambda, in words; *hint* says what to do.

    What is not *sure* depends on the reader: some take it, and nobody says what Lambda does.
    """

    message: str
    entry: str | None = None
    hint: str | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One file of an artifact.

    *path* is where it lies after unpacking, relative, with ``/``.  Sizes are in bytes; *packed_bytes* is
    ``None`` where nothing is compressed yet.  *origin* says what brought it: ``"source"``, ``"bytecode"`` or
    ``NAME VERSION`` of a distribution; ``""`` when nobody knows.  *read* gives the content and may raise
    ``LambdalintError``.  *peek* gives the first so many bytes where that is cheaper than reading all.  *mode* holds the
    permission bits, ``None`` where nothing says them.  *crc32* is known of what stands in an archive, and
    *sha256*, the content's, of what we packaged.  *shown* are answers to questions about the content, by their names;
    ``None`` where nobody keeps them.
    """

    path: str
    size: int
    read: Callable[[], bytes]
    packed_bytes: int | None = None
    executable: bool = False
    origin: str = ""
    peek: Callable[[int], bytes] | None = None
    mode: int | None = None
    crc32: int | None = None
    sha256: str | None = None
    shown: MutableMapping[str, Any] | None = None

    def head(self, count: int) -> bytes:
        """The first *count* bytes, fewer when there are no more; may raise ``LambdalintError``."""
        return self.peek(count) if self.peek else self.read()[:count]

    @property
    def suffix(self) -> str:
        """The last extension with its dot."""
        name = self.path.rpartition("/")[2]
        dot = name.rfind(".")
        return name[dot:] if 0 < dot < len(name) - 1 else ""


@dataclass(frozen=True, slots=True)
class System:
    """What an image has beside its native files: versions of glibc and of libstdc++, ``None`` where nobody knows."""

    glibc: tuple[int, ...] | None = None
    glibcxx: tuple[int, ...] | None = None
    is_musl: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """The files of one function package or one layer.

    *path* names it for the reader: the archive, the folder, or where the plan will be written.  *function* is
    the function that runs it, *runtime* and *architecture* what it runs on; ``None`` where nobody said so.
    *layer* is true for the content of a layer, which is unpacked into ``/opt``.  *source* is where a template
    names the artifact.
    *via_s3* says how it reaches Lambda: through S3, uploaded directly (``False``), or unknown (``None``).

    *entries* are what is unpacked.  *links* are symbolic links that stay inside, by path, with the path that they lead
    to.  *records* are all records of an archive in its order, those that are left out of *entries* too; there are none
    of a folder or a plan.  *damages* are why some or all of it cannot be unpacked.  *zip64* says that the archive is
    written in the form for what is too large or too much for a plain ZIP.  *system* is that of an image of which the
    artifact is the native code alone, with the paths of the image.
    """

    path: str
    kind: ArtifactKind
    entries: tuple[Entry, ...]
    function: str | None = None
    runtime: str | None = None
    architecture: str | None = None
    layer: bool = False
    source: Span | None = None
    via_s3: bool | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    damages: tuple[Damage, ...] = ()
    zip64: bool = False
    system: System | None = None

    @property
    def is_unreadable(self) -> bool:
        """Whether it is damaged as a whole, so that nobody knows what is in it."""
        return not self.records and bool(self.damages)

    @property
    def unpacked_bytes(self) -> int:
        """The sum of all entries, as Lambda counts it."""
        return sum(entry.size for entry in self.entries)

    @property
    def packed_bytes(self) -> int | None:
        """The sum of the compressed entries without the archive's records; ``None`` if any is not compressed yet."""
        sizes = [entry.packed_bytes for entry in self.entries]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def member(self, entry: Entry) -> Member:
        """The place of *entry* in this artifact."""
        return Member(self.path, entry.path)
