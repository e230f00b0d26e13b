"""Terraform's arguments and references in CloudFormation's words, by the table of their shapes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from lambdalint.aws.terraform import Argument, Shape, shape
from lambdalint.join.properties import items_of, properties_of
from lambdalint.join.terraform_policies import is_policy_document, policy_of
from lambdalint.join.terraform_text import structure_of
from lambdalint.model.places import Span
from lambdalint.model.terraform import Pieces, TerraformResource
from lambdalint.model.values import Known, Properties, Property, Reference, Unknown

#: As deep as values are followed; deeper ones are taken for unknown.
MAX_DEPTH: Final = 60
#: Values in all resources, counted as often as they stand in one; 100,000 lines of Terraform have some 500,000.
MAX_VALUES: Final = 4_000_000

#: A reference by Terraform's names → one by CloudFormation's, where no table says it.
Moved = Mapping[Reference, Reference]


class Words:
    """Says in CloudFormation's words what stands in resources of Terraform's.

    *moved* are references to what is not a resource: outputs of community modules, a VPC's main route table.
    """

    def __init__(self, resources: Iterable[TerraformResource], moved: Moved) -> None:
        self.resources = {each.address: each for each in resources}
        self.left = MAX_VALUES
        self._moved = moved
        # By identity, since one collection may stand in many places; it is kept, so that no other gets its identity.
        self._translated: dict[int, tuple[object, Any, int]] = {}

    def reference(self, found: Reference) -> Reference:
        """*found* with CloudFormation's attribute."""
        found = self._moved.get(found, found)
        resource = self.resources.get(found.resource)
        known = shape(resource.type) if resource and resource.mode == "managed" else None
        if known is None or found.attribute is None:
            return found
        if found.attribute in known.ref:
            return Reference(found.resource)
        return Reference(found.resource, known.attributes.get(found.attribute, found.attribute))

    def value(self, value: Property) -> Property:
        """*value* with all its references translated; unknown when there have been too many values."""
        translated, weight = self._weighed(value, 0)
        self.left -= weight
        return translated if self.left >= 0 or weight == 1 else Unknown("…", value.span)

    def _weighed(self, value: Property, depth: int) -> tuple[Property, int]:
        """*value* translated, and how many values there are in it."""
        inner = value.value if isinstance(value, Known) else None
        if depth > MAX_DEPTH:
            return Unknown("…", value.span), 1
        if isinstance(value, Unknown):
            return self._unknown(value, depth), 1
        if not isinstance(inner, tuple | Mapping):
            return value, 1
        if id(inner) in self._translated:
            _, known, weight = self._translated[id(inner)]
            return replace(value, value=known), weight
        made: Any
        if isinstance(inner, tuple):
            found = [self._weighed(item, depth + 1) for item in inner]
            made = tuple(item for item, _ in found)
        else:
            keys = [key for key, item in inner.items() if not (isinstance(item, Known) and item.value is None)]
            found = [self._weighed(inner[key], depth + 1) for key in keys]
            made = {key: item for key, (item, _) in zip(keys, found, strict=True)}
        weight = 1 + sum(each for _, each in found)
        self._translated[id(inner)] = inner, made, weight
        return replace(value, value=made), weight

    def _unknown(self, value: Unknown, depth: int) -> Property:
        if not (value.refers or value.mentions or value.choices):
            return value
        refers = self.reference(value.refers) if value.refers else None
        mentions = tuple(self.reference(each) for each in value.mentions)
        choices = tuple(None if each is None else self._weighed(each, depth + 1)[0] for each in value.choices)
        if isinstance(value, Pieces):
            return Unknown(value.expression, value.span, refers, mentions, choices)
        return replace(value, refers=refers, mentions=mentions, choices=choices)

    def document(self, value: Property) -> Property:
        """What JSON, or a reference to a ``data "aws_iam_policy_document"``, in *value* says."""
        if isinstance(value, Known) and isinstance(value.value, Mapping | tuple):
            return self.value(value)
        if isinstance(value, Unknown):
            source = self.resources.get(value.refers.resource) if value.refers else None
            if source is not None and is_policy_document(source):
                return self.value(policy_of(source, self.resources))
            if value.choices:
                choices = tuple(None if each is None else self.document(each) for each in value.choices)
                return replace(value, choices=choices)
        structure = structure_of(value)
        return self.value(value if structure is None else structure)

    def properties(self, resource: TerraformResource, known: Shape) -> dict[str, Property]:
        """The properties of *resource*, whose shape is *known*."""
        found = self.shaped(resource.attributes, known.arguments)
        for name, default in known.defaults.items():
            found.setdefault(name, Known(_frozen(default, resource.span), resource.span, stated=False))
        if known.tags and (tags := _tags(resource, known.tags)):
            found["Tags"] = self.value(tags)
        return found

    def shaped(self, attributes: Properties, arguments: Iterable[Argument]) -> dict[str, Property]:
        """The properties that *arguments* make of *attributes*, those of one nested block, say."""
        found: dict[str, Property] = {}
        self._fill(found, attributes, sorted(arguments, key=lambda each: each.path[0]), None)
        return found

    def _fill(
        self, found: dict[str, Property], attributes: Properties, arguments: list[Argument], place: Span | None
    ) -> None:
        """Put into *found* what *attributes* say; *place* is the block that they stand in, if one."""
        for head, group in groupby(arguments, key=lambda each: each.path[0]):
            value = attributes.get(head.removesuffix("[]"))
            if value is None or (isinstance(value, Known) and value.value is None):
                continue
            below = []
            for argument in group:
                if len(argument.path) > 1:
                    below.append(argument)
                else:
                    _put(found, argument.property, self._leaf(value, argument), place)
            if below and head.endswith("[]"):
                self._list(found, value, below, place)
            elif below:
                self._block(found, value, below)

    def _leaf(self, value: Property, argument: Argument) -> Property:
        return self.document(value) if argument.document else self.value(value)

    def _block(self, found: dict[str, Property], value: Property, below: list[Argument]) -> None:
        """One nested block; Terraform's JSON and its plans write a list of one."""
        first = next(iter(items_of(value)), value)
        if isinstance(first, Unknown):
            for name in dict.fromkeys(each.property[0] for each in below):
                _put(found, (name,), self.value(first), None)
        elif isinstance(first.value, Mapping):
            self._fill(found, first.value, _inner(below, 0), first.span)

    def _list(self, found: dict[str, Property], value: Property, below: list[Argument], place: Span | None) -> None:
        prefix = below[0].property[: _list_end(below[0].property)]
        if isinstance(value, Unknown):
            _put(found, prefix, self.value(value), place)
            return
        items: list[Property] = []
        for item in items_of(value):
            if isinstance(item, Unknown):
                items.append(self.value(item))
                continue
            inner: dict[str, Property] = {}
            self._fill(inner, properties_of(item), _inner(below, len(prefix)), item.span)
            items.append(Known(inner, item.span))
        if items:
            _put(found, prefix, Known(tuple(items), value.span), place)


