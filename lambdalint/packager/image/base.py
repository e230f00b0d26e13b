"""What an image is built on: taken apart into documents and blobs, which stay where they are until somebody needs them.

Source: https://github.com/opencontainers/image-spec/blob/main/manifest.md
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import deflate

from lambdalint.errors import Refused, UnreadableInput, UsageError
from lambdalint.model.image import ImageConfig
from lambdalint.packager.host import Host, Progress
from lambdalint.packager.image.layers import LEVEL
from lambdalint.packager.image.reference import Reference, reference
from lambdalint.packager.image.registry import Fetched, Registry
from lambdalint.packager.web import Web
from lambdalint.readers.disk import exists
from lambdalint.readers.image import names
from lambdalint.readers.image.documents import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    INDEXES,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    read_config,
    read_manifest,
)
from lambdalint.readers.image.files import Files, document, image_files
from lambdalint.readers.image.layers import Blob, compression
from lambdalint.readers.image.names import path_and_tag
from lambdalint.readers.image.oci import blob_path

#: What container tools call the architectures of Lambda.
ARCHITECTURES: Final = {"x86_64": "amd64", "arm64": "arm64"}

_LIST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Forms:
    """The media types of one family of images: Docker's or the OCI's."""

    manifest: str
    config: str
    layer: str


OCI: Final = Forms(OCI_MANIFEST, OCI_CONFIG, f"{OCI_LAYER}+gzip")
DOCKER: Final = Forms(DOCKER_MANIFEST, DOCKER_CONFIG, f"{DOCKER_LAYER}.gzip")


@dataclass(frozen=True, slots=True, eq=False)
class BaseLayer:
    """A layer of the base; *open* may have to fetch it first."""

    digest: str
    size: int
    diff_id: str
    blob: Callable[[], Blob] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """An image to build on.

    *name* is how it was asked for and *digest* its manifest's; *document* is its configuration as it stands, *config*
    the same read.  *registry* is where it came from, ``None`` for one from this machine.
    """

    name: str
    digest: str
    forms: Forms
    document: Mapping[str, Any]
    config: ImageConfig
    layers: tuple[BaseLayer, ...]
    registry: Reference | None = None


@dataclass(frozen=True, slots=True)
class Workbench:
    """What fetching takes: the machine, the network, a folder for what is fetched, and whoever hears of it."""

    host: Host
    web: Web
    scratch: Path
    progress: Progress


def base(name: str, architecture: str, bench: Workbench) -> Base:
    """The image that *name* says, ``oci:PATH[:TAG]``, ``docker-archive:PATH`` or one of a registry.

    Raises:
        UsageError: it says none.
        Refused: it is not there, not whole, or not for *architecture*.
    """
    if name.startswith(names.OCI):
        found = _from_layout(name, bench)
    elif name.startswith(names.DOCKER_ARCHIVE):
        found = _from_archive(name, bench)
    else:
        found = _from_registry(name, architecture, bench)
    wanted = ARCHITECTURES[architecture]
    if found.config.architecture not in (None, wanted) or found.config.os not in (None, "linux"):
        raise Refused(
            f"{name} is made for {found.config.os}/{found.config.architecture}; the function runs on linux/{wanted}",
            hint="name a base for the function's architecture",
        )
    return found


def _from_registry(name: str, architecture: str, bench: Workbench) -> Base:
    image = reference(name)
    registry = Registry(image, bench.web, bench.host.environment, bench.progress)
    found = _single(registry, registry.manifest(), architecture, name)
    manifest = read_manifest(found.data, name, found.media_type)
    if manifest.config is None:
        raise Refused(f"{name} is an image of an old kind, without a configuration", hint="push it again")
    place = fetched_blob(registry, manifest.config, bench)
    config_data = place.read_bytes()
    config = read_config(config_data, name)
    return _assembled(
        name,
        found.digest,
        manifest.media_type,
        config_data,
        config,
        [(layer, partial(_blob_of, registry, layer, bench)) for layer in manifest.layers],
        image,
    )


def _single(registry: Registry, found: Fetched, architecture: str, name: str) -> Fetched:
    """The manifest for *architecture*, which an index lists beside those for others."""
    if found.media_type not in INDEXES:
        return found
    listed = read_manifest(found.data, name, found.media_type).images
    wanted = f"linux/{ARCHITECTURES[architecture]}"
    digests = [each.digest for each in listed if each.platform == wanted]
    if not digests:
        there = ", ".join(sorted({each.platform for each in listed if each.platform != "unknown/unknown"}))
        raise Refused(f"{name} has no image for {wanted}", hint=f"there are images for {there or 'nothing'}")
    return registry.manifest(digests[0])


def _blob_of(registry: Registry, layer: Descriptor, bench: Workbench) -> Blob:
    place = fetched_blob(registry, layer, bench)
    return Blob(layer.size, lambda: place.open("rb"))


def fetched_blob(registry: Registry, blob: Descriptor, bench: Workbench) -> Path:
    """The blob as a file, out of the cache of blobs where it is there."""
    name = blob.digest.removeprefix("sha256:")
    kept = bench.host.cache.path("blobs", name)
    place = bench.scratch / name
    for each in (kept, place):
        if each is not None and each.is_file() and each.stat().st_size == blob.size and _sha256(each) == blob.digest:
            return each
    registry.fetch(blob.digest, blob.size, place)
    if kept is not None:
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            return place.replace(kept)
        except OSError:  # another disk, or no room: it serves this once
            return place
    return place


def _from_layout(name: str, bench: Workbench) -> Base:
    path, tag = path_and_tag(name)
    files = _files(path, name)
    listed = read_manifest(document(files, "index.json", name), name)
    images = [each for each in listed.images if tag is None or each.name == tag]
    if len({each.digest for each in images}) != 1:
        there = ", ".join(sorted(each.name or each.digest[:19] for each in listed.images)) or "none"
        raise Refused(f"{name} names {len(images)} images instead of one", hint=f"there are: {there}")
    data = document(files, blob_path(images[0].digest), name)
    manifest = read_manifest(data, name, images[0].media_type)
    if manifest.config is None:
        raise Refused(f"{name} is an index of several images", hint="name one of them, or copy one out of it")
    config_data = document(files, blob_path(manifest.config.digest), name)
    sources = [(layer, partial(_present, files, blob_path(layer.digest), name)) for layer in manifest.layers]
    config = read_config(config_data, name)
    made = _assembled(name, images[0].digest, manifest.media_type, config_data, config, sources, None)
    return _compressed(made, [layer.media_type for layer in manifest.layers], bench)


def _from_archive(name: str, bench: Workbench) -> Base:
    path, tag = path_and_tag(name)
    files = _files(path, name)
    row = _row(document(files, _LIST, name), tag, name)
    config_data = document(files, str(row["Config"]), name)
    config = read_config(config_data, name)
    if len(row["Layers"]) != len(config.diff_ids):
        raise Refused(f"{name} has {len(row['Layers'])} layers, and {len(config.diff_ids)} in its configuration")
    sources = []
    for each, diff_id in zip(row["Layers"], config.diff_ids, strict=True):
        blob = _present(files, str(each), name)
        sources.append((Descriptor(diff_id, blob.size, DOCKER_LAYER), partial(_present, files, str(each), name)))
    digest = f"sha256:{hashlib.sha256(config_data).hexdigest()}"
    made = _assembled(name, digest, DOCKER_MANIFEST, config_data, config, sources, None)
    return _compressed(made, [DOCKER_LAYER] * len(sources), bench)


def _row(data: bytes, tag: str | None, name: str) -> Mapping[str, Any]:
    try:
        rows = json.loads(data)
        found = [row for row in rows if tag is None or tag in (row.get("RepoTags") or ())]
        if len(found) == 1 and isinstance(found[0]["Layers"], list) and isinstance(found[0]["Config"], str):
            return dict(found[0])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{name} is no archive of an image", hint="make it with docker save, or skopeo copy") from error
    raise Refused(
        f"{name} names {len(found)} images instead of one", hint=f"add the name: {names.DOCKER_ARCHIVE}PATH:NAME:TAG"
    )


def _assembled(
    name: str,
    digest: str,
    media_type: str,
    config_data: bytes,
    config: ImageConfig,
    layers: Sequence[tuple[Descriptor, Callable[[], Blob]]],
    registry: Reference | None,
) -> Base:
    if len(layers) != len(config.diff_ids):
        raise Refused(f"{name} has {len(layers)} layers, and {len(config.diff_ids)} in its configuration")
    return Base(
        name=name,
        digest=digest,
        forms=DOCKER if media_type == DOCKER_MANIFEST else OCI,
        document=json.loads(config_data),
        config=config,
        layers=tuple(
            BaseLayer(layer.digest, layer.size, diff_id, blob)
            for (layer, blob), diff_id in zip(layers, config.diff_ids, strict=True)
        ),
        registry=registry,
    )


def _compressed(made: Base, media_types: list[str], bench: Workbench) -> Base:
    """*made* with gzip around each layer that has none, as Lambda wants them."""
    found = []
    for layer, media_type in zip(made.layers, media_types, strict=True):
        if media_type.endswith("gzip"):
            found.append(layer)
            continue
        blob = layer.blob()
        with blob.open() as file:
            packing = compression(file.read(4))
        if packing == "zstd":
            raise Refused(
                f"{made.name} has a layer that is compressed with zstd", hint="skopeo copy --dest-compress-format gzip"
            )
        found.append(layer if packing == "gzip" and media_type != DOCKER_LAYER else _gzipped(layer, blob, bench))
    return Base(made.name, made.digest, made.forms, made.document, made.config, tuple(found), made.registry)


def _gzipped(layer: BaseLayer, blob: Blob, bench: Workbench) -> BaseLayer:
    with blob.open() as file:
        data = file.read()
    if compression(data[:4]) is None:
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != layer.diff_id:
            raise Refused(f"layer {layer.diff_id[7:19]} of the base is not what its configuration says")
        data = bytes(deflate.gzip_compress(data, LEVEL))
    digest = hashlib.sha256(data).hexdigest()
    place = bench.scratch / digest
    place.write_bytes(data)
    return BaseLayer(f"sha256:{digest}", len(data), layer.diff_id, lambda: Blob(len(data), lambda: place.open("rb")))


def _present(files: Files, path: str, name: str) -> Blob:
    blob = files.blob(path)
    if blob is None:
        raise Refused(f"{name} lacks {path}", hint="is it whole? copy it again")
    return blob


def _files(path: str, name: str) -> Files:
    if not exists(Path(path)):
        raise UsageError(f"there is no file or folder {path!r}", hint=f"{name} names it as the base")
    try:
        return image_files(Path(path), name)
    except UnreadableInput as error:
        raise Refused(f"{name}: {error.message}", hint=error.hint) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
