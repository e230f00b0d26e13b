"""Terraform's JSON syntax (``*.tf.json``) as the same document as the native one.

Strings are templates.  Whether an object within a resource is a block or a value is not written down: it stays a value,
so that a block of which there is one may be a mapping rather than a list of one.

Source: https://developer.hashicorp.com/terraform/language/syntax/json
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.model.hcl import Attribute, Block, Body, Expression, ListOf, Literal, ObjectOf
from lambdalint.readers.hcl import read_template

#: The blocks of a file with the number of their labels.
_LABELS: Final = {
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "module": 1,
    "variable": 1,
    "output": 1,
    "provider": 1,
    "check": 1,
    "locals": 0,
    "terraform": 0,
    "moved": 0,
    "import": 0,
    "removed": 0,
}


def json_body(document: Node, failures: list[UnreadableInput]) -> Body:
    """The blocks of a ``*.tf.json``; templates that cannot be read go to *failures* and are left out."""
    blocks: list[Block] = []
    for each in document.items if isinstance(document, Sequence) else (document,):
        if isinstance(each, Mapping):
            for name, node in each.items.items():
                if name in _LABELS:
                    blocks += _blocks(name, _LABELS[name], (), each, name, node, failures)
    return Body({}, tuple(blocks))


def json_attributes(document: Node, failures: list[UnreadableInput]) -> Body:
    """The values of a ``*.tfvars.json``, in which nothing is a template."""
    return _body(document, failures, literal=True) if isinstance(document, Mapping) else Body({}, ())


def _blocks(
    kind: str,
    depth: int,
    labels: tuple[str, ...],
    parent: Mapping,
    name: str,
    node: Node,
    failures: list[UnreadableInput],
) -> Iterator[Block]:
    for each in node.items if isinstance(node, Sequence) else (node,):
        if not isinstance(each, Mapping):
            continue
        if depth:
            for label, inner in each.items.items():
                yield from _blocks(kind, depth - 1, (*labels, label), each, label, inner, failures)
        else:
            yield Block(kind, labels, _body(each, failures), parent.keys[name], each.span)


def _body(node: Mapping, failures: list[UnreadableInput], *, literal: bool = False) -> Body:
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    for name, value in node.items.items():
        if name == "//":
            continue
        if name == "dynamic" and not literal:
            blocks += _blocks("dynamic", 1, (), node, name, value, failures)
        elif name == "content" and isinstance(value, Mapping) and not literal:
            blocks.append(Block("content", (), _body(value, failures), node.keys[name], value.span))
        else:
            try:
                attributes[name] = Attribute(name, _expression(value, literal), node.keys[name])
            except UnreadableInput as failure:
                failures.append(failure)
    return Body(attributes, tuple(blocks))


def _expression(node: Node, literal: bool) -> Expression:
    if isinstance(node, Scalar):
        if literal or not isinstance(node.value, str):
            return Literal(node.value, node.span)
        return read_template(node.value, node.span.path, node.span)
    if isinstance(node, Sequence):
        return ListOf(tuple(_expression(item, literal) for item in node.items), node.span)
    pairs = (
        (_expression(Scalar(name, name, node.keys[name]), literal), _expression(item, literal))
        for name, item in node.items.items()
        if name != "//" or literal
    )
    return ObjectOf(tuple(pairs), node.span)
