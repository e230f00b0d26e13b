"""The distributions installed in an artifact, as their metadata says.

Only those count that lie where Python looks for modules: what a distribution carries inside itself is its own affair.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from lambdalint.errors import LambdalintError
from lambdalint.model.artifact import Artifact, Entry

_DIST_INFO: Final = re.compile(r"(?P<root>(?:[^/]+/)*)(?P<name>[^/-]+)-(?P<version>[^/-]+)\.dist-info/(?P<file>.+)")
#: Where Python looks in a layer; ``sam build`` puts the folder of a layer below ``python``.
_LAYER_ROOT: Final = re.compile(r"(?:python/(?:lib/python\d\.\d+/site-packages/)?)?")
_MAX_METADATA_BYTES: Final = 1024 * 1024
#: The RECORD of a distribution with 30,000 files has some 3 MB.
_MAX_RECORD_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of RECORD; *path* is that of the artifact, *digest* as in ``sha256=…``, both as far as they are stated."""

    path: str
    digest: str | None
    size: int | None


@dataclass(frozen=True)
class InstalledDistribution:
    """One distribution.

    *key* is its name as names are compared, *name* and *version* are as its METADATA says, or else its folder.  *root*
    is the folder that it is installed into, ``""`` or with a ``/`` at its end, *folder* that of its metadata, and
    *files* are those in it.
    """

    key: str
    root: str
    folder: str
    folder_name: str
    folder_version: str
    files: Mapping[str, Entry]

    @property
    def title(self) -> str:
        """As people call it: ``requests 2.32.5``."""
        return f"{self.name} {self.version}"

    @property
    def name(self) -> str:
        """The name that its METADATA states."""
        return next(iter(self.headers("Name")), self.folder_name)

    @property
    def version(self) -> str:
        """The version that its METADATA states."""
        return next(iter(self.headers("Version")), self.folder_version)

    @property
    def entry(self) -> Entry:
        """The file that speaks for it: METADATA, or another one where there is none."""
        return self.files.get("METADATA") or next(iter(self.files.values()))

    def headers(self, name: str) -> tuple[str, ...]:
        """The values of a field of METADATA, in its order."""
        return self._headers.get(name.lower(), ())

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of the wheel that it came from; none where nobody says."""
        return _headers_of(_text(self.files.get("WHEEL"))).get("tag", ())

    @cached_property
    def entry_point_groups(self) -> frozenset[str]:
        """The groups in which it names something that others are to find."""
        lines = (line.strip() for line in _text(self.files.get("entry_points.txt")).splitlines())
        return frozenset(line[1:-1].strip() for line in lines if line.startswith("[") and line.endswith("]"))

    @cached_property
    def records(self) -> tuple[Recorded, ...]:
        """The rows of RECORD; one that cannot be read has none."""
        entry = self.files.get("RECORD")
        if entry is None or entry.size > _MAX_RECORD_BYTES:
            return ()
        return tuple(_recorded(entry, self.root))

    @cached_property
    def _headers(self) -> Mapping[str, tuple[str, ...]]:
        return _headers_of(_text(self.files.get("METADATA")))


@dataclass(frozen=True, slots=True)
class Installed:
    """The distributions of one artifact in the order of their folders."""

    distributions: tuple[InstalledDistribution, ...]
    by_key: Mapping[str, tuple[InstalledDistribution, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, artifact: Artifact) -> "Installed":
        files: dict[tuple[str, str, str], dict[str, Entry]] = {}
        for entry in artifact.entries:
            if ".dist-info/" in entry.path and (match := _DIST_INFO.fullmatch(entry.path)):
                root, name, version, file = match.groups()
                if root == "" or (artifact.layer and _LAYER_ROOT.fullmatch(root)):
                    files.setdefault((root, name, version), {})[file] = entry
        found = tuple(
            InstalledDistribution(
                key=comparable(name),
                root=root,
                folder=f"{root}{name}-{version}.dist-info",
                folder_name=name,
                folder_version=version,
                files=inside,
            )
            for (root, name, version), inside in sorted(files.items())
        )
        by_key: dict[str, list[InstalledDistribution]] = {}
        for each in found:
            by_key.setdefault(each.key, []).append(each)
        return cls(found, {key: tuple(each) for key, each in by_key.items()})

    def seen_by(self, python: tuple[int, int]) -> tuple[InstalledDistribution, ...]:
        """Those in folders that that Python looks into: a layer may have some for others as well."""
        versioned = f"python/lib/python{python[0]}.{python[1]}/site-packages/"
        return tuple(
            each for each in self.distributions if not each.root.startswith("python/lib/") or each.root == versioned
        )


def comparable(name: str) -> str:
    """*name* in the form in which names of distributions are compared.

    Source: https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _headers_of(text: str) -> dict[str, tuple[str, ...]]:
    """The fields before the first empty line, by their names in lower case."""
    found: dict[str, list[str]] = {}
    values: list[str] | None = None
    for line in text.splitlines():
        if not line:
            break
        if line[0] in " \t":
            if values:
                values[-1] += f" {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if colon:
            values = found.setdefault(name.strip().lower(), [])
            values.append(value.strip())
    return {name: tuple(values) for name, values in found.items()}


def _recorded(entry: Entry, root: str) -> Iterator[Recorded]:
    lines = _lines(entry)
    try:
        for row in csv.reader(lines):
            if row and row[0]:
                path, digest, size = (*row, "", "")[:3]
                inside = path if path.startswith(("/", "..")) else root + path
                yield Recorded(inside, digest or None, int(size) if size.isascii() and size.isdigit() else None)
    except csv.Error:
        return


def _lines(entry: Entry) -> Iterable[str]:
    try:
        return entry.read().decode(errors="replace").replace("\0", "").splitlines()
    except LambdalintError:
        return ()


def _text(entry: Entry | None) -> str:
    if entry is None or entry.size > _MAX_METADATA_BYTES:
        return ""
    return "\n".join(_lines(entry))
