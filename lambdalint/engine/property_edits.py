"""Properties written into templates, in the style that stands there."""

import json
import re
from collections.abc import Iterator
from typing import Final

from lambdalint.engine.text import Text
from lambdalint.errors import UnreadableInput
from lambdalint.model.changes import SetProperty
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.model.finding import Edit
from lambdalint.model.places import Span
from lambdalint.readers.yaml import read_yaml

_BLOCK: Final = re.compile(r'(?P<indent>[ \t]*)resource\s+"[^"]+"\s+"[^"]+"\s*\{(?P<rest>[^\n]*)')

_Value = int | str | tuple[str, ...]


def property_edit(text: Text, change: SetProperty) -> Edit | None:
    """The edit that writes a property; ``None`` where it is there already, or nowhere to put it."""
    if text.path.endswith(".tf"):
        return _in_terraform(text, change)
    try:
        root = read_yaml(text.text, text.path)
    except UnreadableInput:
        return None
    holder = next(_under(root, change.at), None) if root is not None else None
    keys = change.keys
    while isinstance(holder, Mapping) and len(keys) > 1 and keys[0] in holder.items:
        holder, keys = holder.items[keys[0]], keys[1:]
    if not isinstance(holder, Mapping) or keys[0] in holder.items or any("::" in key for key in holder.items):
        return None
    if text.at(holder.span).startswith("{"):
        return _in_flow(text, holder, keys, change.value)
    return _in_block(text, holder, keys, change.value) if holder.keys else None


def _under(node: Node, key: Span) -> Iterator[Node]:
    """The value whose key stands at *key*."""
    match node:
        case Mapping(items, keys):
            for name, value in items.items():
                if keys[name] == key:
                    yield value
                elif value.span.path == key.path:
                    yield from _under(value, key)
        case Sequence(items):
            for value in items:
                yield from _under(value, key)


def _in_flow(text: Text, holder: Mapping, keys: tuple[str, ...], value: _Value) -> Edit:
    quoted = text.text.lstrip().startswith("{")
    entry = _flow(keys, value, quoted=quoted)
    start = text.bounds(holder.span)[0] + 1
    if not holder.items:
        return text.edit(start, start, entry)
    gap = text.text[start : len(text.text) - len(text.text[start:].lstrip())]
    return text.edit(start, start, f"{gap}{entry},{'' if gap else ' '}")


def _flow(keys: tuple[str, ...], value: _Value, *, quoted: bool) -> str:
    name = json.dumps(keys[0]) if quoted else keys[0]
    if len(keys) > 1:
        return f"{name}: {{{_flow(keys[1:], value, quoted=quoted)}}}"
    if quoted:
        return f"{name}: {json.dumps(value)}"
    return f"{name}: [{', '.join(value)}]" if isinstance(value, tuple) else f"{name}: {value}"


def _in_block(text: Text, holder: Mapping, keys: tuple[str, ...], value: _Value) -> Edit:
    places = list(holder.keys.values())
    indent = " " * places[0].column
    lines = [f"{indent}{'  ' * depth}{key}:" for depth, key in enumerate(keys[:-1])]
    lines.append(indent + "  " * (len(keys) - 1) + _flow(keys[-1:], value, quoted=False))
    *_, last = holder.items.values()
    short = next((each for each in (last, *holder.items.values()) if _is_short(each)), None)
    if short is not None:
        end = text.line_end(short.span.end_line)
        return text.edit(end, end, "".join(f"\n{line}" for line in lines))
    start = text.offset(places[0].line, places[0].column)
    return text.edit(start, start, "\n".join(lines).lstrip() + f"\n{indent}")


def _is_short(node: Node) -> bool:
    """Whether the entry ends on the line that it is written in."""
    return isinstance(node, Scalar) and node.span.line == node.span.end_line and node.span.column < node.span.end_column


def _in_terraform(text: Text, change: SetProperty) -> Edit | None:
    found = _BLOCK.match(text.text, text.starts[change.at.line - 1])
    if found is None or change.attribute is None or not re.fullmatch(r"[ \t\r]*(#.*|//.*)?", found["rest"]):
        return None
    end = text.line_end(change.at.line)
    return text.edit(end, end, f"\n{found['indent']}  {change.attribute} = {json.dumps(change.value)}")
