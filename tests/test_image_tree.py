"""The layers of an image laid over each other; the judge is a folder on disk that they are unpacked into."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.facts.image_tree import ImageTree
from lambdalint.model.artifact import RecordKind
from lambdalint.model.image import Image, ImageEntry, ImageKind, ImageLayer

FILE, FOLDER, LINK = RecordKind.FILE, RecordKind.FOLDER, RecordKind.LINK


def entry(path: str, kind: RecordKind = FILE, **given: object) -> ImageEntry:
    return ImageEntry(path, path, kind, 0, 0o755, 0, 0, 0, **given)  # type: ignore[arg-type]


def tree(*layers: list[ImageEntry]) -> ImageTree:
    made = tuple(ImageLayer("", "", 0, entries=tuple(each), measured_diff_id="x") for each in layers)
    return ImageTree.of(Image("image", ImageKind.OCI, layers=made))


def unpack(root: Path, entries: list[ImageEntry]) -> None:
    for each in entries:
        place = root / each.path
        if each.is_whiteout or (each.is_opaque and place.is_dir()):
            if place.is_dir():
                shutil.rmtree(place)
            elif place.parent.is_dir():
                place.unlink(missing_ok=True)
            if each.is_opaque:
                place.mkdir()
    for each in entries:
        place = root / each.path
        if each.is_whiteout or each.is_opaque:
            continue
        if each.kind is FOLDER:
            if place.is_file():
                place.unlink()
            place.mkdir(exist_ok=True)
        else:
            if place.is_dir():
                shutil.rmtree(place)
            place.write_bytes(b"")


PATHS = st.sampled_from(("a", "b", "a/c", "a/d", "a/c/e", "b/c"))


@st.composite
def layer(draw: st.DrawFn) -> list[ImageEntry]:
    kinds = draw(st.dictionaries(PATHS, st.sampled_from((FILE, FOLDER, None, "opaque")), max_size=5))
    found: list[ImageEntry] = []
    for path in sorted(kinds):
        parents = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        if any(kinds.get(parent) in (FILE, None) for parent in parents if parent in kinds):
            continue
        for parent in parents:
            if not any(each.path == parent and not each.is_opaque for each in found):
                found.append(entry(parent, FOLDER))
        match kinds[path]:
            case None:
                found.append(entry(path, is_whiteout=True))
            case "opaque":
                found += [entry(path, FOLDER), entry(path, is_opaque=True)]
            case RecordKind() as kind:
                found.append(entry(path, kind))
    return found


@given(st.lists(layer(), min_size=1, max_size=4))
def test_what_is_left_is_what_unpacking_leaves(layers: list[list[ImageEntry]]) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        for each in layers:
            unpack(root, each)
        left = {path.relative_to(root).as_posix(): FOLDER if path.is_dir() else FILE for path in root.rglob("*")}
    assert {path: placed.entry.kind for path, placed in tree(*layers).by_path.items()} == left


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("/bin/sh", "usr/bin/busybox"),
        ("bin", "usr/bin"),
        ("/usr/../bin/./sh", "usr/bin/busybox"),
        ("/loop/x", None),
        ("/absent", None),
        ("/escape", "usr/bin/busybox"),
        ("/", None),
    ],
)
def test_links_are_followed_as_in_a_container(asked: str, found: str | None) -> None:
    image = tree(
        [
            entry("usr", FOLDER),
            entry("usr/bin", FOLDER),
            entry("usr/bin/busybox"),
            entry("usr/bin/sh", LINK, target="busybox"),
            entry("bin", LINK, target="usr/bin"),
            entry("loop", LINK, target="/loop"),
            entry("escape", LINK, target="../../../../usr/bin/sh"),
        ]
    )
    placed = image.find(asked)
    assert (placed.entry.path if placed else None) == found


def test_layers_that_were_not_read_make_it_incomplete() -> None:
    assert tree([entry("a")]).complete
    assert not ImageTree.of(Image("image", ImageKind.OCI, layers=(ImageLayer("", "", 0),))).complete


def test_removing_what_is_not_there_removes_nothing() -> None:
    files = [entry(f"d{number % 1_000}/f{number}") for number in range(50_000)]
    gone = [entry(f"x{number}", is_whiteout=True) for number in range(50_000)]
    assert len(tree(files, gone).by_path) == 50_000
