"""Images out of registries, to be looked at."""

from functools import partial
from pathlib import Path
from typing import BinaryIO

from lambdalint.errors import Refused
from lambdalint.model.image import Image, ImageKind
from lambdalint.packager.image.base import Workbench, fetched_blob
from lambdalint.packager.image.reference import Reference
from lambdalint.packager.image.registry import Registry
from lambdalint.readers.image.documents import INDEXES, layers_of, read_config, read_manifest
from lambdalint.readers.image.layers import MAX_UNPACKED_BYTES, Blob, read_layer


def pulled(reference: Reference, name: str, bench: Workbench) -> Image:
    """The image at *reference*, called *name*, with its layers on this machine; an index is not followed.

    Raises:
        Refused: the registry does not give it, or it is larger than anybody looks at.
    """
    registry = Registry(reference, bench.web, bench.host.environment, bench.progress)
    found = registry.manifest()
    manifest = read_manifest(found.data, name, found.media_type)
    size = len(found.data)
    if manifest.media_type in INDEXES or manifest.config is None:
        platforms = manifest.platforms
        return Image(name, ImageKind.REGISTRY, manifest.media_type, found.digest, size, platforms=platforms)
    packed = sum(layer.size for layer in manifest.layers)
    if packed > MAX_UNPACKED_BYTES:
        raise Refused(f"the layers of {name} have {packed:,} bytes, more than Lambda takes unpacked")
    config = read_config(fetched_blob(registry, manifest.config, bench).read_bytes(), name)
    layers = []
    for layer, descriptor in zip(layers_of(manifest, config), manifest.layers, strict=True):
        place = fetched_blob(registry, descriptor, bench)
        layers.append(read_layer(layer, Blob(descriptor.size, partial(_opened, place))))
    return Image(
        name,
        ImageKind.REGISTRY,
        manifest.media_type,
        found.digest,
        size,
        config=config,
        layers=tuple(layers),
    )


def _opened(place: Path) -> BinaryIO:
    return place.open("rb")
