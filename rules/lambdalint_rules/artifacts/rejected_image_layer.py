"""Lambda is stricter about layers than Docker, and names one defect an attempt.

Layers under Docker's media types have to be compressed with gzip; every folder of a record has to have a record itself,
in this layer or one below; hashes, the configuration and its history have to agree.  Docker, podman and the emulator
take what breaks this, so nothing is seen before the deployment.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from functools import partial
from typing import Final

from lambdalint.aws.images import layer_rules
from lambdalint.aws.limits import limit
from lambdalint.rule import Confidence, Image, ImageKind, ImageLayer, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.image_samples import PACKED, image, layer, runtime_layer, task_layer

BAD = PACKED.format(mark="  # finding")
GOOD = PACKED.format(mark="")
DOCKER: Final = "application/vnd.docker.image.rootfs.diff.tar"
MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"


def without_folder() -> bytes:
    """A layer that has no record for a folder of its own."""
    files = {"var/task/app.py": (b"", 0o644), "var/task/lib/rates.py": (b"", 0o644)}
    return image([runtime_layer(), layer(files, folders={"var/task/lib": -1})])


def folder_below() -> bytes:
    """Layers of which the upper one leaves out folders that the lower one has."""
    files = {"var/task/app.py": (b"", 0o644)}
    return image([runtime_layer(), task_layer(), layer(files, folders={"var": -1, "var/task": -1})])


@rule(
    "LO003",
    "rejected-image-layer",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": BAD,
            "orders.tar": partial(image, media_type=MANIFEST, layer_type=DOCKER, packed=False),
        },
        {"template.yaml": BAD, "orders.tar": without_folder},
        {"template.yaml": BAD, "orders.tar": partial(image, history=[{"created_by": "COPY . ."}])},
    ),
    good=(
        {"template.yaml": GOOD, "orders.tar": image},
        {"template.yaml": GOOD, "orders.tar": partial(image, media_type=MANIFEST, layer_type=f"{DOCKER}.gzip")},
        {
            "template.yaml": GOOD,
            "orders.tar": partial(image, packed=False, layer_type="application/vnd.oci.image.layer.v1.tar"),
        },
        {"template.yaml": GOOD, "orders.tar": folder_below},
    ),
)
def check(image: Image) -> Problems:
    if image.config is None:
        return
    most = limit("image", "layers", "max")
    if len(image.layers) > most:
        yield Problem(
            image.place,
            f"the image has {len(image.layers)} layers; {most} are what overlay file systems take",
            confidence=Confidence.MEDIUM,
        )
    yield from _documents(image)
    folders = {""}
    for number, one in enumerate(image.layers, 1):
        yield from _form(image, one, number)
        yield from _folders(image, one, number, folders)


def _documents(image: Image) -> Problems:
    config = image.config
    assert config is not None
    if len(config.diff_ids) != len(image.layers):
        yield Problem(
            image.place,
            f"the configuration names {len(config.diff_ids)} layers; the manifest has {len(image.layers)}",
        )
    made = sum(not each.is_empty for each in config.history)
    if config.history and made != len(image.layers):
        yield Problem(
            image.place, f"the history tells of {made} layers; there are {len(image.layers)}", hint="build it anew"
        )


def _form(image: Image, layer: ImageLayer, number: int) -> Problems:
    rules = layer_rules()
    for damage in layer.damages:
        if layer.packing != "zstd":
            yield Problem(image.place, f"layer {number} is damaged: {damage}", hint="build or copy it anew")
            return
    if layer.diff_id and layer.measured_diff_id and layer.diff_id != layer.measured_diff_id:
        yield Problem(
            image.place,
            f"layer {number} unpacks to {layer.measured_diff_id[:19]}; the configuration says {layer.diff_id[:19]}",
            hint="build or copy it anew",
        )
    if layer.media_type in rules.foreign:
        yield Problem(
            image.place,
            f"layer {number} is a foreign one, which registries need not have: {rules.not_gzip}",
            hint="push it with the layer in it",
        )
    elif layer.packing == "zstd" or layer.media_type.endswith("zstd"):
        yield Problem(
            image.place,
            f"layer {number} is compressed with zstd; Lambda is known to take gzip",
            hint="build with compression=gzip, or skopeo copy --dest-compress-format gzip",
            confidence=Confidence.LOW,
        )
    elif (
        layer.media_type.startswith(rules.docker_prefix)
        and image.kind is not ImageKind.DOCKER_ARCHIVE
        and (layer.media_type != rules.docker or layer.packing == "")
    ):
        yield Problem(
            image.place,
            f"layer {number} is an uncompressed tar under the Docker media type: {rules.not_gzip}",
            hint="compress it with gzip, or take the OCI's media types",
        )


def _folders(image: Image, layer: ImageLayer, number: int, folders: set[str]) -> Problems:
    """Look for records without a folder; *folders* are the paths so far."""
    entries = layer.entries
    if entries is None or layer.measured_diff_id is None:
        folders.add("?")  # what is in a layer that was not read may be any folder
        return
    folders.update(entry.path for entry in entries if not entry.is_whiteout)
    if "?" in folders:
        return
    lost = [
        entry
        for entry in entries
        if not entry.is_whiteout and entry.path and entry.path.rpartition("/")[0] not in folders
    ]
    if lost:
        folder = lost[0].path.rpartition("/")[0]
        more = f" and {len(lost) - 1:,} more records" if len(lost) > 1 else ""
        yield Problem(
            image.place,
            f"layer {number} has no record for the folder {folder} of {lost[0].path}{more}: "
            f"{layer_rules().without_folder}",
            hint="let tar write the folders as well, or lambdalint package",
        )
        folders.update(entry.path.rpartition("/")[0] for entry in lost)
