"""Manifests, indexes and configurations: the JSON documents of an image.

Source: https://github.com/opencontainers/image-spec/blob/main/manifest.md
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.image import History, ImageConfig, ImageLayer, Platform

#: Registries take manifests of 4 MB at most; configurations with a long history have some 100 KB.
MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
MAX_LAYERS: Final = 1_000

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
INDEXES: Final = (OCI_INDEX, DOCKER_LIST)

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to a blob; *platform* is ``os/architecture`` where an index says so."""

    digest: str
    size: int
    media_type: str
    platform: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest; *config* is ``None`` and *layers* are empty in an index, whose *images* are empty in a manifest."""

    media_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    images: tuple[Descriptor, ...]

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """What an index lists."""
        return tuple(Platform(image.platform or "unknown", image.digest) for image in self.images)


def read_manifest(data: bytes, path: str, media_type: str | None = None) -> Manifest:
    """The manifest or index in *data*; *media_type* is what the reference to it says it is.

    Raises:
        UnreadableInput: it is neither.
    """
    document = _document(data, path, "manifest")
    stated = document.get("mediaType")
    kind = stated if isinstance(stated, str) else media_type
    if document.get("schemaVersion") == 1:
        return Manifest("application/vnd.docker.distribution.manifest.v1+json", None, (), ())
    if isinstance(document.get("manifests"), list):
        images = tuple(_descriptor(each, path) for each in document["manifests"][:MAX_LAYERS])
        return Manifest(kind or OCI_INDEX, None, (), images)
    if not isinstance(document.get("config"), Mapping) or not isinstance(document.get("layers"), list):
        raise UnreadableInput("this is no manifest of an image: it names no configuration and layers", path=path)
    layers = document["layers"]
    if len(layers) > MAX_LAYERS:
        raise UnreadableInput(f"the manifest names {len(layers):,} layers", path=path)
    return Manifest(
        kind or OCI_MANIFEST,
        _descriptor(document["config"], path),
        tuple(_descriptor(each, path) for each in layers),
        (),
    )


def read_config(data: bytes, path: str) -> ImageConfig:
    """The configuration in *data*; what has another form than it should is as good as absent.

    Raises:
        UnreadableInput: it is no JSON object.
    """
    document = _document(data, path, "configuration")
    settings = _mapping(document.get("config"))
    rootfs = _mapping(document.get("rootfs"))
    history = document.get("history")
    environment = [each.partition("=") for each in _texts(settings.get("Env")) or ()]
    return ImageConfig(
        architecture=_name(document.get("architecture")),
        os=_name(document.get("os")),
        environment={name: value for name, _, value in environment},
        entrypoint=_texts(settings.get("Entrypoint")),
        command=_texts(settings.get("Cmd")),
        working_dir=_name(settings.get("WorkingDir")),
        user=_name(settings.get("User")),
        labels={str(name): str(value) for name, value in _mapping(settings.get("Labels")).items()},
        diff_ids=_texts(rootfs.get("diff_ids")) or (),
        history=tuple(_history(each) for each in history) if isinstance(history, list) else (),
        created=_day(document.get("created")),
        settings_bytes=len(json.dumps(settings).encode("utf-8", "surrogatepass")),
    )


def layers_of(manifest: Manifest, config: ImageConfig | None) -> tuple[ImageLayer, ...]:
    """The layers of *manifest*, not read yet."""
    diff_ids: Sequence[str | None] = config.diff_ids if config else ()
    missing = len(manifest.layers) - len(diff_ids)
    padded = [*diff_ids, *[None] * max(missing, 0)]
    return tuple(
        ImageLayer(layer.digest, layer.media_type, layer.size, diff_id)
        for layer, diff_id in zip(manifest.layers, padded, strict=False)
    )


def _document(data: bytes, path: str, what: str) -> dict[str, Any]:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise UnreadableInput(f"the {what} has {len(data):,} bytes", path=path)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(f"the {what} is no JSON: {str(error)[:200]}", path=path) from error
    if not isinstance(document, dict):
        raise UnreadableInput(f"the {what} is no JSON object", path=path)
    return document


def _descriptor(node: Any, path: str) -> Descriptor:
    fields = _mapping(node)
    digest, size, media_type = fields.get("digest"), fields.get("size"), fields.get("mediaType")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not isinstance(size, int) or size < 0:
        raise UnreadableInput("the manifest refers to a blob without a digest or size", path=path)
    platform = _mapping(fields.get("platform"))
    named = f"{platform.get('os')}/{platform.get('architecture')}" if platform else ""
    annotations = _mapping(fields.get("annotations"))
    name = annotations.get("org.opencontainers.image.ref.name")
    return Descriptor(digest, size, media_type if isinstance(media_type, str) else "", named, str(name or ""))


def _history(node: Any) -> History:
    fields = _mapping(node)
    return History(str(fields.get("created_by") or ""), fields.get("empty_layer") is True)


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}


def _texts(node: Any) -> tuple[str, ...] | None:
    return tuple(map(str, node)) if isinstance(node, list) else None


def _name(node: Any) -> str | None:
    return node if isinstance(node, str) and node else None


def _day(node: Any) -> date | None:
    try:
        return date.fromisoformat(node[:10]) if isinstance(node, str) else None
    except ValueError:
        return None
