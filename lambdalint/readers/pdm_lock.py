"""``pdm.lock``: what PDM resolved.

Source: https://pdm-project.org/latest/usage/lockfile/
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import UnreadableInput
from lambdalint.readers.locks import (
    Edge,
    Lock,
    LockedDistribution,
    LockedFile,
    marker,
    rows,
    sha256,
    shaped,
    table,
    text,
    version,
)
from lambdalint.readers.pyproject import toml
from lambdalint.readers.tree import Tree

DEFAULT: Final = "default"
_COMMAND: Final = "pdm lock"
_REPOSITORIES: Final = ("git", "hg", "svn", "bzr")


def pdm_lock(tree: Tree, path: str) -> Lock:
    """The lock at *path*.

    Raises:
        UnreadableInput: it is no TOML, of another version, or not shaped as PDM shapes it.
    """
    document = toml(tree, path)
    return shaped(path, _COMMAND, lambda: _lock(document, path))


def pdm_hash(document: Mapping[str, Any]) -> str:
    """What PDM writes into a lock of a project with this ``pyproject.toml``."""
    settings = table(table(document.get("tool")).get("pdm"))
    project = table(document.get("project"))
    groups = {
        canonicalize_name(name): list(wanted) for name, wanted in table(document.get("dependency-groups")).items()
    }
    for name, wanted in table(settings.get("dev-dependencies")).items():
        groups.setdefault(canonicalize_name(name), []).extend(wanted)
    content = {
        "sources": settings.get("source", []),
        "dependencies": project.get("dependencies", []),
        "dev-dependencies": groups,
        "optional-dependencies": project.get("optional-dependencies", {}),
        "requires-python": project.get("requires-python", ""),
        "resolution": settings.get("resolution", {}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _lock(document: Mapping[str, Any], path: str) -> Lock:
    metadata = table(document["metadata"])
    stated = str(metadata.get("lock_version", "4"))
    if stated.partition(".")[0] != "4":
        raise UnreadableInput(
            f"version {stated} of pdm.lock is not known here; 4 is",
            path=path,
            hint="lock again with a PDM that writes it, or `pdm export -f pylock`",
        )
    found: dict[tuple[str, str | None], LockedDistribution] = {}
    inherited = "inherit_metadata" in metadata.get("strategy", [])
    for row in rows(document.get("package", [])):
        package = _distribution(row, inherited=inherited)
        before = found.get((package.name, package.version))
        found[package.name, package.version] = package if before is None else _merged(before, package)
    return Lock(
        path=path,
        command=_COMMAND,
        group=DEFAULT,
        distributions=tuple(found.values()),
        requires_python=_requires_python(metadata),
        manifest_hash=sha256(metadata["content_hash"]) if "content_hash" in metadata else None,
    )


def _requires_python(metadata: Mapping[str, Any]) -> str | None:
    """The range of the lock's only target; with several, what fits is told by each distribution's marker."""
    targets = rows(metadata.get("targets", []))
    stated = targets[0].get("requires_python") if len(targets) == 1 else None
    return text(stated) if stated else None


def _distribution(row: Mapping[str, Any], *, inherited: bool) -> LockedDistribution:
    edges = tuple(Edge.of(Requirement(text(value))) for value in row.get("dependencies", []))
    extras = [canonicalize_name(text(extra)) for extra in row.get("extras", [])]
    condition = marker(row.get("marker"))
    groups: dict[str, str | None] = {
        canonicalize_name(text(group)): condition for group in row.get("groups", [DEFAULT])
    }
    source, files = _source(row), tuple(_file(file) for file in rows(row.get("files", [])))
    if source[0] in ("url", "path"):
        place = source[1]
        digest = files[0].sha256 if len(files) == 1 else None
        filename = place.partition("#")[0].rpartition("/")[2]
        url, local = (place, None) if source[0] == "url" else (None, place)
        files = (LockedFile(filename, url, local, digest),)
    return LockedDistribution(
        name=canonicalize_name(text(row["name"])),
        version=version(row["version"]) if "version" in row else None,
        source=source,
        files=files,
        edges=() if extras else edges,
        extras=dict.fromkeys(extras, edges),
        groups=groups if inherited else None,
    )


def _source(row: Mapping[str, Any]) -> tuple[str, str]:
    for kind in _REPOSITORIES:
        if kind in row:
            return "git", text(row[kind])
    if "url" in row:
        return "url", text(row["url"])
    if "path" in row:
        place = text(row["path"])
        return ("path" if place.endswith((".whl", ".gz", ".zip")) else "directory"), place
    return "registry", ""


def _file(row: Mapping[str, Any]) -> LockedFile:
    url = text(row["url"]) if "url" in row else None
    filename = text(row["file"]) if "file" in row else (url or "").partition("#")[0].rpartition("/")[2]
    return LockedFile(filename, url=url.partition("#")[0] if url else None, sha256=sha256(row["hash"]))


def _merged(one: LockedDistribution, other: LockedDistribution) -> LockedDistribution:
    """A distribution and the same with extras, which PDM lists apart."""
    groups = None if one.groups is None else {**one.groups, **(other.groups or {})}
    return LockedDistribution(
        name=one.name,
        version=one.version,
        source=one.source,
        files=one.files or other.files,
        edges=one.edges or other.edges,
        extras={**one.extras, **other.extras},
        groups=groups,
    )
