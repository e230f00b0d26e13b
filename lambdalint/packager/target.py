"""What a function runs on, as far as it decides which files of a distribution fit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from lambdalint.aws.runtimes import newest_python
from lambdalint.aws.runtimes import runtime as known_runtime
from lambdalint.errors import Refused

ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}

#: What is older has neither wheels nor bytecode of the kinds made here.
_OLDEST: Final = (3, 8)

# A wheel's `Requires-Python: >=3.9.2` is meant against ancient patch releases.  Lambda patches its runtimes, so a
# late one stands for them all; which one it is decides nothing else.
_PATCHES: Final = {8: 20, 9: 23, 10: 18, 11: 13, 12: 11, 13: 7, 14: 1}

# PEP 600: glibc of the aliases that were in use before it.
_LEGACY: Final = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_OLDEST_GLIBC: Final = {"x86_64": 5, "aarch64": 17}


@dataclass(frozen=True, slots=True)
class Target:
    """One runtime on one architecture.

    *tags* are all that its installer would accept, best first; *ranks* is the place of each in that order, by its text.
    *markers* is the environment for PEP 508 markers: the target's, never the host's.
    """

    runtime: str
    architecture: str
    python: tuple[int, int]
    glibc: tuple[int, int]
    tags: tuple[Tag, ...] = field(repr=False)
    ranks: dict[str, int] = field(repr=False, compare=False, hash=False)
    markers: dict[str, str] = field(repr=False, compare=False, hash=False)

    @property
    def machine(self) -> str:
        """The architecture as the kernel and wheels name it."""
        return ARCHITECTURES[self.architecture]

    @property
    def python_full_version(self) -> str:
        """A late patch release of the runtime's Python."""
        return self.markers["python_full_version"]

    def rank(self, filename: str) -> int | None:
        """How well a wheel fits, 0 best; ``None`` when it does not, or is no wheel.

        An index may list 15,000 wheels of one distribution, so their names are not parsed further than needed.
        """
        parts = filename.lower().removesuffix(".whl").split("-")
        if not filename.endswith(".whl") or len(parts) not in (5, 6):
            return None
        pythons, abis, platforms = (part.split(".") for part in parts[-3:])
        tags = (f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms)
        return min((self.ranks[tag] for tag in tags if tag in self.ranks), default=None)

    def admits(self, requires_python: str | None) -> bool:
        """Whether ``Requires-Python`` lets the target in; one that nobody can read lets everybody in, as for pip."""
        return requires_python is None or _contains(requires_python, self.python_full_version)

    def applies(self, marker: str | Marker | None, extra: str = "") -> bool:
        """Whether a requirement under *marker* is needed on the target when *extra* is asked for."""
        if not marker:
            return True
        return self.holds(marker if isinstance(marker, Marker) else Marker(marker), {"extra": extra})

    def holds(self, marker: Marker, more: Mapping[str, str | frozenset[str]]) -> bool:
        """Whether *marker* holds on the target, where *more* is also known; as locks have them, if sets are among it.

        Raises:
            Refused: it compares what cannot be compared.
        """
        sets = any(isinstance(value, frozenset) for value in more.values())
        try:
            return marker.evaluate({**self.markers, **more}, context="lock_file" if sets else "metadata")
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            raise Refused(f"the marker {str(marker)[:200]!r} cannot be decided: {str(error)[:200]}") from error

    def wants(self, requirement: Requirement) -> bool:
        """Whether the markers of *requirement* hold on the target."""
        return self.applies(requirement.marker)

    def __str__(self) -> str:
        return f"{self.runtime} on {self.architecture}"


@cache
def target(runtime: str, architecture: str = "x86_64") -> Target:
    """The target of a Python runtime that Lambda offers wheels a known C library for.

    Raises:
        Refused: the runtime is unknown, is not Python or is too old to say what fits.
    """
    row = known_runtime(runtime)
    if row is None or row.family != "python" or row.version is None or row.glibc is None or row.version < _OLDEST:
        raise Refused(
            f"nothing can be built for {runtime!r}",
            hint=f"python{_OLDEST[0]}.{_OLDEST[1]} and newer are supported; {newest_python().name} is the newest",
        )
    if architecture not in ARCHITECTURES or architecture not in row.architectures:
        raise Refused(f"{runtime} does not run on {architecture!r}", hint=f"use {' or '.join(row.architectures)}")
    machine = ARCHITECTURES[architecture]
    platforms = tuple(_platforms(row.glibc, machine))
    tags = (
        *cpython_tags(row.version, platforms=platforms),
        *compatible_tags(row.version, f"cp{row.version[0]}{row.version[1]}", platforms=platforms),
    )
    return Target(
        runtime=runtime,
        architecture=architecture,
        python=row.version,
        glibc=row.glibc,
        tags=tags,
        ranks={str(tag): rank for rank, tag in reversed(list(enumerate(tags)))},
        markers=_markers(row.version, machine),
    )


@cache
def wheel_tags(filename: str) -> frozenset[Tag]:
    """The tags in a wheel's file name; none when it is not one."""
    try:
        return parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return frozenset()


def _platforms(glibc: tuple[int, int], machine: str) -> list[str]:
    found: list[str] = []
    for minor in range(glibc[1], _OLDEST_GLIBC[machine] - 1, -1):
        found.append(f"manylinux_{glibc[0]}_{minor}_{machine}")
        if minor in _LEGACY:
            found.append(f"{_LEGACY[minor]}_{machine}")
    # Last, unlike where one installs for oneself: this tag says nothing about the C library that was built against.
    return [*found, f"linux_{machine}"]


def _markers(python: tuple[int, int], machine: str) -> dict[str, str]:
    version = f"{python[0]}.{python[1]}"
    full = f"{version}.{_PATCHES.get(python[1], 0)}"
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": version,
        "sys_platform": "linux",
    }


@cache
def _contains(requires_python: str, version: str) -> bool:
    try:
        return SpecifierSet(requires_python).contains(version)
    except InvalidSpecifier:
        return True
