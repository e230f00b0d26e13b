"""Which JSON files are plans of Terraform: to ask that of every one, nothing that reads them need be loaded."""

from typing import Final

from lambdalint.readers.tree import Tree

#: Plans say everything two or three times, and are as long as that.
MAX_BYTES: Final = 48 * 1024 * 1024

_HEAD_BYTES: Final = 4096


def claims(tree: Tree, path: str) -> bool:
    """Whether the JSON file at *path* is a plan."""
    if b'"format_version"' not in _head(tree, path):
        return False
    return tree.size(path) <= MAX_BYTES and b'"planned_values"' in tree.read(path)


def _head(tree: Tree, path: str) -> bytes:
    """The beginning of a file, where a plan says what it is."""
    disk = tree.on_disk(path)
    if disk is None:
        return tree.read(path)[:_HEAD_BYTES]
    try:
        with disk.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""
