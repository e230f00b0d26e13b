"""What a container of an image finds: the layers laid over each other."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import normpath
from typing import Final

from lambdalint.model.artifact import RecordKind
from lambdalint.model.image import Image, ImageEntry

#: Links to links, before they are called a loop, as Linux counts.
_MAX_LINKS: Final = 40
_INTERPRETER: Final = re.compile(r"(?:var/lang|usr/local|usr)/bin/(python3\.\d+)")


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
        layering = _Layering()
        complete = bool(image.layers)
        for number, layer in enumerate(image.layers):
            if layer.entries is None or layer.measured_diff_id is None:
                complete = False
            layering.lay(layer.entries or (), number)
        return cls(layering.by_path, complete)

    def find(self, path: str) -> Placed | None:
        """What is at *path*, which may be absolute, with links followed; ``None`` when nothing is, or they loop."""
        real = self.real_path(path)
        return self.by_path.get(real) if real else None

    def real_path(self, path: str) -> str | None:
        """Where *path* leads with links followed, something being there or not; ``None`` when they loop."""
        left = _MAX_LINKS
        todo = [part for part in reversed(normpath(path).split("/")) if part not in ("", ".")]
        at: list[str] = []
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
        return "/".join(at)

    def pythons(self) -> frozenset[str]:
        """The Pythons among the programs, as ``python3.13``."""
        return frozenset(match[1] for path in self.by_path if (match := _INTERPRETER.fullmatch(path)))

    def below(self, folder: str) -> Iterator[tuple[str, Placed]]:
        """Everything below *folder*, with paths relative to it."""
        start = f"{folder.strip('/')}/"
        for path, placed in self.by_path.items():
            if path.startswith(start):
                yield path[len(start) :], placed


class _Layering:
    """Paths with what lies directly below each, so that removing a folder costs what is in it."""

    def __init__(self) -> None:
        self.by_path: dict[str, Placed] = {}
        self._below: dict[str, set[str]] = {}

    def lay(self, entries: Iterable[ImageEntry], number: int) -> None:
        """One layer over those before; what it removes is of those, never of itself."""
        own = []
        for entry in entries:
            if entry.is_whiteout:
                self._remove(entry.path)
            elif entry.is_opaque:
                self._clear(entry.path)
            elif entry.path:
                own.append(entry)
        for entry in own:
            before = self.by_path.get(entry.path)
            if before is not None and before.entry.kind is RecordKind.FOLDER and entry.kind is not RecordKind.FOLDER:
                self._clear(entry.path)
            if before is None:
                self._connect(entry.path)
            self.by_path[entry.path] = Placed(entry, number)

    def _connect(self, path: str) -> None:
        # Folders that no record names are there all the same, as long as something is below them.
        while path:
            folder = path.rpartition("/")[0]
            names = self._below.setdefault(folder, set())
            if path in names:
                return
            names.add(path)
            path = folder

    def _clear(self, folder: str) -> None:
        todo = list(self._below.pop(folder, ()))
        while todo:
            path = todo.pop()
            self.by_path.pop(path, None)
            todo += self._below.pop(path, ())

    def _remove(self, path: str) -> None:
        self._clear(path)
        self.by_path.pop(path, None)
        self._below.get(path.rpartition("/")[0], set()).discard(path)
