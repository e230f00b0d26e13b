"""What Lambda unpacks, as a listing: of a ZIP, a folder, a layer, or a plan that is not written yet."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from lambdalint.model.places import Member, Span


class ArtifactKind(Enum):
    """What the listing was made from."""

    ZIP = "zip"
    FOLDER = "folder"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One file of an artifact.

    *path* is where it lies after unpacking, relative, with ``/``.  Sizes are in bytes; *packed_bytes* is
    ``None`` where nothing is compressed yet.  *origin* says what brought it: ``"source"``, ``"bytecode"`` or
    ``NAME VERSION`` of a distribution; ``""`` when nobody knows.  *read* gives the content and may raise
    ``LambdalintError``.  *peek* gives the first so many bytes where that is cheaper than reading all.
    """

    path: str
    size: int
    read: Callable[[], bytes]
    packed_bytes: int | None = None
    executable: bool = False
    origin: str = ""
    peek: Callable[[int], bytes] | None = None

    def head(self, count: int) -> bytes:
        """The first *count* bytes, fewer when there are no more; may raise ``LambdalintError``."""
        return self.peek(count) if self.peek else self.read()[:count]

    @property
    def suffix(self) -> str:
        """The last extension with its dot."""
        return PurePosixPath(self.path).suffix


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """The files of one function package or one layer.

    *path* names it for the reader: the archive, the folder, or where the plan will be written.  *function* is
    the function that runs it, *runtime* and *architecture* what it runs on; ``None`` where nobody said so.
    *layer* is true for the content of a layer, which is unpacked into ``/opt``.  *source* is where a template
    names the artifact.
    *via_s3* says how it reaches Lambda: through S3, uploaded directly (``False``), or unknown (``None``).
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
