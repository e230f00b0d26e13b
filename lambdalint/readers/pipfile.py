"""``Pipfile`` and ``Pipfile.lock``, as Pipenv reads them.

Source: https://pipenv.pypa.io/en/latest/pipfile.html
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
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
    shaped,
    table,
    text,
    version,
)
from lambdalint.readers.pyproject import toml
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree

_COMMAND: Final = "pipenv lock"
_REPOSITORIES: Final = ("git", "hg", "svn", "bzr")
_SECTIONS: Final = frozenset(("source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv"))
#: Keys of a package that are markers under another name.
_MARKER_KEYS: Final = (
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_system",
    "platform_version",
    "python_version",
    "python_full_version",
    "implementation_name",
)


@dataclass(frozen=True, slots=True)
class Pipfile:
    """What a ``Pipfile`` asks for, and the *hash* of it that a lock states."""

    path: str
    requirements: tuple[str, ...]
    edges: tuple[Edge, ...]
    hash: str
    indexes: tuple[str, ...] = ()
    local: tuple[tuple[str, tuple[str, ...]], ...] = ()


def pipfile(tree: Tree, path: str) -> Pipfile:
    """The ``Pipfile`` at *path*.

    Raises:
        UnreadableInput: it is no TOML, or asks for something in a way that Pipenv does not know.
    """
    document = toml(tree, path)
    return shaped(path, _COMMAND, lambda: _pipfile(document, path))


def pipfile_lock(tree: Tree, path: str) -> Lock:
    """The lock at *path*.

    Raises:
        UnreadableInput: it is no JSON, or not shaped as Pipenv shapes it.
    """
    try:
        document = json.loads(decoded(tree.read(path), path))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UnreadableInput(
            "the lock is not JSON", path=path, line=line, hint="make it anew with `pipenv lock`"
        ) from error
    return shaped(path, _COMMAND, lambda: _lock(document, path))


def _lock(document: dict[str, Any], path: str) -> Lock:
    meta = table(document["_meta"])
    indexes = {text(row["name"]): text(row["url"]) for row in rows(meta.get("sources", []))}
    stated = table(meta.get("hash")).get("sha256")
    merged: dict[tuple[str, str | None], LockedDistribution] = {}
    for group, packages in document.items():
        if group == "_meta":
            continue
        for name, row in table(packages).items():
            if isinstance(row, str):
                row = {"version": row}
            found = _distribution(name, table(row), group, indexes)
            before = merged.get((found.name, found.version))
            if before is not None:
                found = LockedDistribution(
                    **{**_fields(found), "groups": {**(before.groups or {}), **(found.groups or {})}}
                )
            merged[found.name, found.version] = found
    return Lock(
        path=path,
        command=_COMMAND,
        group="default",
        distributions=tuple(merged.values()),
        manifest_hash=text(stated) if stated is not None else None,
        indexes=tuple(indexes.values()),
    )


def _fields(row: LockedDistribution) -> dict[str, Any]:
    return {name: getattr(row, name) for name in LockedDistribution.__dataclass_fields__}


def _distribution(name: str, row: dict[str, Any], group: str, indexes: Mapping[str, str]) -> LockedDistribution:
    stated = row.get("version")
    source = ("registry", indexes.get(str(row.get("index", "")), ""))
    files: tuple[LockedFile, ...] = ()
    for kind in _REPOSITORIES:
        if kind in row:
            source = ("git", text(row[kind]))
    if "path" in row:
        source = ("directory", text(row["path"]))
    if "file" in row:
        place = text(row["file"])
        remote = "://" in place
        source = ("url" if remote else "path", place)
        filename = place.partition("#")[0].rpartition("/")[2]
        files = (LockedFile(filename, url=place if remote else None, path=None if remote else place),)
    return LockedDistribution(
        name=canonicalize_name(name),
        version=None if stated in (None, "*") else version(text(stated).removeprefix("==")),
        source=source,
        files=files,
        hashes=frozenset(text(value) for value in row.get("hashes", [])),
        groups={group: marker(_marker(row))},
    )


def _marker(row: Mapping[str, Any]) -> str | None:
    parts = [text(row["markers"])] if row.get("markers") else []
    parts += [f"{key} {text(row[key])}" for key in _MARKER_KEYS if key in row]
    return " and ".join(f"({part})" for part in parts) or None


def _pipfile(document: dict[str, Any], path: str) -> Pipfile:
    wanted: list[str] = []
    edges: list[Edge] = []
    local: list[tuple[str, tuple[str, ...]]] = []
    for name, row in table(document.get("packages")).items():
        row = {"version": row} if isinstance(row, str) else table(row)
        extras = tuple(sorted(text(extra) for extra in row.get("extras", [])))
        condition = _marker(row)
        if any(kind in row for kind in _REPOSITORIES):
            raise UnreadableInput(
                f"{name} is fetched from a repository and built, which is not done here",
                path=path,
                hint="build a wheel of it, put it into the project and name its path instead",
            )
        if "path" in row:
            local.append((text(row["path"]), extras))
            continue
        stated = text(row.get("version", "*")).strip()
        place = f" @ {text(row['file'])}" if "file" in row else "" if stated in ("*", "") else stated
        asked = f"{name}[{','.join(extras)}]{place}" if extras else f"{name}{place}"
        requirement = Requirement(f"{asked} ; {condition}" if condition else asked)
        wanted.append(str(requirement))
        edges.append(Edge.of(requirement))
    return Pipfile(
        path=path,
        requirements=tuple(wanted),
        edges=tuple(edges),
        hash=_hash(document),
        indexes=tuple(text(row["url"]) for row in rows(document.get("source", []))),
        local=tuple(local),
    )


def _hash(document: Mapping[str, Any]) -> str:
    """What Pipenv writes into a lock of this ``Pipfile``."""
    default = [{"url": "https://pypi.org/simple", "verify_ssl": True, "name": "pypi"}]
    data: dict[str, Any] = {
        "_meta": {"sources": document.get("source", default), "requires": document.get("requires", {})},
        "default": document.get("packages", {}),
        "develop": document.get("dev-packages", {}),
    }
    data |= {
        key: value for key, value in document.items() if key not in _SECTIONS and key not in ("default", "develop")
    }
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
