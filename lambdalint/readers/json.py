"""JSON to nodes with places, without recursion.

A member of an object, or an item of an array, is one match of an expression together with what follows it: templates
that tools write have hundreds of thousands of them.
"""

import re
from bisect import bisect_right
from itertools import chain
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs leave out the C scanner
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Mapping, Node, Plain, Scalar, Sequence
from lambdalint.model.places import Span

#: As for YAML: evaluating a template takes a few Python frames a level.
MAX_DEPTH: Final = 100
#: As for YAML: a template of CloudFormation's 1 MB has some 60,000.
MAX_NODES: Final = 1_000_000
#: Numbers with more digits are read as inexact ones: Python takes long to read them exactly.
_MAX_DIGITS: Final = 400

_WORDS: Final[dict[str, Plain]] = {"true": True, "false": False, "null": None}

_SPACE_AND_END = re.compile(r"[ \t\r\n]*([\]}])")
_SPACE_AND_COMMA = re.compile(r"[ \t\r\n]*,")
_SPACE = re.compile(r"[ \t\r\n]*")
_S: Final = r"[ \t\r\n]*"
_STRING: Final = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_LEAF: Final = rf"({_STRING}|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)"
_NAME: Final = rf"({_STRING}){_S}:{_S}"

#: A name with a leaf and the mark after it, or with the bracket of a collection.
_MEMBER = re.compile(rf"{_S}{_NAME}(?:{_LEAF}{_S}([,}}])|([{{\[]))", re.DOTALL)
_ITEM = re.compile(rf"{_S}(?:{_LEAF}{_S}([,\]])|([{{\[]))", re.DOTALL)
_LONE = re.compile(rf"{_S}(?:{_LEAF}|([{{\[]))", re.DOTALL)


def read_json(text: str, path: str) -> Node:
    """The document in *text*.

    Raises:
        UnreadableInput: it is no JSON, it nests deeper than ``MAX_DEPTH``, or it has more than ``MAX_NODES`` nodes.
    """
    return _Reader(text, path).document()


class _Open:
    """A collection whose end has not come yet; *items* is ``None`` for an array."""

    __slots__ = ("items", "keys", "name", "place", "values")

    def __init__(self, place: tuple[int, int], mapping: bool) -> None:
        self.place = place
        self.items: dict[str, Node] | None = {} if mapping else None
        self.keys: dict[str, Span] = {}
        self.values: list[Node] = []
        self.name = ""


