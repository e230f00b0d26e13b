"""JSON to nodes with places, without recursion."""

import re
from bisect import bisect_right
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs leave out the C scanner
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Mapping, Node, Plain, Scalar, Sequence
from lambdalint.model.places import Span

#: As for YAML: evaluating a template takes a few Python frames a level.
MAX_DEPTH: Final = 100
#: As for YAML: a template of CloudFormation's 1 MB has some 60,000.
MAX_NODES: Final = 1_000_000

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_WORDS: Final[dict[str, Plain]] = {"true": True, "false": False, "null": None}
_WORD = re.compile(r"true|false|null")


def read_json(text: str, path: str) -> Node:
    """The document in *text*.

    Raises:
        UnreadableInput: it is no JSON, it nests deeper than ``MAX_DEPTH``, or it has more than ``MAX_NODES`` nodes.
    """
    return _Reader(text, path).document()


class _Reader:
    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.left = MAX_NODES

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1]

    def span(self, start: int, end: int) -> Span:
        return Span(self.path, *self.place(start), *self.place(end))

    def error(self, message: str, offset: int) -> UnreadableInput:
        line, column = self.place(offset)
        return UnreadableInput(f"this is no JSON: {message}", path=self.path, line=line, column=column)

    def space(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def document(self) -> Node:
        """One value and nothing after it; open collections stand on an explicit stack."""
        stack: list[tuple[int, dict[str, Node] | None, dict[str, Span], list[Node]]] = []
        key = ""
        node: Node
        offset = self.space(0)
        while True:
            first = self.text[offset : offset + 1]
            if first in ("{", "["):
                if len(stack) >= MAX_DEPTH:
                    raise self.error(f"it nests more than {MAX_DEPTH} levels deep", offset)
                stack.append((offset, {} if first == "{" else None, {}, []))
                offset = self.space(offset + 1)
                if self.text[offset : offset + 1] != ("}" if first == "{" else "]"):
                    if first == "{":
                        key, offset = self.key(offset, stack[-1][2])
                    continue
            else:
                node, offset = self.leaf(offset)
                if not stack:
                    return self.finished(node, offset)
                key, offset, more = self.placed(node, offset, key, stack[-1])
                if more:
                    continue
            while stack:
                start, items, keys, values = stack.pop()
                offset += 1
                span = self.span(start, offset)
                node = Sequence(tuple(values), span) if items is None else Mapping(items, keys, span)
                if not stack:
                    return self.finished(node, offset)
                # The name under which a collection stands is the last one that its parent was given.
                parent_key = next(reversed(stack[-1][2]), "")
                key, offset, more = self.placed(node, offset, parent_key, stack[-1])
                if more:
                    break

    def finished(self, node: Node, offset: int) -> Node:
        if self.space(offset) != len(self.text):
            raise self.error("something follows the document", self.space(offset))
        return node

    def placed(
        self,
        node: Node,
        offset: int,
        key: str,
        parent: tuple[int, dict[str, Node] | None, dict[str, Span], list[Node]],
    ) -> tuple[str, int, bool]:
        """Put *node* into *parent*; the next key, where to go on, and whether another value follows."""
        self.left -= 1
        if self.left < 0:
            line, column = self.place(offset)
            raise UnreadableInput(f"this has more than {MAX_NODES:,} nodes", path=self.path, line=line, column=column)
        _, items, keys, values = parent
        if items is None:
            values.append(node)
        else:
            items[key] = node
        offset = self.space(offset)
        mark = self.text[offset : offset + 1]
        if mark == ",":
            offset = self.space(offset + 1)
            return (*self.key(offset, keys), True) if items is not None else ("", offset, True)
        if mark != ("]" if items is None else "}"):
            raise self.error(f"expected ',' or '{']' if items is None else '}'}'", offset)
        return "", offset, False

    def key(self, offset: int, keys: dict[str, Span]) -> tuple[str, int]:
        if self.text[offset : offset + 1] != '"':
            raise self.error("expected a name in double quotes", offset)
        name, end = self.string(offset)
        keys.pop(name, None)
        keys[name] = self.span(offset, end)
        offset = self.space(end)
        if self.text[offset : offset + 1] != ":":
            raise self.error("expected ':'", offset)
        return name, self.space(offset + 1)

    def string(self, offset: int) -> tuple[str, int]:
        try:
            text, end = scanstring(self.text, offset + 1, False)
        except ValueError as error:
            raise self.error("a string does not end, or has a wrong escape", offset) from error
        return str(text), int(end)

    def leaf(self, offset: int) -> tuple[Scalar, int]:
        if self.text[offset : offset + 1] == '"':
            text, end = self.string(offset)
            return Scalar(text, text, self.span(offset, end)), end
        if match := _WORD.match(self.text, offset):
            return Scalar(_WORDS[match[0]], match[0], self.span(*match.span())), match.end()
        if match := _NUMBER.match(self.text, offset):
            fractional = match[1] or match[2]
            value: Plain = float(match[0]) if fractional or len(match[0]) > 400 else int(match[0])
            return Scalar(value, match[0], self.span(*match.span())), match.end()
        raise self.error("expected a value", offset)
