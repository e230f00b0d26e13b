"""Plans to artifacts on disk; one that is not whole is seen by nobody."""

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lambdalint.errors import Refused
from lambdalint.packager.host import Progress, silent
from lambdalint.packager.manifest import manifest, rendered
from lambdalint.packager.plan import Kind, Plan
from lambdalint.packager.zip import zip_chunks

#: What ``--to`` calls the two forms of files that an image has.
OCI_LAYOUT: Final = "oci"
DOCKER_ARCHIVE: Final = "docker-archive"

#: How a manifest begins.
_MANIFEST: Final = re.compile(rb'\{\n  "version": \d+,\n  "name": ')


@dataclass(frozen=True, slots=True)
class Written:
    """An artifact on disk and its manifest.

    *sha256* is the archive's, in hexadecimal digits, and *sha256_base64* how Lambda states it; of a folder both are the
    hash of its tree, of an image the digest of its manifest.  *notes* say what else came of it.  *image_uri* is what
    Lambda is told of an image that was pushed.
    """

    path: Path
    manifest_path: Path
    sha256: str
    sha256_base64: str
    packed_bytes: int
    unpacked_bytes: int
    notes: tuple[str, ...] = ()
    image_uri: str | None = None


def written_place(plan: Plan, to: str, folder: Path) -> str:
    """Where the artifact of *plan* is or would be; *to* says so of images, the others go into *folder*."""
    if plan.kind is not Kind.IMAGE:
        return (folder / written_path(plan)).as_posix()
    if to == OCI_LAYOUT:
        return (folder / f"{plan.stem}.oci").as_posix()
    return (folder / f"{plan.stem}.tar").as_posix() if to == DOCKER_ARCHIVE else to


def written_path(plan: Plan) -> str:
    """The name of the artifact of *plan* in the folder that it is written into."""
    return plan.stem if plan.kind is Kind.DIR else f"{plan.stem}.zip"


def write(plan: Plan, folder: Path, progress: Progress = silent) -> Written:
    """Write *plan* and its manifest into *folder*, as an archive or as plain files; images are not written here.

    Raises:
        Refused: they cannot be written.
    """
    path, manifest_path = folder / written_path(plan), folder / f"{plan.stem}.json"
    check_ours(manifest_path, path)
    progress("write", plan.name, 0, 1)
    with whole(path, manifest_path) as (artifact, listing):
        if plan.kind is Kind.DIR:
            _write_files(plan, artifact)
            digest, size = bytes.fromhex(plan.tree_sha256), plan.unpacked_bytes
        else:
            digest, size = _write_zip(plan, artifact)
        is_file = plan.kind is not Kind.DIR
        document = manifest(plan, sha256=digest if is_file else None, packed_bytes=size if is_file else None)
        listing.write_bytes(rendered(document))
    progress("write", plan.name, 1, 1)
    return Written(
        path=path,
        manifest_path=manifest_path,
        sha256=digest.hex(),
        sha256_base64=base64.b64encode(digest).decode(),
        packed_bytes=size,
        unpacked_bytes=plan.unpacked_bytes,
    )


def check_ours(manifest_path: Path, path: Path | None = None) -> None:
    """Do nothing where a package may be written: nothing else than packages is lost by it.

    Raises:
        Refused: there is a file in place of its manifest, or a folder in place of itself, that was not written here.
    """
    try:
        with manifest_path.open("rb") as file:
            lost = None if _MANIFEST.match(file.read(64)) else manifest_path
    except FileNotFoundError:
        lost = path if path and path.is_dir() and not path.is_symlink() else None
    except OSError:
        lost = manifest_path
    if lost:
        raise Refused(f"{lost} is there, and lambdalint did not write it", hint="give another --out")


@contextmanager
def whole(*places: Path) -> Iterator[tuple[Path, ...]]:
    """A scratch place for each of *places*, which takes its place once all are complete, and is gone otherwise.

    Raises:
        Refused: something cannot be written.
    """
    folder = places[0].parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{places[0].name}-") as name:
            scratch = tuple(Path(name, f"new-{place.name}") for place in places)
            yield scratch
            for new, place in zip(scratch, places, strict=True):
                if place.is_dir() and not place.is_symlink():
                    place.replace(Path(name, f"old-{place.name}"))
                new.replace(place)
    except OSError as error:
        raise Refused(
            f"{places[0]} cannot be written: {error.strerror}", hint="is there room, and may you write?"
        ) from error


def _write_zip(plan: Plan, place: Path) -> tuple[bytes, int]:
    digest = hashlib.sha256()
    size = 0
    with place.open("wb") as file:
        for chunk in zip_chunks(plan.entries, plan.modified_s):
            digest.update(chunk)
            size += file.write(chunk)
    return digest.digest(), size


def _write_files(plan: Plan, place: Path) -> None:
    place.mkdir()
    for entry in plan.entries:
        target = place / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(entry.member.read())
        target.chmod(entry.mode)
    for path in (place, *place.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        if plan.epoch is not None:
            os.utime(path, (plan.epoch, plan.epoch))
