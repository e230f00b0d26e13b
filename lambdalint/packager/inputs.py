"""Where a function's dependencies are declared, and what is declared there.

Beside the code, in its root folder, the first of these counts:

1. ``uv.lock`` with its ``pyproject.toml``: exact to the file, made for every platform.  A workspace's lock lies further
   up; it counts when it knows the project in the code's folder.
2. ``requirements.txt``: what ``sam build`` installs.  Beside a ``pyproject.toml`` it is usually exported from it and
   more exact; a ``pyproject.toml`` may also hold nothing but the settings of tools.
3. ``pyproject.toml`` with ``[project] dependencies``.

Without any the function has no dependencies.  What is passed over is said in a note.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import Refused
from lambdalint.packager.choice import is_wheel_name
from lambdalint.packager.index import IndexSettings
from lambdalint.packager.lock import check_fresh
from lambdalint.packager.resolve import Question
from lambdalint.packager.target import Target
from lambdalint.readers.pyproject import Pyproject, pyproject
from lambdalint.readers.requirements import Requirements, Wanted, requirements, why_not_installed
from lambdalint.readers.tree import Tree, joined
from lambdalint.readers.uv_lock import LockedPackage, UvLock, uv_lock


@dataclass(frozen=True, slots=True)
class Input:
    """A file that says what is needed: its *path* in the project and the SHA-256 of its content."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Locked:
    """Dependencies that a lock states."""

    lock: UvLock
    project: LockedPackage


@dataclass(frozen=True, slots=True)
class Declared:
    """Dependencies that are to be resolved; *local* are projects to be built first: folder, extras asked of it."""

    question: Question
    indexes: IndexSettings
    local: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a function needs and where it says so; ``None`` when it says nothing."""

    needs: Locked | Declared | None = None
    files: tuple[Input, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: the tree, the code's root, another manifest than the ones there, extras of the project."""

    tree: Tree
    root: str
    manifest: str | None = None
    extras: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def inputs(places: Places, target: Target) -> Inputs:
    """The dependencies of the function whose code lies at ``places.root``.

    Raises:
        LambdalintError: a manifest cannot be read, or asks for what cannot be had.
    """
    tree, root = places.tree, places.root
    here = [name for name in ("uv.lock", "requirements.txt", "pyproject.toml") if tree.is_file(_in(root, name))]
    if places.manifest is not None:
        return _of(places, places.manifest, target)
    project = pyproject(tree, _in(root, "pyproject.toml")) if "pyproject.toml" in here and _is_chosen(here) else None
    lock = _in(root, "uv.lock") if "uv.lock" in here else None
    if lock is None and project is not None and project.name:
        lock = _workspace_lock(tree, root)
    if lock is not None and "pyproject.toml" in here:
        found = _of(places, lock, target)
        return replace(found, notes=(*found.notes, *_passed_over(places, here, lock)))
    if "requirements.txt" in here:
        found = _of(places, _in(root, "requirements.txt"), target)
        return replace(found, notes=(*found.notes, *_passed_over(places, here, found.files[0].path)))
    if project is not None and project.declares:
        return _of(places, project.path, target)
    return Inputs()


def _is_chosen(here: list[str]) -> bool:
    """Whether the ``pyproject.toml`` matters: beside a ``requirements.txt`` alone it may be anything."""
    return "uv.lock" in here or "requirements.txt" not in here


def _passed_over(places: Places, here: list[str], taken: str) -> list[str]:
    names = [name for name in here if _in(places.root, name) != taken]
    if "uv.lock" in here and not taken.endswith("uv.lock"):
        return ["uv.lock has no pyproject.toml beside it and is passed over; requirements.txt counts"]
    if taken.endswith("uv.lock") and "requirements.txt" in names:
        return [f"requirements.txt is passed over: {taken} is more exact"]
    return []


def _of(places: Places, path: str, target: Target) -> Inputs:
    if not places.tree.is_file(path):
        raise Refused(f"there is no {path}", hint="name a uv.lock, requirements.txt or pyproject.toml of the project")
    name = path.rpartition("/")[2]
    if name == "uv.lock":
        return _locked(places, path)
    if name == "pyproject.toml":
        return _projected(places, path)
    return _required(places, path, target)


def _locked(places: Places, path: str) -> Inputs:
    tree = places.tree
    lock = uv_lock(tree, path)
    folder = path.rpartition("/")[0]
    relative = places.root[len(folder) :].strip("/") or "."
    project = lock.member(relative) or lock.member(".")
    if project is None:
        raise Refused(f"{path} does not know a project in {places.root or '.'}", hint="run `uv lock` there")
    manifest = _in(folder, "pyproject.toml" if project.source[1] == "." else f"{project.source[1]}/pyproject.toml")
    if not tree.is_file(manifest):
        raise Refused(f"{path} was made for {manifest}, which is not there", hint="run `uv lock`")
    check_fresh(lock, project, pyproject(tree, manifest))
    return Inputs(Locked(lock, project), _hashed(tree, (path, manifest)))


