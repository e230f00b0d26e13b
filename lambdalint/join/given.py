"""Artifacts that are given for themselves, without anything that declares them.

A function or a layer is made for each.  What neither the command line nor a manifest says of it is ``Unknown``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.artifacts import given_artifact, is_layer
from lambdalint.join.inputs import Said, StatedArtifacts
from lambdalint.join.manifests import Manifest, manifest_beside
from lambdalint.join.properties import NOBODY, Hidden
from lambdalint.join.resource_types import FUNCTION
from lambdalint.model.artifact import Artifact, ArtifactKind
from lambdalint.model.function import Code, CodeKind, Evidence, Function, Layer
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Resource
from lambdalint.model.values import Known, Unknown, Value
from lambdalint.readers.tree import LazyTree, Mounted

_KINDS: Final = {ArtifactKind.ZIP: CodeKind.ZIP, ArtifactKind.FOLDER: CodeKind.FOLDER}


@dataclass(slots=True)
class Given:
    """What the given artifacts make: functions without their code loaded, and layers that belong to no function."""

    functions: list[Function] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)


def given(tree: Mounted, paths: Sequence[str], stated: StatedArtifacts | None, said: Said) -> Given:
    """Functions and layers for the artifacts at *paths*; layers are mounted into *tree*."""
    stated = stated or StatedArtifacts()
    found = Given()
    layers = [layer for path in stated.layers if (layer := _layer(tree, path, stated, said))]
    for path in paths:
        artifact = _read(tree, path, said)
        if artifact is None:
            continue
        if not stated.handler and is_layer(artifact):
            found.layers.append(_as_layer(artifact, stated))
        else:
            function = _function(artifact, manifest_beside(tree, path), stated)
            complete = bool(stated.layers) and len(layers) == len(stated.layers)
            found.functions.append(replace(function, local_layers=tuple(layers), layers_complete=complete))
    if found.functions or not paths:
        found.layers += layers
    return found


def _read(tree: Mounted, path: str, said: Said) -> Artifact | None:
    try:
        return given_artifact(tree, path)
    except UnreadableInput as failure:
        said.failures.append(failure)
        return None


def _layer(tree: Mounted, path: str, stated: StatedArtifacts, said: Said) -> Layer | None:
    artifact = _read(tree, path, said)
    if artifact is None:
        return None
    if artifact.kind is ArtifactKind.ZIP:
        tree.mount(path, LazyTree({entry.path: (entry.size, entry.read) for entry in artifact.entries}))
    return _as_layer(artifact, stated)


def _as_layer(artifact: Artifact, stated: StatedArtifacts) -> Layer:
    at = Span.whole(artifact.path or ".")
    path = artifact.path
    return Layer(
        name=_stem(path),
        span=at,
        code=Code(_KINDS[artifact.kind], at, path, path),
        artifact=replace(artifact, runtime=stated.runtime, architecture=stated.architecture, layer=True),
    )


def _function(artifact: Artifact, manifest: Manifest | None, stated: StatedArtifacts) -> Function:
    path, at = artifact.path, Span.whole(artifact.path or ".")
    hidden: Value[Any] = Unknown(NOBODY, at)
    name = manifest.name if manifest else _stem(path)
    runtime = stated.runtime or (manifest.runtime if manifest else None)
    architecture = stated.architecture or (manifest.architecture if manifest else None)
    handler = stated.handler or (manifest.handler if manifest else None)
    return Function(
        name=name,
        span=at,
        template=None,
        dialect=Dialect.NONE,
        resource=Resource(name, FUNCTION, Hidden(NOBODY, at), at, at),
        runtime=Known(runtime, at) if runtime else hidden,
        handler=Known(handler, at) if handler else hidden,
        memory_mb=hidden,
        timeout_s=hidden,
        ephemeral_mb=hidden,
        architectures=Known((Known(architecture, at),), at) if architecture else hidden,
        env=hidden,
        layers=hidden,
        network=Unknown(NOBODY, at),
        role=Unknown(NOBODY, at),
        code=Code(_KINDS[artifact.kind], at, path, path),
        triggers_complete=False,
        evidence=Evidence.CONFIGURATION,
        artifact=replace(artifact, function=name, runtime=runtime, architecture=architecture),
    )


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".zip") or "function"
