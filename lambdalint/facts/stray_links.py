"""Symbolic links of an archive that lead to nothing in it."""

from dataclasses import dataclass
from typing import Final

from lambdalint.model.artifact import Artifact, Record, RecordKind
from lambdalint.model.links import Astray, Unpacked, link_end

#: Where Lambda puts layers and the function: a link from one to the other leads there on purpose.
_ELSEWHERE_ON_LAMBDA: Final = ("/opt", "/var/task", "/tmp")  # noqa: S108  a path on Lambda, where nothing is written


@dataclass(frozen=True, slots=True)
class StrayLinks:
    """The records of links that lead astray, each with why."""

    links: tuple[tuple[Record, Astray], ...]

    @classmethod
    def of(cls, artifact: Artifact) -> "StrayLinks":
        links = [record for record in artifact.records if record.kind is RecordKind.LINK]
        targets = {_path(record): record.target or "" for record in links}
        links = [record for record in links if _path(record) not in artifact.links]
        if not links:
            return cls(())
        folders = [_path(record) for record in artifact.records if record.kind is RecordKind.FOLDER]
        unpacked = Unpacked((*(entry.path for entry in artifact.entries), *targets), folders)
        found = []
        for record in links:
            end = link_end(_path(record), targets, unpacked)
            if isinstance(end, Astray) and not (end is Astray.ABSOLUTE and _is_elsewhere(record.target)):
                found.append((record, end))
        return cls(tuple(found))


def _path(record: Record) -> str:
    return "/".join(part for part in record.name.split("/") if part not in ("", "."))


def _is_elsewhere(target: str | None) -> bool:
    return target is not None and any(
        target == folder or target.startswith(f"{folder}/") for folder in _ELSEWHERE_ON_LAMBDA
    )
