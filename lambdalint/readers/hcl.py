"""HCL to nodes with places, by tree-sitter.

The grammar is a little more generous than Terraform and leaves some things to its users, which are put right here:
conditionals that follow each other bind to the right, whitespace beside what is filled in belongs to the text, and
quoted text ends on its line.

Source: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Plain
from lambdalint.model.hcl import (
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    For,
    ListOf,
    Literal,
    ObjectOf,
    Parenthesised,
    Part,
    Splat,
    TextFor,
    TextIf,
    TextTemplate,
    Traversal,
    Unary,
    Variable,
)
from lambdalint.model.places import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

#: Expressions and blocks that people write stay under 20 levels; each takes a few Python frames.
MAX_DEPTH: Final = 100
#: More than this in one file was written by a program, and not for us.
MAX_BYTES: Final = 16 * 1024 * 1024
#: Broken places named in one file; who has more will not read on.
MAX_FAILURES: Final = 10

#: An attribute whose value is still to be written; the grammar takes what follows on the next line for it.
_BARE: Final = re.compile(rb"\s*([\w-]+)\s*=\s*(?:(?:#|//).*)?")

#: Lines left out of one block, to see whether the rest of it can be read.
_MAX_MENDED: Final = 5

#: Where a file is taken up again after something that cannot be read.
_START: Final = re.compile(
    rb"^(?:resource|data|module|variable|locals|output|provider|terraform|moved|import|check|removed|ephemeral)\b"
    rb'[ \t]*(?:"[^"\n]*"[ \t]*)*\{',
    re.MULTILINE,
)
_ENDLESS: Final = {
    "string_lit": "a quoted text",
    "quoted_template": "a quoted text",
    "heredoc_template": "a heredoc",
}
_EXPECTED: Final = {"tuple_end": "']'", "identifier": "a value"}

#: Expressions that need no look at the tree below them; they are most of what is written.
_PLAIN_TEXT: Final = re.compile(rb'"([^"\\$%\r\n]*)"')
_PLAIN_PATH: Final = re.compile(rb"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_WORDS: Final[dict[bytes, Plain]] = {b"true": True, b"false": False, b"null": None}

_ESCAPE: Final = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([$%])\4\{')
_HEREDOC_ESCAPE: Final = re.compile(r"([$%])\1\{")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


def read_hcl(text: str, path: str) -> tuple[Body, list[UnreadableInput]]:
    """The blocks and attributes of *text*, and the places that are no HCL.

    What stands around a broken place is kept.

    Raises:
        UnreadableInput: the file is too large.
    """
    source = text.encode(errors="replace")
    if len(source) > MAX_BYTES:
        raise UnreadableInput(f"the file is larger than {MAX_BYTES // 1024 // 1024} MB", path=path)
    reader = _Reader(source, path)
    body = reader.body()
    if not reader.failures:
        return body, []
    return _salvaged(source, path)


def read_expression(text: str, path: str) -> Expression:
    """The one expression in *text*, such as the command line gives for a variable.

    Raises:
        UnreadableInput: it is no expression.
    """
    reader = _Reader(b"x = " + text.encode(errors="replace") + b"\n", path, within=Span.whole(path))
    found = reader.body().attributes.get("x")
    if found is None or reader.failures:
        raise UnreadableInput("this is no expression", path=path)
    return found.expression


def read_template(text: str, path: str, within: Span | None = None) -> Expression:
    """*text* as a template: a file of ``templatefile``, or a string in JSON syntax, whose place is *within*.

    Raises:
        UnreadableInput: something in ``${ }`` or ``%{ }`` cannot be read.
    """
    if "${" not in text and "%{" not in text:
        return Literal(text, within or Span.whole(path))
    mark = "EOT"
    while mark in text:
        mark += "T"
    # The line of the mark is not the text's, and neither is the newline that the end mark needs before it.
    source = f"x = <<{mark}\n{text}\n{mark}\n".encode(errors="replace")
    reader = _Reader(source, path, first_line=0, within=within, drops_last_newline=True)
    found = reader.body().attributes.get("x")
    if found is None or reader.failures:
        raise reader.failures[0] if reader.failures else UnreadableInput("this is no template", path=path)
    template = found.expression
    return TextTemplate(template.parts, within or Span.whole(path)) if isinstance(template, TextTemplate) else template


def _salvaged(source: bytes, path: str) -> tuple[Body, list[UnreadableInput]]:
    """The file read in pieces, each from one top-level block to the next, so that a broken one spoils no other."""
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    failures: list[UnreadableInput] = []
    bounds = dict.fromkeys((0, *(match.start() for match in _START.finditer(source)), len(source)))
    line = 1
    for start, end in pairwise(bounds):
        body, broken = _mended(source[start:end], path, line)
        line += source.count(b"\n", start, end)
        attributes.update(body.attributes)
        blocks += body.blocks
        failures += broken[: MAX_FAILURES - len(failures)]
    return Body(attributes, tuple(blocks)), failures


def _mended(source: bytes, path: str, first_line: int) -> tuple[Body, list[UnreadableInput]]:
    """A piece of a file with its broken lines left out, as long as that is likely to help."""
    failures: dict[int, UnreadableInput] = {}
    lines = source.split(b"\n")
    for _ in range(_MAX_MENDED + 1):
        reader = _Reader(b"\n".join(lines), path, first_line=first_line)
        body = reader.body()
        if not reader.failures:
            break
        # What follows the first broken place is often only said to be broken because of it.
        first = reader.failures[0]
        at = min(first.line - first_line, len(lines) - 1)
        if (bare := _bare(lines, at)) is not None:
            row, match = bare
            words = f"this is no HCL: {match[1].decode(errors='replace')} has no value"
            failure = UnreadableInput(words, path=path, line=row + first_line, column=match.start(1))
            failures.setdefault(failure.line, failure)
            lines[row] = b""
            continue
        failures.setdefault(first.line, first)
        if reader.lacks == "block_end":
            break
        at = at or len(lines) - 1
        # What is missing is noticed at the next bracket; the block as such is broken by its last line, half written.
        brackets = b" \t\r" if reader.lacks is None else b" \t\r}])"
        while at > 0 and not lines[at].strip(brackets):
            at -= 1
        if at == 0:
            break
        lines[at] = b""
    return body, list(failures.values())


def _bare(lines: list[bytes], at: int) -> tuple[int, re.Match[bytes]] | None:
    """The attribute without a value that makes line *at* unreadable: on the line, before it, or in its whole block."""
    before = at - 1
    while before >= 0 and not lines[before].strip():
        before -= 1
    # A block that breaks at its head may do so anywhere.
    for row in (at, before, *(range(1, len(lines)) if at == 0 else ())):
        if row >= 0 and (match := _BARE.fullmatch(lines[row])):
            return row, match
    return None


@cache
def _parser() -> "Parser":
    import tree_sitter_hcl
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_hcl.language()))


class _TooDeep(Exception):
    """An expression nests deeper than ``MAX_DEPTH``; *node* is where."""

    def __init__(self, node: "Node") -> None:
        super().__init__()
        self.node = node


class _Reader:
    def __init__(
        self,
        source: bytes,
        path: str,
        *,
        first_line: int = 1,
        within: Span | None = None,
        drops_last_newline: bool = False,
    ) -> None:
        self.source, self.path, self.first_line, self.within = source, path, first_line, within
        self.drops_last_newline = drops_last_newline
        self.lines = None if source.isascii() else source.split(b"\n")
        self.failures: list[UnreadableInput] = []
        #: What the first broken place lacks a part of; ``None`` when something is there that should not be.
        self.lacks: str | None = None
        self.depth = 0

    def body(self) -> Body:
        # The tree is kept while its nodes are read; they do not keep it themselves.
        tree = _parser().parse(self.source)
        root = tree.root_node
        if root.has_error:
            self.failures += self._broken(root)
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for node in root.named_children:
            # A file that does not parse as a whole may have its parts without a body around them.
            for part in node.named_children if node.type in ("body", "ERROR") else (node,):
                self._take(part, attributes, blocks)
        return Body(attributes, tuple(blocks))

    def _take(self, node: "Node", attributes: dict[str, Attribute], blocks: list[Block]) -> None:
        if node.type == "attribute":
            if (attribute := self._attribute(node)) is not None:
                attributes[attribute.name] = attribute
        elif node.type == "block" and (block := self._block(node)) is not None:
            blocks.append(block)

    def span(self, node: "Node", last: "Node | None" = None) -> Span:
        """The place of *node*, or of all from it to *last*."""
        if self.within is not None:
            return self.within
        (row, column), (end_row, end_column) = node.start_point, (last or node).end_point
        if self.lines is not None:
            column, end_column = self._characters(row, column), self._characters(end_row, end_column)
        return Span(self.path, row + self.first_line, column, end_row + self.first_line, end_column)

    def _characters(self, row: int, column: int) -> int:
        line = self.lines[row] if self.lines and row < len(self.lines) else b""
        return column if line.isascii() else len(line[:column].decode(errors="replace"))

    def fail(self, node: "Node", words: str) -> None:
        if len(self.failures) < MAX_FAILURES:
            span = self.span(node)
            self.failures.append(
                UnreadableInput(f"this is no HCL: {words}", path=self.path, line=span.line, column=span.column)
            )

    def _broken(self, root: "Node") -> Iterator[UnreadableInput]:
        """The outermost broken places below *root*, without recursion."""
        todo, count = [root], 0
        while todo and count < MAX_FAILURES:
            node = todo.pop()
            if node.is_missing or node.is_error or (node.type in _ENDLESS and node.children[-1].is_missing):
                if not count:
                    self.lacks = node.parent.type if node.is_missing and node.parent else None
                count += 1
                span = self.span(node)
                yield UnreadableInput(
                    f"this is no HCL: {self._complaint(node)}", path=self.path, line=span.line, column=span.column
                )
            elif node.has_error:
                todo += reversed([child for child in node.children if child.has_error])

    def _complaint(self, node: "Node") -> str:
        if node.type in _ENDLESS and not node.is_error:
            return f"{_ENDLESS[node.type]} does not end"
        if node.is_missing:
            return f"expected {_EXPECTED.get(node.type) or repr(node.type)}"
        found = self.text(node).split("\n", 1)[0].strip()
        return f"unexpected {found[:40]!r}" if found else "something is missing"

    def text(self, node: "Node") -> str:
        return self.source[node.start_byte : node.end_byte].decode(errors="replace")

    def _attribute(self, node: "Node") -> Attribute | None:
        if node.has_error:
            return None
        name, expression = node.named_children[0], node.named_children[-1]
        try:
            return Attribute(self.text(name), self.expression(expression), self.span(name))
        except _TooDeep as deep:
            self._complain_of_depth(deep.node)
            return None

    def _complain_of_depth(self, node: "Node") -> None:
        self.depth = 0
        self.fail(node, f"it nests more than {MAX_DEPTH} levels deep")

    def _block(self, node: "Node", level: int = 0) -> Block | None:
        if level > MAX_DEPTH:
            self.fail(node, f"it nests more than {MAX_DEPTH} levels deep")
            return None
        kind, labels, last = "", [], node
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for child in node.named_children:
            part = child.type
            if part == "identifier":
                last = child
                if kind:
                    labels.append(self.text(child))
                else:
                    kind = self.text(child)
            elif part == "string_lit":
                last = child
                labels.append(_unescaped(self.text(child)[1:-1]))
            elif part == "body":
                for inner in child.named_children:
                    if inner.type == "block":
                        if (block := self._block(inner, level + 1)) is not None:
                            blocks.append(block)
                    elif inner.type == "attribute" and (attribute := self._attribute(inner)) is not None:
                        attributes[attribute.name] = attribute
        body = Body(attributes, tuple(blocks))
        return Block(kind, tuple(labels), body, self.span(last), self.span(node)) if kind else None

    def expression(self, node: "Node") -> Expression:
        source = self.source[node.start_byte : node.end_byte]
        if match := _PLAIN_TEXT.fullmatch(source):
            return Literal(match[1].decode(errors="replace"), self.span(node))
        if source in _WORDS:
            return Literal(_WORDS[source], self.span(node))
        if _PLAIN_PATH.fullmatch(source):
            name, *steps = source.decode().split(".")
            span = self.span(node)
            start = (
                Variable(name, span) if name not in ("true", "false", "null") else Literal(_WORDS[name.encode()], span)
            )
            return Traversal(start, tuple(steps), span) if steps else start
        if self.depth > MAX_DEPTH:
            raise _TooDeep(node)
        self.depth += 1
        found = self._terms([child for child in node.children if child.type != "comment"])
        self.depth -= 1
        return found

    def _terms(self, children: "list[Node]") -> Expression:
        """An expression out of a term and the steps into it that follow."""
        first = children[0]
        if first.type == "(":
            found: Expression = Parenthesised(self.expression(children[1]), self.span(first, children[2]))
            rest = children[3:]
        else:
            found = self._term(first)
            rest = children[1:]
        if not rest:
            return found
        steps: list[str | Splat | Expression] = []
        for child in rest:
            self._step(child, steps)
        return Traversal(found, tuple(steps), self.span(first, children[-1]))

    def _step(self, node: "Node", steps: "list[str | Splat | Expression]") -> None:
        kind = node.type
        if kind == "get_attr":
            steps.append(self.text(node.named_children[-1]))
        elif kind == "index":
            inner = node.named_children[0]
            if inner.type == "legacy_index":
                steps.append(Literal(int(self.text(inner).lstrip(". ")), self.span(inner)))
            else:
                steps.append(self.expression(_meaning(inner)[0]))
        elif kind == "splat":
            inner = node.named_children[0]
            steps.append(Splat(inner.type == "full_splat"))
            for child in _meaning(inner):
                self._step(child, steps)

    def _term(self, node: "Node") -> Expression:
        read = _TERMS.get(node.type)
        if read is None:
            self.fail(node, f"unexpected {self.text(node)[:40]!r}")
            return Literal(None, self.span(node))
        return read(self, node)

    def _literal(self, node: "Node") -> Expression:
        inner = node.named_children[0]
        if inner.type == "string_lit":
            return self._quoted(inner)
        text = self.text(inner)
        value = _WORDS[text.encode()] if inner.type != "numeric_lit" else _number(text)
        return Literal(value, self.span(node))

    def _variable(self, node: "Node") -> Expression:
        return Variable(self.text(node), self.span(node))

    def _collection(self, node: "Node") -> Expression:
        inner = node.named_children[0]
        if inner.type == "tuple":
            items = (self.expression(child) for child in inner.named_children if child.type == "expression")
            return ListOf(tuple(items), self.span(node))
        return ObjectOf(tuple(self._pairs(inner)), self.span(node))

    def _pairs(self, node: "Node") -> Iterator[tuple[Expression, Expression]]:
        for child in node.named_children:
            if child.type == "object_elem":
                key, value = (self.expression(each) for each in _meaning(child))
                yield Literal(key.name, key.span) if isinstance(key, Variable) else key, value

    def _call(self, node: "Node") -> Expression:
        name = node.named_children[0]
        arguments: list[Expression] = []
        expands = False
        for child in node.named_children[1:]:
            if child.type == "function_arguments":
                for inner in child.named_children:
                    if inner.type == "expression":
                        arguments.append(self.expression(inner))
                    expands = expands or inner.type == "ellipsis"
        return Call(self.text(name), tuple(arguments), expands, self.span(node))

    def _conditional(self, node: "Node") -> Expression:
        """The grammar reads ``a ? b : c ? d : e`` as ``(a ? b : c) ? d : e``; Terraform does not."""
        branches: list[tuple[Node, Node]] = []
        condition = node
        while condition.type == "conditional":
            test, then, otherwise = _meaning(condition)
            branches.append((then, otherwise))
            inner = _meaning(test)
            if len(inner) != 1 or inner[0].type != "conditional" or test.children[0].type == "(":
                condition = test
                break
            condition = inner[0]
        # From the left: the condition, and what the last ``:`` before the next ``?`` is followed by is the next one.
        branches.reverse()
        if len(branches) > MAX_DEPTH:
            raise _TooDeep(node)
        tests = [condition, *(otherwise for _, otherwise in branches[:-1])]
        span = self.span(node)
        found = self.expression(branches[-1][1])
        for test, (then, _) in zip(reversed(tests), reversed(branches), strict=True):
            found = Conditional(self.expression(test), self.expression(then), found, span)
        return found

    def _operation(self, node: "Node") -> Expression:
        inner = node.named_children[0]
        children = [child for child in inner.children if child.type != "comment"]
        if self.depth > MAX_DEPTH:
            raise _TooDeep(node)
        self.depth += 1
        found: Expression
        if inner.type == "unary_operation":
            found = Unary(self.text(children[0]), self._terms(children[1:]), self.span(node))
        else:
            at = next(
                number
                for number, child in enumerate(children)
                if not child.is_named and number and child.type not in ("(", ")")
            )
            left = self._terms(children[:at])
            right = self._terms(children[at + 1 :])
            found = Binary(self.text(children[at]), left, right, self.span(node))
        self.depth -= 1
        return found

    def _for(self, node: "Node") -> Expression:
        inner = node.named_children[0]
        names: list[str] = []
        values: list[Expression] = []
        collection: Expression | None = None
        condition: Expression | None = None
        groups = False
        for child in inner.named_children:
            kind = child.type
            if kind == "for_intro":
                for part in _meaning(child):
                    if part.type == "identifier":
                        names.append(self.text(part))
                    elif part.type == "expression":
                        collection = self.expression(part)
            elif kind == "expression":
                values.append(self.expression(child))
            elif kind == "for_cond":
                condition = self.expression(_meaning(child)[0])
            groups = groups or kind == "ellipsis"
        key = names[0] if len(names) > 1 else None
        result_key = values[0] if len(values) > 1 else None
        span = self.span(node)
        return For(key, names[-1], collection or Literal(None, span), result_key, values[-1], groups, condition, span)

    def _text(self, node: "Node") -> Expression:
        inner = node.named_children[0]
        return self._quoted(inner) if inner.type == "quoted_template" else self._heredoc(inner)

    def _quoted(self, node: "Node") -> Expression:
        for child in node.named_children:
            if child.type == "template_literal" and b"\n" in self.source[child.start_byte : child.end_byte]:
                self.fail(node, "a quoted text ends on another line")
        return _Text(self, _unescaped, None).read(node, node.start_byte + 1, node.end_byte - 1)

    def _heredoc(self, node: "Node") -> Expression:
        marks = [child for child in node.named_children if child.type == "heredoc_identifier"]
        start = self.source.find(b"\n", marks[0].end_byte) + 1 or node.end_byte
        end = self.source.rfind(b"\n", 0, marks[-1].start_byte) + 1
        if self.drops_last_newline:
            end -= 1
        flush = self.source[node.start_byte : node.start_byte + 3] == b"<<-"
        return _Text(self, _heredoc_unescaped, node if flush else None).read(node, start, max(start, end))


class _Text:
    """Reads one quoted text or heredoc; *flush* is a heredoc whose indentation is not part of its text."""

    def __init__(self, reader: _Reader, unescaped: Callable[[str], str], flush: "Node | None") -> None:
        self.reader, self.unescaped, self.flushes = reader, unescaped, flush is not None
        self.indent = 0

    def read(self, node: "Node", start: int, end: int) -> Expression:
        children = _parts(node)
        if self.flushes:
            self.indent = self._indentation(children, start, end)
        parts = tuple(self._parts(children, start, end))
        span = self.reader.span(node)
        if not parts:
            return Literal("", span)
        if len(parts) == 1 and isinstance(parts[0], Literal) and isinstance(parts[0].value, str):
            return Literal(parts[0].value, span)
        return TextTemplate(parts, span)

    def _parts(self, children: "list[Node]", start: int, end: int) -> Iterator[Part]:
        """What is filled in, with the text between; the grammar leaves whitespace out of its nodes."""
        strips = False
        for child in children:
            before, after = _strip_marks(child)
            yield from self._literal(start, child.start_byte, strips, before)
            yield self._part(child)
            start, strips = child.end_byte, after
        yield from self._literal(start, end, strips, False)

    def _literal(self, start: int, end: int, left: bool, right: bool) -> Iterator[Literal]:
        source = self.reader.source
        text = source[start:end].decode(errors="replace").replace("\r\n", "\n")
        if self.indent and text:
            text = self._dedented(text, source[start - 1 : start] == b"\n")
        text = text.lstrip() if left else text
        text = text.rstrip() if right else text
        if text:
            within = self.reader.within
            yield Literal(self.unescaped(text), within or Span.whole(self.reader.path))

    def _dedented(self, text: str, at_start: bool) -> str:
        lines = _LINE.findall(text)
        for number, line in enumerate(lines):
            if (number or at_start) and not (line.isspace() and line.endswith("\n")):
                lines[number] = line[self.indent :]
        return "".join(lines)

    def _indentation(self, children: "list[Node]", start: int, end: int) -> int:
        """The whitespace that every line has, empty ones left aside; lines within ``${ }`` do not count."""
        source, least = self.reader.source, end - start
        for begin, stop, filled in self._flat(children, start, end):
            text = source[begin:stop].decode(errors="replace")
            at_start = source[begin - 1 : begin] == b"\n"
            if filled:
                least = 0 if at_start else least
                continue
            for number, line in enumerate(_LINE.findall(text)):
                if (number or at_start) and not (line.isspace() and line.endswith("\n")):
                    least = min(least, len(line) - len(line.lstrip()))
        return least

    def _flat(self, children: "list[Node]", start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Pieces of text, and of what is filled in (true), in the order written."""
        for child in children:
            yield start, child.start_byte, False
            if child.type == "template_directive":
                at = child.start_byte
                for mark in _marks(child):
                    if mark.start_byte > at:
                        yield from self._flat(_parts_between(child, at, mark.start_byte), at, mark.start_byte)
                    yield mark.start_byte, mark.end_byte, True
                    at = mark.end_byte
            else:
                yield child.start_byte, child.end_byte, True
            start = child.end_byte
        yield start, end, False

    def _part(self, node: "Node") -> Part:
        reader = self.reader
        if node.type == "template_interpolation":
            inner = [child for child in node.named_children if child.type == "expression"]
            return reader.expression(inner[0]) if inner else Literal("", reader.span(node))
        if reader.depth > MAX_DEPTH:
            raise _TooDeep(node)
        reader.depth += 1
        found = self._directive(node)
        reader.depth -= 1
        return found

    def _directive(self, node: "Node") -> Part:
        reader, span = self.reader, self.reader.span(node)
        marks = _marks(node)
        bodies = [self._body(node, before, after) for before, after in pairwise(marks)]
        intro = _meaning(marks[0])
        expression = reader.expression(next(child for child in intro if child.type == "expression"))
        if marks[0].type == "template_if_intro":
            otherwise = bodies[1] if len(bodies) > 1 else TextTemplate((), span)
            return TextIf(expression, bodies[0], otherwise, span)
        names = [reader.text(child) for child in intro if child.type == "identifier"]
        return TextFor(names[0] if len(names) > 1 else None, names[-1], expression, bodies[0], span)

    def _body(self, node: "Node", before: "Node", after: "Node") -> TextTemplate:
        start, end = before.end_byte, after.start_byte
        parts = list(self._parts(_parts_between(node, start, end), start, end))
        if parts and _has_mark(before, last=True) and isinstance(parts[0], Literal):
            parts[0] = Literal(str(parts[0].value).lstrip(), parts[0].span)
        if parts and _has_mark(after, last=False) and isinstance(parts[-1], Literal):
            parts[-1] = Literal(str(parts[-1].value).rstrip(), parts[-1].span)
        return TextTemplate(tuple(part for part in parts if not _is_empty(part)), self.reader.span(node))


