"""Copies of a template's nodes with the variables of ``Fn::ForEach`` filled in.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

import re
from collections.abc import Mapping as Names
from typing import Final

from lambdalint.model.document import Mapping, Node, Scalar, Sequence

FOR_EACH: Final = "Fn::ForEach::"

#: Nodes that the loops of one template may make; 500 resources, the most of a stack, have some 20,000.
MAX_NODES: Final = 300_000
#: Characters that weigh as much as a node.
_NODE_LENGTH: Final = 200

_ALPHANUMERIC: Final = re.compile(r"[^0-9A-Za-z]")


class TooManyNodes(Exception):
    """The loops of a template make more than ``MAX_NODES`` nodes."""


class Copies:
    """Makes copies until there are too many of them."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def filled(self, node: Node, values: Names[str, str]) -> Node:
        """*node* with ``${NAME}``, ``&{NAME}`` and references to a name of *values* replaced.

        Raises:
            TooManyNodes: there are more copies than anyone could deploy.
        """
        self._left -= 1
        if self._left < 0:
            raise TooManyNodes
        if isinstance(node, Scalar):
            if node.tag == "!Ref" and node.text in values:
                return Scalar(values[node.text], values[node.text], node.span)
            text = filled_text(node.text, values)
            if text == node.text:
                return node
            self._left -= len(text) // _NODE_LENGTH
            return Scalar(text if isinstance(node.value, str) else node.value, text, node.span, node.tag)
        if isinstance(node, Sequence):
            return Sequence(tuple(self.filled(item, values) for item in node.items), node.span, node.tag)
        if len(node.items) == 1 and isinstance(name := node.items.get("Ref"), Scalar) and name.text in values:
            return Scalar(values[name.text], values[name.text], node.span)
        items, keys = {}, {}
        for key, item in node.items.items():
            new = filled_text(key, values)
            items[new] = self.filled(item, values)
            keys[new] = node.keys[key]
        return Mapping(items, keys, node.span, node.tag)


def filled_text(text: str, values: Names[str, str]) -> str:
    """*text* with the variables of loops replaced; ``&{NAME}`` gives only letters and digits."""
    if "{" in text:
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", _ALPHANUMERIC.sub("", value))
    return text
