"""Images that somebody names, read where they lie or pulled from their registry for as long as they are looked at."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdalint.errors import UsageError
from lambdalint.readers.disk import exists, is_file, is_folder
from lambdalint.readers.image.names import ENDINGS, OCI, PREFIXES, path_and_tag

if TYPE_CHECKING:
    from lambdalint.model.image import Image

#: What ``lambdalint package`` calls the layouts that it writes.
_WRITTEN: Final = ".oci"


def is_image_name(text: str) -> bool:
    """Whether *text* names an image rather than a path: by a prefix, or as ``HOST/NAME`` with a tag or digest."""
    if text.startswith(PREFIXES):
        return True
    host, slash, rest = text.partition("/")
    is_host = host == "localhost" or (not host.startswith(".") and any(sign in host for sign in ".:"))
    return bool(slash) and is_host and any(sign in rest.rpartition("/")[2] for sign in ":@") and not exists(Path(text))


def images_among(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """*paths* without those that are images, and these, with the layouts that ``lambdalint package`` wrote there."""
    others: list[Path] = []
    names: list[str] = []
    for path in paths:
        name = image_name(path)
        if name is not None:
            names.append(name)
            continue
        others.append(path)
        if is_folder(path):
            written = sorted(path.glob(f"*{_WRITTEN}"))
            names += [str(each) for each in written if is_layout(each) and is_file(each.with_suffix(".json"))]
    return others, names


def is_layout(path: Path) -> bool:
    """Whether *path* is a folder in the layout of the OCI."""
    return is_folder(path) and is_file(path / "oci-layout") and is_file(path / "index.json")


def image_name(path: Path) -> str | None:
    """What *path* is called as an image; ``None`` where it is none: a layout, or a tar archive, of one."""
    return str(path) if is_layout(path) or (path.name.endswith(ENDINGS) and is_file(path)) else None


def path_of(name: str) -> Path | None:
    """Where the image called *name* lies on this machine; ``None`` for one of a registry."""
    path = _existing(name)[0] if name.startswith(PREFIXES) else Path(name)
    return path if exists(path) else None


@contextmanager
def opened_images(names: Sequence[str], *, cache: bool = True) -> "Iterator[tuple[Image, ...]]":
    """The images called *names*; what was pulled of them goes when they are done with.

    Raises:
        LambdalintError: a name is none, or the image is not there or not to be read.
    """
    with tempfile.TemporaryDirectory(prefix="lambdalint-") as scratch:
        yield tuple(_image(name, Path(scratch), cache=cache) for name in names)


def _image(name: str, scratch: Path, *, cache: bool) -> "Image":
    from lambdalint.readers.image.docker_archive import docker_image
    from lambdalint.readers.image.files import image_files
    from lambdalint.readers.image.oci import is_oci, oci_image

    if name.startswith(PREFIXES):
        path, tag = _existing(name)
        files = image_files(path, name)
        return oci_image(files, name, tag) if name.startswith(OCI) else docker_image(files, name, tag)
    if exists(Path(name)):
        files = image_files(Path(name), name)
        return oci_image(files, name) if is_oci(files) else docker_image(files, name)
    return _pulled(name, scratch, cache=cache)


def _existing(name: str) -> tuple[Path, str | None]:
    whole = Path(name.partition(":")[2])
    if exists(whole):
        return whole, None
    path, tag = path_and_tag(name)
    if not exists(Path(path)):
        raise UsageError(f"there is no file or folder {path!r}", hint=f"{name} names it as an image")
    return Path(path), tag


def _pulled(name: str, scratch: Path, *, cache: bool) -> "Image":
    from lambdalint.packager.host import Host, silent
    from lambdalint.packager.image.base import Workbench
    from lambdalint.packager.image.pull import pulled
    from lambdalint.packager.image.reference import reference
    from lambdalint.packager.web import Web

    host = Host.here(cached=cache)
    return pulled(reference(name), name, Workbench(host, Web(host.environment), scratch, silent))
