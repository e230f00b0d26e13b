"""A template with some values of others, and everything else as somebody wrote it: comments, order and style."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from lambdalint.engine.text import Text
from lambdalint.errors import Refused, UnreadableInput
from lambdalint.fixer import EditedFile
from lambdalint.join.stacks import template_document
from lambdalint.model import document
from lambdalint.model.document import Node, Scalar
from lambdalint.model.places import Span
from lambdalint.readers.text import decoded
from lambdalint.readers.yaml import read_yaml

#: The way to a value: keys of mappings, places in lists.
Steps: TypeAlias = tuple[str | int, ...]
#: What can be put: text, a truth value, or mappings and lists of them.
Content: TypeAlias = "str | bool | Mapping[str, Content] | Sequence[Content]"

#: A document to be compared: nodes as written with their tags, without places.
_Plain: TypeAlias = object

_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)*")
_ALIAS: Final = re.compile(r"""["']?\s*:\s*(\*[^\s,\]}]+)""")
#: How JSON begins; YAML that does so takes what is written in JSON's way.
_JSON: Final = re.compile(r"\s*\{\s*[\"}]")
_SPACE: Final = " \t\r\n"
_SAFE: Final = re.compile(r"[\w./][\w./@:-]*")


class Rewriting:
    """One template while values are put into it.

    *root* is the document as it is read; it does not change.
    """

    def __init__(self, path: str, data: bytes) -> None:
        """Read the template *data* of the file at *path*.

        Raises:
            UnreadableInput: it is no YAML or JSON, or no mapping.
        """
        self.text = Text(path, decoded(data, path))
        root = template_document(self.text.text, path)
        if not isinstance(root, document.Mapping):
            raise UnreadableInput("this is no template: it is no mapping", path=path)
        self.root = root
        self._file = EditedFile(self.text, data)
        self._is_json = bool(_JSON.match(self.text.text))
        self._replaced: dict[Steps, Content] = {}
        self._inserted: dict[Steps, dict[str, Content]] = {}
        self._added: dict[Steps, Sequence[Content]] = {}

    def put(self, steps: Steps, content: Content) -> None:
        """Let *content* be the value at *steps*, with mappings on the way where there are none."""
        there = next((count for count in range(1, len(steps)) if found(self.root, steps[:count]) is None), len(steps))
        holder, key = found(self.root, steps[: there - 1]), steps[there - 1]
        if isinstance(holder, document.Mapping) and key in holder.items and _is_own(holder, str(key)):
            self._replaced[steps] = content
            return
        for step in reversed(steps[there:]):
            content = {str(step): content}
        if isinstance(holder, Scalar) and holder.value is None:
            before = self._replaced.get(steps[: there - 1])
            self._replaced[steps[: there - 1]] = _merged(before, {str(key): content})
            return
        entries = self._inserted.setdefault(steps[: there - 1], {})
        entries[str(key)] = _merged(entries.get(str(key)), content)

    def add(self, steps: Steps, items: Sequence[Content]) -> None:
        """Add *items* to the list at *steps*, which is made where there is none.

        Raises:
            Refused: something else stands there.
        """
        node = found(self.root, steps)
        if node is None:
            self.put(steps, items)
        elif isinstance(node, document.Sequence) and not node.tag:
            self._added[steps] = items
        else:
            name = ".".join(map(str, steps))
            raise Refused(f"{self.text.path}:{node.span.line}: {name} is no list that something can be added to")

    def written(self) -> bytes:
        """The template with all that was put into it.

        Raises:
            Refused: the way it is written leaves no place for that, such as anchors that others use as well.
        """
        texts: dict[tuple[int, int], str] = {}
        # Of what ends at the same place, the innermost goes on first.
        for _, (start, end, text) in sorted(self._edits(), key=lambda edit: -edit[0]):
            texts[start, end] = texts.get((start, end), "") + text
        data = self._file.edited(self.text.edit(*place, text) for place, text in texts.items())
        try:
            seen = template_document(decoded(data, self.text.path), self.text.path)
        except UnreadableInput as error:
            raise self._refused(error.line) from error
        if seen is None or _plain(seen) != self._expected():
            raise self._refused(self.root.span.line)
        return data

    def _edits(self) -> Iterator[tuple[int, tuple[int, int, str]]]:
        """What to write in place of what, from where to where, and how deep in the document that is."""
        for steps, content in self._replaced.items():
            yield len(steps), self._replacement(steps, content)
        for steps, entries in self._inserted.items():
            holder = found(self.root, steps)
            if not isinstance(holder, document.Mapping):
                raise self._refused(holder.span.line if holder else 1)
            yield len(steps), self._insertion(holder, entries)
        for steps, items in self._added.items():
            holder = found(self.root, steps)
            assert isinstance(holder, document.Sequence)
            yield len(steps), self._addition(holder, items)

    def _expected(self) -> _Plain:
        """What the new text has to say."""
        expected = _plain(self.root)
        for steps, content in self._replaced.items():
            expected = _with(expected, steps, _as_read(content))
        for steps, entries in self._inserted.items():
            for key, content in entries.items():
                expected = _with(expected, (*steps, key), _as_read(content))
        for steps, items in self._added.items():
            node = found(self.root, steps)
            assert isinstance(node, document.Sequence)
            expected = _with(expected, steps, [*map(_plain, node.items), *map(_as_read, items)])
        return expected

    def _replacement(self, steps: Steps, content: Content) -> tuple[int, int, str]:
        holder, node = found(self.root, steps[:-1]), found(self.root, steps)
        assert node is not None
        if isinstance(holder, document.Mapping):
            key = holder.keys[str(steps[-1])]
            if not holder.span.holds(node.span) or (node.span.line, node.span.column) < (key.end_line, key.end_column):
                alias = _ALIAS.match(self.text.text, self.text.bounds(key)[1])
                if alias is None:
                    raise self._refused(key.line)
                return alias.start(1), alias.end(1), self._rendered(content)
        start, end = self.text.bounds(node.span)
        written = self.text.text[start:end].rstrip(_SPACE)
        quote = written[:1] if written[:1] in ("'", '"') and isinstance(node, Scalar) else ""
        if quote and isinstance(content, str) and not re.search(r"['\"\\\n]", content):
            return start, start + len(written), f"{quote}{content}{quote}"
        # What is empty ends at its colon, and the items of a list may stand right below their key.
        below = isinstance(node, document.Sequence) and written.startswith("-")
        before = "  " if below else "" if written else " "
        return start, start + len(written), before + self._rendered(content)

    def _insertion(self, holder: document.Mapping, entries: Mapping[str, Content]) -> tuple[int, int, str]:
        start = self._opening(holder)
        if self.text.text[start] == "{":
            return self._insertion_in_flow(start + 1, holder, entries)
        own = {name: span for name, span in holder.keys.items() if _is_own(holder, name)}
        if not own:
            raise self._refused(holder.span.line)
        lines = self._lines(entries, " " * min(own.values()).column)
        short = [name for name, span in own.items() if _is_short(holder.items[name], span)]
        after = max(short or own, key=lambda name: own[name])
        node = holder.items[after].span
        place = self._line_end(max(own[after], node))
        return place, place, "".join(f"\n{line}" for line in lines)

    def _insertion_in_flow(
        self, start: int, holder: document.Mapping, entries: Mapping[str, Content]
    ) -> tuple[int, int, str]:
        written = self._rendered(entries)[1:-1]
        if not holder.items:
            return start, start, written
        text = self.text.text
        gap = text[start : len(text) - len(text[start:].lstrip(_SPACE))]
        return start, start, f"{gap}{written},{'' if gap else ' '}"

    def _addition(self, holder: document.Sequence, items: Sequence[Content]) -> tuple[int, int, str]:
        """*items* at the end of a list."""
        written = [self._rendered(item) for item in items]
        start, end = self._opening(holder), self.text.bounds(holder.span)[1]
        if self.text.text[start] == "[":
            if not holder.items:
                return end - 1, end - 1, ", ".join(written)
            place = self.text.bounds(holder.items[-1].span)[1]
            return place, place, "".join(f", {item}" for item in written)
        place = self._line_end(holder.items[-1].span)
        indent = " " * holder.span.column
        return place, place, "".join(f"\n{indent}- {item}" for item in written)

    def _line_end(self, span: Span) -> int:
        """Where the last line of *span* ends; text in a block ends where the next line begins."""
        return self.text.line_end(span.end_line if span.end_column else span.end_line - 1)

    def _opening(self, node: Node) -> int:
        """Where *node* begins, after its anchor and tag."""
        start = self.text.bounds(node.span)[0]
        match = _PROPERTIES.match(self.text.text, start)
        return match.end() if match else start

    def _lines(self, content: Mapping[str, Content], indent: str) -> Iterator[str]:
        """*content* in lines of its own, mappings below their keys."""
        for key, value in content.items():
            if isinstance(value, Mapping) and value:
                yield f"{indent}{self._rendered(key)}:"
                yield from self._lines(value, f"{indent}  ")
            else:
                yield f"{indent}{self._rendered(key)}: {self._rendered(value)}"

    def _rendered(self, content: Content) -> str:
        """*content* on one line."""
        if self._is_json:
            return json.dumps(content, ensure_ascii=False)
        match content:
            case bool():
                return "true" if content else "false"
            case str():
                return content if _is_plain_text(content) else json.dumps(content, ensure_ascii=False)
            case Mapping():
                return f"{{{', '.join(f'{self._rendered(key)}: {self._rendered(content[key])}' for key in content)}}}"
            case _:
                return f"[{', '.join(map(self._rendered, content))}]"

    def _refused(self, line: int) -> Refused:
        return Refused(
            f"{self.text.path} is written in a way that cannot be changed without changing more (line {line})",
            hint="write out what stands in anchors and aliases there",
        )


