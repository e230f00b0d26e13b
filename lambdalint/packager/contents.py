"""What lies in a package: the files of distributions and of the project, laid over each other, and bytecode as fits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.errors import Refused
from lambdalint.packager.pack import Member
from lambdalint.packager.plan import BYTECODE, SOURCE, PlannedEntry

_MAX_NAMED: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """A pack with its bytecode: what one distribution, or the source, brings."""

    origin: str
    members: tuple[Member, ...]
    bytecode: tuple[Member, ...] = ()
    failed: tuple[str, ...] = ()


def merged(brought: Iterable[Brought]) -> tuple[tuple[PlannedEntry, ...], list[str]]:
    """The entries of all, later ones replacing earlier ones as installers do, the source last; bytecode as fits."""
    owners: dict[str, tuple[Brought, Member]] = {}
    notes: dict[tuple[str, str], list[str]] = {}
    for one in brought:
        for member in one.members:
            before = owners.get(member.path)
            if before is not None and before[1].sha256 != member.sha256:
                notes.setdefault((before[0].origin, one.origin), []).append(member.path)
            owners[member.path] = (one, member)
    _check_folders(owners)
    entries = {path: PlannedEntry(member, one.origin, one.origin) for path, (one, member) in owners.items()}
    said = [_replaced(old, new, paths) for (old, new), paths in notes.items()]
    room = limit("artifact", "unpacked", "max_bytes") - sum(entry.member.size for entry in entries.values())
    left = 0
    for one, member in _bytecode(owners):
        if member.path in entries:
            continue
        if member.size > room:
            left += 1
            continue
        room -= member.size
        entries[member.path] = PlannedEntry(member, BYTECODE, one.origin)
    if left:
        modules = "1 module is" if left == 1 else f"{left:,} modules are"
        said.append(f"{modules} left without bytecode: with it the package would be too large")
    return tuple(entries[path] for path in sorted(entries)), said


def _bytecode(owners: dict[str, tuple[Brought, Member]]) -> Iterable[tuple[Brought, Member]]:
    """Bytecode whose source is in the package, the project's own first, then by path."""
    groups = {id(one): one for one, _ in owners.values()}
    for one in sorted(groups.values(), key=lambda one: (one.origin != SOURCE, one.origin)):
        for member in one.bytecode:
            folder, _, name = member.path.rpartition("__pycache__/")
            source = owners.get(f"{folder}{name.rsplit('.', 2)[0]}.py")
            if source is not None and source[0] is one:
                yield one, member


def _check_folders(owners: dict[str, tuple[Brought, Member]]) -> None:
    for path, (one, _) in owners.items():
        parent = path
        while parent := parent.rpartition("/")[0]:
            if parent in owners:
                other = owners[parent][0].origin
                raise Refused(
                    f"{other} has a file {parent}, where {one.origin} has a folder", hint="rename one of them"
                )


def _replaced(old: str, new: str, paths: list[str]) -> str:
    if new == SOURCE:
        return f"own files replace those of {old}: {some(paths)}"
    return f"{old} and {new} both bring {some(paths)}, with different content; that of {new} is taken"


def some(paths: Sequence[str]) -> str:
    more = len(paths) - _MAX_NAMED
    return ", ".join(paths[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
