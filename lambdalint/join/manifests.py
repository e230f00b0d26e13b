"""What ``lambdalint package`` wrote beside an archive about it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename, splitext
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.readers.tree import Tree

_ARCHIVE: Final = ".zip"
#: What has a manifest: archives, and images in both of their forms.
_ENDINGS: Final = (_ARCHIVE, ".oci", ".tar")
#: 50,000 entries of 300 characters; what is larger is no manifest.
_MAX_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive was built for; ``None`` for what the manifest does not say."""

    name: str
    runtime: str | None
    architecture: str | None
    handler: str | None


def manifest_beside(tree: Tree, archive: str) -> Manifest | None:
    """The manifest beside *archive*, ``orders.json`` beside ``orders.zip``; ``None`` when there is none of ours."""
    stem, ending = splitext(archive)
    path = f"{stem}.json"
    if ending not in _ENDINGS or not tree.is_file(path) or tree.size(path) > _MAX_BYTES:
        return None
    try:
        document: Any = json.loads(tree.read(path))
    except (UnreadableInput, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not {"version", "runtime", "tree_sha256", "entries"} <= document.keys():
        return None
    name, *others = (_text(document.get(key)) for key in ("name", "runtime", "architecture", "handler"))
    return Manifest(name or basename(stem), *others)


def packaged_archives(tree: Tree, folder: str) -> Iterator[str]:
    """The archives right in *folder* that have a manifest beside them."""
    for name in tree.names(folder):
        path = f"{folder}/{name}" if folder else name
        if name.endswith(_ARCHIVE) and tree.is_file(path) and manifest_beside(tree, path) is not None:
            yield path


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