def found(node: Node | None, steps: Steps) -> Node | None:
    """What *steps* lead to; ``None`` when there is nothing."""
    for step in steps:
        node = _below(node, step)
    return node


def _below(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, document.Mapping) and isinstance(step, str):
        return node.items.get(step)
    if isinstance(node, document.Sequence) and isinstance(step, int):
        return node.items[step] if step < len(node.items) else None
    return None


def _is_own(holder: document.Mapping, key: str) -> bool:
    """Whether *key* stands in the mapping, rather than in one that it merges."""
    return holder.span.holds(holder.keys[key])


def _is_short(node: Node, key: Span) -> bool:
    """Whether an entry is one line, which holds nothing else."""
    span = node.span
    return (
        isinstance(node, Scalar)
        and key.line == span.line == span.end_line
        and key.end_column < span.column < span.end_column
    )


def _is_plain_text(text: str) -> bool:
    if not _SAFE.fullmatch(text) or text.endswith(":"):
        return False
    node = read_yaml(text, "")
    return isinstance(node, Scalar) and node.value == text


def _plain(node: Node) -> _Plain:
    match node:
        case document.Mapping(items, tag=tag):
            content: _Plain = {key: _plain(value) for key, value in items.items()}
        case document.Sequence(items, tag=tag):
            content = [_plain(value) for value in items]
        case Scalar(value, text, tag=tag):
            content = text if tag else value
    return (tag, content) if tag else content


def _as_read(content: Content) -> _Plain:
    match content:
        case str() | bool():
            return content
        case Mapping():
            return {key: _as_read(value) for key, value in content.items()}
        case _:
            return [*map(_as_read, content)]


def _with(plain: _Plain, steps: Steps, content: _Plain) -> _Plain:
    """*plain* with *content* at *steps*."""
    if not steps:
        return content
    if isinstance(plain, tuple):
        tag, inner = plain
        return tag, _with(inner, steps, content)
    step, rest = steps[0], steps[1:]
    if isinstance(plain, list):
        assert isinstance(step, int)
        return [*plain[:step], _with(plain[step], rest, content), *plain[step + 1 :]]
    assert isinstance(plain, dict)
    return {**plain, step: _with(plain.get(step), rest, content)}


def _merged(first: "Content | None", second: Content) -> Content:
    """Two mappings in one, the second over the first."""
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return second
    return {**first, **{key: _merged(first.get(key), value) for key, value in second.items()}}
