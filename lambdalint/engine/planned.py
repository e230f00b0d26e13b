"""Packages that are not written yet, judged in the place of what they are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lambdalint.model.artifact import Artifact
from lambdalint.model.function import Layer
from lambdalint.model.image import Image
from lambdalint.model.project import Project


@dataclass(frozen=True, slots=True)
class Planned:
    """What is not written yet: artifacts by the names of their functions and layers, and images.

    *attached* are layers that functions get besides those that they have.
    """

    functions: Mapping[str, Artifact] = field(default_factory=dict)
    layers: Mapping[str, Artifact] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    attached: Mapping[str, tuple[Layer, ...]] = field(default_factory=dict)


def with_plans(project: Project, planned: Planned) -> Project:
    """*project* with what is planned in the place of source folders; of artifacts, the plans and layers alone."""
    layers = {
        id(layer): replace(layer, artifact=planned.layers.get(layer.name, layer.artifact)) for layer in project.layers
    }
    functions = tuple(
        replace(
            function,
            artifact=planned.functions.get(function.name, function.artifact),
            local_layers=(
                *(layers.get(id(layer), layer) for layer in function.local_layers),
                *planned.attached.get(function.name, ()),
            ),
        )
        for function in project.functions
    )
    attached = {id(layer): layer for each in planned.attached.values() for layer in each}
    every = (*layers.values(), *attached.values())
    kept = [layer.artifact for layer in every if layer.artifact]
    return replace(
        project,
        functions=functions,
        layers=every,
        artifacts=(*kept, *planned.functions.values()),
        images=planned.images,
    )
