"""The files of an artifact, laid out as Lambda lays them out: read-only, and with the permissions that it states."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.errors import LambdalintError, Refused
from lambdalint.model.artifact import Artifact

MAX_BYTES: Final = limit("artifact", "unpacked", "max_bytes")
_FOLDER: Final = 0o755
_WITHOUT_WRITING: Final = 0o555


def unpack(artifacts: Iterable[Artifact], folder: Path) -> None:
    """Write the files of each artifact below *folder*, which must be empty; later ones replace earlier ones.

    Raises:
        Refused: an archive is damaged, all of it is more than Lambda takes, or a file cannot be placed.
    """
    written = 0
    real = folder.resolve()
    for artifact in artifacts:
        sure = next((damage for damage in artifact.damages if damage.sure), None)
        if sure is not None:
            raise Refused(f"{artifact.path} cannot be unpacked: {sure.message}", hint=sure.hint)
        written += artifact.unpacked_bytes
        if written > MAX_BYTES:
            raise Refused(
                f"{artifact.path} unpacks to {written:,} bytes with what is there before; Lambda takes {MAX_BYTES:,}"
            )
        _files(artifact, real)
        _links(artifact, real)


def _files(artifact: Artifact, folder: Path) -> None:
    for entry in artifact.entries:
        place = folder / entry.path
        try:
            data = entry.read()
            _parents(place, folder)
            if os.path.lexists(place):
                place.unlink()
            with place.open("xb") as file:
                file.write(data)
            mode = entry.mode if entry.mode is not None else 0o755 if entry.executable else 0o644
            place.chmod(mode & _WITHOUT_WRITING)
        except OSError as error:
            raise Refused(f"{artifact.path}: {entry.path} cannot be written: {error.strerror or error}") from error
        except LambdalintError as error:
            raise Refused(f"{artifact.path} cannot be unpacked: {error.message}", hint=error.hint) from error


def _links(artifact: Artifact, folder: Path) -> None:
    """Symbolic links, after all files: nothing is written through one."""
    for path, leads_to in artifact.links.items():
        place, target = folder / path, folder / leads_to
        try:
            _parents(place, folder)
            if os.path.lexists(place):
                place.unlink()
            place.symlink_to(os.path.relpath(target, place.parent))
            inside = Path(os.path.realpath(place)).is_relative_to(folder)
        except OSError as error:
            raise Refused(f"{artifact.path}: {path} cannot be linked: {error.strerror or error}") from error
        if not inside:
            place.unlink()
            raise Refused(f"{artifact.path}: {path} leads out of the artifact")


def _parents(place: Path, folder: Path) -> None:
    """Make the folders above *place*; none of them may be reached through a link that leads elsewhere."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=_FOLDER)
    if not Path(os.path.realpath(place.parent)).is_relative_to(folder):
        raise OSError(0, "its folder leads out of the artifact")
