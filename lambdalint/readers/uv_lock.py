"""``uv.lock``: what uv resolved for all platforms at once, with the files and hashes of each distribution.

Source: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from lambdalint.errors import UnreadableInput
from lambdalint.readers.locks import LockedFile
from lambdalint.readers.pyproject import toml
from lambdalint.readers.tree import Tree

_VERSION: Final = 1

#: Where a package comes from, by the key in its ``source``.
_SOURCES: Final = ("registry", "virtual", "editable", "directory", "path", "url", "git")


@dataclass(frozen=True, slots=True)
class LockedDependency:
    """An edge; *version* and *source* are there only where the lock has several of that name."""

    name: str
    marker: str | None = None
    extras: tuple[str, ...] = ()
    version: str | None = None
    source: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class LockedRequirement:
    """A requirement as the ``pyproject.toml`` had it when the lock was made."""

    name: str
    specifier: str | None


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One version of one distribution; *source* is its kind and where it is, *groups* those of a project."""

    name: str
    version: str | None
    source: tuple[str, str]
    dependencies: tuple[LockedDependency, ...] = ()
    extras: Mapping[str, tuple[LockedDependency, ...]] = field(default_factory=dict)
    wheels: tuple[LockedFile, ...] = ()
    sdist: LockedFile | None = None
    groups: Mapping[str, tuple[LockedDependency, ...]] = field(default_factory=dict)
    markers: tuple[str, ...] = ()
    requires: tuple[LockedRequirement, ...] | None = None


@dataclass(frozen=True, slots=True)
class UvLock:
    """A lock; *requires_python* is the range that it was made for."""

    path: str
    requires_python: str | None
    packages: tuple[LockedPackage, ...]

    def member(self, folder: str) -> LockedPackage | None:
        """The project that lies in *folder*, relative to the lock (``"."`` is beside it)."""
        places = {("virtual", folder), ("editable", folder), ("directory", folder)}
        return next((package for package in self.packages if package.source in places), None)


def uv_lock(tree: Tree, path: str) -> UvLock:
    """The lock at *path*.

    Raises:
        UnreadableInput: it is no TOML, of another version, or not shaped as uv shapes it.
    """
    document = toml(tree, path)
    version = document.get("version")
    if version != _VERSION:
        raise UnreadableInput(
            f"version {version!r} of uv.lock is not known here; {_VERSION} is",
            path=path,
            hint="lock again with a uv that writes it, or export a requirements.txt",
        )
    try:
        return UvLock(
            path=path,
            requires_python=document.get("requires-python"),
            packages=tuple(_package(row) for row in document.get("package", [])),
        )
    except (AttributeError, KeyError, TypeError, ValueError, InvalidMarker) as error:
        raise UnreadableInput(
            f"the lock is not shaped as uv writes it ({type(error).__name__}: {error})"[:200],
            path=path,
            hint="make it anew with `uv lock`",
        ) from error


def _package(row: dict[str, Any]) -> LockedPackage:
    metadata = row.get("metadata")
    return LockedPackage(
        name=canonicalize_name(row["name"]),
        version=_text(row.get("version")),
        source=_source(row["source"]),
        dependencies=_dependencies(row.get("dependencies", [])),
        extras={
            canonicalize_name(extra): _dependencies(rows)
            for extra, rows in row.get("optional-dependencies", {}).items()
        },
        wheels=tuple(_file(wheel) for wheel in row.get("wheels", [])),
        sdist=_sdist(row),
        groups={
            canonicalize_name(group): _dependencies(rows) for group, rows in row.get("dev-dependencies", {}).items()
        },
        markers=tuple(_marker(marker) for marker in row.get("resolution-markers", [])),
        requires=None
        if metadata is None
        else tuple(
            LockedRequirement(canonicalize_name(item["name"]), _text(item.get("specifier")))
            for item in metadata.get("requires-dist", [])
        ),
    )


def _sdist(row: dict[str, Any]) -> LockedFile | None:
    """The source distribution; one that is named by its source states nothing but a hash."""
    if "sdist" not in row:
        return None
    kind, place = _source(row["source"])
    return _file({**({"filename": PurePosixPath(place).name} if kind in ("path", "url") else {}), **row["sdist"]})


def _source(row: dict[str, Any]) -> tuple[str, str]:
    for kind in _SOURCES:
        if kind in row:
            return kind, str(row[kind])
    raise ValueError(f"a source of an unknown kind: {', '.join(row)}")


def _dependencies(rows: list[dict[str, Any]]) -> tuple[LockedDependency, ...]:
    return tuple(
        LockedDependency(
            name=canonicalize_name(row["name"]),
            marker=_marker(row["marker"]) if "marker" in row else None,
            extras=tuple(canonicalize_name(extra) for extra in row.get("extra", [])),
            version=_text(row.get("version")),
            source=_source(row["source"]) if "source" in row else None,
        )
        for row in rows
    )


def _file(row: dict[str, Any]) -> LockedFile:
    place = _text(row.get("url")) or _text(row.get("path")) or _text(row.get("filename"))
    if place is None:
        raise ValueError("a wheel that is nowhere")
    algorithm, _, digest = str(row.get("hash", "")).partition(":")
    size = row.get("size")
    return LockedFile(
        filename=_text(row.get("filename")) or unquote(PurePosixPath(place.partition("#")[0]).name),
        url=_text(row.get("url")),
        path=_text(row.get("path")),
        sha256=digest if algorithm == "sha256" else None,
        size=size if isinstance(size, int) else None,
    )


def _marker(text: Any) -> str:
    Marker(text)  # so that a bad one is found here, with the file's name
    return str(text)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is not text")
