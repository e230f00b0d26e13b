"""What a container of an image finds: the layers laid over each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import normpath
from typing import Final

from lambdalint.model.artifact import RecordKind
from lambdalint.model.image import Image, ImageEntry

#: Links to links, before they are called a loop, as Linux counts.
_MAX_LINKS: Final = 40


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry, and the number of the layer that it comes from."""

    entry: ImageEntry
    layer: int


@dataclass(frozen=True, slots=True)
class ImageTree:
    """All files, folders and links by path; *complete* is false when a layer could not be read."""

    by_path: Mapping[str, Placed]
    complete: bool

    @classmethod
    def of(cls, image: Image) -> "ImageTree":
        tree: dict[str, Placed] = {}
        complete = bool(image.layers)
        for number, layer in enumerate(image.layers):
            if layer.entries is None or layer.measured_diff_id is None:
                complete = False
            _lay(tree, layer.entries or (), number)
        return cls(tree, complete)

    def find(self, path: str) -> Placed | None:
        """What is at *path*, which may be absolute, with links followed; ``None`` when nothing is, or they loop."""
        left = _MAX_LINKS
        todo = [part for part in reversed(normpath(path).split("/")) if part not in ("", ".")]
        at: list[str] = []
        found: Placed | None = None
        while todo:
            part = todo.pop()
            if part == "..":
                at = at[:-1]
                continue
            found = self.by_path.get("/".join((*at, part)))
            if found is None or found.entry.kind is not RecordKind.LINK or found.entry.target is None:
                at.append(part)
                continue
            left -= 1
            if left == 0:
                return None
            target = found.entry.target
            if target.startswith("/"):
                at = []
            todo += [each for each in reversed(target.split("/")) if each not in ("", ".")]
        return self.by_path.get("/".join(at)) if at else None

    def below(self, folder: str) -> Iterator[tuple[str, Placed]]:
        """Everything below *folder*, with paths relative to it."""
        start = f"{folder.strip('/')}/"
        for path, placed in self.by_path.items():
            if path.startswith(start):
                yield path[len(start) :], placed


def _lay(tree: dict[str, Placed], entries: Iterable[ImageEntry], number: int) -> None:
    """One layer over those before; what it removes is of those, never of itself."""
    entries = tuple(entries)
    for entry in entries:
        if entry.is_opaque or entry.is_whiteout:
            _remove(tree, entry.path, itself=entry.is_whiteout)
    for entry in entries:
        if entry.is_opaque or entry.is_whiteout or not entry.path:
            continue
        before = tree.get(entry.path)
        if before is not None and before.entry.kind is RecordKind.FOLDER and entry.kind is not RecordKind.FOLDER:
            _remove(tree, entry.path, itself=True)
        tree[entry.path] = Placed(entry, number)


def _remove(tree: dict[str, Placed], path: str, *, itself: bool) -> None:
    start = f"{path}/" if path else ""
    gone = [each for each in tree if each.startswith(start) or (itself and each == path)]
    for each in gone:
        del tree[each]
