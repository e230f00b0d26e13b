"""Packages in which everything lies one level too deep."""

from collections.abc import Iterable
from typing import Final

from lambdalint.facts.content import head
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry

#: What programs for archives add by themselves.
_ADDED: Final = ("__MACOSX", ".DS_Store")
_MODULE_ENDINGS: Final = (".py", ".pyc", "/__init__.py", "/__init__.pyc")


def packed_twice(artifact: Artifact) -> Entry | None:
    """The only file of an archive, where that is another archive."""
    files = _files(artifact)
    is_alone = len(files) == 1 and "/" not in files[0].path
    return files[0] if is_alone and head(files[0], 4) == b"PK\x03\x04" else None


def wrapping_folder(artifact: Artifact, module: str) -> str | None:
    """The folder under which all of an archive lies, and with it *module*, a path without its ending.

    ``None`` where the module lies at the root, or nowhere.
    """
    paths = {entry.path for entry in _files(artifact)}
    tops = {path.split("/")[0] for path in paths}
    if len(tops) != 1:
        return None
    top = tops.pop()
    return top if _has(paths, f"{top}/{module}") and not _has(paths, module) else None


def _files(artifact: Artifact) -> tuple[Entry, ...]:
    if artifact.kind is ArtifactKind.FOLDER:
        return ()
    return tuple(entry for entry in artifact.entries if entry.path.split("/")[0] not in _ADDED)


def _has(paths: Iterable[str], module: str) -> bool:
    return any(f"{module}{ending}" in paths for ending in _MODULE_ENDINGS)
