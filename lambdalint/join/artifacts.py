"""What the code of a function or of a layer brings into its artifact, as far as the project shows it."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Final

from lambdalint.aws.limits import layer_folders
from lambdalint.errors import UnreadableInput
from lambdalint.join.properties import text_of
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.model.function import Code, CodeKind, Function, Layer
from lambdalint.model.links import Unpacked, inner_links
from lambdalint.model.template import Dialect
from lambdalint.model.values import Known
from lambdalint.readers.tree import Tree
from lambdalint.readers.zip import MAX_ENTRY_BYTES, Archive, read_zip

#: A folder with more files is not listed: Lambda could not take it, or it is not what will be deployed.
MAX_FILES: Final = 50_000

#: Families whose folder is what Lambda unpacks; the others compile it into something else first.
_INTERPRETED: Final = ("python", "nodejs", "ruby")

#: Folders of tools: no deployment is meant to ship them, and finding them is not about what the artifact needs.
_TOOL_FOLDERS: Final = frozenset(
    (
        ".aws-sam",
        ".cache",
        ".git",
        ".hg",
        ".idea",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".serverless",
        ".svn",
        ".terraform",
        ".tox",
        ".venv",
        ".vscode",
        "__pycache__",
        "cdk.out",
        "node_modules",
        "venv",
    )
)

#: What ``sam build`` leaves behind when it installs a function's requirements and copies its source over them.
#: Source: https://github.com/aws/aws-lambda-builders/blob/develop/aws_lambda_builders/workflows/python_pip/workflow.py
_NOT_COPIED: Final = ("*.so", "*.pyc", "*.egg", "*.egg-info", ".env", "env", "ENV", "env.bak", "venv.bak", "htmlcov")


def function_artifact(tree: Tree, function: Function) -> Artifact | None:
    """The files that the function's code brings; ``None`` where they are elsewhere or are built into something else.

    Requirements that a build installs are not among them: sizes are then lower bounds.

    Raises:
        UnreadableInput: the archive cannot be opened, or the folder has more than ``MAX_FILES`` files.
    """
    code = function.code
    if code is None or code.path is None or function.image:
        return None
    runtime = text_of(function.runtime)
    if code.kind is CodeKind.FOLDER and not _ships_as_is(function, runtime):
        return None
    built = _is_built_with_requirements(tree, function, code.path)
    content = _content(tree, code, _NOT_COPIED if built else ())
    return content and replace(
        content,
        function=function.name,
        runtime=runtime,
        architecture=_architecture(function),
        source=code.span,
        via_s3=code.via_s3,
    )


def layer_artifact(tree: Tree, layer: Layer, users: Iterable[Function] = ()) -> Artifact | None:
    """The files of a layer; ``None`` where they are elsewhere or a Makefile builds them.

    What it runs on is what it says it is compatible with, where that is one thing, and otherwise what the *users*,
    the functions that have it, agree on.

    Raises:
        UnreadableInput: the archive cannot be opened, or the folder has more than ``MAX_FILES`` files.
    """
    code = layer.code
    if code.path is None or tree.is_file(_below(code.path, "Makefile")):
        return None
    users = tuple(users)
    content = _content(tree, code, ())
    return content and replace(
        content,
        entries=tuple(replace(each, path=_below(code.prefix, each.path)) for each in content.entries)
        if code.prefix
        else content.entries,
        runtime=_only(layer.compatible_runtimes) or _only(text_of(user.runtime) for user in users),
        architecture=_only(layer.compatible_architectures) or _only(_architecture(user) for user in users),
        layer=True,
        source=code.span,
        via_s3=code.via_s3,
    )


def _ships_as_is(function: Function, runtime: str | None) -> bool:
    if function.dialect in (Dialect.CHALICE, Dialect.ZAPPA):
        return False  # they pick what they pack, and add to it
    interpreted = runtime.startswith(_INTERPRETED) if runtime else function.handler_path is not None
    method = text_of(function.resource.metadata.get("BuildMethod"))
    return interpreted and (method is None or method.startswith(_INTERPRETED))


def _is_built_with_requirements(tree: Tree, function: Function, path: str) -> bool:
    """Whether ``sam build`` is to install requirements, and has not done so in the template at hand."""
    metadata = function.resource.metadata
    if function.dialect is not Dialect.SAM or "SamResourceId" in metadata:
        return False
    return text_of(metadata.get("BuildMethod")) == "python-uv" or tree.is_file(_below(path, "requirements.txt"))


def _architecture(function: Function) -> str | None:
    """The one architecture of the function; x86_64 where none is stated."""
    match function.architectures:
        case None:
            return "x86_64"
        case Known(values):
            return next((value.value for value in values if isinstance(value, Known)), None)
        case _:
            return None


def _only(names: Iterable[str | None]) -> str | None:
    found = set(names)
    return found.pop() if len(found) == 1 else None


def given_artifact(tree: Tree, path: str) -> Artifact | None:
    """The archive or folder at *path* as it lies there, with what tools left in it: an installed tree, say.

    Raises:
        UnreadableInput: the archive cannot be opened, or the folder has more than ``MAX_FILES`` files.
    """
    if tree.is_folder(path):
        return _folder(tree, path, _Files(tree, path, whole=True))
    return _archive(tree, path) if tree.is_file(path) else None


def is_archive(tree: Tree, path: str) -> bool:
    """Whether the file at *path* is a ZIP, or calls itself one."""
    if path.endswith(".zip"):
        return True
    disk = tree.on_disk(path)
    try:
        return (tree.read(path)[:4] if disk is None else _start(disk, path, 4)) in (b"PK\3\4", b"PK\5\6")
    except UnreadableInput:
        return False


def is_installed(tree: Tree, path: str) -> bool:
    """Whether distributions are installed right into the folder at *path*, as into what Lambda unpacks.

    A repository is none, whatever lies in its root.
    """
    if ".git" in tree.names(path):
        return False
    folders = (path, _below(path, "python"))
    return any(name.endswith(".dist-info") for folder in folders for name in tree.names(folder))


def is_layer(artifact: Artifact) -> bool:
    """Whether all of it lies where a layer has it, below ``/opt``, and some of it where Python looks."""
    tops = {top for top, _, inside in (entry.path.partition("/") for entry in artifact.entries) if inside}
    flat = any("/" not in entry.path and entry.suffix == ".py" for entry in artifact.entries)
    return not flat and "python" in tops and tops <= layer_folders()


def _content(tree: Tree, code: Code, left_out: tuple[str, ...]) -> Artifact | None:
    """What *code* brings, without who runs it."""
    path = code.path or ""
    if code.kind is CodeKind.ZIP:
        return _archive(tree, path)
    if code.kind is CodeKind.FILE:
        return Artifact(path, ArtifactKind.FOLDER, (_entry(tree, path, path.rpartition("/")[2]),))
    if code.kind is CodeKind.FOLDER and not code.picked:
        excluded = tuple(_glob(pattern) for pattern in code.left_out)
        return _folder(tree, path, _Files(tree, path, left_out, excluded))
    return None


def _archive(tree: Tree, path: str) -> Artifact:
    disk = tree.on_disk(path)
    found = read_zip(tree.read(path), path) if disk is None else _archive_on_disk(disk, path, *_stamp(disk))
    return Artifact(
        path,
        ArtifactKind.ZIP,
        found.entries,
        links=found.links,
        records=found.records,
        damages=found.damages,
        zip64=found.zip64,
    )


@lru_cache(maxsize=4)
def _archive_on_disk(disk: Path, path: str, changed: int, size: int) -> Archive:
    """The archive as it was when last *changed*: functions that share one do not each read it."""
    return read_zip(disk, path)


def _stamp(disk: Path) -> tuple[int, int]:
    try:
        status = disk.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


@dataclass(slots=True)
class _Files:
    """Walks the files below *root*, and notes the symbolic links among them.

    *left_out* are patterns of names, *excluded* of paths below the root; *whole* means that tools' folders count.
    """

    tree: Tree
    root: str
    left_out: tuple[str, ...] = ()
    excluded: tuple[re.Pattern[str], ...] = ()
    whole: bool = False
    targets: dict[str, str] = field(default_factory=dict)

    def below(self, folder: str) -> Iterator[Entry]:
        """The files below *folder* of the root."""
        inside = _below(self.root, folder)
        self.tree.check_open(inside)
        for name in self.tree.names(inside):
            path, inner = _below(inside, name), _below(folder, name)
            if any(fnmatchcase(name, pattern) for pattern in self.left_out):
                continue
            if any(pattern.fullmatch(inner) for pattern in self.excluded):
                continue
            if self.tree.is_file(path):
                entry, target = _entry_and_target(self.tree, path, inner)
                if target is not None:
                    self.targets[inner] = target
                yield entry
            elif self.tree.is_link(path):
                disk = self.tree.on_disk(path)
                target = _target(disk) if disk else None
                if target is not None:
                    self.targets[inner] = target
            elif self.whole or (name not in _TOOL_FOLDERS and not self.tree.is_file(f"{path}/pyvenv.cfg")):
                yield from self.below(inner)


def _folder(tree: Tree, path: str, files: _Files) -> Artifact:
    entries = tuple(islice(files.below(""), MAX_FILES + 1))
    if len(entries) > MAX_FILES:
        raise UnreadableInput(
            f"the folder has more than {MAX_FILES:,} files; what it adds to an artifact is not judged",
            path=path or ".",
            hint="point the template at the folder that is deployed",
        )
    targets = files.targets
    unpacked = Unpacked((*(entry.path for entry in entries), *targets)) if targets else Unpacked(())
    return Artifact(path, ArtifactKind.FOLDER, entries, links=dict(inner_links(targets, unpacked)))


#: A pattern is a path with the wildcards of a shell; ``**`` goes through folders, braces hold alternatives.
_WILDCARD: Final = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|[{},]")
_MEANING: Final = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}


def _glob(pattern: str) -> re.Pattern[str]:
    """What *pattern* matches; one that is no pattern matches itself."""
    made, end = "", 0
    braces = pattern.count("{") == pattern.count("}")
    for match in _WILDCARD.finditer(pattern):
        made += re.escape(pattern[end : match.start()])
        plain = match[0] in "{}," and not braces
        made += re.escape(match[0]) if plain else _MEANING.get(match[0], match[0])
        end = match.end()
    try:
        return re.compile(made + re.escape(pattern[end:]))
    except re.error:
        return re.compile(re.escape(pattern))


def _entry(tree: Tree, path: str, inner: str) -> Entry:
    return _entry_and_target(tree, path, inner)[0]


def _entry_and_target(tree: Tree, path: str, inner: str) -> tuple[Entry, str | None]:
    """The file at *path* as an entry, and what it points at if it is a symbolic link."""
    disk = tree.on_disk(path)
    if disk is None:
        return Entry(inner, tree.size(path), partial(tree.read, path), origin="source"), None
    size, mode, target = tree.size(path), None, None
    try:
        status = disk.lstat()
        if stat.S_ISLNK(status.st_mode):
            status, target = disk.stat(), _target(disk)
        mode = stat.S_IMODE(status.st_mode) & 0o777
    except OSError:
        pass
    entry = Entry(
        inner,
        size,
        partial(_bytes, disk, size, path),
        executable=bool((mode or 0) & 0o111),
        origin="source",
        peek=partial(_start, disk, path),
        mode=mode if os.name == "posix" else None,
    )
    return entry, target


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None


def _bytes(disk: Path, size: int, path: str) -> bytes:
    if size > MAX_ENTRY_BYTES:
        raise UnreadableInput(f"the file has {size:,} bytes, more than a function may have", path=path)
    return _start(disk, path, size)


def _start(disk: Path, path: str, count: int) -> bytes:
    try:
        with disk.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise UnreadableInput(f"the file cannot be read: {error.strerror}", path=path) from error


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