def _projected(places: Places, path: str) -> Inputs:
    project = pyproject(places.tree, path)
    texts = [*project.dependencies]
    for extra in map(canonicalize_name, places.extras):
        if extra not in project.extras:
            have = ", ".join(project.extras) or "none"
            raise Refused(f"{path} has no extra {extra!r}", hint=f"it has {have}")
        texts.extend(project.extras[extra])
    for text in texts:
        requirement = Requirement(text)
        if requirement.url and (reason := why_not_installed(requirement.url)):
            message, hint = reason
            raise Refused(f"{path}: {message}", hint=hint)
        name = canonicalize_name(requirement.name)
        if name in project.sources:
            raise Refused(
                f"{path} takes {name} from [tool.uv.sources], which needs a lock", hint="run `uv lock` in its folder"
            )
    settings = IndexSettings.of(places.environment)
    settings = replace(
        settings,
        default=project.index_url or settings.default,
        extra=(*project.extra_index_urls, *settings.extra),
        find_links=(*(_find(places.tree, path, link) for link in project.find_links), *settings.find_links),
    )
    return Inputs(Declared(Question(tuple(texts)), settings), _hashed(places.tree, (path,)))


def _required(places: Places, path: str, target: Target) -> Inputs:
    tree = places.tree
    said = requirements(tree, path, places.environment)
    texts: list[str] = []
    local: list[tuple[str, tuple[str, ...]]] = []
    hashes: dict[str, frozenset[str]] = {}
    files = [*said.files]
    for wanted in said.wanted:
        if wanted.local is None:
            requirement = Requirement(wanted.text)
            if not target.wants(requirement):
                continue
            texts.append(wanted.text)
            if wanted.hashes:
                hashes[canonicalize_name(requirement.name)] = frozenset(wanted.hashes)
        elif tree.is_folder(wanted.local):
            texts_there, manifest = _folder(places, wanted)
            if texts_there is None:
                local.append((wanted.local, wanted.extras))
            else:
                texts.extend(texts_there)
                files.append(manifest)
        else:
            texts.append(_local_wheel(tree, wanted))
            files.append(wanted.local)
    question = Question(tuple(texts), tuple(wanted.text for wanted in said.constraints), hashes or None, said.pre)
    return Inputs(Declared(question, _settings(places, said), tuple(local)), _hashed(tree, tuple(dict.fromkeys(files))))


def _folder(places: Places, wanted: Wanted) -> tuple[list[str] | None, str]:
    """The requirements of the function's own project, whose code is packed anyway; ``None`` for another one."""
    folder = wanted.local or ""
    manifest = _in(folder, "pyproject.toml")
    if not places.tree.is_file(manifest):
        raise Refused(
            f"{wanted.at.path}:{wanted.at.line} asks for the project in {folder or '.'}, which has no pyproject.toml",
            hint="give it one, or build a wheel of it and name that",
        )
    if folder != places.root:
        return None, manifest
    project: Pyproject = pyproject(places.tree, manifest)
    extras = [text for extra in wanted.extras for text in project.extras.get(canonicalize_name(extra), ())]
    return [*project.dependencies, *extras], manifest


def _local_wheel(tree: Tree, wanted: Wanted) -> str:
    path = wanted.local or ""
    name = path.rpartition("/")[2]
    place = tree.on_disk(path)
    if not is_wheel_name(name):
        raise Refused(
            f"{wanted.at.path}:{wanted.at.line} asks for {path}, which is no wheel and would have to be built",
            hint="`pip wheel --no-deps` makes a wheel of it",
        )
    if place is None:
        raise Refused(f"{path} is on no disk")
    extras = f"[{','.join(wanted.extras)}]" if wanted.extras else ""
    return f"{name.partition('-')[0]}{extras} @ {place.absolute().as_uri()}"


def _settings(places: Places, said: Requirements) -> IndexSettings:
    settings = IndexSettings.of(places.environment)
    links = tuple(_disk(places.tree, link.value) if link.local else link.value for link in said.find_links)
    return replace(
        settings,
        default=None if said.no_index else said.index_url or settings.default,
        extra=() if said.no_index else (*said.extra_index_urls, *settings.extra),
        find_links=(*links, *settings.find_links),
    )


def _find(tree: Tree, path: str, link: str) -> str:
    if ":" in link.partition("/")[0]:
        return link
    local = joined(path.rpartition("/")[0], link)
    return link if local is None else _disk(tree, local)


def _disk(tree: Tree, path: str) -> str:
    place = tree.on_disk(path)
    return path if place is None else str(place.absolute())


def _workspace_lock(tree: Tree, root: str) -> str | None:
    """The lock of the workspace that the project in *root* is a member of."""
    parts = root.split("/") if root else []
    for depth in range(len(parts) - 1, -1, -1):
        folder = "/".join(parts[:depth])
        path = _in(folder, "uv.lock")
        if tree.is_file(path):
            return path if uv_lock(tree, path).member("/".join(parts[depth:])) else None
    return None


def _hashed(tree: Tree, paths: tuple[str, ...]) -> tuple[Input, ...]:
    return tuple(Input(path, hashlib.sha256(_content(tree, path)).hexdigest()) for path in paths)


def _content(tree: Tree, path: str) -> bytes:
    place: Path | None = tree.on_disk(path)
    return tree.read(path) if place is None else place.read_bytes()


def _in(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
