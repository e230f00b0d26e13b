"""What each file of an artifact is a part of: a distribution, or a folder of the artifact's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.distributions import Distributions
from lambdalint.facts.package_imports import source_of
from lambdalint.model.artifact import Artifact, Entry

#: The part of files that lie at the root and belong to no distribution.
OWN_FILES: Final = "own files"


@dataclass(frozen=True, slots=True)
class PartTitle:
    """*name* of a distribution with its *version*; without one, of a folder at the root."""

    name: str
    version: str | None = None

    @property
    def text(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class Parts:
    """The part of every file, by its path."""

    by_path: Mapping[str, PartTitle]

    @classmethod
    def of(cls, artifact: Artifact) -> "Parts":
        distributions = Distributions.of(artifact)
        titles: dict[str, PartTitle] = {}
        return cls({entry.path: _title(artifact, entry, distributions, titles) for entry in artifact.entries})


def _title(artifact: Artifact, entry: Entry, distributions: Distributions, titles: dict[str, PartTitle]) -> PartTitle:
    known = _distribution(entry, distributions)
    text = known or _folder(artifact, entry)
    if text not in titles:
        name, _, version = text.partition(" ") if known else (text, "", "")
        titles[text] = PartTitle(name, version or None)
    return titles[text]


def _distribution(entry: Entry, distributions: Distributions) -> str | None:
    # A script is recorded beside the folder of the modules, and ``pip --target`` puts it into it.
    for path in (entry.path, source_of(entry.path), f"../../{entry.path}"):
        if path in distributions.by_path:
            return distributions.by_path[path]
    return distributions.of_entry(entry)


def _folder(artifact: Artifact, entry: Entry) -> str:
    parts = entry.path.split("/")
    if artifact.layer and parts[0] == "python":
        parts = parts[4:] if len(parts) > 4 and parts[1] == "lib" and parts[3] == "site-packages" else parts[1:]
    return f"{parts[0]}/" if len(parts) > 1 else OWN_FILES