class _Reader:
    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path
        ends = chain((match.end() for match in re.finditer("\n", text)), (len(text) + 1,))
        self.starts = [0, *ends]
        self.line = 1
        self.left = MAX_NODES

    def span(self, start: int, end: int) -> Span:
        """A place on one line, mostly; places are asked for in the order of the text."""
        line, column = self.next_place(start)
        if end < self.starts[line]:
            return Span(self.path, line, column, line, column + end - start)
        return Span(self.path, line, column, *self.place(end))

    def next_place(self, offset: int) -> tuple[int, int]:
        """The line and column of what is read next."""
        starts, line = self.starts, self.line
        if offset >= starts[line]:
            line += 1
            while offset >= starts[line]:
                line += 1
            self.line = line
        return line, offset - starts[line - 1]

    def place(self, offset: int) -> tuple[int, int]:
        line = min(bisect_right(self.starts, offset), len(self.starts) - 1)
        return line, offset - self.starts[line - 1]

    def error(self, message: str, offset: int) -> UnreadableInput:
        line, column = self.place(offset)
        return UnreadableInput(f"this is no JSON: {message}", path=self.path, line=line, column=column)

    def space(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def document(self) -> Node:
        """One value and nothing after it; open collections stand on an explicit stack."""
        first = _LONE.match(self.text)
        if first is None:
            raise self.wrong_value(self.space(0))
        if first[1] is not None:
            return self.finished(self.leaf(first[1], first.start(1)), first.end())
        stack: list[_Open] = []
        offset = self.opened(stack, first[2], first.start(2))
        while True:
            top = stack[-1]
            if offset < 0:  # the bracket is followed by its end
                offset = -offset
            elif top.items is not None:
                match = _MEMBER.match(self.text, offset)
                if match is None:
                    raise self.wrong_member(offset)
                name, leaf, mark, bracket = match.groups()
                start = match.start(1)
                key = name[1:-1] if "\\" not in name else self.string(start)
                top.keys.pop(key, None)
                top.keys[key] = self.span(start, start + len(name))
                if bracket is not None:
                    top.name = key
                    offset = self.opened(stack, bracket, match.start(4))
                    continue
                top.items[key] = self.leaf(leaf, match.start(2))
                offset = match.end()
                if mark == ",":
                    continue
            else:
                match = _ITEM.match(self.text, offset)
                if match is None:
                    raise self.wrong_item(offset)
                leaf, mark, bracket = match.groups()
                if bracket is not None:
                    offset = self.opened(stack, bracket, match.start(3))
                    continue
                top.values.append(self.leaf(leaf, match.start(1)))
                offset = match.end()
                if mark == ",":
                    continue
            while True:
                node = self.closed(stack.pop(), offset)
                if not stack:
                    return self.finished(node, offset)
                top = stack[-1]
                if top.items is not None:
                    top.items[top.name] = node
                else:
                    top.values.append(node)
                comma = _SPACE_AND_COMMA.match(self.text, offset)
                if comma is not None:
                    offset = comma.end()
                    break
                offset = self.space(offset)
                self.expect_end(top, offset)
                offset += 1

    def opened(self, stack: list[_Open], bracket: str, start: int) -> int:
        """Where to go on after an opening bracket; negative when it is closed at once."""
        if len(stack) >= MAX_DEPTH:
            raise self.error(f"it nests more than {MAX_DEPTH} levels deep", start)
        self.left -= 1
        if self.left < 0:
            raise self.too_many(start)
        mapping = bracket == "{"
        stack.append(_Open(self.next_place(start), mapping))
        closing = _SPACE_AND_END.match(self.text, start + 1)
        return start + 1 if closing is None or (closing[1] == "}") is not mapping else -closing.end()

    def closed(self, done: _Open, end: int) -> Node:
        span = Span(self.path, *done.place, *self.next_place(end))
        return Sequence(tuple(done.values), span) if done.items is None else Mapping(done.items, done.keys, span)

    def finished(self, node: Node, offset: int) -> Node:
        if self.space(offset) != len(self.text):
            raise self.error("something follows the document", self.space(offset))
        return node

    def leaf(self, text: str, start: int) -> Scalar:
        self.left -= 1
        if self.left < 0:
            raise self.too_many(start)
        span = self.span(start, start + len(text))
        if text[0] == '"':
            value = text[1:-1] if "\\" not in text else self.string(start)
            return Scalar(value, value, span)
        if text in _WORDS:
            return Scalar(_WORDS[text], text, span)
        exact = len(text) <= _MAX_DIGITS and text.lstrip("-").isdecimal()
        return Scalar(int(text) if exact else float(text), text, span)

    def string(self, start: int) -> str:
        try:
            return str(scanstring(self.text, start + 1, False)[0])
        except ValueError as error:
            raise self.error("a string does not end, or has a wrong escape", start) from error

    def too_many(self, offset: int) -> UnreadableInput:
        line, column = self.place(offset)
        return UnreadableInput(f"this has more than {MAX_NODES:,} nodes", path=self.path, line=line, column=column)

    def expect_end(self, top: _Open, offset: int) -> None:
        end = "]" if top.items is None else "}"
        if self.text[offset : offset + 1] != end:
            raise self.error(f"expected ',' or '{end}'", offset)

    def wrong_member(self, offset: int) -> UnreadableInput:
        """What keeps a member from being read at *offset*."""
        offset = self.space(offset)
        name = re.compile(_STRING, re.DOTALL).match(self.text, offset)
        if name is None:
            if self.text[offset : offset + 1] == '"':
                return self.error("a string does not end, or has a wrong escape", offset)
            return self.error("expected a name in double quotes", offset)
        offset = self.space(name.end())
        if self.text[offset : offset + 1] != ":":
            return self.error("expected ':'", offset)
        return self.wrong_after_value(self.space(offset + 1), "}")

    def wrong_item(self, offset: int) -> UnreadableInput:
        return self.wrong_after_value(self.space(offset), "]")

    def wrong_after_value(self, offset: int, end: str) -> UnreadableInput:
        leaf = re.compile(_LEAF, re.DOTALL).match(self.text, offset)
        if leaf is None:
            return self.wrong_value(offset)
        return self.error(f"expected ',' or '{end}'", self.space(leaf.end()))

    def wrong_value(self, offset: int) -> UnreadableInput:
        if self.text[offset : offset + 1] == '"':
            return self.error("a string does not end, or has a wrong escape", offset)
        return self.error("expected a value", offset)