def _inner(arguments: list[Argument], drop: int) -> list[Argument]:
    """*arguments* as seen from within the block that they begin with, and from *drop* properties further in."""
    inner = [Argument(each.path[1:], each.property[drop:], each.document) for each in arguments]
    return sorted(inner, key=lambda each: each.path[0])


def _list_end(path: tuple[str, ...]) -> int:
    return next((number for number, part in enumerate(path, 1) if part.endswith("[]")), len(path))


def _put(found: dict[str, Property], path: tuple[str, ...], value: Property, place: Span | None) -> None:
    """Set the property at *path* to *value*; what is made on the way stands at *place*."""
    *way, last = (name.removesuffix("[]") for name in path)
    for name in way:
        holder = found.setdefault(name, Known({}, place or value.span))
        if not isinstance(holder, Known) or not isinstance(holder.value, dict):
            return
        found = holder.value
    found.setdefault(last, value)


def _tags(resource: TerraformResource, form: str) -> Property | None:
    """The tags of *resource* with the provider's default ones, in CloudFormation's *form*."""
    own = resource.attributes.get("tags")
    common = resource.provider.default_tags if resource.provider else None
    tags = own or common
    if tags is None:
        return None
    if not all(each is None or isinstance(each, Known) for each in (own, common)):
        return Unknown("tags", tags.span)
    merged = {**properties_of(common), **properties_of(own)}
    if form == "map":
        return Known(merged, tags.span)
    pairs = [Known({"Key": Known(key, value.span), "Value": value}, value.span) for key, value in merged.items()]
    return Known(tuple(pairs), tags.span) if pairs else None


def _frozen(value: Any, span: Span) -> Any:
    return tuple(Known(item, span, stated=False) for item in value) if isinstance(value, list) else value
