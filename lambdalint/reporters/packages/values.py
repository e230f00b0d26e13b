"""What the formats that hold nothing else say of each package that was written."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from lambdalint.errors import UsageError
from lambdalint.reporters.packages.document import Package, Packaging

#: No name of a variable, anywhere.
_ODD: Final = re.compile(r"[^0-9A-Za-z]+")


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
        UsageError: two packages would have the same name.
    """
    packages = list(written(packaging))
    if len(packaging.asked) == 1 and len(packages) == 1:
        return values(packages[0])
    named = _named(packages, lambda name: _ODD.sub("_", name).strip("_"))
    return {f"{name}_{key}": value for name, package in named.items() for key, value in values(package).items()}


def parameters(packaging: Packaging) -> Mapping[str, str]:
    """What a template of CloudFormation may want to know, by names that its parameters can have.

    Raises:
        UsageError: two packages would have the same name.
    """
    named = _named(written(packaging), lambda name: _ODD.sub("", name))
    facts = {
        "Path": "path",
        "Sha256": "sha256",
        "CodeSha256": "sha256_base64",
        "ImageDigest": "image_digest",
        "ImageUri": "image_uri",
    }
    return {
        f"{name}{ours}": known[theirs]
        for name, package in named.items()
        for known in (values(package),)
        for ours, theirs in facts.items()
        if theirs in known
    }


def _named(packages: Iterable[Package], name_of: Callable[[str], str]) -> Mapping[str, Package]:
    found: dict[str, Package] = {}
    for package in packages:
        name = name_of(package.name)
        name = name if name and not name[0].isdigit() else f"f{name}"
        other = found.setdefault(name, package)
        if other is not package:
            raise UsageError(
                f"{other.name} and {package.name} would both be called {name}",
                hint="package them one at a time, with --function",
            )
    return found
