"""Images in an OCI layout: a folder, or a tar archive of one.

Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from dataclasses import replace
from pathlib import Path

from lambdalint.errors import UnreadableInput
from lambdalint.model.image import Image, ImageKind, ImageLayer
from lambdalint.readers.image.documents import (
    INDEXES,
    Descriptor,
    Manifest,
    layers_of,
    read_config,
    read_manifest,
)
from lambdalint.readers.image.files import Files, document, image_files
from lambdalint.readers.image.layers import read_layer


def is_oci(files: Files) -> bool:
    """Whether *files* are laid out so."""
    return files.blob("oci-layout") is not None and files.blob("index.json") is not None


def read_oci(path: Path, shown: str, tag: str | None = None) -> Image:
    """The image in the layout at *path*; *tag* says which where there are several.

    Raises:
        UnreadableInput: it is no such layout, or has no such image.
    """
    return oci_image(image_files(path, shown), shown, tag)


def oci_image(files: Files, shown: str, tag: str | None = None) -> Image:
    """The image in *files*, with all its layers read.

    Raises:
        UnreadableInput: there is no such image.
    """
    listed = read_manifest(document(files, "index.json", shown), shown)
    found = _chosen(listed, shown, tag)
    data = document(files, blob_path(found.digest), shown)
    manifest = read_manifest(data, shown, found.media_type or None)
    if manifest.media_type in INDEXES:
        return Image(shown, ImageKind.OCI, manifest.media_type, found.digest, len(data), platforms=manifest.platforms)
    if manifest.config is None:
        return Image(shown, ImageKind.OCI, manifest.media_type, found.digest, len(data))
    config = read_config(document(files, blob_path(manifest.config.digest), shown), shown)
    layers = tuple(_layer(files, layer) for layer in layers_of(manifest, config))
    return Image(shown, ImageKind.OCI, manifest.media_type, found.digest, len(data), config=config, layers=layers)


def _chosen(listed: Manifest, shown: str, tag: str | None) -> Descriptor:
    images = [each for each in listed.images if tag is None or each.name in (tag, f"latest:{tag}")]
    if not images:
        names = ", ".join(each.name for each in listed.images if each.name) or "none"
        raise UnreadableInput(f"the layout has no image {tag or ''}".rstrip(), path=shown, hint=f"there are: {names}")
    digests = {each.digest for each in images}
    if len(digests) > 1:
        names = ", ".join(each.name or each.digest[:19] for each in images)
        raise UnreadableInput("the layout has several images", path=shown, hint=f"name one of {names}, as {shown}:TAG")
    return images[0]


def blob_path(digest: str) -> str:
    """Where a layout has the blob of *digest*."""
    return f"blobs/{digest.replace(':', '/', 1)}"


def _layer(files: Files, layer: ImageLayer) -> ImageLayer:
    blob = files.blob(blob_path(layer.digest))
    if blob is None:
        return replace(layer, damages=(f"its blob {layer.digest[:19]} is not in the layout",))
    return read_layer(layer, blob)
