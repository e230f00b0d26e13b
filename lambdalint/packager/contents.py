"""What lies in a package: the files of distributions and of the project, laid over each other."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lambdalint.errors import Refused
from lambdalint.packager.pack import Loss, Member, RawMember, compressed
from lambdalint.packager.plan import SOURCE, PlannedEntry

_MAX_NAMED: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """What one distribution, or the source, brings, and what was left out of it; *key* names its content in caches."""

    origin: str
    members: tuple[Member, ...]
    losses: tuple[Loss, ...] = ()
    key: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Contents:
    """Files by path, the keys of the distributions they come from, and what was left out of each origin."""

    entries: dict[str, PlannedEntry]
    keys: Mapping[str, tuple[str, ...]]
    losses: dict[str, list[Loss]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, brought: Iterable[Brought]) -> "Contents":
        """The files of all, later ones replacing earlier ones as installers do.

        Raises:
            Refused: one has a file where another has a folder.
        """
        listed = tuple(brought)
        entries: dict[str, PlannedEntry] = {}
        doubled: dict[tuple[str, str], list[str]] = {}
        for one in listed:
            for member in one.members:
                before = entries.get(member.path)
                if before is not None and before.member.sha256 != member.sha256:
                    doubled.setdefault((before.origin, one.origin), []).append(member.path)
                entries[member.path] = PlannedEntry(member, one.origin, one.origin)
        _check_folders(entries)
        return cls(
            entries=entries,
            keys={one.origin: one.key for one in listed},
            losses={one.origin: list(one.losses) for one in listed if one.losses},
            notes=[_replaced(old, new, paths) for (old, new), paths in doubled.items()],
        )

    @property
    def unpacked_bytes(self) -> int:
        return sum(entry.member.size for entry in self.entries.values())

    def remove(self, reasons: Mapping[str, str]) -> None:
        """Leave out the files that are named, each with its reason, and what lists them as installed."""
        changed: dict[str, set[str]] = {}
        for path, reason in sorted(reasons.items()):
            entry = self.entries.pop(path)
            self.losses.setdefault(entry.origin, []).append(Loss(path, entry.member.size, reason))
            changed.setdefault(entry.origin, set()).add(path)
        for path, entry in list(self.entries.items()):
            if entry.origin in changed and is_record(path):
                data = _shorter_record(entry.member.read(), changed[entry.origin])
                self.entries[path] = replace(entry, member=compressed(RawMember(path, data)))

    def sorted(self) -> tuple[PlannedEntry, ...]:
        """All entries by path."""
        return tuple(self.entries[path] for path in sorted(self.entries))


def is_record(path: str) -> bool:
    """Whether a file is the list of what a distribution installed."""
    folder, _, name = path.partition("/")
    return name == "RECORD" and folder.endswith(".dist-info")


def _shorter_record(record: bytes, removed: set[str]) -> bytes:
    text = io.StringIO()
    rows = csv.reader(io.StringIO(record.decode()))
    csv.writer(text, lineterminator="\n").writerows(row for row in rows if row and row[0] not in removed)
    return text.getvalue().encode()


def _check_folders(entries: Mapping[str, PlannedEntry]) -> None:
    for path, entry in entries.items():
        parent = path
        while parent := parent.rpartition("/")[0]:
            if parent in entries:
                other = entries[parent].origin
                raise Refused(
                    f"{other} has a file {parent}, where {entry.origin} has a folder", hint="rename one of them"
                )


def _replaced(old: str, new: str, paths: list[str]) -> str:
    if new == SOURCE:
        return f"own files replace those of {old}: {some(paths)}"
    return f"{old} and {new} both bring {some(paths)}, with different content; that of {new} is taken"


def some(paths: Sequence[str]) -> str:
    more = len(paths) - _MAX_NAMED
    return ", ".join(paths[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
