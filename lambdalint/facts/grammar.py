"""Which syntax of a module an older Python does not parse."""

import ast
import io
import re
import token as token_types
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from lambdalint.facts.walk import Walk, nodes
from lambdalint.model.places import Span
from lambdalint.model.source import Source

Version: TypeAlias = tuple[int, int]

#: The tokens around an f-string; before 3.12 it is one token, and what these would tell does not parse.
_START: Final[int | None] = getattr(token_types, "FSTRING_START", None)
_END: Final[int | None] = getattr(token_types, "FSTRING_END", None)

_DELIMITER: Final = re.compile(r"[A-Za-z]*(\"{3}|'{3}|\"|')")


@dataclass(frozen=True, slots=True)
class Construct:
    """A piece of syntax that Python has from *version* on."""

    what: str
    version: Version
    span: Span


@dataclass(frozen=True, slots=True)
class Grammar:
    """The constructs newer than Python 3.7, in the order of the text; only those that are certain.

    Source: https://docs.python.org/3/whatsnew/
    """

    constructs: tuple[Construct, ...] = ()

    @classmethod
    def of(cls, walk: Walk, source: Source) -> "Grammar":
        found = [
            Construct(what, version, _first_line(source.span(node), source))
            for each in _telling(walk)
            for node, what, version in _constructs(each, source)
        ]
        return cls(tuple(sorted(found, key=lambda construct: construct.span)))


def _telling(walk: Walk) -> Iterator[ast.AST]:
    """The nodes that may say something about their version."""
    yield from walk.novelties
    for scope in walk.scopes:
        if getattr(scope.node, "decorator_list", ()) or getattr(scope.node, "type_params", ()):
            yield scope.node
        args = getattr(scope.node, "args", None)
        if args is not None and (args.posonlyargs or args.vararg is not None):
            yield args
    yield from (place.node for place in walk.returns if type(place.node.value) is ast.Tuple)
    yield from (place.node for place in walk.subscripts if type(place.node.slice) is ast.Tuple)
    yield from (place.node for place in walk.imports if getattr(place.node, "is_lazy", 0))
    for place in walk.annotations:
        if type(place.node) is not ast.Name:
            yield from nodes(place.node)


def _first_line(span: Span, source: Source) -> Span:
    """The head of a statement of several lines says enough."""
    if span.end_line == span.line:
        return span
    return replace(span, end_line=span.line, end_column=len(source.lines[span.line - 1].rstrip()))


_Found: TypeAlias = Iterator[tuple[ast.AST, str, Version]]


def _constructs(node: ast.AST, source: Source) -> _Found:
    match node:
        case ast.Match():
            yield node, "match", (3, 10)
        case ast.TryStar():
            yield node, "except*", (3, 11)
        case ast.NamedExpr():
            yield node, "the := operator", (3, 8)
        case ast.arguments(posonlyargs=[first, *_]):
            yield first, "a positional-only parameter", (3, 8)
        case ast.arguments(vararg=ast.arg(annotation=ast.Starred() as starred)):
            yield starred, "unpacking in an annotation", (3, 11)
        case ast.Subscript(slice=ast.Tuple() as index) if _is_bare(index):
            yield index, "unpacking in an index", (3, 11)
        case ast.Return(value=ast.Tuple() as value) | ast.Yield(value=ast.Tuple() as value) if _is_bare(value):
            yield value, "unpacking without brackets", (3, 8)
        case ast.For(iter=ast.Tuple() as value) | ast.AsyncFor(iter=ast.Tuple() as value) if _is_bare(value):
            yield value, "unpacking without brackets in a loop", (3, 9)
        case ast.ExceptHandler(type=ast.Tuple(elts=[first, *_]) as types) if _starts_together(types, first):
            yield node, "except without brackets", (3, 14)
        case ast.JoinedStr() if _nests_freely(node, source):
            yield node, "a quote or backslash inside the braces of an f-string", (3, 12)
        case ast.JoinedStr() if _shows_itself(node, source):
            yield node, "= in an f-string", (3, 8)
        case _:
            yield from _by_name(node)
    for decorator in getattr(node, "decorator_list", ()):
        if not _is_plain_decorator(decorator):
            yield decorator, "such a decorator", (3, 9)
    for parameter in getattr(node, "type_params", ())[:1]:
        yield parameter, "a type parameter", (3, 12)


def _by_name(node: ast.AST) -> _Found:
    """Kinds of nodes that the Python we run on may not have."""
    match type(node).__name__:
        case "TypeAlias":
            yield node, "a type statement", (3, 12)
        case "TemplateStr":
            yield node, "a template string", (3, 14)
        case "Import" | "ImportFrom" if getattr(node, "is_lazy", 0):
            yield node, "a lazy import", (3, 15)


def _is_bare(value: ast.Tuple) -> bool:
    """Whether a tuple with ``*rest`` in it stands without brackets."""
    return any(isinstance(each, ast.Starred) for each in value.elts) and _starts_together(value, value.elts[0])


def _starts_together(outer: ast.expr, inner: ast.expr) -> bool:
    return (outer.lineno, outer.col_offset) == (inner.lineno, inner.col_offset)


def _is_plain_decorator(node: ast.expr) -> bool:
    """Whether it is a dotted name, called once at most: the only decorators there were before."""
    if isinstance(node, ast.Call):
        node = node.func
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _shows_itself(node: ast.JoinedStr, source: Source) -> bool:
    """Whether one of the fields is ``{name=}``; the tree of ``name={name!r}`` is the same."""
    for before, value in zip(node.values, node.values[1:], strict=False):
        if isinstance(before, ast.Constant) and isinstance(value, ast.FormattedValue) and str(before.value)[-1:] == "=":
            shown = f"{ast.unparse(value.value)}="
            text = "\n".join(source.lines[node.lineno - 1 : node.end_lineno])
            if str(before.value).endswith(shown) and re.search(rf"\{{{re.escape(shown)}[!:}}]", text):
                return True
    return False


def _nests_freely(node: ast.JoinedStr, source: Source) -> bool:
    """Whether a field holds the quote that would have ended the string before, or a backslash."""
    if _START is None:
        return False
    delimiters: list[str] = []
    lines = [line.encode() for line in source.lines[node.lineno - 1 : node.end_lineno]]
    lines[-1] = lines[-1][: node.end_col_offset]
    lines[0] = lines[0][node.col_offset :]
    text = b"\n".join(lines).decode(errors="ignore")
    delimiter = _DELIMITER.match(text)
    quotes = text.count('"') + text.count("'")
    if delimiter and quotes == 2 * len(delimiter[1]) and "\\" not in text:
        return False
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == _END:
                delimiters.pop()
            inside = delimiters and token.type in (_START, token_types.STRING)
            if inside and any(each in token.string for each in (*delimiters, "\\")):
                return True
            if token.type == _START:
                delimiters.append(token.string.lstrip("fFrRtT"))
    except (tokenize.TokenError, SyntaxError):
        return False
    return False
