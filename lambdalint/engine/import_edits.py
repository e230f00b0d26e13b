"""Imports that a change of Python code needs, written where such imports stand."""

import ast

from lambdalint.engine.text import Text
from lambdalint.model.finding import Edit


def imported(text: Text, tree: ast.Module, dotted: str) -> Edit | bool | None:
    """The edit that imports something; true when it is imported, ``None`` when its name means something else."""
    module, _, name = dotted.rpartition(".")
    name = name or dotted
    wanted = f"from {module} import {name}" if module else f"import {name}"
    there = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            origin = "" if isinstance(node, ast.Import) else node.module
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == name:
                    if origin != module or alias.name not in (name, f"{name}.{alias.name.partition('.')[2]}"):
                        return None
                    there = there or node in tree.body
        elif name in bound(node):
            return None
    return True if there else _import_edit(text, tree, wanted, is_from=bool(module))


def bound(node: ast.AST) -> tuple[str | None, ...]:
    """The names that a node of the syntax tree gives a meaning, but for those of imports."""
    match node:
        case ast.Name(name, ast.Store() | ast.Del()):
            return (name,)
        case ast.arg(arg=name):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return (name,)
        case _:
            return ()


def _import_edit(text: Text, tree: ast.Module, wanted: str, *, is_from: bool) -> Edit:
    body = tree.body
    start = 0
    if body and ast.get_docstring(tree, clean=False) is not None:
        start = 1
    while start < len(body) and isinstance(body[start], ast.ImportFrom) and _module(body[start]) == "__future__":
        start += 1
    group: list[ast.stmt] = []
    for node in body[start:]:
        near = not group or node.lineno - (group[-1].end_lineno or 0) <= 1
        if not isinstance(node, ast.Import | ast.ImportFrom) or not near:
            break
        group.append(node)
    key = (is_from, wanted.split()[1])
    for node in group:
        if (isinstance(node, ast.ImportFrom), _module(node)) > key:
            return _inserted(text, node.lineno, f"{wanted}\n")
    if group:
        return _after(text, group[-1], f"\n{wanted}")
    if start:
        return _after(text, body[start - 1], f"\n\n{wanted}")
    return _inserted(text, body[0].lineno if body else 1, f"{wanted}\n\n")


def _inserted(text: Text, line: int, code: str) -> Edit:
    start = text.starts[line - 1]
    return text.edit(start, start, code)


def _after(text: Text, node: ast.stmt, code: str) -> Edit:
    end = text.line_end(node.end_lineno or node.lineno)
    return text.edit(end, end, code)


def _module(node: ast.stmt) -> str:
    match node:
        case ast.Import(names=[first, *_]):
            return first.name
        case ast.ImportFrom(module=module):
            return module or "."
        case _:
            return ""
