"""Where a function's dependencies are declared, and what is declared there.

Beside the code, in its root folder, the first of these counts:

1. A lock that names files for every platform: ``uv.lock`` with its ``pyproject.toml``, ``pylock.toml``,
   ``poetry.lock``, ``pdm.lock``, ``Pipfile.lock``.  The ``uv.lock`` of a workspace lies further up; it counts when it
   knows the project in the code's folder.
2. ``requirements.txt``: what ``sam build`` installs.  Beside a ``pyproject.toml`` it is usually exported from it and
   more exact; a ``pyproject.toml`` may also hold nothing but the settings of tools.
3. ``pyproject.toml`` with ``[project] dependencies`` or ``[tool.poetry]``, then a ``Pipfile``.
4. The metadata in the only Python file that there is.

Without any the function has no dependencies.  What is passed over is said in a note.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import Refused
from lambdalint.packager.declared import (
    hashed,
    inside,
    of_pipfile,
    of_poetry,
    of_project,
    of_requirements,
    of_script,
    project_requirements,
)
from lambdalint.packager.index_settings import index_settings
from lambdalint.packager.lock import check_fresh
from lambdalint.packager.locked import Wish, needed
from lambdalint.packager.needs import Inputs, Listed, Locked, Places
from lambdalint.packager.target import Target
from lambdalint.readers.locks import Edge, Lock
from lambdalint.readers.pdm_lock import pdm_hash, pdm_lock
from lambdalint.readers.pipfile import pipfile, pipfile_lock
from lambdalint.readers.poetry import MAIN, PoetryProject, poetry_lock, poetry_project
from lambdalint.readers.pylock import pylock
from lambdalint.readers.pyproject import Pyproject, pyproject, toml
from lambdalint.readers.tree import Tree, joined
from lambdalint.readers.uv_lock import uv_lock

_LOCKS: Final = ("uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "Pipfile.lock")
_MANIFESTS: Final = ("requirements.txt", "pyproject.toml", "Pipfile")


def inputs(places: Places, target: Target) -> Inputs:
    """The dependencies of the function whose code lies at ``places.root``.

    Raises:
        LambdalintError: a manifest cannot be read, or asks for what cannot be had.
    """
    tree, root = places.tree, places.root
    if places.manifest is not None:
        return _of(places, places.manifest, target)
    if places.file is not None:
        return of_script(places, places.file, target) or Inputs()
    here = [name for name in (*_LOCKS, *_MANIFESTS) if tree.is_file(inside(root, name))]
    taken = _taken(tree, root, here)
    if taken is not None:
        found = _of(places, taken, target)
        return replace(found, notes=(*found.notes, *_passed_over(here, taken)))
    scripts = [name for name in tree.names(root) if name.endswith(".py")]
    alone = inside(root, scripts[0]) if len(scripts) == 1 else None
    return (of_script(places, alone, target) if alone and tree.is_file(alone) else None) or Inputs()


def _taken(tree: Tree, root: str, here: list[str]) -> str | None:
    """The file that counts."""
    if "pyproject.toml" in here and "uv.lock" not in here and not {"poetry.lock", "pdm.lock"} & set(here):
        workspace = _workspace_lock(tree, root, here)
        if workspace is not None:
            return workspace
    for name in here:
        if name == "uv.lock" and "pyproject.toml" not in here:
            continue
        if name == "pyproject.toml" and not _declares(tree, inside(root, name)):
            continue
        return inside(root, name)
    return None


def _declares(tree: Tree, path: str) -> bool:
    return pyproject(tree, path).declares or poetry_project(tree, path) is not None


def _passed_over(here: list[str], taken: str) -> list[str]:
    name = taken.rpartition("/")[2]
    if "uv.lock" in here and "pyproject.toml" not in here:
        return [f"uv.lock has no pyproject.toml beside it and is passed over; {name} counts"]
    notes = []
    if name in _LOCKS and "requirements.txt" in here:
        notes.append(f"requirements.txt is passed over: {taken} is more exact")
    others = [other for other in here if other in _LOCKS and other != name]
    if name in _LOCKS and others:
        notes.append(f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} passed over: {taken} comes first")
    return notes


def _of(places: Places, path: str, target: Target) -> Inputs:
    if not places.tree.is_file(path):
        raise Refused(
            f"there is no {path}",
            hint="name a lock, requirements.txt, pyproject.toml, Pipfile or script of the project",
        )
    name = path.rpartition("/")[2]
    if name == "uv.lock":
        return _locked(places, path)
    if name == "poetry.lock":
        return _of_poetry_lock(places, path, target)
    if name == "pdm.lock":
        return _of_pdm_lock(places, path, target)
    if name == "Pipfile.lock":
        return _of_pipfile_lock(places, path, target)
    if name == "Pipfile":
        return of_pipfile(places, path, target)
    if name == "pylock.toml" or (name.startswith("pylock.") and name.endswith(".toml")):
        wish = Wish((), places.extras, places.groups)
        return _listed(places, pylock(places.tree, path), wish, target)
    if name.endswith(".toml"):
        return _of_project(places, path, target)
    if name.endswith(".py"):
        found = of_script(places, path, target)
        if found is None:
            raise Refused(f"{path} has no metadata that says what it needs", hint="it begins with `# /// script`")
        return found
    return of_requirements(places, path, target)


def _of_project(places: Places, path: str, target: Target) -> Inputs:
    project = pyproject(places.tree, path)
    poetry = None if project.declares else poetry_project(places.tree, path)
    return of_project(places, path, target) if poetry is None else of_poetry(places, poetry, target)


def _locked(places: Places, path: str) -> Inputs:
    tree = places.tree
    lock = uv_lock(tree, path)
    folder = path.rpartition("/")[0]
    relative = places.root[len(folder) :].strip("/") or "."
    project = lock.member(relative) or lock.member(".")
    if project is None:
        raise Refused(f"{path} does not know a project in {places.root or '.'}", hint="run `uv lock` there")
    manifest = inside(folder, "pyproject.toml" if project.source[1] == "." else f"{project.source[1]}/pyproject.toml")
    if not tree.is_file(manifest):
        raise Refused(f"{path} was made for {manifest}, which is not there", hint="run `uv lock`")
    check_fresh(lock, project, pyproject(tree, manifest))
    return Inputs(Locked(lock, project), hashed(tree, (path, manifest)))


def _of_poetry_lock(places: Places, path: str, target: Target) -> Inputs:
    lock = poetry_lock(places.tree, path)
    manifest = inside(path.rpartition("/")[0], "pyproject.toml")
    if not places.tree.is_file(manifest):
        if any(each.groups is None for each in lock.distributions):
            raise Refused(f"{path} does not say what is needed without {manifest}", hint="put it beside the lock")
        return _listed(places, lock, Wish((), places.extras, places.groups), target)
    project, poetry = pyproject(places.tree, manifest), poetry_project(places.tree, manifest)
    roots = tuple(_poetry_roots(places, project, poetry))
    notes = []
    if lock.manifest_hash and poetry and lock.manifest_hash not in poetry.hashes:
        notes.append(f"{path} was made for another {manifest}; `poetry lock` makes it anew")
    return _listed(places, lock, Wish(roots, places.extras, places.groups), target, manifest, notes)


def _poetry_roots(places: Places, project: Pyproject, poetry: PoetryProject | None) -> Iterable[Edge]:
    groups = dict(poetry.groups) if poetry else {}
    extras = dict(poetry.extras) if poetry else {}
    wanted = set(map(canonicalize_name, places.extras))
    known = {*extras, *project.extras}
    if absent := sorted(wanted - known):
        raise Refused(f"{project.path} has no extra {absent[0]!r}", hint=f"it has {', '.join(sorted(known)) or 'none'}")
    by_extra = {name for extra in wanted for name in extras.get(extra, ())}
    if project.declares:
        yield from _edges(project.dependencies)
        yield from _edges(text for extra in wanted for text in project.extras.get(extra, ()))
    for group in (MAIN, *map(canonicalize_name, places.groups)):
        if group not in groups and group not in project.groups and group != MAIN:
            having = ", ".join(sorted({*groups, *project.groups} - {MAIN})) or "none"
            raise Refused(f"{project.path} has no group {group!r}", hint=f"it has {having}")
        yield from _edges(project.groups.get(group, ()))
        if group == MAIN and project.declares:
            continue  # Poetry's own table then only says more about the same
        for asked in groups.get(group, ()):
            if not asked.optional or asked.edge.name in by_extra:
                yield asked.edge


def _of_pdm_lock(places: Places, path: str, target: Target) -> Inputs:
    lock = pdm_lock(places.tree, path)
    manifest = inside(path.rpartition("/")[0], "pyproject.toml")
    if not places.tree.is_file(manifest):
        raise Refused(f"{path} was made for {manifest}, which is not there", hint="put it beside the lock")
    roots = tuple(_edges(project_requirements(pyproject(places.tree, manifest), places.extras, places.groups)))
    notes = []
    if lock.manifest_hash and lock.manifest_hash != pdm_hash(toml(places.tree, manifest)):
        notes.append(f"{path} was made for another {manifest}; `pdm lock` makes it anew")
    return _listed(places, lock, Wish(roots, places.extras, places.groups), target, manifest, notes)


def _of_pipfile_lock(places: Places, path: str, target: Target) -> Inputs:
    lock = pipfile_lock(places.tree, path)
    manifest = inside(path.rpartition("/")[0], "Pipfile")
    if not places.tree.is_file(manifest):
        return _listed(places, lock, Wish(groups=places.groups), target)
    said = pipfile(places.tree, manifest)
    notes = []
    if lock.manifest_hash and lock.manifest_hash != said.hash:
        notes.append(f"{path} was made for another {manifest}; `pipenv lock` makes it anew")
    return _listed(places, lock, Wish(said.edges, (), places.groups), target, manifest, notes)


def _listed(
    places: Places, lock: Lock, wish: Wish, target: Target, manifest: str | None = None, notes: Iterable[str] = ()
) -> Inputs:
    found = needed(lock, wish, target)
    base = lock.path.rpartition("/")[0]
    local = []
    for each in found:
        if each.source[0] != "directory":
            continue
        folder = joined(base, each.source[1])
        if folder is None or not places.tree.is_folder(folder):
            raise Refused(
                f"{lock.path} takes {each.name} from {each.source[1][:100]}, which is no folder of this project",
                hint="a path must lie within the project",
            )
        if folder != places.root:  # its code is packed anyway
            local.append(folder)
    settings = index_settings(places.tree, base, places.environment)
    distributions = tuple(each for each in found if each.source[0] != "directory")
    files = (lock.path,) if manifest is None else (lock.path, manifest)
    needs = Listed(lock, distributions, settings, tuple(local))
    return Inputs(needs, hashed(places.tree, files), tuple(notes))


def _edges(texts: Iterable[str]) -> Iterable[Edge]:
    return (Edge.of(Requirement(text)) for text in texts)


def _workspace_lock(tree: Tree, root: str, here: list[str]) -> str | None:
    """The lock of the workspace that the project in *root* is a member of."""
    if "requirements.txt" in here:
        return None
    path = inside(root, "pyproject.toml")
    if pyproject(tree, path).name is None:
        return None
    parts = root.split("/") if root else []
    for depth in range(len(parts) - 1, -1, -1):
        lock = inside("/".join(parts[:depth]), "uv.lock")
        if tree.is_file(lock):
            return lock if uv_lock(tree, lock).member("/".join(parts[depth:])) else None
    return None
