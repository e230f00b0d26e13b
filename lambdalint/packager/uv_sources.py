"""``[tool.uv.sources]`` of a project that has no lock: members of its workspace, paths, addresses and indexes.

Source: https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import Refused, UnreadableInput
from lambdalint.packager.choice import is_wheel_name
from lambdalint.packager.target import Target
from lambdalint.readers.pyproject import Pyproject, pyproject
from lambdalint.readers.requirements import why_not_installed
from lambdalint.readers.tree import Tree, joined

_MAX_MEMBERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a requirement is taken from: from a *text* of PEP 508, a *folder* to be built, or an *index* alone."""

    text: str | None = None
    folder: str | None = None
    index: str | None = None


def taken(tree: Tree, project: Pyproject, requirement: Requirement, target: Target) -> Taken | None:
    """Where ``[tool.uv.sources]`` takes *requirement* from; ``None`` when it does not say.

    Raises:
        Refused: from a repository, or from where there is nothing.
    """
    name = canonicalize_name(requirement.name)
    source = _source(project, name, target)
    if source is None:
        return None
    base = project.path.rpartition("/")[0]
    if source.get("workspace"):
        return Taken(folder=_member(tree, base, name, project.path))
    if isinstance(source.get("index"), str):
        return _of_index(project, name, source["index"])
    if isinstance(source.get("path"), str):
        return _of_path(tree, project, requirement, joined(base, source["path"]), source["path"])
    if isinstance(source.get("url"), str):
        if reason := why_not_installed(source["url"]):
            raise Refused(f"{project.path}: {reason[0]}", hint=reason[1])
        return Taken(text=_direct(requirement, source["url"]))
    if "git" in source:
        raise Refused(
            f"{project.path} takes {name} from the repository {str(source['git'])[:100]}, and would have to build it",
            hint="build a wheel of it, put it into the project and take it from its path",
        )
    raise UnreadableInput(f"[tool.uv.sources] does not say where {name} is", path=project.path)


def _source(project: Pyproject, name: str, target: Target) -> Mapping[str, Any] | None:
    stated = project.sources.get(name)
    for row in stated if isinstance(stated, list) else [stated]:
        if not isinstance(row, dict):
            continue
        condition = row.get("marker")
        if not isinstance(condition, str) or target.applies(condition):
            return row
    return None


def _of_index(project: Pyproject, name: str, index: str) -> Taken:
    known = project.indexes.named if project.indexes else {}
    if index not in known:
        raise Refused(f"{project.path} takes {name} from the index {index!r}, which no [[tool.uv.index]] is called")
    return Taken(index=known[index])


def _of_path(tree: Tree, project: Pyproject, requirement: Requirement, path: str | None, stated: str) -> Taken:
    if path is None or not (tree.is_folder(path) or tree.is_file(path)):
        raise Refused(
            f"{project.path} takes {requirement.name} from {stated}, where there is nothing in this project",
            hint="a path must lie within the project",
        )
    if tree.is_folder(path):
        return Taken(folder=path)
    name = path.rpartition("/")[2]
    place = tree.on_disk(path)
    if not is_wheel_name(name) or place is None:
        raise Refused(
            f"{project.path} takes {requirement.name} from {stated}, which is no wheel and would have to be built",
            hint="`pip wheel --no-deps` makes a wheel of it",
        )
    return Taken(text=_direct(requirement, place.absolute().as_uri()))


def _direct(requirement: Requirement, url: str) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    condition = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras} @ {url}{condition}"


def _member(tree: Tree, base: str, name: str, path: str) -> str:
    """The folder of the workspace's project called *name*, seen from a member or the root itself."""
    parts = base.split("/") if base else []
    for depth in range(len(parts), -1, -1):
        root = "/".join(parts[:depth])
        manifest = f"{root}/pyproject.toml".lstrip("/")
        if not tree.is_file(manifest):
            continue
        workspace = pyproject(tree, manifest)
        if workspace.members is None:
            continue
        for folder in (root, *_folders(tree, root, workspace)):
            own = f"{folder}/pyproject.toml".lstrip("/")
            if tree.is_file(own) and pyproject(tree, own).name == name:
                return folder
        raise Refused(f"{path} takes {name} from its workspace, and {manifest} has no member of that name")
    raise Refused(f"{path} takes {name} from its workspace, and there is none", hint="add [tool.uv.workspace]")


def _folders(tree: Tree, root: str, workspace: Pyproject) -> Iterator[str]:
    found = 0
    for pattern in workspace.members or ():
        for folder in _matching(tree, root, pattern.strip("/").split("/")):
            relative = folder[len(root) :].strip("/")
            if any(fnmatchcase(relative, each.strip("/")) for each in workspace.not_members):
                continue
            found += 1
            if found > _MAX_MEMBERS:
                raise Refused(f"{workspace.path} has more than {_MAX_MEMBERS:,} members")
            yield folder


def _matching(tree: Tree, folder: str, parts: list[str]) -> Iterator[str]:
    if not parts:
        yield folder
        return
    first, rest = parts[0], parts[1:]
    if not any(sign in first for sign in "*?["):
        inner = joined(folder, first)
        if inner is not None and tree.is_folder(inner):
            yield from _matching(tree, inner, rest)
        return
    for name in tree.names(folder):
        inner = f"{folder}/{name}".lstrip("/")
        if tree.is_folder(inner) and fnmatchcase(name, first.replace("**", "*")):
            yield from _matching(tree, inner, rest)
