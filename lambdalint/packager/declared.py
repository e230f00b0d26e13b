"""Manifests that say what is needed and leave it to a resolver which versions."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import Refused
from lambdalint.packager.choice import is_wheel_name
from lambdalint.packager.index import IndexSettings
from lambdalint.packager.index_settings import index_settings, on_disk
from lambdalint.packager.needs import Declared, Input, Inputs, Places
from lambdalint.packager.resolve import Question
from lambdalint.packager.target import Target
from lambdalint.packager.uv_sources import taken
from lambdalint.readers.pipfile import pipfile
from lambdalint.readers.poetry import MAIN, PoetryProject
from lambdalint.readers.pyproject import Pyproject, UvIndexes, pyproject
from lambdalint.readers.requirements import Requirements, Wanted, requirements, why_not_installed
from lambdalint.readers.script import script
from lambdalint.readers.tree import Tree, joined


@dataclass(slots=True)
class _Collected:
    texts: list[str] = field(default_factory=list)
    local: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    pinned: list[tuple[str, str]] = field(default_factory=list)


def project_requirements(project: Pyproject, extras: Sequence[str], groups: Sequence[str]) -> list[str]:
    """The requirements of a project with *extras* and *groups* of it.

    Raises:
        Refused: it has no such extra or group.
    """
    found = [*project.dependencies]
    for kind, wanted, having in (("extra", extras, project.extras), ("dependency group", groups, project.groups)):
        for name in map(canonicalize_name, wanted):
            if name not in having:
                raise Refused(f"{project.path} has no {kind} {name!r}", hint=f"it has {', '.join(having) or 'none'}")
            found.extend(having[name])
    return found


def of_project(places: Places, path: str, target: Target) -> Inputs:
    """What the ``pyproject.toml`` at *path* asks for."""
    project = pyproject(places.tree, path)
    texts = project_requirements(project, places.extras, places.groups)
    return _of_texts(places, project, texts, target)


def of_script(places: Places, path: str, target: Target) -> Inputs | None:
    """What the metadata in the script at *path* asks for; ``None`` when it has none."""
    project = script(places.tree, path)
    if project is None:
        return None
    if not target.admits(project.requires_python):
        raise Refused(
            f"{path} needs Python {project.requires_python}; {target.runtime} is {'.'.join(map(str, target.python))}",
            hint="change requires-python in its metadata, or the function's runtime",
        )
    return _of_texts(places, project, project.dependencies, target, project.indexes)


def _of_texts(
    places: Places, project: Pyproject, texts: Iterable[str], target: Target, own: UvIndexes | None = None
) -> Inputs:
    path = project.path
    found = _Collected()
    for text in texts:
        requirement = Requirement(text)
        if not target.wants(requirement):
            continue
        if requirement.url and (reason := why_not_installed(requirement.url)):
            message, hint = reason
            raise Refused(f"{path}: {message}", hint=hint)
        source = taken(places.tree, project, requirement, target)
        if source is not None and source.folder is not None:
            found.local.append((source.folder, tuple(sorted(requirement.extras))))
            continue
        if source is not None and source.index is not None:
            found.pinned.append((canonicalize_name(requirement.name), source.index))
        found.texts.append(source.text if source is not None and source.text is not None else text)
    settings = index_settings(places.tree, path.rpartition("/")[0], places.environment)
    if own is not None:
        settings = replace(settings, default=own.default or settings.default, extra=(*settings.extra, *own.extra))
    settings = replace(settings, pinned=tuple(found.pinned))
    needs = Declared(Question(tuple(found.texts)), settings, tuple(dict.fromkeys(found.local)))
    return Inputs(needs, hashed(places.tree, (path,)))


def of_poetry(places: Places, project: PoetryProject, target: Target) -> Inputs:
    """What the tables of Poetry ask for, where there is no lock."""
    wanted = set(map(canonicalize_name, places.extras))
    by_extra = {name for extra in wanted for name in project.extras.get(extra, ())}
    found = _Collected()
    for group in (MAIN, *map(canonicalize_name, places.groups)):
        if group not in project.groups:
            raise Refused(f"{project.path} has no group {group!r}", hint=f"it has {', '.join(project.groups)}")
        for asked in project.groups[group]:
            name = asked.edge.name
            if (asked.optional and name not in by_extra) or not target.applies(asked.edge.marker):
                continue
            if asked.repository is not None:
                raise Refused(
                    f"{project.path} takes {name} from a repository, and would have to build it",
                    hint="build a wheel of it, put it into the project and take it from its path",
                )
            if asked.local is not None:
                found.local.append((_folder_of(places, project.path, asked.local), asked.edge.extras))
            elif asked.text is None:
                raise Refused(
                    f"{project.path} asks for alternatives of {name}, which only Poetry resolves",
                    hint="run `poetry lock`, whose lock is read",
                )
            else:
                found.texts.append(asked.text)
    settings = index_settings(places.tree, project.path.rpartition("/")[0], places.environment)
    settings = replace(settings, extra=(*settings.extra, *project.indexes))
    needs = Declared(Question(tuple(found.texts)), settings, tuple(found.local))
    return Inputs(needs, hashed(places.tree, (project.path,)))


def of_pipfile(places: Places, path: str, target: Target) -> Inputs:
    """What a ``Pipfile`` asks for, where there is no lock."""
    said = pipfile(places.tree, path)
    texts = [text for text in said.requirements if target.wants(Requirement(text))]
    settings = index_settings(places.tree, path.rpartition("/")[0], places.environment)
    named = [url for url in said.indexes if not url.rstrip("/").endswith("pypi.org/simple")]
    settings = replace(settings, extra=(*settings.extra, *named))
    local = tuple((_folder_of(places, path, folder), extras) for folder, extras in said.local)
    return Inputs(Declared(Question(tuple(texts)), settings, local), hashed(places.tree, (path,)))


def _folder_of(places: Places, path: str, stated: str) -> str:
    folder = joined(path.rpartition("/")[0], stated)
    if folder is None or not places.tree.is_folder(folder):
        raise Refused(f"{path} takes a project from {stated[:100]}, which is no folder of this project")
    return folder


def of_requirements(places: Places, path: str, target: Target) -> Inputs:
    """What the requirement file at *path* asks for."""
    tree = places.tree
    said = requirements(tree, path, places.environment)
    found = _Collected()
    hashes: dict[str, frozenset[str]] = {}
    files = [*said.files]
    for wanted in said.wanted:
        if wanted.local is None:
            requirement = Requirement(wanted.text)
            if not target.wants(requirement):
                continue
            found.texts.append(wanted.text)
            if wanted.hashes:
                hashes[canonicalize_name(requirement.name)] = frozenset(wanted.hashes)
        elif tree.is_folder(wanted.local):
            texts_there, manifest = _folder(places, wanted)
            if texts_there is None:
                found.local.append((wanted.local, wanted.extras))
            else:
                found.texts.extend(texts_there)
                files.append(manifest)
        else:
            found.texts.append(_local_wheel(tree, wanted))
            files.append(wanted.local)
    question = Question(tuple(found.texts), tuple(one.text for one in said.constraints), hashes or None, said.pre)
    needs = Declared(question, _settings(places, path, said), tuple(found.local))
    return Inputs(needs, hashed(tree, tuple(dict.fromkeys(files))))


def _folder(places: Places, wanted: Wanted) -> tuple[list[str] | None, str]:
    """The requirements of the function's own project, whose code is packed anyway; ``None`` for another one."""
    folder = wanted.local or ""
    manifest = inside(folder, "pyproject.toml")
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


def _settings(places: Places, path: str, said: Requirements) -> IndexSettings:
    settings = index_settings(places.tree, path.rpartition("/")[0], places.environment)
    links = tuple(on_disk(places.tree, link.value) if link.local else link.value for link in said.find_links)
    return replace(
        settings,
        default=None if said.no_index else said.index_url or settings.default,
        extra=() if said.no_index else (*said.extra_index_urls, *settings.extra),
        find_links=(*links, *settings.find_links),
    )


def hashed(tree: Tree, paths: tuple[str, ...]) -> tuple[Input, ...]:
    """Files of the project with the hashes of their content."""
    return tuple(Input(path, hashlib.sha256(_content(tree, path)).hexdigest()) for path in paths)


def _content(tree: Tree, path: str) -> bytes:
    place: Path | None = tree.on_disk(path)
    return tree.read(path) if place is None else place.read_bytes()


def inside(folder: str, name: str) -> str:
    """The path of *name* in *folder*."""
    return f"{folder}/{name}" if folder else name
