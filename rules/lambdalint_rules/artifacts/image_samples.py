"""Small images for examples, made when an example is run, and the templates that name them."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

PACKED: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
      ImageUri: orders.tar{mark}
"""
BUILT: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
    Metadata:
      DockerContext: src
      Dockerfile: Dockerfile
"""
APP: Final = "def handler(event, context):\n    return {}\n"
AWS_BASE: Final = "FROM public.ecr.aws/lambda/python:3.13\n"

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"

#: What the images of AWS with Python set.
SETTINGS: Final[Mapping[str, Any]] = {
    "Env": [
        "LAMBDA_TASK_ROOT=/var/task",
        "LAMBDA_RUNTIME_DIR=/var/runtime",
        "PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task/lib:/opt/lib",
    ],
    "Entrypoint": ["/lambda-entrypoint.sh"],
    "Cmd": ["app.handler"],
    "WorkingDir": "/var/task",
}
_RUNTIME: Final[Mapping[str, tuple[bytes, int]]] = {
    "lambda-entrypoint.sh": (b"#!/bin/sh\nexec /var/runtime/bootstrap\n", 0o755),
    "bin/sh": (b"\x7fELF", 0o755),
    "var/lang/bin/python3.13": (b"\x7fELF", 0o755),
    "var/runtime/bootstrap": (b"#!/bin/sh\nexec /var/lang/bin/python3.13 /var/runtime/bootstrap.py\n", 0o755),
}


def dockerfile_project(dockerfile: str, app: str = APP, **more: str) -> dict[str, str]:
    """A project of one function whose image is built from *dockerfile*."""
    return {"template.yaml": BUILT, "src/Dockerfile": dockerfile, "src/app.py": app, **more}


def layer(files: Mapping[str, tuple[bytes, int]], *, folders: Mapping[str, int] | None = None) -> bytes:
    """A layer with *files* as content and mode; every folder on the way has a record of its own, of mode 0755.

    *folders* have other modes, ``-1`` for no record at all.
    """
    made: dict[str, int] = {}
    for path in files:
        parts = path.split("/")[:-1]
        made.update({"/".join(parts[: depth + 1]): 0o755 for depth in range(len(parts))})
    made.update(folders or {})
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, mode in sorted(made.items()):
            if mode >= 0:
                archive.addfile(_record(path, mode, tarfile.DIRTYPE))
        for path, (content, mode) in files.items():
            record = _record(path, mode, tarfile.REGTYPE)
            record.size = len(content)
            archive.addfile(record, io.BytesIO(content))
    return stream.getvalue()


def runtime_layer() -> bytes:
    """The base: what the images of AWS have, without what is in it."""
    return layer(_RUNTIME)


def task_layer(app: str = APP, mode: int = 0o644) -> bytes:
    """A layer with the handler's module."""
    return layer({"var/task/app.py": (app.encode(), mode)})


def with_native(files: Mapping[str, bytes]) -> bytes:
    """An image with these files besides the handler."""
    return image([runtime_layer(), task_layer(), layer({path: (content, 0o755) for path, content in files.items()})])


def image(
    layers: Sequence[bytes] | None = None,
    *,
    architecture: str = "amd64",
    system: str = "linux",
    settings: Mapping[str, Any] | None = None,
    media_type: str = MANIFEST,
    layer_type: str = LAYER,
    packed: bool = True,
    history: Iterable[Mapping[str, Any]] = (),
) -> bytes:
    """An OCI layout with one image, as a tar archive; *settings* are changes of those of AWS's images."""
    layers = [runtime_layer(), task_layer()] if layers is None else layers
    config = {
        "architecture": architecture,
        "os": system,
        "config": {**SETTINGS, **(settings or {})},
        "rootfs": {"type": "layers", "diff_ids": [_digest(each) for each in layers]},
        "history": list(history),
    }
    made = [gzip.compress(each, mtime=0) if packed else each for each in layers]
    config_data = json.dumps(config).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": _descriptor(config_data, "application/vnd.oci.image.config.v1+json"),
            "layers": [_descriptor(each, layer_type) for each in made],
        }
    ).encode()
    return _layout(manifest, media_type, [config_data, manifest, *made])


def index(*platforms: str) -> bytes:
    """An OCI layout whose image is an index of several, as a tar archive."""
    manifests = []
    for name in platforms:
        system, _, architecture = name.partition("/")
        row = _descriptor(name.encode(), MANIFEST)
        manifests.append({**row, "platform": {"os": system, "architecture": architecture}})
    data = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode()
    return _layout(data, INDEX, [data])


def _layout(top: bytes, media_type: str, blobs: Iterable[bytes]) -> bytes:
    listed = {"schemaVersion": 2, "manifests": [_descriptor(top, media_type)]}
    files = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps(listed).encode(),
        **{f"blobs/{_digest(blob).replace(':', '/')}": blob for blob in blobs},
    }
    return layer({path: (content, 0o644) for path, content in files.items()})


def _record(path: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    record = tarfile.TarInfo(path)
    record.type, record.mode = kind, mode
    return record


def _descriptor(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
