"""A tree of files: a folder on disk, or a dict in a test."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lambdalint.errors import UnreadableInput

#: A text file larger than this is not read: nobody wrote it by hand.
MAX_TEXT_BYTES: Final = 64 * 1024 * 1024
#: Folders within folders: nobody nests them deeper, and whoever walks them recurses.
MAX_FOLDERS: Final = 64


class Tree(ABC):
    """Files by path; paths are relative to the root, with ``/``, and never leave it.

    A path that leads out of the root, through ``..`` or a symbolic link, is as good as absent.
    """

    @abstractmethod
    def is_file(self, path: str) -> bool:
        """Whether there is a file, in exactly that spelling."""

    @abstractmethod
    def is_folder(self, path: str) -> bool:
        """Whether there is a folder; the root is ``""``."""

    @abstractmethod
    def names(self, path: str) -> tuple[str, ...]:
        """The names directly in a folder, sorted; empty when there is no such folder, or it is shut."""

    @abstractmethod
    def size(self, path: str) -> int:
        """The size of a file in bytes; 0 when there is none."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            UnreadableInput: there is no such file, it may not be read, or it is larger than ``MAX_TEXT_BYTES``.
        """

    def on_disk(self, path: str) -> Path | None:
        """Where the file lies, for readers that seek; ``None`` when it is on no disk."""
        return None

    def check_open(self, path: str) -> None:
        """Do nothing if what is in a folder can be told.

        Raises:
            UnreadableInput: it may not be listed, or lies more than ``MAX_FOLDERS`` deep.
        """
        if path.count("/") >= MAX_FOLDERS:
            raise UnreadableInput(
                f"folders lie more than {MAX_FOLDERS} deep here; what is below was not looked at", path=path
            )

    def is_link(self, path: str) -> bool:
        """Whether the last part of *path* is a symbolic link."""
        return False


class MemoryTree(Tree):
    """Files out of a mapping of path to content."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._files = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self._folders: dict[str, set[str]] = {"": set()}
        for path in self._files:
            parts = path.split("/")
            for depth, part in enumerate(parts):
                self._folders.setdefault("/".join(parts[:depth]), set()).add(part)

    def is_file(self, path: str) -> bool:
        return path in self._files

    def is_folder(self, path: str) -> bool:
        return path in self._folders

    def names(self, path: str) -> tuple[str, ...]:
        return tuple(sorted(self._folders.get(path, ())))

    def size(self, path: str) -> int:
        return len(self._files.get(path, b""))

    def read(self, path: str) -> bytes:
        try:
            return self._files[path]
        except KeyError:
            raise UnreadableInput("there is no such file", path=path) from None


class LazyTree(MemoryTree):
    """Files whose content is fetched when it is asked for, such as the members of an archive."""

    def __init__(self, files: Mapping[str, tuple[int, Callable[[], bytes]]]) -> None:
        super().__init__(dict.fromkeys(files, b""))
        self._lazy = files

    def size(self, path: str) -> int:
        return self._lazy[path][0] if path in self._lazy else 0

    def read(self, path: str) -> bytes:
        if path not in self._lazy:
            raise UnreadableInput("there is no such file", path=path)
        if self.size(path) > MAX_TEXT_BYTES:
            raise UnreadableInput(f"the file is larger than {MAX_TEXT_BYTES // 1024 // 1024} MB", path=path)
        return self._lazy[path][1]()


@dataclass(frozen=True, slots=True)
class Trace:
    """All that was looked at in a folder: paths with their time of change, in nanoseconds, and size.

    As long as they are the same, looking again gives the same answers.  A folder changes with the names in it.
    """

    stamps: tuple[tuple[str, int, int], ...]

    def holds(self, root: Path) -> bool:
        """Whether everything under *root* is as it was."""
        return all(_stamp(root, path) == (time, size) for path, time, size in self.stamps)


