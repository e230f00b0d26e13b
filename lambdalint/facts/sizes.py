"""How much Lambda unpacks for a function, and what of it belongs to whom."""

from collections import Counter
from dataclasses import dataclass

from lambdalint.facts.distributions import Distributions
from lambdalint.model.artifact import Artifact, ArtifactKind
from lambdalint.model.function import Function


@dataclass(frozen=True, slots=True)
class UnpackedSizes:
    """Bytes after unpacking; *complete* is false when there may be more: a layer, or code, that nobody can see.

    Of an image, which is limited as a whole, they are those of its own part.
    """

    function_bytes: int
    layer_bytes: int
    complete: bool
    artifacts: tuple[Artifact, ...]
    is_image: bool

    @classmethod
    def of(cls, function: Function) -> "UnpackedSizes":
        own = function.artifact
        layers = tuple(layer.artifact for layer in function.local_layers if layer.artifact)
        return cls(
            function_bytes=own.unpacked_bytes if own else 0,
            layer_bytes=sum(layer.unpacked_bytes for layer in layers),
            complete=own is not None and function.layers_complete and len(layers) == len(function.local_layers),
            artifacts=(*((own,) if own else ()), *layers),
            is_image=function.image or (own is not None and own.kind is ArtifactKind.IMAGE),
        )

    @property
    def total_bytes(self) -> int:
        """Function and layers together."""
        return self.function_bytes + self.layer_bytes

    def largest(self, count: int) -> tuple[tuple[str, int], ...]:
        """The *count* largest distributions, or top-level names where none is known, with their bytes."""
        sizes: Counter[str] = Counter()
        for artifact in self.artifacts:
            distributions = Distributions.of(artifact)
            for entry in artifact.entries:
                known = distributions.of_entry(entry)
                sizes[known.partition(" ")[0] if known else _top(entry.path, artifact.layer)] += entry.size
        return tuple(sizes.most_common(count))


def _top(path: str, layer: bool) -> str:
    """The folder or file at the root, in a layer below the folders that Lambda itself looks into."""
    parts = path.split("/")
    while (
        layer and len(parts) > 1 and (parts[0] in ("python", "lib", "site-packages") or parts[0].startswith("python3"))
    ):
        parts.pop(0)
    return parts[0]
