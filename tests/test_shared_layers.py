"""What moves from packages into layers, plan by plan."""

import hashlib
from collections.abc import Mapping, Sequence

import pytest

from lambdalint.packager.contents import Contents
from lambdalint.packager.pack import Member
from lambdalint.packager.plan import BYTECODE, SOURCE, Distribution, Plan, PlannedEntry
from lambdalint.packager.shared_layers import Shared, Sharer, shared
from lambdalint.packager.target import target

MB = 1024 * 1024
BYTECODE_OF = {"big/__init__.py": "big/__pycache__/__init__.cpython-313.pyc"}


def entry(path: str, origin: str, size: int, owner: str = "") -> PlannedEntry:
    """A file that is as large when it is packed."""
    sha256 = hashlib.sha256(f"{path} {size}".encode()).hexdigest()
    return PlannedEntry(Member(path, size, sha256, 0, False, False, bytes(size)), origin, owner or origin)


def plan(name: str, sizes: Mapping[str, int], bytecode: bool = False) -> Plan:
    """The package of a function with a module of each distribution."""
    entries = [entry("app.py", SOURCE, 10)]
    for each, size in sizes.items():
        entries.append(entry(f"{each}/__init__.py", f"{each} 1", size))
        if bytecode:
            entries.append(entry(f"{each}/__pycache__/__init__.cpython-313.pyc", BYTECODE, MB, f"{each} 1"))
    return Plan(
        name=name,
        handler="app.handler",
        target=target("python3.13", "x86_64"),
        entries=tuple(sorted(entries, key=lambda each: each.path)),
        distributions=tuple(Distribution(each, "1", f"{each}.whl", None, "") for each in sizes),
        compiler="3.13.1" if bytecode else None,
    )


def sharers(*plans: Plan, slots: int = 5, room: int = 250 * MB, via_s3: bool | None = None) -> list[Sharer]:
    return [Sharer(each, slots, room, frozenset(), via_s3) for each in plans]


def compiled(contents: Contents, paths: Sequence[str], plan: Plan, root: str) -> None:
    assert root == "/opt/python/"
    for path in paths:
        compiled_path = f"{path.removesuffix('__init__.py')}__pycache__/__init__.cpython-313.pyc"
        contents.entries[compiled_path] = entry(compiled_path, BYTECODE, MB, contents.entries[path].origin)


def held(found: Shared) -> list[tuple[str, ...]]:
    return [tuple(sorted({each.owner for each in layer.plan.entries})) for layer in found.layers]


@pytest.mark.parametrize(
    ("via_s3", "slots", "layers"),
    [
        (False, 5, [("big 1", "small 1"), ("other 1",)]),
        (None, 5, [("big 1", "small 1"), ("other 1",)]),
        (True, 5, [("big 1", "other 1", "small 1")]),
        (False, 1, [("big 1", "other 1", "small 1")]),
    ],
    ids=["direct", "unknown", "through S3", "no slot is left"],
)
def test_a_layer_can_be_uploaded(via_s3: bool | None, slots: int, layers: list[tuple[str, ...]]) -> None:
    sizes = {"big": 30 * MB, "other": 29 * MB, "small": 10 * MB}
    found = shared(sharers(plan("A", sizes), plan("B", sizes), slots=slots, via_s3=via_s3), compiled)
    assert held(found) == layers
    assert [layer.functions for layer in found.layers] == [("A", "B")] * len(layers)
    assert sum(layer.saved_bytes for layer in found.layers) == 69 * MB
    assert [each.path for each in found.plans["A"].entries] == ["app.py"]


def test_no_function_grows_beyond_its_room_by_the_bytecode_of_others() -> None:
    sizes = {"big": 2 * MB, "other": 2 * MB}
    with_bytecode = plan("A", sizes, bytecode=True)
    without = [each for each in with_bytecode.entries if each.owner != "other 1" or each.origin != BYTECODE]
    other = Plan(
        "B", "app.handler", with_bytecode.target, tuple(without), with_bytecode.distributions, compiler="3.13.1"
    )
    counts = []
    for room in (MB, MB - 1):
        (layer,) = shared([*sharers(with_bytecode), *sharers(other, room=room)], compiled).layers
        counts.append(sum(each.origin == BYTECODE for each in layer.plan.entries))
    assert counts == [2, 1]


def test_a_layer_is_named_for_what_it_holds_most_of_and_for_whom() -> None:
    plans = [plan("A", {"big": 3 * MB, "other": 2 * MB}), plan("B", {"big": 3 * MB, "other": 2 * MB})]
    plans += [plan("C", {"big": 3 * MB + 1}), plan("D", {"big": 3 * MB + 1})]
    found = shared(sharers(*plans), compiled)
    assert [layer.name for layer in found.layers] == [
        "shared-big-python313-x86_64",
        "shared-big-python313-x86_64-2",
    ]
    assert [layer.functions for layer in found.layers] == [("A", "B"), ("C", "D")]
    assert [each.name for each in found.layers[0].plan.distributions] == ["big", "other"]
    assert found.layers[0].runtimes == ("python3.13",)
    assert found.layers[0].architectures == ("x86_64",)
