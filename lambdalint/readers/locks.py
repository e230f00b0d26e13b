"""What the locks of several tools have in common: distributions with versions, files and hashes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lambdalint.errors import UnreadableInput

T = TypeVar("T")

#: More than any project has; a file that lists more is not worth the time.
_MAX_DISTRIBUTIONS: Final = 20_000


@dataclass(frozen=True, slots=True)
class LockedFile:
    """A file of a distribution: at *url*, or at *path*; with neither, an index knows where it is.

    *path* is relative to the registry's folder or the lock.
    """

    filename: str
    url: str | None = None
    path: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency: *specifier* tells versions of the same name apart, where a lock has several."""

    name: str
    specifier: str = ""
    marker: str | None = None
    extras: tuple[str, ...] = ()

    @staticmethod
    def of(requirement: Requirement) -> "Edge":
        return Edge(
            canonicalize_name(requirement.name),
            str(requirement.specifier),
            str(requirement.marker) if requirement.marker else None,
            tuple(sorted(canonicalize_name(extra) for extra in requirement.extras)),
        )


@dataclass(frozen=True, slots=True)
class LockedDistribution:
    """One version of one distribution.

    *source* is its kind (``registry``, ``url``, ``path``, ``directory`` or ``git``) and where it is; the address of a
    registry is ``""`` for the usual one.  *hashes* (``sha256:…``) are those of its files where the lock does not name
    them.  *groups* are the groups that want it, each under a marker; ``None`` where the lock leaves that to the
    *edges*.
    """

    name: str
    version: str | None
    source: tuple[str, str] = ("registry", "")
    files: tuple[LockedFile, ...] = ()
    hashes: frozenset[str] = frozenset()
    edges: tuple[Edge, ...] = ()
    extras: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    groups: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock.

    *group* is what it calls the dependencies that are always wanted, *command* is what makes it anew.  *manifest_hash*
    is that of the manifest it was made for, *indexes* are the indexes that it names, *default_groups* are the groups
    that are wanted unless others are asked for.
    """

    path: str
    command: str
    group: str
    distributions: tuple[LockedDistribution, ...]
    requires_python: str | None = None
    manifest_hash: str | None = None
    indexes: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()


def shaped(path: str, command: str, make: Callable[[], T]) -> T:
    """What *make* makes of a lock's document, which may be of any shape.

    Raises:
        UnreadableInput: it is not as its tool would have written it.
    """
    try:
        return make()
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
        InvalidMarker,
        InvalidRequirement,
        InvalidSpecifier,
        InvalidVersion,
    ) as error:
        said = str(error).splitlines()[0] if str(error) else ""
        raise UnreadableInput(
            f"the lock is not shaped as its tool writes it ({type(error).__name__}: {said})"[:200],
            path=path,
            hint=f"make it anew with `{command}`",
        ) from error


def rows(value: Any) -> list[dict[str, Any]]:
    """*value* if it is a list of tables, of bearable length."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise TypeError("a list of tables is expected")
    if len(value) > _MAX_DISTRIBUTIONS:
        raise ValueError(f"there are more than {_MAX_DISTRIBUTIONS} distributions")
    return value


def table(value: Any) -> dict[str, Any]:
    """*value* if it is a table; an empty one for nothing."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError("a table is expected")
    return value


def text(value: Any) -> str:
    """*value* if it is text."""
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is not text")
    return value


def version(value: Any) -> str:
    """*value* if it is a version."""
    Version(text(value))
    return text(value)


def marker(value: Any) -> str | None:
    """*value* if it is a marker, or nothing."""
    if value is None or value == "":
        return None
    Marker(text(value))
    return text(value)


def sha256(value: Any) -> str | None:
    """The digest in ``sha256:…``; ``None`` for another algorithm."""
    algorithm, _, digest = text(value).partition(":")
    return digest.lower() if algorithm == "sha256" else None
