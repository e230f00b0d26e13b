"""What is read anew for every event, read once instead, when the module is imported."""

import ast
from typing import Final

from lambdalint.engine.python_text import Code, Def, mentions, reads, writes
from lambdalint.model.changes import LoadOnce
from lambdalint.model.finding import Edit

#: Methods of dicts and lists that change nothing, and functions that only look.
_LOOKING: Final = ("count", "get", "index", "items", "keys", "values")
_ASKING: Final = ("any", "all", "enumerate", "isinstance", "len", "max", "min", "print", "sorted", "sum")


def loaded_once(code: Code, change: LoadOnce) -> list[Edit] | None:
    call = code.expression(change.call)
    match None if call is None else code.parents[call]:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) as assign if value is call:
            pass
        case _:
            return None
    statement: ast.stmt = assign
    around = code.parents[assign]
    if isinstance(around, ast.With) and len(around.body) == 1:
        statement = around
    function = code.parents[statement]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or len(function.body) == 1:
        return None
    indent = code.indent(statement)
    if indent is None or code.parents[function] is not code.tree or code.indent(function) != "":
        return None
    if not _is_looked_up(code, function, statement, name):
        return None
    used = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and each.id != name}
    own = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    rest = [each for each in function.body if each is not statement]
    others = [each for each in code.tree.body if each is not function]
    if any(writes([function.args, *rest], each) for each in used - own):
        return None
    if any(mentions([*others, *rest], each) for each in own - {name}) or mentions([*others, function.args], name):
        return None
    start, end = code.line_start(statement), code.line_end(statement)
    level = code.dedented(start, end, indent)
    if level is None:
        return None
    following = code.text.text[end : end + 2]
    gone = code.text.edit(start, end + (2 if following == "\r\n" else len(following[:1])), "")
    return [_above(code, function, level), gone]


def _is_looked_up(code: Code, function: Def, statement: ast.stmt, name: str) -> bool:
    """Whether nothing is done with *name* but to look things up, so that it stays as it was loaded."""
    rest = [each for each in function.body if each is not statement]
    return not writes(rest, name) and all(_is_look(code, each) for each in reads(rest, name))


def _is_look(code: Code, node: ast.expr) -> bool:
    parent = code.parents[node]
    match parent:
        case ast.Subscript(value=value, ctx=ast.Load()) if value is node:
            return _is_plain(code, parent)
        case ast.Attribute(attr=attr) if attr in _LOOKING:
            called = code.parents[parent]
            return isinstance(called, ast.Call) and _is_plain(code, called)
        case ast.Compare() | ast.FormattedValue() | ast.BoolOp():
            return True
        case ast.Call(func=ast.Name(id=asked)):
            return asked in _ASKING
        case ast.If(test=test):
            return test is node
        case _:
            return False


def _is_plain(code: Code, node: ast.expr) -> bool:
    """Whether what was looked up gets no name of its own, by which it might be changed."""
    parent = code.parents[node]
    if isinstance(parent, ast.Subscript | ast.Attribute) and parent.value is node:
        outer = code.parents[parent]
        if isinstance(parent, ast.Attribute):
            return isinstance(outer, ast.Call) and parent.attr in _LOOKING and _is_plain(code, outer)
        return isinstance(parent.ctx, ast.Load) and _is_plain(code, parent)
    return not isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.AugAssign | ast.For)


def _above(code: Code, function: Def, text: str) -> Edit:
    """The edit that writes *text* above a function and the comments that belong to it."""
    line = code.first_line(function)
    blank = 0
    while line - blank > 1 and not _line(code, line - blank - 1).strip():
        blank += 1
    start = code.text.starts[line - 1]
    return code.text.edit(start, start, text + "\n" * (1 + max(blank, 1)))


def _line(code: Code, number: int) -> str:
    return code.text.text[code.text.starts[number - 1] : code.text.line_end(number)]
