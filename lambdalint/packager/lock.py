"""A ``uv.lock`` to pinned files: no resolver, no index; versions, addresses and hashes stand in the lock."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lambdalint.aws.runtimes import newest_python
from lambdalint.errors import Refused
from lambdalint.packager.choice import Pin, best, nearest, why_no_tag
from lambdalint.packager.index import File
from lambdalint.packager.target import Target
from lambdalint.readers.locks import LockedFile
from lambdalint.readers.pyproject import Pyproject
from lambdalint.readers.uv_lock import LockedDependency, LockedPackage, UvLock

_LOCAL: Final = frozenset(("virtual", "editable", "directory"))


def pinned(
    lock: UvLock,
    project: LockedPackage,
    extras: tuple[str, ...],
    target: Target,
    folder: Path | None,
    *,
    groups: tuple[str, ...] = (),
    sdists: bool = False,
    others: Callable[[str], Iterable[File]] = lambda name: (),
) -> tuple[tuple[Pin, ...], tuple[LockedPackage, ...]]:
    """The files that *project* needs on *target*, and the projects among its dependencies that must be built first.

    *folder* is where the lock lies, for files that it names by path.  Where nothing else fits, a source distribution is
    taken if *sdists*.  *others* are the files that an index has of a distribution, for a hint.

    Raises:
        Refused: the lock was made for other Pythons, or a distribution has no file that fits.
    """
    needed = packages(lock, project, extras, groups, target)
    members = tuple(package for package in needed if package.source[0] in _LOCAL)
    files = [package for package in needed if package.source[0] not in _LOCAL]
    maker = _Maker(lock, target, folder, sdists, others)
    return tuple(maker.pin(package) for package in files), members


def packages(
    lock: UvLock, project: LockedPackage, extras: tuple[str, ...], groups: tuple[str, ...], target: Target
) -> list[LockedPackage]:
    """What *project* needs on *target*, but for itself; raises as :func:`pinned` does."""
    if lock.requires_python and not SpecifierSet(lock.requires_python).contains(target.python_full_version):
        raise Refused(
            f"{lock.path} was made for Python {lock.requires_python}; {target.runtime} is outside of it",
            hint="widen requires-python in pyproject.toml and run `uv lock`, or change the function's runtime",
        )
    return [package for package in _closure(lock, project, extras, groups, target) if package is not project]


def check_fresh(lock: UvLock, project: LockedPackage, declared: Pyproject) -> None:
    """Hold the lock against the ``pyproject.toml`` beside it.

    Raises:
        Refused: dependencies were added, removed or changed since the lock was made.
    """
    if project.requires is None:
        return
    locked: dict[str, set[str | None]] = {}
    for requirement in project.requires:
        locked.setdefault(requirement.name, set()).add(_normal(requirement.specifier))
    for text in (*declared.dependencies, *(text for extra in declared.extras.values() for text in extra)):
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        known = locked.get(name, set())
        same = name in declared.sources or wanted.url or _normal(str(wanted.specifier)) in known
        if not known or not same:
            raise Refused(
                f"{declared.path} asks for {text}, which {lock.path} does not know of: the lock is out of date",
                hint="run `uv lock`",
            )


def _normal(specifier: str | None) -> str:
    return str(SpecifierSet(specifier or ""))


def _closure(
    lock: UvLock, project: LockedPackage, extras: tuple[str, ...], groups: tuple[str, ...], target: Target
) -> Iterator[LockedPackage]:
    by_name: dict[str, list[LockedPackage]] = {}
    for package in lock.packages:
        by_name.setdefault(package.name, []).append(package)
    unknown = [extra for extra in extras if canonicalize_name(extra) not in project.extras]
    if unknown:
        raise Refused(
            f"{project.name} has no extra {unknown[0]!r}", hint=f"it has {', '.join(project.extras) or 'none'}"
        )
    absent = [group for group in map(canonicalize_name, groups) if group not in project.groups]
    if absent:
        raise Refused(
            f"{project.name} has no dependency group {absent[0]!r} in {lock.path}",
            hint=f"it has {', '.join(project.groups) or 'none'}",
        )
    seen: set[tuple[int, str]] = set()
    found: dict[int, LockedPackage] = {}
    waiting = [(project, ""), *((project, extra) for extra in map(canonicalize_name, extras))]
    for group in map(canonicalize_name, groups):
        for dependency in project.groups[group]:
            if target.applies(dependency.marker):
                other = _locked(lock, dependency, by_name, target)
                waiting.extend((other, wanted) for wanted in ("", *dependency.extras))
    while waiting:
        package, extra = waiting.pop()
        if (id(package), extra) in seen:
            continue
        seen.add((id(package), extra))
        found[id(package)] = package
        for dependency in package.extras.get(extra, ()) if extra else package.dependencies:
            if target.applies(dependency.marker):
                other = _locked(lock, dependency, by_name, target)
                waiting.extend((other, wanted) for wanted in ("", *dependency.extras))
    yield from sorted(found.values(), key=lambda package: package.name)


def _locked(
    lock: UvLock, dependency: LockedDependency, by_name: Mapping[str, list[LockedPackage]], target: Target
) -> LockedPackage:
    candidates = [
        package
        for package in by_name.get(dependency.name, [])
        if dependency.version in (None, package.version) and dependency.source in (None, package.source)
    ]
    if len(candidates) > 1:
        candidates = [
            package
            for package in candidates
            if not package.markers or any(target.applies(marker) for marker in package.markers)
        ]
    if len(candidates) != 1:
        said = "does not have" if not candidates else f"has {len(candidates)} versions of"
        raise Refused(f"{lock.path} {said} {dependency.name} for {target}", hint="make it anew with `uv lock`")
    return candidates[0]


@dataclass(frozen=True, slots=True)
class _Maker:
    lock: UvLock
    target: Target
    folder: Path | None
    sdists: bool
    others: Callable[[str], Iterable[File]]

    def pin(self, package: LockedPackage) -> Pin:
        lock, target = self.lock, self.target
        named = f"{package.name} {package.version or ''}".strip()
        kind, place = package.source
        if kind == "git":
            raise Refused(
                f"{lock.path} takes {named} from a repository, and would have to build it",
                hint="build a wheel of it and depend on that by path",
            )
        wheels = {wheel.filename: wheel for wheel in package.wheels}
        filename = best(wheels, target)
        file = wheels[filename] if filename else package.sdist if self.sdists else None
        if file is not None:
            url = self._url(file, kind, place)
            return Pin(package.name, package.version or "", file.filename, url, file.sha256, file.size)
        if not wheels:
            raise Refused(
                f"{named} has only a source distribution in {lock.path}; only wheels are installed",
                hint="`--sdist pure` builds it, which runs its code on this machine; "
                f"`uv lock --no-build-package {package.name}` finds a version with wheels, if there is one",
            )
        raise Refused(
            f"{named} has no wheel for {target} in {lock.path}: {why_no_tag(list(wheels), target)}",
            hint=self._advice(package),
        )

    def _advice(self, package: LockedPackage) -> str:
        other = self._nearest(package)
        if other is not None and package.version and other < Version(package.version):
            return f'{package.name} {other} has one: constrain it to "<={other}" in pyproject.toml and run `uv lock`'
        environment = f"sys_platform == 'linux' and platform_machine == '{self.target.machine}'"
        if self.target.glibc < (2, 28):
            newest = newest_python().name
            return (
                f"constrain {package.name} to an older version in pyproject.toml and run `uv lock`, or move to {newest}"
            )
        return f'add "{environment}" to [tool.uv] required-environments in pyproject.toml and run `uv lock`'

    def _nearest(self, package: LockedPackage) -> Version | None:
        if package.source[0] != "registry" or package.version is None:
            return None
        try:
            return nearest(Version(package.version), self.others(package.name), self.target)
        except Refused:
            return None

    def _url(self, file: LockedFile, kind: str, place: str) -> str:
        if file.url:
            return file.url.partition("#")[0]
        if kind == "url":
            return place.partition("#")[0]
        if self.folder is None:
            raise Refused(f"{file.filename} is named by path, and the lock is on no disk")
        base = self.folder / place if kind == "registry" and file.path else self.folder
        return (base / (file.path or place)).resolve().as_uri()
