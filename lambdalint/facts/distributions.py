"""Which installed distribution brought each file of an artifact."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lambdalint.errors import LambdalintError
from lambdalint.model.artifact import Artifact, Entry

#: The RECORD of a distribution with 30,000 files has some 3 MB.
_MAX_RECORD_BYTES: Final = 16 * 1024 * 1024
_DIST_INFO: Final = re.compile(r"(?:(?P<root>.*)/)?(?P<name>[^/-]+)-(?P<version>[^/-]+)\.dist-info/RECORD")


@dataclass(frozen=True, slots=True)
class Distributions:
    """Distributions by what their RECORDs list; without one, by the entry's origin."""

    by_path: Mapping[str, str]

    @classmethod
    def of(cls, artifact: Artifact) -> "Distributions":
        found: dict[str, str] = {}
        for entry in artifact.entries:
            if entry.path.endswith("/RECORD") and (match := _DIST_INFO.fullmatch(entry.path)):
                name = f"{match['name']} {match['version']}"
                root = f"{match['root']}/" if match["root"] else ""
                found.update((root + path, name) for path in _listed(entry))
        return cls(found)

    def of_entry(self, entry: Entry) -> str | None:
        """``NAME VERSION`` of the distribution that brought *entry*; ``None`` when nobody knows."""
        if entry.path in self.by_path:
            return self.by_path[entry.path]
        return entry.origin if " " in entry.origin else None


def _listed(entry: Entry) -> Iterable[str]:
    """The paths in a RECORD; a broken one lists what can be read of it."""
    if entry.size > _MAX_RECORD_BYTES:
        return
    try:
        lines = entry.read().decode(errors="replace").replace("\0", "").splitlines()
        yield from (row[0] for row in csv.reader(lines) if row)
    except (LambdalintError, csv.Error):
        return
