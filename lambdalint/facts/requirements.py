"""What distributions in an artifact require, and which are there, by the names that are compared."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lambdalint.errors import LambdalintError
from lambdalint.facts.installed import comparable
from lambdalint.model.artifact import Artifact, Entry

_METADATA: Final = re.compile(r"(?:.*/)?(?P<name>[^/-]+)-(?P<version>[^/-]+)\.dist-info/METADATA")
_REQUIRES: Final = re.compile(r"^Requires-Dist:\s*([A-Za-z0-9][\w.-]*)(.*)$", re.MULTILINE)
_LISTED: Final = re.compile(r"^[ \t]*([A-Za-z0-9][\w.-]*)[ \t]*(?:\[[^\]\n]*\])?[ \t]*(?:[<>=!~;@#].*)?$", re.MULTILINE)
_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Requirements:
    """The METADATA files of an artifact by the normalised names of their distributions."""

    metadata: dict[str, Entry]

    @classmethod
    def of(cls, artifact: Artifact) -> "Requirements":
        return cls(
            {
                comparable(match["name"]): entry
                for entry in artifact.entries
                if entry.path.endswith("/METADATA") and (match := _METADATA.fullmatch(entry.path))
            }
        )

    @cached_property
    def required_by(self) -> dict[str, frozenset[str]]:
        """What each distribution requires without extras, whatever its markers say of the platform."""
        return {
            name: frozenset(
                comparable(required) for required, rest in _REQUIRES.findall(_text(entry)) if "extra" not in rest
            )
            for name, entry in self.metadata.items()
        }


def listed_requirements(entry: Entry) -> Iterator[str]:
    """The normalised names in a requirements.txt; what it includes or takes from elsewhere is left out."""
    yield from dict.fromkeys(map(comparable, _LISTED.findall(_text(entry))))


def _text(entry: Entry) -> str:
    if entry.size > _MAX_BYTES:
        return ""
    try:
        return entry.read().decode(errors="replace")
    except LambdalintError:
        return ""
