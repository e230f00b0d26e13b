"""What a lock of any tool but uv's says is needed on a target, and the files of that.

Locks either say for each distribution who wants it, or leave it to be followed from the project's own requirements.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lambdalint.errors import Refused
from lambdalint.packager.choice import Pin, best, is_wheel_name, nearest, why_no_tag
from lambdalint.packager.index import File, Indexes
from lambdalint.packager.target import Target
from lambdalint.packager.workers import Workers
from lambdalint.readers.locks import Edge, Lock, LockedDistribution, LockedFile

_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a lock: the project's own requirements as *roots*, its extras, and more groups."""

    roots: tuple[Edge, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def needed(lock: Lock, wish: Wish, target: Target) -> tuple[LockedDistribution, ...]:
    """The distributions that *wish* comes to on *target*, by name.

    Raises:
        Refused: the lock is for other Pythons, does not know what the project asks for, or knows it twice.
    """
    if lock.requires_python and not target.admits(lock.requires_python):
        raise Refused(
            f"{lock.path} was made for Python {lock.requires_python}; {target.runtime} is outside of it",
            hint=f"widen the project's range of Pythons and run `{lock.command}`, or change the function's runtime",
        )
    if all(each.groups is not None for each in lock.distributions):
        found = list(_stated(lock, wish, target))
    else:
        found = list(_followed(lock, wish, target))
    found = [each for each in found if _is_pinned(lock, wish, each, target)]
    _check_fresh(lock, wish, found, target)
    return tuple(sorted(found, key=lambda each: each.name))


def _is_pinned(lock: Lock, wish: Wish, each: LockedDistribution, target: Target) -> bool:
    """Whether a version stands in the lock; Pipenv leaves it open where nothing was to be had on its own machine."""
    if each.version is not None or each.source[0] != "registry":
        return True
    markers = [edge.marker for edge in wish.roots if edge.name == each.name]
    if markers and not any(target.applies(marker) for marker in markers):
        return False
    raise Refused(f"{lock.path} has no version of {each.name}", hint=f"make it anew with `{lock.command}`")


def _stated(lock: Lock, wish: Wish, target: Target) -> Iterator[LockedDistribution]:
    groups = {lock.group, *map(canonicalize_name, wish.groups), *map(canonicalize_name, wish.extras)}
    found: dict[str, LockedDistribution] = {}
    for each in lock.distributions:
        conditions = [marker for group, marker in (each.groups or {}).items() if canonicalize_name(group) in groups]
        if not any(_holds(marker, lock, wish, target) for marker in conditions):
            continue
        other = found.setdefault(each.name, each)
        if other is not each:
            raise Refused(
                f"{lock.path} has {each.name} {other.version} and {each.version} for {target}",
                hint=f"make it anew with `{lock.command}`",
            )
    yield from found.values()


def _holds(marker: str | None, lock: Lock, wish: Wish, target: Target) -> bool:
    if marker is None:
        return True
    # A lock may ask for one extra at a time, or for all of them as a set.
    sets: dict[str, frozenset[str]] = {
        "extras": frozenset(map(canonicalize_name, wish.extras)),
        "dependency_groups": frozenset(map(canonicalize_name, wish.groups)) or frozenset(lock.default_groups),
    }
    parsed = Marker(marker)
    return any(target.holds(parsed, {"extra": extra, **sets}) for extra in ("", *wish.extras))


def _followed(lock: Lock, wish: Wish, target: Target) -> Iterator[LockedDistribution]:
    by_name: dict[str, list[LockedDistribution]] = {}
    for each in lock.distributions:
        by_name.setdefault(each.name, []).append(each)
    waiting = [(edge, "") for edge in wish.roots]
    seen: set[tuple[int, str]] = set()
    found: dict[int, LockedDistribution] = {}
    while waiting:
        edge, under = waiting.pop()
        if not target.applies(edge.marker, under):
            continue
        each = _chosen(lock, edge, by_name.get(edge.name, []), target)
        found[id(each)] = each
        for extra in ("", *edge.extras):
            if (id(each), extra) not in seen:
                seen.add((id(each), extra))
                waiting.extend((other, extra) for other in (each.extras.get(extra, ()) if extra else each.edges))
    names = [each.name for each in found.values()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refused(f"{lock.path} has {twice} twice for {target}", hint=f"make it anew with `{lock.command}`")
    yield from found.values()


def _chosen(lock: Lock, edge: Edge, candidates: list[LockedDistribution], target: Target) -> LockedDistribution:
    if len(candidates) > 1:
        bounds = SpecifierSet(edge.specifier)
        candidates = [each for each in candidates if each.version and bounds.contains(each.version, prereleases=True)]
        candidates = sorted(candidates, key=lambda each: Version(each.version or "0"))[-1:]
    if not candidates:
        raise Refused(
            f"{lock.path} does not have {edge.name} {edge.specifier}".rstrip() + f" for {target}: it is out of date",
            hint=f"make it anew with `{lock.command}`",
        )
    return candidates[0]


def _check_fresh(lock: Lock, wish: Wish, found: Iterable[LockedDistribution], target: Target) -> None:
    """Hold what was found against what the project asks for now."""
    versions = {each.name: each.version for each in found}
    for edge in wish.roots:
        if not target.applies(edge.marker):
            continue
        asked = f"{edge.name} {edge.specifier}".rstrip()
        if edge.name not in versions:
            raise Refused(
                f"{asked} is asked for, and {lock.path} does not know of it: the lock is out of date",
                hint=f"run `{lock.command}`",
            )
        version = versions[edge.name]
        if version is not None and not SpecifierSet(edge.specifier).contains(version, prereleases=True):
            raise Refused(
                f"{asked} is asked for, and {lock.path} has {version}: the lock is out of date",
                hint=f"run `{lock.command}`",
            )


def pinned(
    lock: Lock,
    distributions: Iterable[LockedDistribution],
    indexes: Callable[[str], Indexes],
    target: Target,
    folder: Path | None,
    *,
    sdists: bool,
) -> tuple[Pin, ...]:
    """The file of each distribution; *indexes* gives those to ask about what comes from an address.

    *folder* is where the lock lies, for files that it names by path.  Where nothing else fits, a source distribution
    is taken if *sdists*.

    Raises:
        Refused: one has no file that fits, or an index has another file than the lock.
    """
    asker = _Asker(lock, indexes, target, folder, sdists)
    with Workers(_AT_ONCE) as pool:
        return tuple(pool.map(asker.pin, distributions))


@dataclass(frozen=True, slots=True)
class _Asker:
    lock: Lock
    indexes: Callable[[str], Indexes]
    target: Target
    folder: Path | None
    sdists: bool

    def pin(self, each: LockedDistribution) -> Pin:
        named = f"{each.name} {each.version or ''}".strip()
        kind, place = each.source
        if kind == "git":
            raise Refused(
                f"{self.lock.path} takes {named} from a repository, and would have to build it",
                hint="build a wheel of it and depend on that by path",
            )
        files = {file.filename: file for file in each.files}
        listed: dict[str, File] = {}
        if kind == "registry" and not (files and all(file.url or file.path for file in files.values())):
            listed = self._listed(each, place)
            files = self._known(each, listed)
        filename = best(files, self.target) or self._sdist(files)
        if filename is None:
            raise self._refusal(each, named, place, files)
        file = files[filename]
        version = each.version or (filename.split("-")[1] if is_wheel_name(filename) else "")
        url = file.url or (listed[filename].url if filename in listed else self._on_disk(file))
        return Pin(each.name, version, filename, url, file.sha256, file.size)

    def _sdist(self, files: Mapping[str, LockedFile]) -> str | None:
        ends = (".tar.gz", ".zip")
        return next((name for name in sorted(files) if name.endswith(ends)), None) if self.sdists else None

    def _listed(self, each: LockedDistribution, place: str) -> dict[str, File]:
        wanted = Version(each.version or "0")
        files = self.indexes(place).files(each.name)
        return {file.filename: file for file in files if file.version == wanted}

    def _known(self, each: LockedDistribution, listed: Mapping[str, File]) -> dict[str, LockedFile]:
        """The files that both the lock and the index have, with the hash that the lock states."""
        if each.files:
            stated = {file.filename: file.sha256 for file in each.files}
            for name in stated.keys() & listed.keys():
                theirs = listed[name].sha256
                if theirs and stated[name] and theirs.lower() != stated[name]:
                    raise Refused(
                        f"{name} has another hash at the index than in {self.lock.path}: {theirs}",
                        hint=f"if it was replaced on purpose, run `{self.lock.command}`",
                    )
            return {
                name: LockedFile(
                    name, listed[name].url, sha256=stated[name] or listed[name].sha256, size=listed[name].size
                )
                for name in stated.keys() & listed.keys()
            }
        return {
            name: LockedFile(name, file.url, sha256=file.sha256, size=file.size)
            for name, file in listed.items()
            if not each.hashes or f"sha256:{file.sha256}" in each.hashes
        }

    def _on_disk(self, file: LockedFile) -> str:
        if self.folder is None or not file.path:
            raise Refused(f"{file.filename} is named by path, and {self.lock.path} is on no disk")
        return (self.folder / file.path).resolve().as_uri()

    def _refusal(self, each: LockedDistribution, named: str, place: str, files: Mapping[str, LockedFile]) -> Refused:
        wheels = [name for name in files if is_wheel_name(name)]
        other = self._nearest(each, place)
        hint = (
            f"{each.name} {other} has a wheel for {self.target}: pin it and run `{self.lock.command}`"
            if other
            else None
        )
        if wheels:
            return Refused(
                f"{named} has no wheel for {self.target} in {self.lock.path}: {why_no_tag(wheels, self.target)}",
                hint=hint or "ask for another version, or another runtime",
            )
        if files:
            return Refused(
                f"{named} has only a source distribution in {self.lock.path}; only wheels are installed",
                hint=hint or "`--sdist pure` builds it, which runs its code on this machine",
            )
        return Refused(
            f"none of the files of {named} in {self.lock.path} is on the index",
            hint=f"is it the right index? Else run `{self.lock.command}`",
        )

    def _nearest(self, each: LockedDistribution, place: str) -> Version | None:
        """The nearest version that fits, if an index can be asked for it."""
        if each.source[0] != "registry" or each.version is None:
            return None
        try:
            return nearest(Version(each.version), self.indexes(place).files(each.name), self.target)
        except Refused:
            return None
