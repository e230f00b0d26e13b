"""Requirements that need no search: the newest of everything fits together.

Most questions are of this kind, and answering one takes a list of files and the metadata of one wheel for each
distribution.  A distribution is taken in its newest version that whoever asks for it admits; when two of them would
take different versions, or anything is out of the ordinary, there is no answer here, and uv is asked.  Where there is
one, it is uv's as well: in whatever order a resolver looks, it finds the same newest version each time, and never has a
reason to go back.
"""

import email.parser
import email.policy
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lambdalint.errors import Refused
from lambdalint.packager.choice import Pin, best, legal
from lambdalint.packager.index import File, Indexes
from lambdalint.packager.target import Target
from lambdalint.packager.wheel import metadata_of
from lambdalint.packager.workers import Workers

_MAX_METADATA_BYTES: Final = 16 * 1024 * 1024
_MAX_ROUNDS: Final = 64
_AT_ONCE: Final = 16


#: Begins to fetch the file of a pin, whose path and hash will follow.
Begin: TypeAlias = Callable[[Pin], "Future[tuple[Path, str]]"]


class _NotStraight(Exception):
    """The question wants a search."""


@dataclass(frozen=True, slots=True)
class _Metadata:
    requires: tuple[Requirement, ...]
    requires_python: str | None


@dataclass(slots=True)
class _Taken:
    """What is known of one distribution: the bounds that hold for it always, and its version once it is taken."""

    always: SpecifierSet = field(default_factory=SpecifierSet)
    versions: Mapping[Version, Sequence[File]] = field(default_factory=dict)
    version: Version | None = None
    files: Sequence[File] = ()
    metadata: _Metadata | None = None
    extras: set[str] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)


def straight(
    requirements: Iterable[str], constraints: Iterable[str], indexes: Indexes, target: Target, begin: Begin | None
) -> list[Requirement] | None:
    """Every distribution as ``name==version``, by name; ``None`` when that takes a search.

    *begin* fetches a wheel meanwhile; where the index has no metadata beside it, it is read from there.

    Raises:
        Refused: an index does not answer.
    """
    with Workers(_AT_ONCE) as pool:
        try:
            taken = _Walk(indexes, target, pool, begin).of(requirements, constraints)
        except _NotStraight:
            return None
    return [Requirement(f"{name}=={each.version}") for name, each in sorted(taken.items()) if each.version]


@dataclass(slots=True)
class _Walk:
    indexes: Indexes
    target: Target
    pool: Workers
    begin: Begin | None
    taken: dict[str, _Taken] = field(default_factory=dict)

    def of(self, requirements: Iterable[str], constraints: Iterable[str]) -> dict[str, _Taken]:
        roots = [each for each in map(Requirement, requirements) if self.target.wants(each)]
        for each in (*roots, *(each for each in map(Requirement, constraints) if self.target.wants(each))):
            name = canonicalize_name(each.name)
            known = self.taken.setdefault(name, _Taken())
            known.always &= _plain(each)
        asked = roots
        for _ in range(_MAX_ROUNDS):
            if not asked:
                return {name: each for name, each in self.taken.items() if each.version is not None}
            self._take(asked)
            asked = self._follow()
        raise _NotStraight

    def _take(self, asked: list[Requirement]) -> None:
        """Take what is asked for in its newest version, which must be the one that was taken before."""
        names = [canonicalize_name(each.name) for each in asked]
        new = [name for name in dict.fromkeys(names) if not self.taken.setdefault(name, _Taken()).versions]
        for name, versions in zip(new, self.pool.map(self.indexes.wheels, new), strict=True):
            self.taken[name].versions = versions
        for name, requirement in zip(names, asked, strict=True):
            known = self.taken[name]
            bounds = known.always & _plain(requirement)
            newest, files = self._newest(known.versions, bounds)
            if newest.local or known.version not in (None, newest):
                raise _NotStraight
            known.version, known.files = newest, files
            known.extras |= {"", *map(canonicalize_name, requirement.extras)}

    def _newest(
        self, versions: Mapping[Version, Sequence[File]], bounds: SpecifierSet
    ) -> tuple[Version, Sequence[File]]:
        for version, files in versions.items():
            if not version.is_prerelease and bounds.contains(version) and (fitting := legal(files, self.target)):
                return version, fitting
        raise _NotStraight

    def _follow(self) -> list[Requirement]:
        """What those ask for that were taken since the last time, or are wanted with another extra."""
        new = {name: each for name, each in self.taken.items() if each.version is not None and each.metadata is None}
        read = self.pool.map(self._metadata, new, new.values())
        for each, metadata in zip(new.values(), read, strict=True):
            each.metadata = metadata
        asked: list[Requirement] = []
        for each in self.taken.values():
            if each.metadata is None:
                continue
            for extra in sorted(each.extras - each.followed):
                each.followed.add(extra)
                asked += [one for one in each.metadata.requires if self._is_wanted(one, extra)]
        return asked

    def _is_wanted(self, requirement: Requirement, extra: str) -> bool:
        try:
            # With an extra, what is needed without it is asked for anyway.
            return self.target.applies(requirement.marker, extra) and not (
                extra and self.target.applies(requirement.marker)
            )
        except Refused as error:
            raise _NotStraight from error

    def _metadata(self, name: str, each: _Taken) -> _Metadata:
        files = {file.filename: file for file in each.files}
        filename = best(files, self.target)
        if filename is None:
            raise _NotStraight
        file = files[filename]
        pin = Pin(name, str(each.version), filename, file.url, file.sha256, file.size)
        begun = self.begin(pin) if self.begin else None
        try:
            data = self._read(file, begun)
        except (Refused, zipfile.BadZipFile, zlib.error, OSError, ValueError, LookupError, StopIteration) as error:
            raise _NotStraight from error
        found = _parsed(data)
        if not self.target.admits(found.requires_python):
            raise _NotStraight
        return found

    def _read(self, file: File, begun: "Future[tuple[Path, str]] | None") -> bytes:
        if file.url.startswith("file:"):
            return metadata_of(Path(url2pathname(urlsplit(file.url).path)))
        if file.metadata:
            return self.indexes.web.page(f"{file.url}.metadata", accept="*/*", max_bytes=_MAX_METADATA_BYTES).body
        if begun is None:
            raise _NotStraight
        return metadata_of(begun.result()[0])


def _plain(requirement: Requirement) -> SpecifierSet:
    """The bounds of a requirement that asks for nothing special."""
    specifier = requirement.specifier
    if requirement.url or specifier.prereleases or any(each.operator == "===" for each in specifier):
        raise _NotStraight
    return SpecifierSet(str(specifier), prereleases=False)


def _parsed(data: bytes) -> _Metadata:
    fields = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(data, headersonly=True)
    try:
        requires = tuple(Requirement(str(text)) for text in fields.get_all("Requires-Dist", []))
    except InvalidRequirement:
        raise _NotStraight from None
    requires_python = fields.get("Requires-Python")
    return _Metadata(requires, None if requires_python is None else str(requires_python))
