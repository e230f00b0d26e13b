"""Layers of what several functions need alike: taken out of their packages, and planned once.

Layers are shared within one Python and one architecture: bytecode is of one Python, native code of one machine, and
what the same requirements come to may differ with either.
"""

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
from lambdalint.packager.parts import Part, parts_to_share, top_name
from lambdalint.packager.plan import BYTECODE, Kind, Plan, moved

_PREFIX: Final = "python/"
#: The unpacked bytes that a layer has to save: below that it is not worth having one more thing to publish.
WORTH_BYTES: Final = 1024 * 1024

#: Adds bytecode of modules to contents that come out of a plan, and will lie in a folder.
AddBytecode: TypeAlias = Callable[[Contents, Sequence[str], Plan, str], None]


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
            top_name(entry.path.removeprefix(folder))
            for each in known
            for entry in each.entries
            for folder in (f"{_PREFIX}lib/{version}/site-packages/", _PREFIX)
            if entry.path.startswith(folder)
        ),
        via_s3=function.artifact.via_s3 if function.artifact else None,
    )


def shared(sharers: Iterable[Sharer], add_bytecode: AddBytecode) -> Shared:
    """Layers for the functions that have much in common, and what is left of their packages."""
    groups: dict[tuple[str, str], list[Sharer]] = {}
    for each in sorted(sharers, key=lambda each: each.plan.name):
        aim = each.plan.target
        groups.setdefault((aim.runtime, aim.architecture), []).append(each)
    found: list[SharedLayer] = []
    plans: dict[str, Plan] = {}
    for _, group in sorted(groups.items()):
        layers = _Group(group, add_bytecode).layers()
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
    add_bytecode: AddBytecode

    def layers(self) -> list[SharedLayer]:
        parts = [{part.content: part for part in parts_to_share(each.plan, each.taken)} for each in self.sharers]
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
            for those in self._uploads(held, places, slots):
                name = self._name(those)
                names[name] += 1
                name += f"-{names[name]}" if names[name] > 1 else ""
                found.append(self._layer(name, those, places, room))
        return found

    def _uploads(self, held: list[list[Part]], places: Sequence[int], slots: list[int]) -> list[list[list[Part]]]:
        """*held*, in several layers if one is too large for a direct upload and the functions may have more of them."""
        most = limit("artifact", "upload", "max_bytes")
        sizes = [max(part.packed_bytes for part in same) for same in held]
        if sum(sizes) <= most or any(self.sharers[place].via_s3 for place in places):
            return [held]
        bins: list[tuple[int, list[list[Part]]]] = []
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

    def _name(self, held: Iterable[list[Part]]) -> str:
        """A name that stays when versions change: that of the largest distribution, and what the layer is for."""
        sizes: Counter[str] = Counter()
        for same in held:
            for entry in same[0].files:
                sizes[entry.owner.partition(" ")[0]] += entry.member.size
        largest = min(sizes, key=lambda name: (-sizes[name], name))
        aim = self.sharers[0].plan.target
        return f"shared-{largest}-{aim.runtime.replace('.', '')}-{aim.architecture}"

    def _layer(self, name: str, held: Sequence[Sequence[Part]], places: Sequence[int], room: list[int]) -> SharedLayer:
        """The plan of a layer that the functions at *places* have; their *room* becomes less by what is new to them."""
        plans = [self.sharers[place].plan for place in places]
        first = plans[0]
        origins = {origin for same in held for origin in same[0].origins}
        wanted: Counter[str] = Counter(_module(entry.path) for same in held for part in same for entry in part.bytecode)
        contents = Contents({entry.path: entry for same in held for entry in same[0].files}, first.keys)
        modules = sorted(wanted, key=lambda path: (-wanted[path], path))
        before = set(contents.entries)
        self.add_bytecode(contents, modules, first, f"{LAYERS_ROOT}{_PREFIX}")
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
                inputs=tuple(dict.fromkeys(given for plan in plans for given in plan.inputs)),
                compiler=next((plan.compiler for plan in plans if plan.compiler), None)
                if any(entry.origin == BYTECODE for entry in entries)
                else None,
                source=None,
                kind=Kind.LAYER,
                losses={
                    origin: tuple(replace(each, path=_PREFIX + each.path) for each in losses)
                    for origin, losses in first.losses.items()
                    if origin in origins
                },
            ),
            functions=tuple(plan.name for plan in plans),
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


def _module(path: str) -> str:
    """The source of the bytecode at *path*."""
    folder, _, name = path.rpartition("/")
    return f"{folder.removesuffix('__pycache__')}{name.rsplit('.', 2)[0]}.py"


def _places(who: int) -> list[int]:
    return [place for place in range(who.bit_length()) if who >> place & 1]
