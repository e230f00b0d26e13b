"""The root of a container: what the layers of an image come to, as files.

All files are written before the first link is made, and where links lead is worked out from the image's records: so
nothing is written through a link, wherever it points on this machine.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.errors import Refused
from lambdalint.facts.image_tree import ImageTree, Placed
from lambdalint.model.artifact import RecordKind
from lambdalint.model.image import Image, ImageEntry
from lambdalint.readers.image.tar import Damaged

MAX_BYTES: Final = limit("image", "unpacked", "max_bytes")

#: What a container gets there is not the image's, which has folders there at most.
MOUNTED: Final = {"dev": 0o755, "proc": 0o755, "tmp": 0o1777}

_FOLDER: Final = 0o755
_NO_IDENTITY: Final = 0o1777  # without the bits that let a program run as its owner
_SHOWN: Final = 60
_NAMED: Final = 3


def lay_out(image: Image, tree: ImageTree, root: Path, working_dir: str) -> tuple[str, ...]:
    """Write the *tree* of *image* below *root*, which must be empty; comes back what to say about it.

    The *working_dir* is made where the image lacks it, as container runtimes do.

    Raises:
        Refused: it is larger than Lambda takes, or a file cannot be placed.
    """
    _check_room(image, root)
    room = _Room(image, tree, root)
    try:
        room.fill()
        room.add_folder(working_dir)
        room.settle()
    except Damaged as damage:
        raise Refused(f"{image.path} cannot be unpacked: {damage}") from damage
    left_out = ", ".join((*room.devices[:_NAMED], *["…"] * (len(room.devices) > _NAMED)))
    return (f"left out are devices, pipes and sockets: {left_out}",) if left_out else ()


def sound_tree(image: Image) -> ImageTree:
    """The files of *image*.

    Raises:
        Refused: it is damaged, has no layers, or a record leads elsewhere.
    """
    if image.platforms:
        listed = ", ".join(f"{each.name} is {each.digest}" for each in image.platforms[:_NAMED])
        raise Refused(
            f"{image.path} is an index of images, which Lambda does not take",
            hint=f"name one of them by its digest: {listed}",
        )
    damage = next(iter(image.damages), None)
    if damage is not None or not image.layers:
        raise Refused(f"{image.path} cannot be unpacked: {damage or 'it has no layers'}")
    for number, layer in enumerate(image.layers, 1):
        for damage in layer.damages:
            raise Refused(f"{image.path} cannot be unpacked: layer {number}: {damage}")
        if layer.entries is None or layer.files is None:
            raise Refused(f"{image.path} cannot be unpacked: layer {number} is not here")
        odd = next((entry for entry in layer.entries if _leads_out(entry)), None)
        if odd is not None:
            raise Refused(f"{image.path} cannot be unpacked: layer {number} has a file named {odd.name[:_SHOWN]!r}")
    return ImageTree.of(image)


def _leads_out(entry: ImageEntry) -> bool:
    return ".." in entry.path.split("/") or "\0" in entry.path or "\0" in (entry.target or "")


def _check_room(image: Image, root: Path) -> None:
    size = image.unpacked_bytes or 0
    if size > MAX_BYTES:
        raise Refused(f"{image.path} unpacks to {size:,} bytes; Lambda takes {MAX_BYTES:,}")
    free = shutil.disk_usage(root).free
    if size > free:
        raise Refused(
            f"{image.path} unpacks to {size:,} bytes, and {root.parent} has room for {free:,}",
            hint="TMPDIR names another folder",
        )


@dataclass(slots=True)
class _Room:
    """The folder that becomes the root, and what of the *tree* goes where in it; *_modes* are those of its folders."""

    image: Image
    tree: ImageTree
    root: Path
    devices: list[str] = field(default_factory=list)
    _modes: dict[str, int] = field(default_factory=dict)
    _folders: dict[str, str] = field(default_factory=dict)

    def fill(self) -> None:
        """Write everything but the modes of folders, which may keep us out."""
        wanted = self._wanted()
        for place, (_, entry) in wanted.items():
            if entry.kind is RecordKind.FOLDER:
                self._make_folder(place)
                self._modes[place] = entry.mode & _NO_IDENTITY
            elif entry.kind is RecordKind.OTHER:
                self.devices.append(f"/{place}")
        self._write_files(wanted)
        for place, (_, entry) in wanted.items():
            if entry.kind is RecordKind.LINK:
                with self._placing(place) as path:
                    path.symlink_to(entry.target or "")

    def add_folder(self, path: str) -> None:
        """Make the folder at *path*, unless something is there."""
        real = self.tree.real_path(path)
        if real and real not in self.tree.by_path and real.partition("/")[0] not in MOUNTED:
            self._make_folder(real)

    def settle(self) -> None:
        """Give the folders their modes."""
        for name, mode in MOUNTED.items():
            self._make_folder(name)
            self._modes[name] = mode
        for place in sorted(self._modes, reverse=True):
            (self.root / place).chmod(self._modes[place])

    def _wanted(self) -> dict[str, tuple[str, ImageEntry]]:
        """What belongs at each place, and the path that a record has it at; later layers win."""
        found: dict[str, tuple[str, ImageEntry]] = {}
        ordered: Iterable[tuple[str, Placed]] = sorted(self.tree.by_path.items(), key=lambda item: item[1].layer)
        for path, placed in ordered:
            folder, _, name = path.rpartition("/")
            above = self._folder(folder)
            place = f"{above}/{name}" if above else name
            if place.partition("/")[0] not in MOUNTED:
                found[place] = (path, placed.entry)
        return found

    def _folder(self, path: str) -> str:
        if path not in self._folders:
            real = self.tree.real_path(path)
            if real is None:
                raise Refused(f"{self.image.path} cannot be unpacked: the links at /{path[:_SHOWN]} lead in circles")
            self._folders[path] = real
        return self._folders[path]

    def _write_files(self, wanted: Mapping[str, tuple[str, ImageEntry]]) -> None:
        contents = self._contents()
        places: dict[int, dict[int, list[str]]] = {}
        for place, (path, entry) in wanted.items():
            if entry.kind is not RecordKind.FILE:
                continue
            source = contents.get(path)
            if source is None:
                what = f"/{path} is a hard link to {entry.target!r}, which is not there"
                raise Refused(f"{self.image.path} cannot be unpacked: {what}")
            places.setdefault(source[0], {}).setdefault(source[1], []).append(place)
        for number, names in places.items():
            layer = self.image.layers[number]
            entries = layer.entries or ()
            for index, pieces in layer.files() if layer.files else ():
                if index in names:
                    self._write(names.pop(index), entries[index].mode & _NO_IDENTITY, pieces)
            if names:
                raise Refused(f"{self.image.path} has changed while it was read")

    def _contents(self) -> dict[str, tuple[int, int]]:
        """The layer and the record that hold the content of the file at each path."""
        found: dict[str, tuple[int, int]] = {}
        for number, layer in enumerate(self.image.layers):
            for index, entry in enumerate(layer.entries or ()):
                if entry.kind is not RecordKind.FILE or entry.is_whiteout or entry.is_opaque:
                    continue
                if not entry.is_hard_link:
                    found[entry.path] = (number, index)
                    continue
                target = entry.target or ""
                source = found.get(target) or found.get(self.tree.real_path(target) or "")
                if source is None:
                    found.pop(entry.path, None)
                else:
                    found[entry.path] = source
        return found

    def _write(self, places: list[str], mode: int, pieces: Iterator[bytes]) -> None:
        """Write a file, and link to it from the other *places* that are to be the same file."""
        first, *others = places
        with self._placing(first) as path:
            with path.open("xb") as file:
                file.writelines(pieces)
            path.chmod(mode)
        for place in others:
            with self._placing(place) as other:
                other.hardlink_to(path)

    def _make_folder(self, place: str) -> None:
        parts = place.split("/")
        for depth in range(1, len(parts) + 1):
            each = "/".join(parts[:depth])
            if each not in self._modes:
                with self._reporting(each):
                    (self.root / each).mkdir()
                self._modes[each] = _FOLDER

    @contextmanager
    def _placing(self, place: str) -> Iterator[Path]:
        """The path of what is to be made at *place*, in a folder that is there."""
        folder = place.rpartition("/")[0]
        if folder:
            self._make_folder(folder)
        with self._reporting(place):
            yield self.root / place

    @contextmanager
    def _reporting(self, place: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # a name may be one that no system call takes
            why = (error.strerror if isinstance(error, OSError) else None) or error
            raise Refused(
                f"{self.image.path} cannot be unpacked: /{place[:_SHOWN]} cannot be written: {why}"
            ) from error
