"""What images on disk are called: ``oci:PATH[:TAG]`` and ``docker-archive:PATH[:NAME:TAG]``."""

from pathlib import Path
from typing import Final

OCI: Final = "oci:"
DOCKER_ARCHIVE: Final = "docker-archive:"
PREFIXES: Final = (OCI, DOCKER_ARCHIVE)
#: How the names of archives end, of those that are compressed as a whole too.
ENDINGS: Final = (".tar", ".tar.gz", ".tgz")


def path_and_tag(name: str) -> tuple[str, str | None]:
    """The path in *name*, which begins with one of ``PREFIXES``, and what says which of several images is meant."""
    path, colon, tag = name.partition(":")[2].partition(":")
    return path, tag if colon else None


def seen_from(name: str, folder: Path) -> str:
    """*name* with its path, if it is one of an image on disk, as seen from *folder*."""
    if not name.startswith(PREFIXES):
        return name
    path, tag = path_and_tag(name)
    return f"{name.partition(':')[0]}:{folder / path}" + (f":{tag}" if tag is not None else "")
