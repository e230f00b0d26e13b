"""What lies in a package: the files of distributions and of the project, laid over each other."""

import base64
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
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
        for origin in changed:
            self._record(origin, lambda rows: [row for row in rows if row[0] in self.entries or not row[1]])

    def add(self, path: str, data: bytes, origin: str) -> None:
        """Add a file to what a distribution installed."""
        member = compressed(RawMember(path, data))
        self.entries[path] = PlannedEntry(member, origin, origin)
        digest = base64.urlsafe_b64encode(bytes.fromhex(member.sha256)).rstrip(b"=").decode()
        self._record(origin, lambda rows: sorted([*rows, [path, f"sha256={digest}", str(len(data))]]))

    def _record(self, origin: str, change: Callable[[list[list[str]]], list[list[str]]]) -> None:
        for path, entry in list(self.entries.items()):
            if entry.origin != origin or not _is_record(path):
                continue
            rows = [row for row in csv.reader(io.StringIO(entry.member.read().decode())) if row]
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(change(rows))
            self.entries[path] = replace(entry, member=compressed(RawMember(path, text.getvalue().encode())))

    def sorted(self) -> tuple[PlannedEntry, ...]:
        """All entries by path."""
        return tuple(self.entries[path] for path in sorted(self.entries))


def _is_record(path: str) -> bool:
    """Whether a file is the list of what a distribution installed."""
    folder, _, name = path.partition("/")
    return name == "RECORD" and folder.endswith(".dist-info")


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
