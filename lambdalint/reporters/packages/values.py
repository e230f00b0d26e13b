"""What the formats that hold nothing else say of each package that was written."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lambdalint.errors import UsageError
from lambdalint.reporters.packages.document import Package, Packaging

#: No name of a variable, anywhere.
_ODD: Final = re.compile(r"[^0-9A-Za-z]+")
#: The facts that templates of CloudFormation get, as its properties are called.
_PARAMETERS: Final = {
    "path": "Path",
    "sha256": "Sha256",
    "sha256_base64": "CodeSha256",
    "image_digest": "ImageDigest",
    "image_uri": "ImageUri",
}


def written(packaging: Packaging) -> Iterator[Package]:
    """The packages that there are now; what is planned only, or refused, is none."""
    return (package for package in packaging.packages if package.sha256 is not None)


def values(package: Package) -> Mapping[str, str]:
    """Facts about *package* by names that any language takes; what it does not have has none."""
    facts = {
        "path": package.path,
        "sha256": package.sha256 if package.is_file else None,
        "sha256_base64": package.sha256_base64 if package.is_file else None,
        "tree_sha256": package.tree_sha256,
        "image_digest": package.image_digest,
        "image_uri": package.image_uri,
        "handler": package.handler,
        "runtime": package.runtime,
        "architecture": package.architecture,
    }
    return {name: value for name, value in facts.items() if value is not None}


def flat(packaging: Packaging) -> Mapping[str, str]:
    """All facts in one mapping, each after the name of its package, ``Orders_path``.

    Of one function that was asked for alone they go by their own names, ``path``.

    Raises:
        UsageError: facts of two packages would have the same name.
    """
    packages = list(written(packaging))
    if len(packaging.asked) == 1 and len(packages) == 1:
        return values(packages[0])
    return _distinct(
        (f"{_name(_ODD.sub('_', package.name).strip('_'))}_{fact}", value, package)
        for package in packages
        for fact, value in values(package).items()
    )


def parameters(packaging: Packaging) -> Mapping[str, str]:
    """What a template of CloudFormation may want to know, by names that its parameters can have.

    Raises:
        UsageError: facts of two packages would have the same name.
    """
    return _distinct(
        (f"{_name(_ODD.sub('', package.name))}{_PARAMETERS[fact]}", value, package)
        for package in written(packaging)
        for fact, value in values(package).items()
        if fact in _PARAMETERS
    )


def _name(text: str) -> str:
    return text if text and not text[0].isdigit() else f"f{text}"


def _distinct(facts: Iterable[tuple[str, str, Package]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    owners: dict[str, Package] = {}
    for name, value, package in facts:
        other = owners.setdefault(name, package)
        if other is not package:
            raise UsageError(
                f"facts about {other.name} and {package.name} would both be called {name}",
                hint="package them one at a time, with --function",
            )
        found[name] = value
    return found
