"""Libraries that keep files below the home directory, which does not exist in Lambda, and fail without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class LibraryCache:
    """Where *library* puts files: the folder *place*, unless one of *variables* or of the *arguments* says otherwise.

    *position* is the one of the argument that says where, *names* the one that names what to fetch, if a path in it
    means that nothing is fetched.  *moved_by* are calls after which another folder is used.
    """

    library: str
    place: str
    variables: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    position: int | None = None
    names: tuple[str, ...] = ()
    moved_by: tuple[str, ...] = ()


def cache_of_call(name: str) -> LibraryCache | None:
    """The cache that calling *name* writes to."""
    package, _, method = name.partition(".")
    return _by("calls").get(name) or _by("methods").get(f"{package}.{method.rpartition('.')[2]}")


def cache_of_decorator(name: str) -> LibraryCache | None:
    """The cache of what the decorator compiles, for one that fails at once when it is told to keep it."""
    return _by("decorators").get(name)


def caches_of_imports() -> Mapping[str, LibraryCache]:
    """The caches that importing a package already writes to, by packages."""
    return _by("imports")


@cache
def _by(kind: str) -> Mapping[str, LibraryCache]:
    return {name: _cache(row) for row in _rows() for name in row.get(kind, ())}


def _cache(row: Mapping[str, Any]) -> LibraryCache:
    return LibraryCache(
        row["library"],
        row["place"],
        tuple(row["variables"]),
        tuple(row.get("arguments", ())),
        row.get("position"),
        tuple(row.get("names", ())),
        tuple(row.get("moved_by", ())),
    )


@cache
def _rows() -> list[dict[str, Any]]:
    import tomli

    text = (files("lambdalint.facts") / "library_caches.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomli.loads(text)["cache"]
    return found