class Folder(Tree):
    """A folder on disk; what was asked once is remembered."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._listed: dict[str, dict[str, str]] = {}
        self._shut: dict[str, str] = {}
        self._seen: dict[str, tuple[int, int]] = {}

    def trace(self) -> Trace:
        """What was looked at so far, as it was just before."""
        return Trace(tuple((path, time, size) for path, (time, size) in self._seen.items()))

    def is_file(self, path: str) -> bool:
        return self._kind(path) == "file"

    def is_folder(self, path: str) -> bool:
        return not path or self._kind(path) == "folder"

    def is_link(self, path: str) -> bool:
        return (self.root / path).is_symlink()

    def names(self, path: str) -> tuple[str, ...]:
        return tuple(self._list(path))

    def size(self, path: str) -> int:
        if not self.is_file(path):
            return 0
        self._see(path)
        return self._seen[path][1]

    def read(self, path: str) -> bytes:
        if not self.is_file(path):
            raise UnreadableInput("there is no such file", path=path)
        self._see(path)
        try:
            if self.size(path) > MAX_TEXT_BYTES:
                raise UnreadableInput(f"the file is larger than {MAX_TEXT_BYTES // 1024 // 1024} MB", path=path)
            return (self.root / path).read_bytes()
        except OSError as error:
            raise UnreadableInput(f"the file cannot be read: {error.strerror}", path=path) from error

    def on_disk(self, path: str) -> Path | None:
        if not (self.is_file(path) or self.is_folder(path)):
            return None
        self._see(path)
        return self.root / path

    def check_open(self, path: str) -> None:
        super().check_open(path)
        self._list(path)
        if path in self._shut:
            raise UnreadableInput(f"the folder cannot be read: {self._shut[path]}", path=path or ".")

    def _see(self, path: str) -> None:
        self._seen.setdefault(path, _stamp(self.root, path))

    def _kind(self, path: str) -> str | None:
        folder, kind = "", "folder"
        for name in path.split("/"):
            if kind != "folder":
                return None
            found = self._list(folder).get(name)
            if found is None:
                return None
            folder, kind = f"{folder}/{name}" if folder else name, found
        return kind

    def _list(self, path: str) -> dict[str, str]:
        """Names in a folder, each with ``file`` or ``folder``; other kinds of files are left out."""
        if path in self._listed:
            return self._listed[path]
        found: dict[str, str] = {}
        self._see(path)
        try:
            with os.scandir(self.root / path) as entries:
                for entry in entries:
                    if entry.is_symlink() and not self._stays_inside(entry):
                        continue
                    if entry.is_dir():
                        found[entry.name] = "folder"
                    elif entry.is_file():
                        found[entry.name] = "file"
        except OSError as error:
            self._shut[path] = error.strerror or str(error)
        self._listed[path] = dict(sorted(found.items()))
        return self._listed[path]

    def _stays_inside(self, link: "os.DirEntry[str]") -> bool:
        try:
            return Path(link.path).resolve(strict=True).is_relative_to(self.root)
        except (OSError, RuntimeError):
            return False


def _stamp(root: Path, path: str) -> tuple[int, int]:
    """When a path was changed, in nanoseconds, and its size; both 0 when it is not there."""
    try:
        status = (root / path).stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


class Mounted(Tree):
    """A tree with other trees inside it: the content of an archive under the archive's path, say."""

    def __init__(self, base: Tree) -> None:
        self._base = base
        self._mounts: dict[str, Tree] = {}

    def mount(self, path: str, tree: Tree) -> None:
        """Let *tree* be what is under *path*."""
        self._mounts[path] = tree

    def is_file(self, path: str) -> bool:
        tree, inner = self._at(path)
        return tree.is_file(inner)

    def is_folder(self, path: str) -> bool:
        tree, inner = self._at(path)
        return path in self._mounts or tree.is_folder(inner)

    def is_link(self, path: str) -> bool:
        tree, inner = self._at(path)
        return tree.is_link(inner)

    def names(self, path: str) -> tuple[str, ...]:
        if path in self._mounts:
            return self._mounts[path].names("")
        tree, inner = self._at(path)
        return tree.names(inner)

    def size(self, path: str) -> int:
        tree, inner = self._at(path)
        return tree.size(inner)

    def read(self, path: str) -> bytes:
        tree, inner = self._at(path)
        return tree.read(inner)

    def on_disk(self, path: str) -> Path | None:
        tree, inner = self._at(path)
        return tree.on_disk(inner)

    def check_open(self, path: str) -> None:
        if path not in self._mounts:
            tree, inner = self._at(path)
            tree.check_open(inner)

    def _at(self, path: str) -> tuple[Tree, str]:
        if self._mounts:
            end = path.rfind("/")
            while end > 0:
                tree = self._mounts.get(path[:end])
                if tree is not None:
                    return tree, path[end + 1 :]
                end = path.rfind("/", 0, end)
        return self._base, path


def joined(folder: str, path: str) -> str | None:
    """*path* as seen from *folder*, without ``.`` and ``..``; ``None`` when it is absolute or leaves the root."""
    if path.startswith("/") or "\\" in path:
        return None
    parts: list[str] = []
    for part in PurePosixPath(folder, path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
