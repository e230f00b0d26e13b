"""Finding the templates under the paths given."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.artifacts import is_archive, is_installed
from lambdalint.join.cloudformation import is_template
from lambdalint.join.dialects import CDK_OUTPUT, TERRAFORM_SUFFIXES, root_dialect
from lambdalint.join.emitted import SERVICE, is_emitted
from lambdalint.join.manifests import packaged_archives
from lambdalint.join.roots import outermost
from lambdalint.model.document import Mapping
from lambdalint.model.template import Dialect
from lambdalint.readers.ignore import ignore_spec
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree, joined
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
        "node_modules",
        "site-packages",
        "venv",
    )
)

#: CloudFormation takes 1 MB; what generates more than this is no template.
MAX_TEMPLATE_BYTES: Final = 16 * 1024 * 1024

#: The local ``source`` of a module call, in HCL or JSON.
_MODULE_SOURCE: Final = re.compile(rb"""(?:^|[{,])[ \t]*"?source"?\s*[=:]\s*"(\.{1,2}/[^"$]*)\"""", re.MULTILINE)
_TEST_FOLDERS: Final = frozenset(("test", "tests", "testing", "dist-packages", "site-packages"))
#: Modules of tools: they set tests or an installation up.
_NO_HANDLERS: Final = frozenset(("conftest", "setup", "noxfile", "test", "tests"))
_TERRAGRUNT: Final = "terragrunt.hcl"
_PLACEHOLDERS: Final = ("{{cookiecutter", "{{ cookiecutter", "{%")


@dataclass(slots=True)
class Discovered:
    """Templates as documents, and what could not be read.

    *roots* are those of the other dialects, each with its file; for Terraform it is the folder of a root module, or
    the file of a plan.  *placeholders* are templates of templates: they do not parse until a tool has filled them in.
    *terragrunt* are files that give variables to modules, which nobody reads.  *modules* are the Python files that may
    hold a handler, as far as their place says.  *artifacts* are archives and folders that are looked at for themselves.
    """

    documents: dict[str, Mapping] = field(default_factory=dict)
    failures: list[UnreadableInput] = field(default_factory=list)
    placeholders: list[str] = field(default_factory=list)
    terragrunt: list[str] = field(default_factory=list)
    roots: list[tuple[Dialect, str]] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)


def discover(
    tree: Tree, paths: Sequence[str], exclude: Sequence[str] = (), base: str = "", *, unpacked: bool = False
) -> Discovered:
    """The templates among *paths*, files or folders of the tree; the folders are artifacts as well if *unpacked*.

    What git ignores, or a pattern of *exclude* (git's syntax, relative to the folder *base*) names, is looked at only
    when it is among *paths* itself, or below a folder that is.
    """
    found = Discovered()
    seen: set[str] = set()
    modules: dict[str, None] = {}
    plans: list[str] = []
    for path in paths:
        named = tree.is_file(path)
        if named and is_archive(tree, path):
            found.artifacts.append(path)
            continue
        before = len(found.documents) + len(found.roots) + len(modules) + len(plans)
        for file in (path,) if named else _walk(tree, path, _ignoring(tree, path, exclude, base), found.failures):
            if file in seen:
                continue
            seen.add(file)
            if file.endswith(".py") and (named or is_place_of_handlers(file.removeprefix(path))):
                found.modules.append(file)
                continue
            try:
                if file.rpartition("/")[2] == _TERRAGRUNT:
                    found.terragrunt.append(file)
                    continue
                dialect = root_dialect(tree, file)
                if dialect is Dialect.TERRAFORM and file.endswith(TERRAFORM_SUFFIXES):
                    modules.setdefault(file.rpartition("/")[0])
                elif dialect is Dialect.TERRAFORM and not named:
                    plans.append(file)
                elif dialect is not None:
                    if named or not file.rpartition("/")[2].startswith(f"{SERVICE}."):
                        found.roots.append((dialect, file))
                elif named or (file.endswith(SUFFIXES) and not _is_generated(tree, file)):
                    _take(tree, file, named, found)
            except UnreadableInput as failure:
                found.failures.append(failure)
        if not named:
            declares = len(found.documents) + len(found.roots) + len(modules) + len(plans) > before
            is_artifact = unpacked or (is_installed(tree, path) and not declares)
            found.artifacts += [path] if is_artifact else packaged_archives(tree, path)
    roots = outermost({folder: set(_called_modules(tree, folder)) for folder in modules})
    found.roots += [(Dialect.TERRAFORM, folder) for folder in roots]
    # A plan beside its configuration says the same, at places where nobody can change it.
    found.roots += [(Dialect.TERRAFORM, plan) for plan in plans if plan.rpartition("/")[0] not in modules]
    return found


def is_place_of_handlers(path: str) -> bool:
    """Whether a module at *path* may be deployed: it is no test, and in no folder of tests or hidden one."""
    *folders, name = path.split("/")
    stem = name.removesuffix(".py").lower()
    if stem.startswith("test_") or stem.endswith(("_test", "_tests")) or stem in _NO_HANDLERS:
        return False
    return not any(folder.startswith(".") or folder.lower() in _TEST_FOLDERS for folder in folders)


def _called_modules(tree: Tree, folder: str) -> Iterator[str]:
    """The folders that a Terraform module calls as modules of the project."""
    for name in tree.names(folder):
        path = f"{folder}/{name}" if folder else name
        if name.endswith(TERRAFORM_SUFFIXES) and tree.is_file(path):
            try:
                data = tree.read(path)
            except UnreadableInput:
                continue
            for match in _MODULE_SOURCE.finditer(data):
                child = joined(folder, match[1].decode(errors="replace"))
                if child is not None:
                    yield child


def _take(tree: Tree, path: str, named: bool, found: Discovered) -> None:
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
        if named or not is_emitted(document, path, tree):
            found.documents[path] = document
    elif named:
        raise UnreadableInput(
            "this is no template: it has no Resources of AWS types",
            path=path,
            hint="give a template, or the folder of a project",
        )


def _is_generated(tree: Tree, path: str) -> bool:
    """Whether *path* is a template of a cloud assembly, whose manifest declares it."""
    if not path.endswith(".template.json"):
        return False
    from lambdalint.join.cdk import is_of_assembly

    return is_of_assembly(tree, path)


def _looks_like_template(data: bytes) -> bool:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.replace(b"\x00", b"")
    return b"Resources" in data and b"::" in data


def _walk(tree: Tree, folder: str, ignored: "_Ignored", failures: list[UnreadableInput]) -> Iterator[str]:
    try:
        tree.check_open(folder)
    except UnreadableInput as failure:
        failures.append(failure)
        return
    for name in tree.names(folder):
        path = f"{folder}/{name}" if folder else name
        if tree.is_file(path):
            if not ignored.matches(path):
                yield path
        elif name == CDK_OUTPUT:
            # What is generated is usually ignored by git, and is what gets deployed all the same.
            if tree.is_file(f"{path}/manifest.json"):
                yield f"{path}/manifest.json"
            else:
                hint = "run `npx cdk synth` again, or remove the folder"
                failures.append(UnreadableInput("this output of the CDK has no manifest.json", path=path, hint=hint))
        elif name not in SKIPPED_FOLDERS and not tree.is_link(path) and not ignored.matches(f"{path}/"):
            yield from _walk(tree, path, ignored.inside(path), failures)


class _Ignored:
    """Git's ignore files from the root down to one folder, the innermost first."""

    def __init__(self, tree: Tree, specs: "tuple[tuple[str, GitIgnoreSpec], ...]") -> None:
        self._tree, self._specs = tree, specs

    def inside(self, folder: str) -> "_Ignored":
        """These patterns and those of the folder's own ignore file."""
        path = f"{folder}/.gitignore" if folder else ".gitignore"
        if not self._tree.is_file(path):
            return self
        try:
            lines = self._tree.read(path).decode(errors="replace").splitlines()
            spec = ignore_spec(lines)
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
        inner = "/".join(parts[:depth])
        if ignored.matches(f"{inner}/"):
            ignored = _Ignored(tree, ())  # somebody asks for it all the same
        ignored = ignored.inside(inner)
    return ignored


def _excluded(exclude: Sequence[str], base: str) -> "tuple[tuple[str, GitIgnoreSpec], ...]":
    return ((f"{base}/" if base else "", ignore_spec(exclude)),)
