"""Paths in a template that are seen from its folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lambdalint.aws.local_paths import (
    global_paths,
    image_paths,
    local_paths,
    resource_metadata_paths,
    template_metadata_paths,
    transform_path,
)
from lambdalint.emission.rewriting import Steps, found
from lambdalint.join.loops import FOR_EACH
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.readers.tree import Tree, joined

_REMOTE: Final = ("s3://", "http://", "https://", "arn:", "{{resolve:")
_ANY: Final = "*"


def stated_paths(root: Mapping, path: str, tree: Tree) -> Iterator[tuple[Steps, str]]:
    """Where the template *root* at *path* names files of its own side, and what it says there."""
    for steps, resource in resources(root):
        kind = _text(resource.items.get("Type")) or ""
        properties = resource.items.get("Properties")
        for way in local_paths(kind):
            for below, text in _local(properties, way):
                yield (*steps, "Properties", *below), text
        for way in image_paths(kind):
            for below, text in _local(properties, way):
                place = joined(path.rpartition("/")[0], text)
                if place is not None and tree.is_file(place):
                    yield (*steps, "Properties", *below), text
        for name in resource_metadata_paths():
            for below, text in _local(resource, ("Metadata", name)):
                yield (*steps, *below), text
    for holder, names in (("Globals", global_paths), ("Metadata", template_metadata_paths)):
        sections = root.items.get(holder)
        for section in sections.items if isinstance(sections, Mapping) else ():
            for name in names(section):
                for below, text in _local(root, (holder, section, name)):
                    yield below, text
    yield from _of_transforms(root, ())


def resources(root: Mapping) -> Iterator[tuple[Steps, Mapping]]:
    """The resources of a template with the way to each; those of loops once."""
    yield from _resources(root.items.get("Resources"), ("Resources",))


def _resources(node: Node | None, steps: Steps) -> Iterator[tuple[Steps, Mapping]]:
    for name, each in node.items.items() if isinstance(node, Mapping) else ():
        if name.startswith(FOR_EACH) and isinstance(each, Sequence):
            yield from _resources(found(each, (2,)), (*steps, name, 2))
        elif isinstance(each, Mapping):
            yield (*steps, name), each


def moved_path(text: str, folder: Path, to: Path) -> str:
    """The path *text*, as seen from *folder*, as seen from the folder *to*."""
    slash = "/" if text.endswith("/") else ""
    return seen_from(Path(os.path.normpath(folder / text)), to) + slash


def seen_from(place: Path, folder: Path) -> str:
    """*place* as a path from *folder*, with ``/``."""
    return Path(os.path.relpath(place, folder)).as_posix()


def _local(node: Node | None, way: tuple[str, ...], steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """The relative paths that *way* leads to."""
    if not way:
        if isinstance(node, Scalar) and not node.tag and isinstance(node.value, str) and is_local(node.text):
            yield steps, node.text
        return
    if isinstance(node, Mapping) and not node.tag:
        for key in node.items if way[0] == _ANY else way[:1]:
            yield from _local(node.items.get(key), way[1:], (*steps, key))


def is_local(text: str) -> bool:
    """Whether *text* is a path that is seen from somewhere."""
    return bool(text) and not text.startswith(("/", "~")) and not text.lower().startswith(_REMOTE)


def _of_transforms(node: Node, steps: Steps) -> Iterator[tuple[Steps, str]]:
    """What transforms take in."""
    if isinstance(node, Mapping):
        name = _text(node.items.get("Name"))
        parameter = transform_path(name) if name else None
        if parameter is not None:
            for below, text in _local(node, ("Parameters", parameter)):
                yield (*steps, *below), text
        for key, each in node.items.items():
            yield from _of_transforms(each, (*steps, key))
    elif isinstance(node, Sequence):
        for number, each in enumerate(node.items):
            yield from _of_transforms(each, (*steps, number))


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) and not node.tag else None