_MARKS: Final = (
    "template_if_intro",
    "template_else_intro",
    "template_if_end",
    "template_for_start",
    "template_for_end",
)


def _is_empty(part: Part) -> bool:
    return isinstance(part, Literal) and part.value == ""


def _meaning(node: "Node") -> "list[Node]":
    """The named children but for comments."""
    return [child for child in node.named_children if child.type != "comment"]


def _parts(node: "Node") -> "list[Node]":
    return [child for child in node.named_children if child.type in ("template_interpolation", "template_directive")]


def _marks(directive: "Node") -> "list[Node]":
    """The ``%{ … }`` of a directive: its start, perhaps an ``else``, and its end."""
    return [child for child in directive.named_children[0].named_children if child.type in _MARKS]


def _parts_between(directive: "Node", start: int, end: int) -> "list[Node]":
    inner = directive.named_children[0]
    return [child for child in _parts(inner) if child.start_byte >= start and child.end_byte <= end]


def _strip_marks(node: "Node") -> tuple[bool, bool]:
    """Whether ``~`` removes the whitespace before and after *node*."""
    if node.type == "template_interpolation":
        return _has_mark(node, last=False), _has_mark(node, last=True)
    marks = _marks(node)
    return _has_mark(marks[0], last=False), _has_mark(marks[-1], last=True)


