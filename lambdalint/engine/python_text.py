"""Python code as text and as statements, for changes that move or indent some of them.

Edits are made by the places of the syntax tree, so that comments and layout around them stay.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from lambdalint.engine.text import Text
from lambdalint.model.places import Span

Def: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
#: What has names of its own: a change within one function does not look into those.
SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


class Code:
    """The *text* of a module with its syntax tree."""

    def __init__(self, text: Text, tree: ast.Module) -> None:
        self.text = text
        self.tree = tree
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def start(self, node: ast.AST) -> int:
        return self._offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        return self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def source(self, node: ast.AST) -> str:
        return self.text.text[self.start(node) : self.end(node)]

    def expression(self, span: Span) -> ast.expr | None:
        """The outermost expression at *span*."""
        return next((node for node in self._at(span) if isinstance(node, ast.expr)), None)

    def statement_at(self, span: Span) -> ast.stmt | None:
        """The statement at *span*."""
        return next((node for node in self._at(span) if isinstance(node, ast.stmt)), None)

    def definition(self, span: Span) -> Def | None:
        """The ``def`` that begins at *span*."""
        start = self.text.offset(span.line, span.column)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and self.start(node) == start:
                return node
        return None

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that *node* is a part of."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def function(self, node: ast.AST) -> Def | None:
        """The function whose code *node* is; ``None`` for code of the module, of a class or of a lambda."""
        child, parent = node, self.parents.get(node)
        while parent is not None and not isinstance(parent, SCOPES):
            child, parent = parent, self.parents.get(parent)
        if not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) or child not in parent.body:
            return None
        return parent

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements that *statement* is one of."""
        parent = self.parents[statement]
        for _, value in ast.iter_fields(parent):
            if isinstance(value, list) and statement in value:
                return value
        return []

    def indent(self, statement: ast.stmt) -> str | None:
        """What stands before *statement*; ``None`` where it shares its lines with others."""
        before = self.text.text[self.text.starts[statement.lineno - 1] : self.start(statement)]
        after = self.text.text[self.end(statement) : self.line_end(statement)]
        return before if not before.strip() and re.fullmatch(r"[ \t]*(#.*)?", after) else None

    def step(self, statement: ast.stmt) -> str:
        """What an indented block of the module is indented by."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                outer, inner = self.indent(node), self.indent(node.body[0])
                if outer is not None and inner is not None and inner.startswith(outer):
                    return inner[len(outer) :]
        return "\t" if (self.indent(statement) or "").startswith("\t") else "    "

    def line_start(self, statement: ast.stmt) -> int:
        """Where the lines of *statement* begin, with its decorators."""
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        return self.text.starts[min((statement.lineno, *(each.lineno for each in decorators))) - 1]

    def first_line(self, statement: ast.stmt) -> int:
        """The line where the comment right above *statement* begins, or else *statement*, with its decorators."""
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        line = min((statement.lineno, *(each.lineno for each in decorators)))
        while line > 1 and self.text.text[self.text.starts[line - 2] :].lstrip(" \t").startswith("#"):
            line -= 1
        return line

    def line_end(self, node: ast.AST) -> int:
        """Where the last line of *node* ends, without what ends it."""
        return self.text.line_end(node.end_lineno)  # type: ignore[attr-defined]

    def comment(self, statement: ast.stmt) -> str:
        """The comment behind *statement*, with the blanks before it."""
        after = self.text.text[self.end(statement) : self.line_end(statement)]
        return after.rstrip() if after.lstrip().startswith("#") else ""

    def lines(self, start: int, end: int) -> list[tuple[str, bool]]:
        """The lines between two offsets, and whether they begin within a text literal, which keeps its blanks."""
        inside = {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, ast.JoinedStr)
            or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
            for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
        }
        first = self.text.edit(start, start, "").span.line
        rows = _LINE_END.split(self.text.text[start:end])
        return [(row, first + number in inside) for number, row in enumerate(rows)]

    def indented(self, start: int, end: int, by: str) -> str:
        """The lines between two offsets, indented by more."""
        return "\n".join(row if kept or not row.strip() else by + row for row, kept in self.lines(start, end))

    def inside(self, start: int, end: int, by: str) -> str:
        """What stands between the ends of two lines, indented by more, and with no blank line at its beginning."""
        return re.sub(r"\A\n(?:[ \t]*\n)+", "\n", self.indented(start, end, by))

    def dedented(self, start: int, end: int, by: str) -> str | None:
        """The lines between two offsets, indented by less; ``None`` where one is not indented so far."""
        rows = []
        for row, kept in self.lines(start, end):
            if not kept and row.strip() and not row.startswith(by):
                return None
            rows.append(row if kept else row[len(by) :])
        return "\n".join(rows)

    def _at(self, span: Span) -> Iterator[ast.AST]:
        place = self.text.bounds(span)
        for node in ast.walk(self.tree):
            if hasattr(node, "lineno") and (self.start(node), self.end(node)) == place:
                yield node

    def _offset(self, line: int, column: int) -> int:
        start = self.text.starts[line - 1]
        row = self.text.text[start : self.text.line_end(line)]
        return start + (column if row.isascii() else len(row.encode()[:column].decode()))


def own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """*nodes* and what is in them, but for what is in functions and classes there."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def reads(nodes: Iterable[ast.AST], name: str) -> list[ast.Name]:
    """Where *name* is read, functions inside included."""
    return [each for each in _names(nodes, name) if isinstance(each.ctx, ast.Load)]


def mentions(nodes: Iterable[ast.AST], name: str) -> bool:
    """Whether *name* means anything in *nodes*, as a variable, parameter, import or definition."""
    return any(_is_about(each, name) for node in nodes for each in ast.walk(node))


def writes(nodes: Iterable[ast.AST], name: str) -> bool:
    """Whether *name* is bound in *nodes*."""
    return any(
        _is_about(each, name) and not (isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load))
        for node in nodes
        for each in ast.walk(node)
    )


def free_name(nodes: Iterable[ast.AST], *wanted: str) -> str | None:
    """The first of the *wanted* names that means nothing in *nodes*."""
    inside = list(nodes)
    return next((name for name in wanted if not mentions(inside, name)), None)


def parameters(function: Def) -> list[str]:
    """The names of the positional parameters."""
    return [each.arg for each in (*function.args.posonlyargs, *function.args.args)]


def _names(nodes: Iterable[ast.AST], name: str) -> Iterator[ast.Name]:
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id == name:
                yield each


def _is_about(node: ast.AST, name: str) -> bool:
    """Whether *node* alone, without what is in it, is about *name*."""
    match node:
        case ast.Name(id=found) | ast.arg(arg=found) | ast.ExceptHandler(name=found) | ast.MatchAs(name=found):
            return found == name
        case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found) | ast.ClassDef(name=found):
            return found == name
        case ast.MatchStar(name=found) | ast.MatchMapping(rest=found):
            return found == name
        case ast.alias(name=module, asname=asname):
            return (asname or module.partition(".")[0]) == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case _:
            return False


def qualified_name(code: Code, function: Def) -> str:
    """The name of *function* with those of the functions and classes around it."""
    parts, node = [function.name], code.parents.get(function)
    while node is not None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            parts.append(node.name)
        node = code.parents.get(node)
    return ".".join(reversed(parts))


def first_statement(function: Def) -> ast.stmt | None:
    """The first statement behind the docstring."""
    match function.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest[0] if rest else None
        case [first, *_]:
            return first
        case _:
            return None
