"""YAML to nodes with places, by libyaml's event parser.

Events are built into nodes here, rather than by PyYAML's composer, so that nesting and aliases are bounded before
anything recurses: the composer overflows the C stack on some 40,000 nested brackets.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # re-exported without saying so
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Mapping, Node, Plain, Scalar, Sequence
from lambdalint.model.places import Span

#: Templates people write stay under 30 levels; evaluating one takes a few Python frames a level.
MAX_DEPTH: Final = 100
#: Nodes after aliases are followed: a template of CloudFormation's 1 MB has some 60,000.
MAX_NODES: Final = 1_000_000

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE = frozenset(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"))
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_BASED_INT = re.compile(r"[-+]?0(x_*[0-9a-fA-F][0-9a-fA-F_]*|o?_*[0-7][0-7_]*|b_*[01][01_]*)")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*|\._*[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
#: What has more characters is no number that anyone means, and Python refuses to read some of them.
_MAX_NUMBER: Final = 400


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    start: Any
    tag: str
    anchor: str | None
    mapping: bool
    items: list[Node] = field(default_factory=list)
    weight: int = 1


def read_yaml(text: str, path: str) -> Node | None:
    """The first document of *text*; ``None`` when there is none.

    Raises:
        UnreadableInput: it is no YAML, it nests deeper than ``MAX_DEPTH``, or it has more than ``MAX_NODES`` nodes
            once its aliases are expanded.
    """
    parser: Any = CParser(text)
    try:
        return _document(parser, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column) if mark else (1, 0)
        raise UnreadableInput(f"this is no YAML: {_reason(error)}", path=path, line=line, column=column) from error
    except yaml.YAMLError as error:
        raise UnreadableInput(f"this is no YAML: {str(error).splitlines()[0]}", path=path) from error
    finally:
        parser.dispose()


def _reason(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)


def _document(parser: Any, path: str) -> Node | None:
    anchors: dict[str, tuple[Node, int]] = {}
    stack: list[_Open] = []
    while True:
        event = parser.get_event()
        kind = type(event)
        if kind is ScalarEvent:
            node: Node = _scalar(event, path)
            weight = 1
            if event.anchor:
                anchors[event.anchor] = (node, 1)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if len(stack) >= MAX_DEPTH:
                raise _unreadable(event, path, f"this nests more than {MAX_DEPTH} levels deep")
            stack.append(_Open(event.start_mark, event.tag or "", event.anchor, kind is MappingStartEvent))
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            done = stack.pop()
            node, weight = _closed(done, event, path), done.weight
            if done.anchor:
                anchors[done.anchor] = (node, weight)
        elif kind is AliasEvent:
            if event.anchor not in anchors:
                raise _unreadable(event, path, f"this is no YAML: there is no anchor &{event.anchor} before its alias")
            node, weight = anchors[event.anchor]
        elif event is None or kind is DocumentEndEvent:
            return None
        else:
            continue
        if not stack:
            return node
        stack[-1].items.append(node)
        stack[-1].weight += weight
        if stack[-1].weight > MAX_NODES:
            raise _unreadable(event, path, f"this has more than {MAX_NODES:,} nodes, aliases expanded")


def _unreadable(event: Any, path: str, message: str) -> UnreadableInput:
    return UnreadableInput(message, path=path, line=event.start_mark.line + 1, column=event.start_mark.column)


def _span(start: Any, end: Any, path: str) -> Span:
    return Span(path, start.line + 1, start.column, end.line + 1, end.column)


def _scalar(event: Any, path: str) -> Scalar:
    text = event.value
    tag = event.tag or ""
    plain = event.implicit[0] and not tag
    return Scalar(_typed(text) if plain else text, text, _span(event.start_mark, event.end_mark, path), tag)


def _typed(text: str) -> Plain:
    """*text* by the rules of YAML 1.1, but for sexagesimal numbers and dates: CloudFormation takes both as text."""
    first = text[:1]
    if first.isdigit() or first in ("-", "+", "."):
        if len(text) > _MAX_NUMBER:
            return text
        if _INT.fullmatch(text):
            return int(text.replace("_", ""))
        if _BASED_INT.fullmatch(text):
            digits = text.replace("_", "").lower()
            octal = digits.lstrip("+-").startswith("0") and digits.lstrip("+-")[1:].isdigit()
            return int(digits, 8 if octal else 0)
        return float(text.replace("_", "")) if _FLOAT.fullmatch(text) else text
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    return False if text in _FALSE else text


def _closed(done: _Open, end: Any, path: str) -> Node:
    # A block collection ends where the next token begins; its own last item says better where it ends.
    last = done.items[-1].span if done.items and end.start_mark.index == end.end_mark.index else None
    if last is not None and done.mapping and last < done.items[-2].span:
        last = done.items[-2].span  # the value is an alias, and its own place before
    span = (
        Span(path, done.start.line + 1, done.start.column, last.end_line, last.end_column)
        if last
        else _span(done.start, end.end_mark, path)
    )
    if not done.mapping:
        return Sequence(tuple(done.items), span, done.tag)
    items: dict[str, Node] = {}
    keys: dict[str, Span] = {}
    merged: list[Mapping] = []
    for key, value in zip(done.items[::2], done.items[1::2], strict=True):
        name = key.text if isinstance(key, Scalar) else ""
        if name == "<<" and not isinstance(value, Scalar):
            sources = value.items if isinstance(value, Sequence) else (value,)
            merged += [source for source in sources if isinstance(source, Mapping)]
            continue
        items[name] = value
        keys[name] = key.span
    for source in merged:
        for name, value in source.items.items():
            items.setdefault(name, value)
            keys.setdefault(name, source.keys[name])
    return Mapping(items, keys, span, done.tag)
