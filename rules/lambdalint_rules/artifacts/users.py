"""Who runs with an artifact."""

from collections.abc import Iterator

from lambdalint.rule import Artifact, Function, Project


def functions_of(artifact: Artifact, project: Project) -> Iterator[Function]:
    """The functions that have *artifact* as their package or as a layer; several may share one."""
    for function in project.functions:
        own = function.artifact
        if (own is not None and own.path == artifact.path and not artifact.layer) or (
            artifact.layer
            and any(
                layer.artifact is not None and layer.artifact.path == artifact.path for layer in function.local_layers
            )
        ):
            yield function
