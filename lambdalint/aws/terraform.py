"""Terraform's resources, and what they are in CloudFormation."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdalint.aws.tables import table


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument and the property that it is: names from the outside inwards, ``[]`` after that of a list.

    *document* says that the argument holds JSON.
    """

    path: tuple[str, ...]
    property: tuple[str, ...]
    document: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type of Terraform's is in CloudFormation.

    A *type* with a dot, ``AWS::S3::Bucket.LambdaConfigurations``, is stated in another resource there.  *ref* are the
    attributes that give what ``Ref`` gives, *attributes* those that give what ``GetAtt`` gives.  *defaults* are
    properties that hold where nothing is said; *tags* is ``"list"`` or ``"map"`` for what can have some.
    """

    type: str
    arguments: tuple[Argument, ...]
    ref: frozenset[str]
    attributes: Mapping[str, str]
    defaults: Mapping[str, Any]
    tags: str | None


@cache
def shape(name: str) -> Shape | None:
    """What resources of the type *name* are; ``None`` for one that has no row."""
    row = table("terraform")["resource"].get(name)
    if row is None:
        return None
    named = {each: _camel(each) for each in row.get("same", ())} | row.get("arguments", {})
    documents = frozenset(row.get("documents", ()))
    return Shape(
        type=row["type"],
        arguments=tuple(
            Argument(tuple(each.split(".")), tuple(path.split(".")), each in documents) for each, path in named.items()
        ),
        ref=frozenset(row["ref"]),
        attributes=row.get("attributes", {}),
        defaults=row.get("defaults", {}),
        tags=row.get("tags"),
    )


def terraform_attribute(resource_type: str, attribute: str | None) -> str | None:
    """How Terraform names what ``GetAtt``, or ``Ref`` without an *attribute*, of a resource gives."""
    return _attributes().get((resource_type, attribute))


@cache
def _attributes() -> Mapping[tuple[str, str | None], str]:
    found: dict[tuple[str, str | None], str] = {}
    for row in table("terraform")["resource"].values():
        # The last one is the one with a name of its own: the queue's url rather than its id.
        if row["ref"]:
            found.setdefault((row["type"], None), row["ref"][-1])
        for name, attribute in row.get("attributes", {}).items():
            found.setdefault((row["type"], attribute), name)
    return found


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.replace(".", "._").split("_"))


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that a community module makes.

    *address* is the one within the module.  *arguments* hold for each the input that it is and the path of the
    argument.  *when* are the switches that all must be on, or off where ``!`` stands before.  *each* is an input, a map
    that makes one resource of each of its items, whose keys are then taken for inputs.  *given* are arguments that name
    another resource of the module.
    """

    type: str
    address: str
    when: tuple[str, ...]
    arguments: tuple[tuple[str, tuple[str, ...]], ...]
    each: str | None
    given: Mapping[str, str]
    defaults: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommunityModule:
    """A module that is read by its name; *on* are the switches that are on when nothing is said."""

    name: str
    resources: tuple[Made, ...]
    on: frozenset[str]
    outputs: Mapping[str, str]


@cache
def community_module(source: str) -> CommunityModule | None:
    """The community module at *source*, as a call names it; ``None`` for one that has no row."""
    place, _, folder = _canonical(source).partition("//")
    for row in table("terraform_modules")["module"]:
        if place in row["sources"] and folder.strip("/") == row.get("folder", ""):
            return CommunityModule(
                name="//".join(filter(None, (row["sources"][0], row.get("folder", "")))),
                resources=tuple(_made(each) for each in row["resource"]),
                on=frozenset(row["on"]),
                outputs=row["outputs"],
            )
    return None


def _made(row: Mapping[str, Any]) -> Made:
    named = {each: each for each in row.get("same", ())} | row.get("arguments", {})
    return Made(
        type=row["type"],
        address=row["address"],
        when=tuple(row["when"]),
        arguments=tuple((name, tuple(path.split("."))) for name, path in named.items()),
        each=row.get("each"),
        given=row.get("given", {}),
        defaults=row.get("defaults", {}),
    )


def _canonical(source: str) -> str:
    """A module's source without scheme, version and the default registry."""
    plain = source.partition("?")[0].removeprefix("git::")
    for scheme in ("https://", "ssh://", "http://"):
        plain = plain.removeprefix(scheme)
    plain = plain.removeprefix("git@").replace(":", "/", 1).removeprefix("registry.terraform.io/")
    return plain.removeprefix("registry.opentofu.org/").replace(".git", "", 1)
