"""Plans to archives on disk."""

import base64
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lambdalint.errors import Refused
from lambdalint.packager.host import Progress, silent
from lambdalint.packager.manifest import manifest, rendered
from lambdalint.packager.plan import Plan
from lambdalint.packager.zip import zip_chunks


@dataclass(frozen=True, slots=True)
class Written:
    """An archive on disk and its manifest; *sha256_base64* is how Lambda states a package's hash."""

    path: Path
    manifest_path: Path
    sha256: str
    sha256_base64: str
    packed_bytes: int
    unpacked_bytes: int


def write(plan: Plan, folder: Path, progress: Progress = silent) -> Written:
    """Write the archive of *plan* and its manifest into *folder*; an archive is there whole or not at all.

    Raises:
        Refused: they cannot be written.
    """
    path, manifest_path = folder / f"{plan.stem}.zip", folder / f"{plan.stem}.json"
    progress("write", plan.name, 0, 1)
    digest = hashlib.sha256()
    size = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{plan.stem}-") as scratch:
            archive, listing = Path(scratch, "zip"), Path(scratch, "json")
            with archive.open("wb") as file:
                for chunk in zip_chunks(plan.entries):
                    digest.update(chunk)
                    size += file.write(chunk)
            listing.write_bytes(rendered(manifest(plan, sha256=digest.digest(), zip_bytes=size)))
            archive.replace(path)
            listing.replace(manifest_path)
    except OSError as error:
        raise Refused(
            f"{path} cannot be written: {error.strerror}", hint="is there room, and may you write?"
        ) from error
    progress("write", plan.name, 1, 1)
    return Written(
        path=path,
        manifest_path=manifest_path,
        sha256=digest.hexdigest(),
        sha256_base64=base64.b64encode(digest.digest()).decode(),
        packed_bytes=size,
        unpacked_bytes=plan.unpacked_bytes,
    )
