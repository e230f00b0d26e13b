"""Layers of what several functions need alike: taken out of their packages, and planned once.

Layers are shared within one Python and one architecture: bytecode is of one Python, native code of one machine, and
what the same requirements come to may differ with either.

Only whole distributions move, those whose files are the same in all functions that get them from a layer.  Python
looks into the function first and then into its layers, so what has to lie in one folder stays together: a package with
an ``__init__`` that several distributions add to, a module and whatever else has its name, a library and what is linked
with it.  What of this the project itself takes part in stays in the function, as does the handler.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from lambdalint.aws.limits import limit
from lambdalint.model.artifact import Artifact
from lambdalint.model.function import Function
from lambdalint.model.values import Known
from lambdalint.packager.bytecode import LAYERS_ROOT
from lambdalint.packager.contents import Contents, some
from lambdalint.packager.partition import Sharing
from lambdalint.packager.plan import BYTECODE, SOURCE, Kind, Plan, PlannedEntry, moved

_PREFIX: Final = "python/"
#: The unpacked bytes that a layer has to save: below that it is not worth having one more thing to publish.
WORTH_BYTES: Final = 1024 * 1024

#: Adds bytecode of modules to contents that come out of a plan, and will lie in a folder.
Compile: TypeAlias = Callable[[Contents, Sequence[str], Plan, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Sharer:
    """A function that can have shared layers.

    *slots* is how many more layers it may have, *room* how many more bytes.  *taken* are the names at the top of what
    its own layers bring.  *via_s3* is as in the model.
    """

    plan: Plan
    slots: int
    room: int
    taken: frozenset[str]
    via_s3: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class SharedLayer:
    """A layer that *functions* have in common; *saved_bytes* is what they are shorter by together, zipped."""

    plan: Plan
    functions: tuple[str, ...]
    saved_bytes: int
    via_s3: bool | None

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def runtimes(self) -> tuple[str, ...]:
        return (self.plan.target.runtime,)

    @property
    def architectures(self) -> tuple[str, ...]:
        return (self.plan.target.architecture,)


@dataclass(frozen=True, slots=True)
class Shared:
    """What has become of the plans of functions, by name, and the layers that they have now."""

    plans: Mapping[str, Plan] = field(default_factory=dict)
    layers: tuple[SharedLayer, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
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


def sharer(function: Function, plan: Plan, layers: Mapping[str, Artifact]) -> Sharer | str:
    """How *function* takes part in sharing, or in words why not; *layers* are what its own layers will be, by name."""
    match function.layers:
        case None:
            count = 0
        case Known(present):
            count = len(present)
        case _:
            return "its layers are decided outside the template"
    own = [layers.get(layer.name, layer.artifact) for layer in function.local_layers]
    known = [each for each in own if each is not None]
    if not function.layers_complete or len(known) < len(own):
        return "nobody knows what its other layers hold"
    version = f"python{plan.target.python[0]}.{plan.target.python[1]}"
    sizes = sum(each.unpacked_bytes for each in known)
    return Sharer(
        plan=plan,
        slots=max(0, limit("layers", "max") - count),
        room=limit("artifact", "unpacked", "max_bytes") - plan.unpacked_bytes - sizes,
        taken=frozenset(
            _top(entry.path.removeprefix(folder))
            for each in known
            for entry in each.entries
            for folder in (f"{_PREFIX}lib/{version}/site-packages/", _PREFIX)
            if entry.path.startswith(folder)
        ),
        via_s3=function.artifact.via_s3 if function.artifact else None,
    )


def shared(sharers: Iterable[Sharer], compile_: Compile) -> Shared:
    """Layers for the functions that have much in common, and what is left of their packages."""
    groups: dict[tuple[str, str, str | None], list[Sharer]] = {}
    for each in sorted(sharers, key=lambda each: each.plan.name):
        aim = each.plan.target
        groups.setdefault((aim.runtime, aim.architecture, each.plan.compiler), []).append(each)
    found: list[SharedLayer] = []
    plans: dict[str, Plan] = {}
    for _, group in sorted(groups.items(), key=lambda item: item[0][:2]):
        layers = _Group(group, compile_).layers()
        found += layers
        for each in group:
            own = [layer for layer in layers if each.plan.name in layer.functions]
            if own:
                plans[each.plan.name] = _remaining(each.plan, own)
    return Shared(plans, tuple(found))


@dataclass(slots=True, eq=False)
class _Group:
    """Functions of one Python and one architecture."""

    sharers: Sequence[Sharer]
    compile_: Compile

    def layers(self) -> list[SharedLayer]:
        parts = [{part.content: part for part in _movable(each)} for each in self.sharers]
        users: dict[str, int] = {}
        for place, own in enumerate(parts):
            for content in own:
                users[content] = users.get(content, 0) | 1 << place
        needs: Counter[int] = Counter()
        for content, who in users.items():
            if who.bit_count() > 1:
                needs[who] += parts[_places(who)[0]][content].size
        sharing = Sharing(needs, [each.slots for each in self.sharers], WORTH_BYTES)
        chosen = sharing.layers()
        contents: dict[int, list[str]] = {layer: [] for layer in chosen}
        for content, who in sorted(users.items()):
            for layer in sharing.of(who, chosen):
                contents[layer].append(content)
        slots = [each.slots - sum(layer >> place & 1 for layer in chosen) for place, each in enumerate(self.sharers)]
        room = [each.room for each in self.sharers]
        found: list[SharedLayer] = []
        names: Counter[str] = Counter()
        for layer in chosen:
            places = _places(layer)
            held = [[parts[place][content] for place in places] for content in contents[layer]]
            for bin_ in self._uploads(held, places, slots):
                name = self._name(bin_)
                names[name] += 1
                name += f"-{names[name]}" if names[name] > 1 else ""
                found.append(self._layer(name, bin_, places, room))
        return found

    def _uploads(self, held: list[list[_Part]], places: Sequence[int], slots: list[int]) -> list[list[list[_Part]]]:
        """*held*, in several layers if one is too large for a direct upload and the functions may have more of them."""
        most = limit("artifact", "upload", "max_bytes")
        sizes = [max(part.packed_bytes for part in same) for same in held]
        if sum(sizes) <= most or any(self.sharers[place].via_s3 for place in places):
            return [held]
        bins: list[tuple[int, list[list[_Part]]]] = []
        for same, size in sorted(zip(held, sizes, strict=True), key=lambda item: (-item[1], item[0][0].origins)):
            fits = next((place for place, (used, _) in enumerate(bins) if used + size <= most), None)
            if fits is None:
                bins.append((size, [same]))
            else:
                bins[fits] = (bins[fits][0] + size, [*bins[fits][1], same])
        if len(bins) - 1 > min(slots[place] for place in places):
            return [held]
        for place in places:
            slots[place] -= len(bins) - 1
        return [each for _, each in bins]

    def _name(self, held: Iterable[list[_Part]]) -> str:
        """A name that stays when versions change: that of the largest distribution, and what the layer is for."""
        sizes: Counter[str] = Counter()
        for same in held:
            for entry in same[0].files:
                sizes[entry.owner.partition(" ")[0]] += entry.member.size
        largest = min(sizes, key=lambda name: (-sizes[name], name))
        aim = self.sharers[0].plan.target
        return f"shared-{largest}-{aim.runtime.replace('.', '')}-{aim.architecture}"

    def _layer(self, name: str, held: Sequence[Sequence[_Part]], places: Sequence[int], room: list[int]) -> SharedLayer:
        """The plan of a layer that the functions at *places* have; their *room* becomes less by what is new to them."""
        first = self.sharers[places[0]].plan
        functions = tuple(self.sharers[place].plan.name for place in places)
        origins = {origin for same in held for origin in same[0].origins}
        wanted: Counter[str] = Counter(_module(entry.path) for same in held for part in same for entry in part.bytecode)
        contents = Contents({entry.path: entry for same in held for entry in same[0].files}, first.keys)
        modules = sorted(wanted, key=lambda path: (-wanted[path], path))
        before = set(contents.entries)
        self.compile_(contents, modules, first, f"{LAYERS_ROOT}{_PREFIX}")
        own = [{entry.path for same in held for entry in same[at].bytecode} for at in range(len(places))]
        for path in [path for path in contents.entries if path not in before]:
            size = contents.entries[path].member.size
            new_to = [place for at, place in enumerate(places) if path not in own[at]]
            if any(room[place] < size for place in new_to):
                del contents.entries[path]
                continue
            for place in new_to:
                room[place] -= size
        entries = moved(contents.sorted(), _PREFIX)
        saved = sum(part.packed_bytes for same in held for part in same)
        saved -= sum(len(entry.member.packed) for entry in entries)
        return SharedLayer(
            plan=replace(
                first,
                name=name,
                handler=None,
                entries=entries,
                distributions=tuple(each for each in first.distributions if f"{each.name} {each.version}" in origins),
                notes=(),
                compiler=first.compiler if any(entry.origin == BYTECODE for entry in entries) else None,
                source=None,
                kind=Kind.LAYER,
                losses={
                    origin: tuple(replace(each, path=_PREFIX + each.path) for each in losses)
                    for origin, losses in first.losses.items()
                    if origin in origins
                },
            ),
            functions=functions,
            saved_bytes=saved,
            via_s3=_agreed(self.sharers[place].via_s3 for place in places),
        )


def _agreed(stated: Iterable[bool | None]) -> bool | None:
    """Through S3 when one function goes that way, since one tool deploys them all."""
    every = set(stated)
    return True if True in every else next(iter(every)) if len(every) == 1 else None


def _remaining(plan: Plan, layers: Sequence[SharedLayer]) -> Plan:
    """*plan* without what its function gets from *layers*."""
    gone = {entry.owner for layer in layers for entry in layer.plan.entries}
    entries = tuple(entry for entry in plan.entries if entry.owner not in gone)
    names = ", ".join(layer.name for layer in layers)
    return replace(
        plan,
        entries=entries,
        distributions=tuple(each for each in plan.distributions if f"{each.name} {each.version}" not in gone),
        notes=(*plan.notes, f"needs {names}, which {'holds' if len(layers) == 1 else 'hold'} {some(sorted(gone))}"),
        compiler=plan.compiler if any(entry.origin == BYTECODE for entry in entries) else None,
        losses={origin: losses for origin, losses in plan.losses.items() if origin not in gone},
    )


def _movable(sharer: Sharer) -> list[_Part]:
    """The parts of a function's package that may lie in a layer."""
    plan = sharer.plan
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
        tops = {_top(entry.path) for entry in own}
        if SOURCE not in origins and handler not in tops and not tops & sharer.taken:
            found.append(_Part(tuple(sorted(origins)), tuple(own), tuple(bytecode.get(leader, ()))))
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


def _module(path: str) -> str:
    """The source of the bytecode at *path*."""
    folder, _, name = path.rpartition("/")
    return f"{folder.removesuffix('__pycache__')}{name.rsplit('.', 2)[0]}.py"


def _top(path: str) -> str:
    first, slash, _ = path.partition("/")
    return first if slash else first.partition(".")[0]


def _places(who: int) -> list[int]:
    return [place for place in range(who.bit_length()) if who >> place & 1]