def _has_mark(node: "Node", *, last: bool) -> bool:
    children = node.children
    at = -2 if last else 1
    return len(children) > 2 and children[at].type == "strip_marker"


def _number(text: str) -> Plain:
    try:
        return int(text) if text.isdigit() and len(text) <= 400 else _whole(float(text))
    except ValueError:
        return int(text, 16) if text[:2] in ("0x", "0X") else None


def _whole(number: float) -> int | float:
    return int(number) if abs(number) < 2**53 and number == int(number) else number


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_escape, text) if "\\" in text or "{" in text else text


def _escape(match: re.Match[str]) -> str:
    if match[1]:
        return _ESCAPED[match[1]]
    if match[4]:
        return f"{match[4]}{{"
    code = int(match[2] or match[3], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


def _heredoc_unescaped(text: str) -> str:
    return _HEREDOC_ESCAPE.sub(r"\1{", text) if "{" in text else text


_TERMS: Final[dict[str, "Callable[[_Reader, Node], Expression]"]] = {
    "literal_value": _Reader._literal,
    "template_expr": _Reader._text,
    "variable_expr": _Reader._variable,
    "collection_value": _Reader._collection,
    "function_call": _Reader._call,
    "conditional": _Reader._conditional,
    "operation": _Reader._operation,
    "for_expr": _Reader._for,
    "expression": _Reader.expression,
}
