"""The files of an image on disk, by name: a folder, or a tar archive that is read where it lies."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from lambdalint.errors import UnreadableInput
from lambdalint.model.artifact import RecordKind
from lambdalint.readers.disk import is_file
from lambdalint.readers.image.documents import MAX_DOCUMENT_BYTES
from lambdalint.readers.image.layers import Blob
from lambdalint.readers.image.tar import Damaged, Tar
from lambdalint.readers.image.unpacking import unpacked

_MAX_MEMBERS: Final = 100_000


class Files(Protocol):
    """Files by name."""

    def blob(self, name: str) -> Blob | None:
        """The file of that name, ``None`` where there is none."""
        ...


def image_files(path: Path, shown: str) -> Files:
    """The files in the folder or the tar archive at *path*.

    Raises:
        UnreadableInput: it is neither.
    """
    return _Folder(path) if path.is_dir() else archived_files(lambda: path.open("rb"), shown)


def archived_files(opened: Callable[[], BinaryIO], shown: str) -> Files:
    """The files in a tar archive, compressed as a whole or not, which *opened* opens.

    Raises:
        UnreadableInput: it is none.
    """
    try:
        uncompressed = unpacked(opened, shown)
    except OSError as error:
        raise UnreadableInput(f"the archive cannot be read: {error.strerror}", path=shown) from error
    return _Archive(_members(uncompressed, shown))


def document(files: Files, name: str, shown: str) -> bytes:
    """The content of a JSON document among *files*.

    Raises:
        UnreadableInput: it is not there, or too large to be one.
    """
    blob = files.blob(name)
    if blob is None:
        raise UnreadableInput(f"the image has no {name}", path=shown)
    if blob.size > MAX_DOCUMENT_BYTES:
        raise UnreadableInput(f"{name} of the image has {blob.size:,} bytes", path=shown)
    try:
        with blob.open() as file:
            return file.read(MAX_DOCUMENT_BYTES)
    except OSError as error:
        raise UnreadableInput(f"{name} of the image cannot be read: {error.strerror}", path=shown) from error


@dataclass(frozen=True, slots=True)
class _Folder:
    root: Path

    def blob(self, name: str) -> Blob | None:
        place = self.root / name
        try:
            inside = place.resolve().is_relative_to(self.root.resolve())
        except (OSError, ValueError, RuntimeError):
            return None
        if not inside or not is_file(place):
            return None
        return Blob(place.stat().st_size, lambda: place.open("rb"))


@dataclass(frozen=True, slots=True)
class _Archive:
    members: Mapping[str, Blob]

    def blob(self, name: str) -> Blob | None:
        return self.members.get(name)


def _members(opened: Callable[[], BinaryIO], shown: str) -> dict[str, Blob]:
    found: dict[str, Blob] = {}
    links: dict[str, str] = {}
    try:
        with opened() as file:
            stream = _Seeking(file)
            for record in Tar(stream).records():
                name = record.name.removeprefix("./")
                if record.kind is RecordKind.FILE and not record.is_hard_link:
                    found[name] = Blob(record.size, partial(_part, opened, file.tell(), record.size))
                elif record.target is not None:
                    links[name] = record.target
                if len(found) > _MAX_MEMBERS:
                    raise UnreadableInput(f"the archive has more than {_MAX_MEMBERS:,} files", path=shown)
    except Damaged as damage:
        raise UnreadableInput(f"this is no archive of an image: {damage}", path=shown) from damage
    except OSError as error:
        raise UnreadableInput(f"the archive cannot be read: {error.strerror}", path=shown) from error
    # Older tools of Docker write a layer that two images share once, and links to it.
    for name, target in links.items():
        other = found.get(_beside(name, target)) or found.get(target)
        if other is not None:
            found[name] = other
    return found


def _beside(name: str, target: str) -> str:
    parts = name.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


class _Seeking:
    """A file as a stream that passes over what nobody reads."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read

    def skip(self, count: int, /) -> None:
        self._file.seek(count, io.SEEK_CUR)


def _part(opened: Callable[[], BinaryIO], start: int, size: int) -> BinaryIO:
    return io.BufferedReader(_Part(opened(), start, size))


class _Part(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._file.seek(start)
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        data = self._file.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
