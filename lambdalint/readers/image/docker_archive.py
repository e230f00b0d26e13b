"""Images as ``docker save`` and skopeo's ``docker-archive:`` write them.

Source: https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.image import Image, ImageKind, ImageLayer
from lambdalint.readers.image.documents import DOCKER_LAYER, MAX_LAYERS, read_config
from lambdalint.readers.image.files import Files, document, image_files
from lambdalint.readers.image.layers import Blob, compression, read_layer

_LIST: Final = "manifest.json"


def is_docker_archive(files: Files) -> bool:
    """Whether *files* are laid out so."""
    return files.blob(_LIST) is not None and files.blob("oci-layout") is None


def read_docker_archive(path: Path, shown: str, tag: str | None = None) -> Image:
    """The image in the archive at *path*; *tag* is a whole reference, ``orders:1``, or its tag, and says which of
    several.

    Raises:
        UnreadableInput: it is no such archive, or has no such image.
    """
    return docker_image(image_files(path, shown), shown, tag)


def docker_image(files: Files, shown: str, tag: str | None = None) -> Image:
    """The image in *files*, with all its layers read.

    The archive has no manifest: layers are pushed compressed, as the media type says that they get.

    Raises:
        UnreadableInput: there is no such image.
    """
    row = _chosen(document(files, _LIST, shown), shown, tag)
    names, config_name = row.get("Layers"), row.get("Config")
    if not isinstance(names, list) or len(names) > MAX_LAYERS or not isinstance(config_name, str):
        raise UnreadableInput(f"{_LIST} of the archive names no configuration and layers", path=shown)
    data = document(files, config_name, shown)
    config = read_config(data, shown)
    padded = [*config.diff_ids, *[None] * max(len(names) - len(config.diff_ids), 0)]
    layers = tuple(_layer(files, str(name), diff_id) for name, diff_id in zip(names, padded, strict=False))
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return Image(shown, ImageKind.DOCKER_ARCHIVE, None, digest, None, config=config, layers=layers)


def _chosen(data: bytes, shown: str, tag: str | None) -> Mapping[str, Any]:
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(f"{_LIST} of the archive is no JSON", path=shown) from error
    images = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    wanted = [
        row for row in images if tag is None or any(_is_named(str(name), tag) for name in row.get("RepoTags") or ())
    ]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(str(name) for row in images for name in row.get("RepoTags") or ()) or "none"
    what = "several images" if len(wanted) > 1 else f"no image {tag or ''}".rstrip()
    raise UnreadableInput(f"the archive has {what}", path=shown, hint=f"there are: {names}")


def _is_named(name: str, tag: str) -> bool:
    """Whether *tag* means *name*, which may be written with what stands for Docker Hub, or meant by its tag alone."""
    return tag == name.rpartition(":")[2] or any(
        name.removeprefix(prefix) == tag.removeprefix(prefix)
        for prefix in ("docker.io/library/", "docker.io/", "localhost/")
    )


def _layer(files: Files, name: str, diff_id: str | None) -> ImageLayer:
    blob = files.blob(name)
    if blob is None:
        return ImageLayer("", DOCKER_LAYER, 0, diff_id, damages=(f"{name} is not in the archive",))
    digest = _digest(blob)
    with blob.open() as file:
        packed = compression(file.read(4))
    return read_layer(ImageLayer(digest, f"{DOCKER_LAYER}.{packed or 'gzip'}", blob.size, diff_id), blob)


def _digest(blob: Blob) -> str:
    digest = hashlib.sha256()
    with blob.open() as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return f"sha256:{digest.hexdigest()}"
