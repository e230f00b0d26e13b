"""Finding the templates under the paths given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import is_template
from lambdalint.model.document import Mapping
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree
from lambdalint.readers.yaml import read_yaml

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SUFFIXES: Final = (".yaml", ".yml", ".json", ".template")

#: Folders that tools make, none of which holds what somebody wrote.
SKIPPED_FOLDERS: Final = frozenset(
    (
        ".aws-sam",
        ".git",
        ".hg",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".serverless",
        ".terraform",
        ".tox",
        ".venv",
        "__pycache__",
        "cdk.out",
        "node_modules",
        "site-packages",
        "venv",
    )
)

#: CloudFormation takes 1 MB; what generates more than this is no template.
MAX_TEMPLATE_BYTES: Final = 16 * 1024 * 1024

_PLACEHOLDERS: Final = ("{{cookiecutter", "{{ cookiecutter", "{%")


@dataclass(slots=True)
class Discovered:
    """Templates as documents, and what could not be read.

    *placeholders* are templates of templates: they do not parse until a tool has filled them in.
    """

    documents: dict[str, Mapping] = field(default_factory=dict)
    failures: list[UnreadableInput] = field(default_factory=list)
    placeholders: list[str] = field(default_factory=list)
    files: int = 0


def discover(tree: Tree, paths: Sequence[str], exclude: Sequence[str] = (), base: str = "") -> Discovered:
    """The templates among *paths*, files or folders of the tree.

    A file that git ignores, or that a pattern of *exclude* (git's syntax, relative to the folder *base*) names, is
    looked at only when it is itself among *paths*.
    """
    found = Discovered()
    seen: set[str] = set()
    for path in paths:
        named = tree.is_file(path)
        for file in (path,) if named else _walk(tree, path, _ignoring(tree, path, exclude, base)):
            if file in seen or not (named or file.endswith(SUFFIXES)):
                continue
            seen.add(file)
            try:
                _take(tree, file, named, found)
            except UnreadableInput as failure:
                found.failures.append(failure)
    return found


def _take(tree: Tree, path: str, named: bool, found: Discovered) -> None:
    if path.endswith(".py"):
        return
    if tree.size(path) > MAX_TEMPLATE_BYTES:
        if named:
            limit = MAX_TEMPLATE_BYTES // 1024 // 1024
            raise UnreadableInput(f"the file is larger than {limit} MB, too large for a template", path=path)
        return
    data = tree.read(path)
    if not named and not _looks_like_template(data):
        return
    text = decoded(data, path)
    try:
        document = read_json(text, path) if text.lstrip()[:1] == "{" else read_yaml(text, path)
    except UnreadableInput:
        if any(mark in text for mark in _PLACEHOLDERS):
            found.placeholders.append(path)
            return
        raise
    if isinstance(document, Mapping) and is_template(document):
        found.files += 1
        found.documents[path] = document
    elif named:
        raise UnreadableInput(
            "this is no template: it has no Resources of AWS types",
            path=path,
            hint="give a CloudFormation or SAM template, or a folder that holds one",
        )


def _looks_like_template(data: bytes) -> bool:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.replace(b"\x00", b"")
    return b"Resources" in data and b"::" in data


def _walk(tree: Tree, folder: str, ignored: "_Ignored") -> Iterator[str]:
    for name in tree.names(folder):
        path = f"{folder}/{name}" if folder else name
        if tree.is_file(path):
            if not ignored.matches(path):
                yield path
        elif name not in SKIPPED_FOLDERS and not tree.is_link(path) and not ignored.matches(f"{path}/"):
            yield from _walk(tree, path, ignored.inside(path))


class _Ignored:
    """Git's ignore files from the root down to one folder, the innermost first."""

    def __init__(self, tree: Tree, specs: "tuple[tuple[str, GitIgnoreSpec], ...]") -> None:
        self._tree, self._specs = tree, specs

    def inside(self, folder: str) -> "_Ignored":
        """These patterns and those of the folder's own ignore file."""
        path = f"{folder}/.gitignore" if folder else ".gitignore"
        if not self._tree.is_file(path):
            return self
        from pathspec import GitIgnoreSpec

        try:
            lines = self._tree.read(path).decode(errors="replace").splitlines()
            spec = GitIgnoreSpec.from_lines(lines)
        except (UnreadableInput, ValueError):
            return self
        return _Ignored(self._tree, ((f"{folder}/" if folder else "", spec), *self._specs))

    def matches(self, path: str) -> bool:
        """Whether the innermost pattern that speaks about *path* ignores it."""
        for prefix, spec in self._specs:
            inside = path.startswith(prefix)
            verdict = spec.check_file(path.removeprefix(prefix)).include if inside else None
            if verdict is not None:
                return verdict
        return False


def _ignoring(tree: Tree, folder: str, exclude: Sequence[str], base: str) -> _Ignored:
    ignored = _Ignored(tree, _excluded(exclude, base) if exclude else ()).inside("")
    parts = folder.split("/") if folder else []
    for depth in range(1, len(parts) + 1):
        ignored = ignored.inside("/".join(parts[:depth]))
    return ignored


def _excluded(exclude: Sequence[str], base: str) -> "tuple[tuple[str, GitIgnoreSpec], ...]":
    from pathspec import GitIgnoreSpec

    return ((f"{base}/" if base else "", GitIgnoreSpec.from_lines(exclude)),)
