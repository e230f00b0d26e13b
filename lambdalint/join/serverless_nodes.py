"""Nodes of a CloudFormation document that is compiled rather than written."""

from collections.abc import Mapping as Keyed
from dataclasses import dataclass
from typing import Any

from lambdalint.join.intrinsics import Evaluator
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Unknown


@dataclass(frozen=True, slots=True)
class Told(Scalar):
    """A leaf whose meaning is settled before CloudFormation sees it."""

    told: Property | None = None


class Reader(Evaluator):
    """CloudFormation's evaluator, for documents with leaves whose meaning is settled."""

    def value(self, node: Node) -> Property | None:
        if isinstance(node, Told):
            return node.told
        hidden = _hidden_text(node)
        return super().value(node) if hidden is None else hidden


def _hidden_text(node: Node) -> Unknown | None:
    """The unknown text that ``Fn::Sub`` is given: CloudFormation would take its variables for resources."""
    argument: Node | None = node if node.tag == "!Sub" else None
    if isinstance(node, Mapping) and len(node.items) == 1:
        argument = node.items.get("Fn::Sub")
    if isinstance(argument, Sequence) and argument.items:
        argument = argument.items[0]
    told = argument.told if isinstance(argument, Told) else None
    return told if isinstance(told, Unknown) else None


def known(value: Any, span: Span, *, stated: bool = True, parameter: str | None = None) -> Scalar:
    """A leaf with a value of ours."""
    text = "" if value is None else str(value)
    if stated and parameter is None:
        return Scalar(value, text, span)
    return Told(value, text, span, "", Known(value, span, stated, parameter))


def unknown(expression: str, span: Span) -> Told:
    """A leaf that nobody can know from here."""
    return Told(None, expression, span, "", Unknown(expression, span))


def is_hidden(node: Node | None) -> bool:
    """Whether *node* is decided elsewhere."""
    return isinstance(node, Told) and isinstance(node.told, Unknown)


def is_default(node: Node | None) -> bool:
    """Whether *node* is what holds unless whoever deploys says otherwise."""
    return isinstance(node, Told) and isinstance(node.told, Known) and node.told.parameter is not None


def is_intrinsic(node: Node | None) -> bool:
    """Whether *node* is a function for CloudFormation to call."""
    if isinstance(node, Mapping) and len(node.items) == 1:
        name = next(iter(node.items))
        return name == "Ref" or name.startswith("Fn::")
    return node is not None and node.tag.startswith("!")


def at(node: Node | None, *keys: str) -> Node | None:
    """What stands at the path *keys*; ``None`` when that is nothing, or null.

    What is hidden on the way is the answer: what lies below it is hidden too.
    """
    for key in keys:
        if is_hidden(node):
            return node
        node = node.items.get(key) if isinstance(node, Mapping) else None
    return None if is_null(node) else node


def is_null(node: Node | None) -> bool:
    """Whether *node* says nothing, or null."""
    return node is None or (isinstance(node, Scalar) and node.value is None and not is_hidden(node) and not node.tag)


def text(node: Node | None) -> str | None:
    """The text that *node* is known to be."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and not node.tag and not is_hidden(node):
        return node.value
    return None


def is_true(node: Node | None) -> bool:
    """Whether *node* is known to be true."""
    return isinstance(node, Scalar) and node.value is True


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; empty for anything else."""
    return node.items if isinstance(node, Sequence) else ()


def block(span: Span, parts: Keyed[str, Node | None]) -> Mapping:
    """A mapping of those *parts* that are there."""
    present = {name: part for name, part in parts.items() if part is not None}
    return Mapping(present, {name: part.span for name, part in present.items()}, span)


def several(span: Span, *parts: Node) -> Sequence:
    """A list of *parts*."""
    return Sequence(parts, span)


def texts(span: Span, *parts: str) -> Sequence:
    """A list of texts."""
    return Sequence(tuple(known(part, span) for part in parts), span)


def attribute(resource: str, name: str, span: Span) -> Mapping:
    """``Fn::GetAtt`` of a resource."""
    return block(span, {"Fn::GetAtt": several(span, known(resource, span), known(name, span))})


def reference(resource: str, span: Span) -> Mapping:
    """``Ref`` to a resource."""
    return block(span, {"Ref": known(resource, span)})


def substituted(template: str, span: Span) -> Mapping:
    """``Fn::Sub`` of a text."""
    return block(span, {"Fn::Sub": known(template, span)})


def place(properties: dict[str, Any], path: str, node: Node) -> None:
    """Put *node* at the dotted *path* of nested *properties*."""
    *above, last = path.split(".")
    for name in above:
        properties = properties.setdefault(name, {})
    properties[last] = node


def nested(span: Span, properties: Keyed[str, Any]) -> Mapping:
    """A mapping of nested *properties*; each level stands where its first part does."""
    parts = {
        name: nested(_first_span(part, span), part) if isinstance(part, dict) else part
        for name, part in properties.items()
    }
    return block(span, parts)


def _first_span(properties: Any, default: Span) -> Span:
    if not isinstance(properties, dict):
        return default if properties is None else properties.span
    present = (part for part in properties.values() if part is not None)
    return _first_span(next(present, None), default)


def merged(base: Node | None, own: Node | None) -> Node | None:
    """lodash's ``merge``, as the framework merges what it compiles and what a service adds: lists by their places."""
    if base is None or own is None:
        return base if own is None else own
    if isinstance(base, Mapping) and isinstance(own, Mapping) and not (is_intrinsic(base) or is_intrinsic(own)):
        parts = {**base.items, **{name: merged(base.items.get(name), part) for name, part in own.items.items()}}
        present = {name: part for name, part in parts.items() if part is not None}
        return Mapping(present, {**own.keys, **base.keys}, base.span)
    if isinstance(base, Sequence) and isinstance(own, Sequence):
        longer = max(len(base.items), len(own.items))
        pairs = ((_item(base, number), _item(own, number)) for number in range(longer))
        return Sequence(tuple(part for pair in pairs if (part := merged(*pair)) is not None), own.span)
    return own


def _item(node: Sequence, number: int) -> Node | None:
    return node.items[number] if number < len(node.items) else None


def plain(node: Node) -> Any:
    """*node* as JSON would have it; functions of CloudFormation and hidden values as ``None``."""
    if isinstance(node, Scalar):
        return None if node.tag or is_hidden(node) else node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return None if is_intrinsic(node) else {name: plain(item) for name, item in node.items.items()}
