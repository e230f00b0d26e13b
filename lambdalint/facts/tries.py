"""What a module's ``try`` statements catch, and what becomes of it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.names import Names
from lambdalint.facts.walk import Branch, Context, nodes
from lambdalint.model.places import Span

_DEFS: Final = frozenset((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda))
#: What tells something of the handler that it stands in.
_TELLING: Final = frozenset(
    (ast.Raise, ast.Return, ast.Break, ast.Call, ast.Assign, ast.AugAssign, ast.AnnAssign),
)
_BROAD: Final = ("Exception", "BaseException")
_EXITS: Final = ("sys.exit", "os._exit", "os.abort", "exit", "quit")


@dataclass(frozen=True, slots=True)
class Catch:
    """One ``except`` clause with the place of its *body*.

    *head* is the place of what is caught, of the body for a bare ``except``.  *raises*: somewhere in it another
    exception leaves, or the process ends; *leaves*: it returns, or breaks a loop.  *changed* are the names that it
    binds, or whose objects it may change, as written: ``failures`` for ``failures.append(record)``.  *idle*: it does
    nothing at all but go on or return.
    """

    head: Span
    body: Span
    names: tuple[str, ...]
    raises: bool = False
    leaves: bool = False
    changed: tuple[str, ...] = ()
    idle: bool = False

    @property
    def is_broad(self) -> bool:
        """Whether it catches whatever may go wrong."""
        return any(name in _BROAD for name in self.names)


@dataclass(frozen=True, slots=True)
class Try:
    """A ``try`` with *catches* in the ``def`` *scope*; *tried* is the place of the statements in it."""

    scope: str
    tried: Span
    catches: tuple[Catch, ...]


@dataclass(frozen=True, slots=True)
class Tries:
    """The ``try`` statements around calls, in the order of the text; *raises* are the places of ``raise``, by scope."""

    tries: tuple[Try, ...]
    raises: tuple[tuple[str, Span], ...] = ()

    @classmethod
    def of(cls, names: Names) -> "Tries":
        found = [_described(node, scope, names) for node, scope in _nodes(names)]
        raises = tuple((scope.owner.name, names.span(node)) for node, scope, _ in names.walk.raises)
        return cls(tuple(sorted(found, key=lambda each: each.tried)), raises)


def _nodes(names: Names) -> Iterator[tuple[ast.Try, str]]:
    seen: set[Context] = set()
    for _, scope, around in names.walk.calls:
        context = around
        while context is not None and context not in seen:
            seen.add(context)
            if context.branch is Branch.TRY and not context.skipped:
                yield context.node, scope.owner.name
            context = context.outer


def _described(node: ast.Try, scope: str, names: Names) -> Try:
    catches = []
    for handler in node.handlers:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        caught = ("BaseException",) if handler.type is None else tuple(_written(each) for each in types if each)
        body = _block(handler.body, names)
        inside = [each for each in nodes(*handler.body, closed=_DEFS) if type(each) in _TELLING]
        catches.append(
            Catch(
                body if handler.type is None else names.span(handler.type),
                body,
                caught,
                any(_raises(each) for each in inside),
                any(isinstance(each, ast.Return | ast.Break) for each in inside),
                tuple(sorted({name for each in inside for name in _changed(each)})),
                not any(isinstance(each, ast.Call | ast.Assign | ast.AugAssign | ast.AnnAssign) for each in inside),
            )
        )
    return Try(scope, _block(node.body, names), tuple(catches))


def _block(body: list[ast.stmt], names: Names) -> Span:
    first, last = names.span(body[0]), names.span(body[-1])
    return Span(first.path, first.line, first.column, last.end_line, last.end_column)


def _written(node: ast.AST) -> str:
    """A chain of attributes as written."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join((*([node.id] if isinstance(node, ast.Name) else []), *reversed(names)))


def _raises(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _written(node.func) in _EXITS)


def _changed(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets):
            yield from filter(None, (_root(each) for each in targets))
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            yield from filter(None, (_root(target),))
        case ast.Call(func=ast.Attribute(value=of, attr="append" | "add" | "extend" | "insert" | "update" | "put")):
            yield from filter(None, (_root(of),))


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
