"""A plan on a base: the layers, the configuration and the manifest of an image."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lambdalint.aws.images import base_environment, runtime_client
from lambdalint.aws.limits import limit
from lambdalint.errors import Refused
from lambdalint.model.image import Image, ImageKind, ImageLayer
from lambdalint.packager.host import Host
from lambdalint.packager.image.base import ARCHITECTURES, Base
from lambdalint.packager.image.layers import BuiltLayer, layers
from lambdalint.packager.plan import Plan
from lambdalint.packager.times import iso_time
from lambdalint.readers.image.documents import read_config
from lambdalint.readers.image.layers import Blob, read_layer

#: The label with the hash of the function's files, which is the same for its ZIP.
TREE_LABEL: Final = "dev.lambdalint.tree-sha256"

_TASK_ROOT: Final = "LAMBDA_TASK_ROOT"


@dataclass(frozen=True, slots=True, eq=False)
class ImagePlan:
    """An image before it is written: what it rests on, what is added, and its two documents."""

    plan: Plan
    base: Base
    layers: tuple[BuiltLayer, ...]
    config: bytes
    manifest: bytes
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What registries and Lambda call the image by."""
        return digest_of(self.manifest)

    @property
    def config_digest(self) -> str:
        """The digest of the configuration."""
        return digest_of(self.config)

    def described(self, path: str) -> Image:
        """The image as the model has it, for rules to look at; *path* is where it will be.

        What the base holds is not known: its layers may be far away.
        """
        config = read_config(self.config, path)
        below = [
            ImageLayer(layer.digest, self.base.forms.layer, layer.size, layer.diff_id) for layer in self.base.layers
        ]
        own = [
            read_layer(
                ImageLayer(layer.digest, self.base.forms.layer, len(layer.data), layer.diff_id),
                Blob(len(layer.data), partial(io.BytesIO, layer.data)),
            )
            for layer in self.layers
        ]
        return Image(
            path=path,
            kind=ImageKind.PLAN,
            media_type=self.base.forms.manifest,
            digest=self.digest,
            manifest_bytes=len(self.manifest),
            config=config,
            layers=(*below, *own),
            function=self.plan.name,
            architecture=self.plan.target.architecture,
            source=self.plan.source,
        )

    @property
    def packed_bytes(self) -> int:
        """All layers as they are stored."""
        return sum(layer.size for layer in self.base.layers) + sum(len(layer.data) for layer in self.layers)


def digest_of(data: bytes) -> str:
    """The digest of a blob."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def has_runtime_client(base: Base) -> bool:
    """Whether something in *base* answers the Runtime API, as far as its configuration tells."""
    environment = base.config.environment
    started = (*(base.config.entrypoint or ()), *(base.config.command or ()))
    return "LAMBDA_RUNTIME_DIR" in environment or any(runtime_client() in each for each in started)


def image_plan(plan: Plan, base: Base, host: Host) -> ImagePlan:
    """The image of *plan*, whose files include the runtime's client where *base* has none.

    Raises:
        Refused: Lambda would refuse it.
    """
    if plan.handler is None:
        raise Refused(
            f"{plan.name} names no handler, so the image would not know what to run", hint="state its handler"
        )
    root = base.config.environment.get(_TASK_ROOT) or base_environment()[_TASK_ROOT]
    added = layers(plan.entries, root, host, plan.modified_s)
    count = len(base.layers) + len(added)
    if count > limit("image", "layers", "max"):
        raise Refused(f"the image would have {count} layers", hint="take a base with fewer")
    config = _config(plan, base, added, root)
    manifest = {
        "schemaVersion": 2,
        "mediaType": base.forms.manifest,
        "config": {"mediaType": base.forms.config, "digest": digest_of(config), "size": len(config)},
        "layers": [
            {"mediaType": base.forms.layer, "digest": digest, "size": size}
            for digest, size in (
                *((layer.digest, layer.size) for layer in base.layers),
                *((layer.digest, len(layer.data)) for layer in added),
            )
        ],
    }
    return ImagePlan(plan, base, added, config, _json(manifest), _notes(base))


def _notes(base: Base) -> tuple[str, ...]:
    found = []
    if base.registry is not None and base.registry.digest is None:
        found.append(f"the base {base.name} is {base.digest} today; name it by that digest to get the same tomorrow")
    if not has_runtime_client(base):
        found.append(f"the base {base.name} has no runtime client; {runtime_client()} is added and started")
    return tuple(found)


def _config(plan: Plan, base: Base, added: Sequence[BuiltLayer], root: str) -> bytes:
    document: dict[str, Any] = dict(base.document)
    settings = dict(_mapping(document.get("config")))
    settings["Cmd"] = [plan.handler]
    settings["WorkingDir"] = settings.get("WorkingDir") or root
    settings["Labels"] = {**_mapping(settings.get("Labels")), TREE_LABEL: plan.tree_sha256}
    environment = [each for each in settings.get("Env") or [] if isinstance(each, str)]
    if not any(each.startswith(f"{_TASK_ROOT}=") for each in environment):
        environment.append(f"{_TASK_ROOT}={root}")
    settings["Env"] = environment
    if not has_runtime_client(base):
        settings["Entrypoint"] = [_python(plan, base), "-m", runtime_client()]
    rootfs = {
        "type": "layers",
        "diff_ids": [*(layer.diff_id for layer in base.layers), *(layer.diff_id for layer in added)],
    }
    created = iso_time(plan.modified_s)
    made = [{"created": created, "created_by": f"lambdalint package: {layer.title}"} for layer in added]
    document |= {
        "architecture": ARCHITECTURES[plan.target.architecture],
        "os": "linux",
        "created": created,
        "config": settings,
        "rootfs": rootfs,
        "history": [*_history(base, created), *made],
    }
    # What Docker notes about the machine that built the base is nobody's business in what is built on it.
    for name in ("container", "container_config", "docker_version", "id", "parent"):
        document.pop(name, None)
    return _json(document)


def _history(base: Base, created: str) -> list[Mapping[str, Any]]:
    """The base's history; some tools read layers by it, so one that does not fit is replaced."""
    stated = base.document.get("history")
    rows = [row for row in stated if isinstance(row, Mapping)] if isinstance(stated, list) else []
    if sum(row.get("empty_layer") is not True for row in rows) == len(base.layers):
        return rows
    return [{"created": created, "created_by": f"base {base.name}"} for _ in base.layers]


def _python(plan: Plan, base: Base) -> str:
    """The interpreter in the base, by the search path that its processes have."""
    name = f"python{plan.target.python[0]}.{plan.target.python[1]}"
    if "PYTHON_VERSION" in base.config.environment:  # the official images of Python
        return f"/usr/local/bin/{name}"
    return f"/usr/bin/{name}"


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
