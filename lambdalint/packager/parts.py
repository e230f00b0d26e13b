"""What of a package may lie in a layer instead: distributions, and which of them have to stay together.

Only whole distributions move, those whose files are the same in all functions that get them from a layer.  Python
looks into the function first and then into its layers, so what has to lie in one folder stays together: a package with
an ``__init__`` that several distributions add to, a module and whatever else has its name, a library and what is linked
with it.  What of this the project itself takes part in stays in the function, as does the handler.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lambdalint.packager.plan import BYTECODE, SOURCE, Plan, PlannedEntry


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Distributions that stay together, most often one; *files* do not include the *bytecode*."""

    origins: tuple[str, ...]
    files: tuple[PlannedEntry, ...]
    bytecode: tuple[PlannedEntry, ...]

    @property
    def size(self) -> int:
        return sum(entry.member.size for entry in self.files)

    @property
    def packed_bytes(self) -> int:
        return sum(len(entry.member.packed) for entry in (*self.files, *self.bytecode))

    @property
    def content(self) -> str:
        """A hash of its files."""
        digest = hashlib.sha256()
        for entry in self.files:
            row = f"{entry.path}\0{entry.mode:o}\0{entry.member.sha256}\0{entry.owner}\n"
            digest.update(row.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def parts_to_share(plan: Plan, taken: frozenset[str]) -> list[Part]:
    """The parts of a function's package that may lie in a layer; *taken* are top names that its other layers have."""
    files = [entry for entry in plan.entries if entry.origin != BYTECODE]
    together = _together(files)
    groups: dict[str, list[PlannedEntry]] = {}
    for entry in files:
        groups.setdefault(together[entry.owner], []).append(entry)
    bytecode: dict[str, list[PlannedEntry]] = {}
    for entry in plan.entries:
        if entry.origin == BYTECODE:
            bytecode.setdefault(together[entry.owner], []).append(entry)
    handler = plan.handler.partition("/")[0].partition(".")[0] if plan.handler else None
    found = []
    for leader, own in groups.items():
        origins = {entry.owner for entry in own}
        tops = {top_name(entry.path) for entry in own}
        if SOURCE not in origins and handler not in tops and not tops & taken:
            found.append(Part(tuple(sorted(origins)), tuple(own), tuple(bytecode.get(leader, ()))))
    return found


def _together(files: Sequence[PlannedEntry]) -> dict[str, str]:
    """For each origin one of those that it has to stay with, the same for all of them."""
    leaders = {entry.owner: entry.owner for entry in files}

    def leader(origin: str) -> str:
        while leaders[origin] != origin:
            origin = leaders[origin]
        return origin

    def join(first: str, second: str) -> None:
        leaders[leader(first)] = leader(second)

    modules = {name for entry in files if (name := _importable(entry.path))}
    holders: dict[str, str] = {}
    for entry in files:
        place = _importable(entry.path) or entry.path
        while place:
            if place in modules:
                join(holders.setdefault(place, entry.owner), entry.owner)
            place = place.rpartition("/")[0]
    for needing, providing in _linked(files):
        join(needing, providing)
    return {origin: leader(origin) for origin in leaders}


def _linked(files: Iterable[PlannedEntry]) -> list[tuple[str, str]]:
    """Origins with native files, and other origins that have the libraries these load."""
    native = [entry for entry in files if ".so" in entry.path.rpartition("/")[2]]
    providers = {
        name: entry.owner
        for entry in native
        # What auditwheel brings along lies in a folder of its own, under names that nobody else asks for.
        if (name := entry.path.rpartition("/")[2]).startswith("lib") and ".libs/" not in entry.path
    }
    if len({entry.owner for entry in native}) < 2 or not providers:
        return []
    return [(entry.owner, providers[name]) for entry in native for name in _needed(entry) if name in providers]


def _needed(entry: PlannedEntry) -> tuple[str, ...]:
    """The libraries that a native file loads."""
    from lambdalint.facts.elf import elf_of

    try:
        return elf_of(entry.member.read()).needed
    except ValueError:
        return ()


def _importable(path: str) -> str | None:
    """The place of a module, or of the package that an ``__init__`` makes of a folder; ``None`` for other files."""
    folder, slash, name = path.rpartition("/")
    stem, _, rest = name.partition(".")
    if rest.rpartition(".")[2] not in ("py", "pyc", "so"):
        return None
    return folder if stem == "__init__" else f"{folder}{slash}{stem}"


def top_name(path: str) -> str:
    """The folder that a file is in, seen from the root, or else the name of the module that it is."""
    first, slash, _ = path.partition("/")
    return first if slash else first.partition(".")[0]
