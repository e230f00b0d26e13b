"""How sure a finding about files is, by whether a handler imports them."""

from collections.abc import Iterable

from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Artifact, Confidence, Entry


def confidence(
    imports: PackageImports, artifact: Artifact, entries: Iterable[Entry], full: Confidence = Confidence.HIGH
) -> Confidence:
    """*full*, and one step less where no handler that runs with *artifact* reaches any of *entries*."""
    return full.lower if all(imports.unreached(artifact, entry) for entry in entries) else full
