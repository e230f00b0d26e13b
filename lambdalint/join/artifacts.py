"""What the code of a function or of a layer brings into its artifact, as far as the project shows it."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.properties import text_of
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.model.function import Code, CodeKind, Function, Layer
from lambdalint.model.template import Dialect
from lambdalint.model.values import Known
from lambdalint.readers.tree import Tree
from lambdalint.readers.zip import MAX_ENTRY_BYTES, read_zip

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
        UnreadableInput: the archive cannot be read, or the folder has more than ``MAX_FILES`` files.
    """
    code = function.code
    if code is None or code.path is None or function.image:
        return None
    runtime = text_of(function.runtime)
    if code.kind is CodeKind.FOLDER and not _ships_as_is(function, runtime):
        return None
    built = _is_built_with_requirements(tree, function, code.path)
    found = _entries(tree, code, _NOT_COPIED if built else ())
    if found is None:
        return None
    kind, entries = found
    return Artifact(
        path=code.path,
        kind=kind,
        entries=entries,
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
        UnreadableInput: the archive cannot be read, or the folder has more than ``MAX_FILES`` files.
    """
    code = layer.code
    if code.path is None or tree.is_file(_below(code.path, "Makefile")):
        return None
    found = _entries(tree, code, ())
    if found is None:
        return None
    kind, entries = found
    users = tuple(users)
    return Artifact(
        path=code.path,
        kind=kind,
        entries=entries,
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


def _entries(tree: Tree, code: Code, left_out: tuple[str, ...]) -> tuple[ArtifactKind, tuple[Entry, ...]] | None:
    path = code.path or ""
    if code.kind is CodeKind.ZIP:
        return ArtifactKind.ZIP, _zip_entries(tree, path)
    if code.kind is CodeKind.FILE:
        return ArtifactKind.FOLDER, (_entry(tree, path, path.rpartition("/")[2]),)
    if code.kind is CodeKind.FOLDER and not code.picked:
        excluded = tuple(_glob(pattern) for pattern in code.left_out)
        entries = tuple(islice(_folder_entries(tree, path, "", left_out, excluded), MAX_FILES + 1))
        if len(entries) > MAX_FILES:
            raise UnreadableInput(
                f"the folder has more than {MAX_FILES:,} files; what it adds to an artifact is not judged",
                path=path or ".",
                hint="point the template at the folder that is deployed",
            )
        return ArtifactKind.FOLDER, entries
    return None


def _zip_entries(tree: Tree, path: str) -> tuple[Entry, ...]:
    return read_zip(tree.on_disk(path) or tree.read(path), path)


def _folder_entries(
    tree: Tree, root: str, folder: str, left_out: tuple[str, ...], excluded: tuple[re.Pattern[str], ...]
) -> Iterator[Entry]:
    """The files below *folder* of *root*; *left_out* are patterns of names, *excluded* of paths below *root*."""
    inside = _below(root, folder)
    tree.check_open(inside)
    for name in tree.names(inside):
        path = _below(inside, name)
        if any(fnmatchcase(name, pattern) for pattern in left_out):
            continue
        if any(pattern.fullmatch(_below(folder, name)) for pattern in excluded):
            continue
        if tree.is_file(path):
            yield _entry(tree, path, _below(folder, name))
        elif name not in _TOOL_FOLDERS and not tree.is_link(path) and not tree.is_file(f"{path}/pyvenv.cfg"):
            yield from _folder_entries(tree, root, _below(folder, name), left_out, excluded)


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
    disk = tree.on_disk(path)
    if disk is None:
        return Entry(inner, tree.size(path), partial(tree.read, path), origin="source")
    size, executable = tree.size(path), _is_executable(disk)
    read = partial(_content, disk, size, path)
    return Entry(inner, size, read, executable=executable, origin="source", peek=partial(_start, disk, path))


def _content(disk: Path, size: int, path: str) -> bytes:
    if size > MAX_ENTRY_BYTES:
        raise UnreadableInput(f"the file has {size:,} bytes, more than a function may have", path=path)
    return _start(disk, path, size)


def _start(disk: Path, path: str, count: int) -> bytes:
    try:
        with disk.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise UnreadableInput(f"the file cannot be read: {error.strerror}", path=path) from error


def _is_executable(disk: Path) -> bool:
    try:
        return bool(disk.stat().st_mode & 0o111)
    except OSError:
        return False


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
