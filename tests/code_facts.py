"""Facts of small snippets, for tests."""

import ast
from textwrap import dedent
from typing import Any, TypeVar, get_args, get_origin

from lambdalint.facts.imports import Imports
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Symbols
from lambdalint.join.code import load_code
from lambdalint.model.function import Code, CodeKind, Function
from lambdalint.model.places import Span
from lambdalint.model.source import Source
from lambdalint.model.template import Dialect, Resource
from lambdalint.model.values import Known
from lambdalint.readers.tree import MemoryTree, Tree
from lambdalint.rule import fact_wants

F = TypeVar("F")
HERE = Span.whole("template.yaml")


def fact(kind: type[F], text: str, path: str = "app.py") -> F:
    """The module fact *kind* of a snippet."""
    text = dedent(text)
    known: dict[Any, Any] = {ast.Module: ast.parse(text), Source: Source(path, text)}

    def work_out(wanted: Any) -> Any:
        if wanted not in known:
            known[wanted] = wanted.of(*(work_out(each) for each in fact_wants(wanted).values()))
        return known[wanted]

    found: F = work_out(kind)
    return found


class Parsed(PerModule[F]):
    """A fact of every module of a tree, worked out when asked for."""

    def __init__(self, tree: Tree, kind: type[F]) -> None:
        self.tree = tree
        self.kind = kind
        self.found: dict[str, F | None] = {}

    def get(self, path: str) -> F | None:
        if path not in self.found:
            try:
                self.found[path] = fact(self.kind, self.tree.read(path).decode(), path)
            except SyntaxError:
                self.found[path] = None
        return self.found[path]


def loaded(
    files: dict[str, str], handler: str = "app.handler", roots: tuple[str, ...] = ("",), **settings: Any
) -> tuple[Tree, Function]:
    """A function over *files* with its code loaded."""
    tree = MemoryTree({path: dedent(text) for path, text in files.items()})
    settings.setdefault("code", Code(CodeKind.FOLDER, HERE, "", ""))
    function = Function(
        name="Orders",
        span=HERE,
        template="template.yaml",
        dialect=next(iter(Dialect)),
        resource=Resource("Orders", "AWS::Lambda::Function", {}, HERE, HERE),
        handler=Known(handler, HERE),
        **settings,
    )
    return tree, load_code(tree, function, Parsed(tree, Symbols), Parsed(tree, Imports), roots)


def work_out(kind: type[F], tree: Tree, function: Function) -> F:
    """The fact *kind* about *function*."""
    args: list[Any] = []
    fact_kind: Any = kind
    for wanted in fact_wants(fact_kind).values():
        if wanted is Function:
            args.append(function)
        elif get_origin(wanted) is PerModule:
            args.append(Parsed(tree, get_args(wanted)[0]))
        else:
            args.append(work_out(wanted, tree, function))
    found: F = fact_kind.of(*args)
    return found
