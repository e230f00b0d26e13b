"""Which requirements of installed distributions hold on a target, whatever the machine at hand is."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Final

from lambdalint.facts.installed import InstalledDistribution, comparable

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_MACHINES: Final = {"x86_64": ("x86_64",), "arm64": ("aarch64",), None: ("x86_64", "aarch64")}
_INTERPRETER: Final = re.compile(r"(?P<implementation>py|cp)(?P<major>\d)(?P<minor>\d+)?")
#: Which patch release a runtime has changes by itself; what holds for both of these holds for all.
_PATCHES: Final = (0, 99)


@dataclass(frozen=True, slots=True)
class Required:
    """What *by* requires: *key* as names are compared, *name* and *versions* as stated, ``""`` for any version."""

    by: InstalledDistribution
    key: str
    name: str
    versions: str

    @property
    def title(self) -> str:
        """As METADATA has it: ``botocore<1.41,>=1.40``."""
        return f"{self.name}{self.versions}"

    def accepts(self, version: str) -> bool:
        """Whether *version* is one that is asked for; one that is no version is not judged."""
        return _accepts(self.versions, version)


def requirements_of(
    distributions: Iterable[InstalledDistribution], python: tuple[int, int], architecture: str | None
) -> Iterator[Required]:
    """What *distributions* require without extras on that Python and machine, on Linux."""
    environments = _environments(python, architecture)
    for each in distributions:
        for line in each.headers("Requires-Dist"):
            requirement = _requirement(line)
            if requirement is None or requirement.url or not _applies(requirement, environments):
                continue
            yield Required(each, comparable(requirement.name), requirement.name, str(requirement.specifier))


def excludes(requires_python: str, python: tuple[int, int]) -> bool:
    """Whether a Requires-Python leaves out every release of *python*."""
    return all(not _accepts(requires_python, f"{python[0]}.{python[1]}.{patch}") for patch in _PATCHES)


def excludes_tags(tags: Iterable[str], python: tuple[int, int], architecture: str | None) -> bool:
    """Whether a wheel with *tags* is for other Pythons or systems; not so where a tag makes no sense."""
    from packaging.tags import parse_tag

    try:
        parsed = [each for tag in tags for each in parse_tag(tag)]
    except ValueError:
        return False
    return bool(parsed) and not any(
        _is_for(each.interpreter, each.abi, python) and _runs_on(each.platform, architecture) for each in parsed
    )


def _is_for(interpreter: str, abi: str, python: tuple[int, int]) -> bool:
    match = _INTERPRETER.fullmatch(interpreter)
    if match is None:
        return False
    version = (int(match["major"]), int(match["minor"] or 0))
    if match["implementation"] == "py" or abi == "abi3":
        return version[0] == python[0] and version <= python
    return version == python and not abi.endswith("t")


def _runs_on(platform: str, architecture: str | None) -> bool:
    machines = _MACHINES.get(architecture, ())
    return platform == "any" or (platform.startswith(("linux", "manylinux")) and platform.endswith(machines))


def _applies(requirement: "Requirement", environments: tuple[dict[str, str], ...]) -> bool:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    if requirement.marker is None:
        return True
    try:
        return all(requirement.marker.evaluate(each) for each in environments)
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError, RecursionError):
        return False


@lru_cache(maxsize=4096)
def _requirement(line: str) -> "Requirement | None":
    """The requirement of a line of METADATA; ``None`` for one that is none."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except (InvalidRequirement, RecursionError):  # markers may nest as deep as somebody likes
        return None


@lru_cache(maxsize=4096)
def _accepts(versions: str, version: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(versions).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return True


def _environments(python: tuple[int, int], architecture: str | None) -> tuple[dict[str, str], ...]:
    """Every environment that the target may be."""
    version = f"{python[0]}.{python[1]}"
    return tuple(
        {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.{patch}",
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{version}.{patch}",
            "python_version": version,
            "sys_platform": "linux",
            "extra": "",
        }
        for machine, patch in product(_MACHINES.get(architecture, (architecture or "",)), _PATCHES)
    )
