"""Documents without a language of their own, as properties; and resources for dialects that declare functions only."""

from collections.abc import Mapping

from lambdalint.join.resource_types import FUNCTION
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Sequence
from lambdalint.model.places import Span
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Properties, Property


def plain(node: Node) -> Property:
    """What *node* says, as it stands; keys of ``null`` are absent."""
    if isinstance(node, Document):
        items = {key: plain(item) for key, item in node.items.items()}
        return Known({key: item for key, item in items.items() if item != Known(None, item.span)}, node.span)
    if isinstance(node, Sequence):
        return Known(tuple(plain(item) for item in node.items), node.span)
    return Known(node.value, node.span)


def function_resource(
    name: str, settings: Properties, names: Mapping[str, tuple[str, ...]], span: Span, extent: Span
) -> Resource:
    """A function out of a dialect's *settings*; *names* say where CloudFormation has each of them."""
    properties: dict[str, Property] = {}
    for key, path in names.items():
        value = settings.get(key)
        if value is not None:
            _put(properties, path, value)
    return Resource(name, FUNCTION, properties, span, extent)


def _put(properties: dict[str, Property], path: tuple[str, ...], value: Property) -> None:
    first, *rest = path
    if not rest:
        properties[first] = value
        return
    outer = properties.get(first)
    inner = dict(outer.value) if isinstance(outer, Known) and isinstance(outer.value, Mapping) else {}
    _put(inner, tuple(rest), value)
    properties[first] = Known(inner, outer.span if outer else value.span)
