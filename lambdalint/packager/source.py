"""The function's own files: all in its code's root but what git, the user and we leave out.

Left out by default are what tools leave behind, and what only says how to build: manifests, ignore files, the template.
``.gitignore`` files count from the project's root down, unless they ignore the code's root as a whole; a
``.lambdalintignore`` in the code's root has the last word and may take things back with ``!``.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from lambdalint.errors import Refused, UnreadableInput
from lambdalint.join.emitted import LAYERS, OVERRIDES, SERVICE
from lambdalint.packager.pack import RawMember
from lambdalint.packager.wheel import is_program
from lambdalint.readers.ignore import ignore_spec
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree

IGNORE_FILE: Final = ".lambdalintignore"

#: Larger than any function may be.
_MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_MAX_FILES: Final = 100_000
_MAX_DEPTH: Final = 64

_DEFAULTS: Final = (
    ".git",
    ".hg",
    ".svn",
    "__pycache__",
    "*.py[co]",
    ".venv",
    "venv",
    "node_modules",
    ".aws-sam",
    ".serverless",
    ".terraform",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".tox",
    ".nox",
    ".coverage",
    ".idea",
    ".vscode",
    ".DS_Store",
    "__MACOSX",
    "Thumbs.db",
    "*.egg-info",
    "*.egg-link",
    "__editable__*",
    ".gitignore",
    ".gitattributes",
    ".dockerignore",
    ".python-version",
    IGNORE_FILE,
    OVERRIDES,
    LAYERS,
    f"{SERVICE}.*",
)
_ROOT_DEFAULTS: Final = (
    "/requirements*.txt",
    "/pyproject.toml",
    "/uv.lock",
    "/poetry.lock",
    "/Pipfile",
    "/Pipfile.lock",
    "/lambdalint.toml",
    "/samconfig.toml",
)


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """Files as they will lie in the package, and what the reader should know about those that will not."""

    members: tuple[RawMember, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaving:
    """What else to leave out or to take: *out* are paths in the project, *excludes* and *includes* gitignore patterns.

    *includes* take back what anything before them left out.
    """

    out: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()


def source_files(tree: Tree, root: str, leaving: Leaving | None = None) -> SourceFiles:
    """The files below *root*, links to files and folders of the project followed.

    Raises:
        Refused: a link that is not left out leads out of the project or nowhere, or there is no end of files.
        UnreadableInput: a file cannot be read.
    """
    walk = _Walk(tree, root, leaving or Leaving())
    members = tuple(_member(tree, path, inside) for path, inside in walk.files())
    return SourceFiles(members, tuple(walk.notes()))


def single_file(tree: Tree, path: str) -> RawMember:
    """A function that is one file, which lies at the root of the package."""
    return _member(tree, path, path.rpartition("/")[2])


@dataclass(slots=True)
class _Walk:
    tree: Tree
    root: str
    leaving: Leaving
    by_git: list[str] = field(default_factory=list)
    count: int = 0

    def files(self) -> Iterator[tuple[str, str]]:
        """Path in the project and path in the package of each file."""
        ignores = [_Ignore("", ignore_spec(_DEFAULTS), own=True)]
        ignores.append(_Ignore(self.root, ignore_spec(_ROOT_DEFAULTS), own=True))
        ignores += self._above()
        last = self._ignore(self.root, IGNORE_FILE)
        taken = [f"!{pattern}" for pattern in self.leaving.includes]
        last.append(_Ignore(self.root, ignore_spec((*self.leaving.excludes, *taken)), own=True))
        yield from self._below(self.root, ignores, last, ())

    def _above(self) -> "list[_Ignore]":
        """What git ignores by the folders around the root; a root that is itself ignored was made to be packaged."""
        found: list[_Ignore] = []
        parts = self.root.split("/") if self.root else []
        for depth in range(len(parts)):
            found += self._ignore("/".join(parts[:depth]), ".gitignore")
            if self._left_out("/".join(parts[: depth + 1]), found, is_folder=True):
                found = []
        return found

    def notes(self) -> list[str]:
        """What git ignores is missed only when the function runs: it is said."""
        if not self.by_git:
            return []
        shown, more = self.by_git[:4], len(self.by_git) - 4
        names = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
        return [f".gitignore leaves out {names}; `!` in {IGNORE_FILE} takes files back"]

    def _below(
        self, folder: str, ignores: "list[_Ignore]", last: "list[_Ignore]", chain: tuple[Path, ...]
    ) -> Iterator[tuple[str, str]]:
        if len(chain) > _MAX_DEPTH:
            raise Refused(f"folders are nested more than {_MAX_DEPTH} deep in {folder}")
        place = self.tree.on_disk(folder)
        here = place.resolve() if place is not None else Path(folder)
        if here in chain:
            raise Refused(f"{folder} is a link to a folder that holds it", hint=f"leave it out in {IGNORE_FILE}")
        ignores = [*ignores, *self._ignore(folder, ".gitignore")]
        takes_back = any(ignore.takes_back for ignore in last)
        for name in self._names(folder, place):
            path = f"{folder}/{name}" if folder else name
            is_folder = self.tree.is_folder(path)
            left_out = self._left_out(path, [*ignores, *last], is_folder=is_folder)
            if is_folder:
                if path not in self.leaving.out and (left_out is None or (takes_back and not left_out.own)):
                    yield from self._below(path, ignores, last, (*chain, here))
                elif left_out is not None and not left_out.own:
                    self.by_git.append(f"{path}/")
            elif left_out is not None:
                if not left_out.own:
                    self.by_git.append(path)
            elif not self.tree.is_file(path):
                if place is not None and (place / name).is_symlink():
                    raise Refused(
                        f"{path} is a link that leads out of the project or nowhere",
                        hint=f"copy what it leads to, or leave it out in {IGNORE_FILE}",
                    )
            elif path not in self.leaving.out:
                self.count += 1
                if self.count > _MAX_FILES:
                    raise Refused(f"{self.root or '.'} holds more than {_MAX_FILES:,} files", hint="is it the code?")
                yield path, path[len(self.root) :].lstrip("/")

    def _names(self, folder: str, place: Path | None) -> list[str]:
        """What is in a folder, links that lead nowhere too, which a tree does not show."""
        names = set(self.tree.names(folder))
        if place is not None:
            try:
                names |= {entry.name for entry in place.iterdir() if entry.is_symlink()}
            except OSError as error:
                raise UnreadableInput(f"the folder cannot be read: {error.strerror}", path=folder) from error
        return sorted(names)

    def _ignore(self, folder: str, name: str) -> "list[_Ignore]":
        path = f"{folder}/{name}" if folder else name
        if not self.tree.is_file(path):
            return []
        lines = decoded(self.tree.read(path), path).splitlines()
        try:
            return [_Ignore(folder, ignore_spec(lines), own=name == IGNORE_FILE)]
        except ValueError as error:
            raise UnreadableInput(f"a pattern is not understood: {str(error)[:200]}", path=path) from error

    def _left_out(self, path: str, ignores: "list[_Ignore]", *, is_folder: bool) -> "_Ignore | None":
        """Who leaves *path* out; the last to say anything about it decides."""
        decided: _Ignore | None = None
        for ignore in ignores:
            said = ignore.says(path, is_folder=is_folder)
            if said is not None:
                decided = ignore if said else None
        return decided


@dataclass(frozen=True, slots=True)
class _Ignore:
    """Patterns that count below *folder*; *own* ones are not git's."""

    folder: str
    spec: GitIgnoreSpec
    own: bool

    @property
    def takes_back(self) -> bool:
        return any(pattern.include is False for pattern in self.spec.patterns)

    def says(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether *path* is ignored; ``None`` when no pattern speaks of it."""
        inside = path[len(self.folder) :].lstrip("/") if self.folder else path
        return self.spec.check_file(f"{inside}/" if is_folder else inside).include


def _member(tree: Tree, path: str, inside: str) -> RawMember:
    place = tree.on_disk(path)
    try:
        if place is None:
            data = tree.read(path)
            return RawMember(inside, data, data.startswith(b"#!"))
        status = place.stat()
        if status.st_size > _MAX_FILE_BYTES:
            raise Refused(f"{path} has {status.st_size:,} bytes; no function may be that large")
        data = place.read_bytes()
    except OSError as error:
        raise UnreadableInput(f"the file cannot be read: {error.strerror}", path=path) from error
    return RawMember(inside, data, bool(status.st_mode & stat.S_IXUSR) and is_program(data))
