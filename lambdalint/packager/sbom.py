"""What is in a package, as CycloneDX has it: the function, the distributions and their files.

Nothing in it depends on the machine or the day, like all else that is written of a plan.

Source: https://cyclonedx.org/docs/1.6/json/
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import Refused, UsageError
from lambdalint.facts.installed import Installed, InstalledDistribution
from lambdalint.packager.plan import SOURCE, Distribution, Kind, Plan, PlannedEntry
from lambdalint.packager.target import Target

if TYPE_CHECKING:
    from cyclonedx.model import HashType
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License

    from lambdalint.packager.image.base import Base

#: A longer one is the text of a licence rather than its name.
_MAX_LICENCE_CHARACTERS: Final = 100
_CLASSIFIER: Final = "License :: "


def check_library() -> None:
    """Make sure that bills of materials can be written.

    Raises:
        UsageError: the library that writes them is not installed.
    """
    if find_spec("cyclonedx") is None:
        raise UsageError(
            "cyclonedx-python-lib, which writes bills of materials, is not installed",
            hint="pip install 'lambdalint[sbom]'",
        )


def sbom(plan: Plan, sha256: str, base: "Base | None" = None) -> bytes:
    """The bill of materials of what was written from *plan*: an archive with that hash, or the image on *base*.

    The function depends on what no other distribution in its package asks for, the others as their metadata says.
    """
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository
    from cyclonedx.output.json import JsonV1Dot6

    files: dict[str, list[PlannedEntry]] = {}
    for entry in plan.entries:
        files.setdefault(entry.owner, []).append(entry)
    facts = {
        "architecture": plan.target.architecture,
        "handler": plan.handler,
        "kind": plan.kind.value,
        "runtime": plan.target.runtime,
        "tree-sha256": plan.tree_sha256,
    }
    root = Component(
        name=plan.name,
        type=ComponentType.CONTAINER if plan.kind is Kind.IMAGE else ComponentType.APPLICATION,
        bom_ref=f"package:{plan.name}",
        hashes=[] if plan.kind is Kind.DIR else [_sha256(sha256)],
        properties=[Property(name=f"lambdalint:{name}", value=value) for name, value in facts.items() if value],
        components=_files(files.get(SOURCE, ())),
    )
    installed = Installed.of(plan.artifact()).by_key
    described = {each.name: installed.get(each.name, ()) for each in plan.distributions}
    components = {
        each.name: _distribution(each, described[each.name], files.get(f"{each.name} {each.version}", ()))
        for each in plan.distributions
    }
    below = [_base(base)] if base is not None else []
    bom = Bom(
        components=[*components.values(), *below],
        serial_number=uuid5(NAMESPACE_URL, f"lambdalint:{plan.kind.value}:{plan.name}:{plan.tree_sha256}"),
        metadata=BomMetaData(
            component=root,
            timestamp=datetime.fromtimestamp(plan.modified_s, UTC),
            tools=ToolRepository(
                components=[
                    Component(
                        name="lambdalint",
                        version=version("lambdalint"),
                        type=ComponentType.APPLICATION,
                        bom_ref="tool:lambdalint",
                    )
                ]
            ),
        ),
    )
    graph = _graph(described, plan.target)
    bom.register_dependency(root, [*(components[name] for name in _roots(graph)), *below])
    for name, needed in graph.items():
        bom.register_dependency(components[name], [components[other] for other in needed])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    if plan.epoch is None:
        del document["metadata"]["timestamp"]  # nobody wants it to have one
    return json.dumps(document, indent=2).encode() + b"\n"


def _distribution(
    known: Distribution, installed: Iterable[InstalledDistribution], files: Iterable[PlannedEntry]
) -> "Component":
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    purl = PackageURL("pypi", None, known.name, known.version)
    hashes = [_sha256(known.sha256)]
    places = [] if known.url is None else [XsUri(known.url)]
    return Component(
        name=known.name,
        version=known.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=hashes,
        licenses=next((found for each in installed if (found := _licences(each))), ()),
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=place, hashes=hashes) for place in places
        ],
        components=_files(files),
    )


def _files(entries: Iterable[PlannedEntry]) -> "list[Component]":
    from cyclonedx.model.component import Component, ComponentType

    return [
        Component(
            name=entry.path,
            type=ComponentType.FILE,
            bom_ref=f"file:{entry.path}",
            hashes=[_sha256(entry.member.sha256)],
        )
        for entry in entries
    ]


def _base(base: "Base") -> "Component":
    from cyclonedx.model.component import Component, ComponentType

    digest = base.digest.removeprefix("sha256:")
    return Component(
        name=base.name,
        version=base.digest,
        type=ComponentType.CONTAINER,
        bom_ref=f"base:{base.digest}",
        hashes=[_sha256(digest)],
    )


def _sha256(text: str) -> "HashType":
    from cyclonedx.model import HashAlgorithm, HashType

    return HashType(alg=HashAlgorithm.SHA_256, content=text)


def _licences(installed: InstalledDistribution) -> "list[License]":
    """What its metadata says, in the most exact way that it does."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import is_supported_id

    expression = next(filter(None, installed.headers("License-Expression")), None)
    if expression:
        return [LicenseExpression(expression)]
    names = [
        name
        for name in installed.headers("License")
        if name and name.upper() != "UNKNOWN" and len(name) <= _MAX_LICENCE_CHARACTERS
    ]
    classifiers = [each for each in installed.headers("Classifier") if each.startswith(_CLASSIFIER)]
    names = names or [each.rpartition(" :: ")[2] for each in classifiers]
    return [DisjunctiveLicense(id=name) if is_supported_id(name) else DisjunctiveLicense(name=name) for name in names]


def _graph(described: Mapping[str, Iterable[InstalledDistribution]], aim: Target) -> dict[str, list[str]]:
    """What each distribution asks for of the others, with the extras that somebody asks of it."""
    asked: dict[str, set[str]] = {name: set() for name in described}
    wanted = {name: [each for one in installed for each in _requirements(one)] for name, installed in described.items()}
    graph: dict[str, set[str]] = {name: set() for name in described}
    waiting = list(described)
    while waiting:
        name = waiting.pop()
        for requirement in wanted[name]:
            other = canonicalize_name(requirement.name)
            if other not in described or not _holds(requirement, aim, asked[name]):
                continue
            graph[name].add(other)
            if not requirement.extras <= asked[other]:
                asked[other] |= requirement.extras
                waiting.append(other)
    return {name: sorted(needed) for name, needed in graph.items()}


def _requirements(installed: InstalledDistribution) -> Iterable[Requirement]:
    for text in installed.headers("Requires-Dist"):
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue


def _holds(requirement: Requirement, aim: Target, extras: Iterable[str]) -> bool:
    try:
        return any(aim.applies(requirement.marker, extra) for extra in ("", *extras))
    except Refused:
        return False


def _roots(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The fewest, in their order, from which all can be reached; of a circle that nothing leads to, the first."""
    required = {other for name, needed in graph.items() for other in needed if other != name}
    found: list[str] = []
    reached: set[str] = set()
    for name in sorted(graph, key=lambda name: (name in required, name)):
        if name in reached:
            continue
        found.append(name)
        waiting = [name]
        while waiting:
            if (each := waiting.pop()) not in reached:
                reached.add(each)
                waiting.extend(graph[each])
    return found
