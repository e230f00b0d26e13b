"""Images on disk and in registries; one that is not whole is seen by nobody."""

import base64
import gzip
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from lambdalint.packager.host import Progress, silent
from lambdalint.packager.image.base import BaseLayer, Workbench
from lambdalint.packager.image.build import ImagePlan
from lambdalint.packager.image.reference import Reference, reference
from lambdalint.packager.image.registry import Registry
from lambdalint.packager.manifest import manifest, rendered
from lambdalint.packager.write import DOCKER_ARCHIVE, OCI_LAYOUT, Written, check_ours, whole
from lambdalint.readers.image.layers import Blob

_TAG: Final = "latest"
_CHUNK: Final = 1 << 20
_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to: the digest, and how many layers and bytes had to be sent, of how many."""

    reference: str
    digest: str
    sent_layers: int
    all_layers: int
    sent_bytes: int


def deliver(image: ImagePlan, to: str, folder: Path, bench: Workbench) -> Written:
    """Write or push *image* to the place that *to* says, and its manifest into *folder*.

    Raises:
        UsageError: *to* is no such place.
        Refused: it cannot be written or pushed.
    """
    plan = image.plan
    manifest_path = folder / f"{plan.stem}.json"
    check_ours(manifest_path)
    notes: tuple[str, ...] = ()
    uri = None
    if to == OCI_LAYOUT:
        path = folder / f"{plan.stem}.oci"
        write_layout(image, path, _TAG, bench.progress)
    elif to == DOCKER_ARCHIVE:
        path = folder / f"{plan.stem}.tar"
        write_docker_archive(image, path, f"{plan.stem.lower()}:{_TAG}", bench.progress)
    else:
        path = Path(to)
        place = reference(to)
        pushed = push(image, place, bench)
        uri = f"{place.host}/{place.repository}@{image.digest}"
        notes = (f"{pushed.sent_layers} of {pushed.all_layers} layers were sent, {pushed.sent_bytes:,} bytes",)
    digest = bytes.fromhex(image.digest.removeprefix("sha256:"))
    document = manifest(plan, sha256=digest, packed_bytes=image.packed_bytes)
    document["image"] = {"digest": image.digest, "base": image.base.name, "base_digest": image.base.digest}
    with whole(manifest_path) as (listing,):
        listing.write_bytes(rendered(document))
    return Written(
        path=path,
        manifest_path=manifest_path,
        sha256=digest.hex(),
        sha256_base64=base64.b64encode(digest).decode(),
        packed_bytes=image.packed_bytes,
        unpacked_bytes=plan.unpacked_bytes,
        notes=notes,
        image_uri=uri,
    )


def write_layout(image: ImagePlan, place: Path, tag: str, progress: Progress = silent) -> None:
    """Write *image* as an OCI layout into the folder *place*, in place of what is there.

    Raises:
        Refused: it cannot be written.
    """
    with whole(place) as (scratch,):
        blobs = scratch / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        total = len(image.base.layers) + len(image.layers)
        for done, (digest, blob) in enumerate(_layers(image), 1):
            with blob.open() as source, (blobs / digest.removeprefix("sha256:")).open("wb") as target:
                shutil.copyfileobj(source, target, _CHUNK)
            progress("write", image.plan.name, done, total)
        for digest, data in ((image.config_digest, image.config), (image.digest, image.manifest)):
            (blobs / digest.removeprefix("sha256:")).write_bytes(data)
        entry = {
            "mediaType": image.base.forms.manifest,
            "digest": image.digest,
            "size": len(image.manifest),
            "annotations": {"org.opencontainers.image.ref.name": tag},
        }
        (scratch / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [entry]}))
        (scratch / "oci-layout").write_bytes(_LAYOUT)


def write_docker_archive(image: ImagePlan, place: Path, name: str, progress: Progress = silent) -> None:
    """Write *image* as ``docker load`` takes it into the file *place*, under the *name* ``REPOSITORY:TAG``.

    Raises:
        Refused: it cannot be written.
    """
    with whole(place) as (scratch,), tarfile.open(scratch, "w", format=tarfile.USTAR_FORMAT) as archive:
        modified_s = image.plan.modified_s
        diff_ids = [layer.diff_id for layer in image.base.layers] + [layer.diff_id for layer in image.layers]
        names = [f"{diff_id.removeprefix('sha256:')}.tar" for diff_id in diff_ids]
        written: set[str] = set()
        for done, (name_of_layer, (_, blob)) in enumerate(zip(names, _layers(image), strict=True), 1):
            if name_of_layer not in written:
                written.add(name_of_layer)
                _add_unpacked(archive, name_of_layer, blob, modified_s)
            progress("write", image.plan.name, done, len(names))
        config_name = f"{image.config_digest.removeprefix('sha256:')}.json"
        _add(archive, config_name, io.BytesIO(image.config), len(image.config), modified_s)
        listed = _json([{"Config": config_name, "RepoTags": [name], "Layers": names}])
        _add(archive, "manifest.json", io.BytesIO(listed), len(listed), modified_s)


def push(image: ImagePlan, to: Reference, bench: Workbench) -> Pushed:
    """Put *image* into a registry; what it has already is not sent, and what another of its repositories has neither.

    Raises:
        Refused: the registry does not take it.
    """
    registry = Registry(to, bench.web, bench.host.environment, bench.progress)
    base = image.base
    mount = base.registry.repository if base.registry is not None and base.registry.api == to.api else None
    sent_layers = sent_bytes = 0
    for layer in base.layers:
        # A blob of the base is fetched only if the registry has it nowhere.
        if registry.push(layer.digest, Blob(layer.size, partial(_opened, layer)), mount) == "pushed":
            sent_layers += 1
            sent_bytes += layer.size
    own = [(layer.digest, layer.data) for layer in image.layers]
    for digest, data in (*own, (image.config_digest, image.config)):
        if registry.push(digest, _bytes(data)) == "pushed":
            sent_layers += digest != image.config_digest
            sent_bytes += len(data)
    digest = registry.push_manifest(image.manifest, image.base.forms.manifest)
    return Pushed(str(to), digest, sent_layers, len(base.layers) + len(image.layers), sent_bytes + len(image.manifest))


def _layers(image: ImagePlan) -> Iterator[tuple[str, Blob]]:
    for below in image.base.layers:
        yield below.digest, below.blob()
    for own in image.layers:
        yield own.digest, _bytes(own.data)


def _opened(layer: BaseLayer) -> BinaryIO:
    return layer.blob().open()


def _bytes(data: bytes) -> Blob:
    return Blob(len(data), lambda: io.BytesIO(data))


def _add_unpacked(archive: tarfile.TarFile, name: str, blob: Blob, modified_s: int) -> None:
    with tempfile.TemporaryFile() as whole:
        with blob.open() as packed, gzip.open(packed) as data:
            shutil.copyfileobj(data, whole, _CHUNK)
        size = whole.tell()
        whole.seek(0)
        _add(archive, name, cast("BinaryIO", whole), size, modified_s)


def _add(archive: tarfile.TarFile, name: str, data: BinaryIO, size: int, modified_s: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, modified_s, 0o644
    archive.addfile(info, data)


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
