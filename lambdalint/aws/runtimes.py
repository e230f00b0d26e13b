"""The runtimes that Lambda knows, with their dates, machines and C libraries."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from lambdalint.aws.tables import table


@dataclass(frozen=True, slots=True)
class Runtime:
    """One runtime; a date is the first day on which the phase holds, ``None`` when it is not scheduled.

    *version* is the language's, ``(3, 13)``, known for Python runtimes; *glibc* that of its operating system, whose
    name is *system*, and *glibcxx* and *cxxabi* what its libstdc++ defines.  A *preview* is there to be tried.
    """

    name: str
    family: str
    version: tuple[int, int] | None
    glibc: tuple[int, int] | None
    architectures: tuple[str, ...]
    deprecated: date | None
    create_blocked: date | None
    update_blocked: date | None
    successor: str | None
    system: str | None = None
    glibcxx: tuple[int, ...] | None = None
    cxxabi: tuple[int, ...] | None = None
    preview: bool = False


@cache
def runtime(name: str) -> Runtime | None:
    """The runtime of that name; ``None`` for a name that is not in the table."""
    row = table("runtimes")["runtime"].get(name)
    return None if row is None else _runtime(name, row)


@cache
def runtimes() -> tuple[Runtime, ...]:
    """All runtimes, oldest first within a family."""
    return tuple(_runtime(name, row) for name, row in table("runtimes")["runtime"].items())


@cache
def newest_python() -> Runtime:
    """The runtime of the newest Python that is no preview: what is advised to move to."""
    return max(
        (each for each in runtimes() if each.family == "python" and each.version and not each.preview), key=_version
    )


def as_of() -> str:
    """The day the table of runtimes was read, as ``2026-10-20``."""
    return str(table("runtimes")["as_of"])


def is_python(name: str) -> bool:
    """Whether a runtime's name is one of Python's, known to the table or not."""
    return name.startswith("python")


def _runtime(name: str, row: dict[str, Any]) -> Runtime:
    system = table("runtimes")["os"].get(row.get("os"))
    return Runtime(
        name=name,
        family=row["family"],
        version=_pair(row["version"]) if "version" in row else None,
        glibc=_pair(system["glibc"]) if system else None,
        architectures=tuple(row["architectures"]),
        deprecated=row.get("deprecated"),
        create_blocked=row.get("create_blocked"),
        update_blocked=row.get("update_blocked"),
        successor=row.get("successor"),
        preview=row.get("preview", False),
        system=system["name"] if system else None,
        glibcxx=_numbers(system["libstdcxx"]["glibcxx"]) if system else None,
        cxxabi=_numbers(system["libstdcxx"]["cxxabi"]) if system else None,
    )


def _version(runtime: Runtime) -> tuple[int, int]:
    return runtime.version or (0, 0)


def _pair(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
