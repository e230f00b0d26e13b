"""Files and folders in ``/tmp`` that go with the block that uses them."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from lambdalint.engine.import_edits import imported
from lambdalint.engine.python_text import SCOPES, Code, free_name, mentions, own, reads, writes
from lambdalint.model.changes import UseTemporary
from lambdalint.model.finding import Edit

_TMP: Final = "/tmp"  # noqa: S108
#: What makes a longer path of a path.
_JOINING: Final = ("join", "joinpath", "Path", "PurePath", "str", "format", "with_suffix")
_DELETING: Final = ("remove", "rmtree", "unlink")
#: What keeps a path for later.
_KEEPING: Final = ("add", "append", "appendleft", "extend", "insert", "put", "setdefault", "update")


def temporary_used(code: Code, change: UseTemporary) -> list[Edit] | None:
    call = code.expression(change.call)
    if not isinstance(call, ast.Call) or code.function(call) is None:
        return None
    if change.name is not None:
        return _by_name(code, call, change.name, file=change.file)
    match call.func:
        case ast.Attribute(attr="mkdtemp"):
            return _folder(code, call)
        case ast.Attribute(attr="mktemp"):
            return _made_up(code, call)
        case ast.Attribute(attr="NamedTemporaryFile"):
            return _file(code, call)
        case _:
            return _in_folder(code, call)


def _folder(code: Code, call: ast.Call) -> list[Edit] | None:
    """``folder = tempfile.mkdtemp()`` becomes ``with tempfile.TemporaryDirectory() as folder:``."""
    made = _assigned(code, call)
    if made is None:
        return None
    statement, name = made
    used = _used_after(code, statement, {name})
    if not used:
        return None
    maker = code.source(call.func).removesuffix("mkdtemp") + "TemporaryDirectory"
    arguments = code.text.text[code.end(call.func) : code.end(call)]
    return _entered(code, statement, f"with {maker}{arguments} as {name}:", used)


def _made_up(code: Code, call: ast.Call) -> list[Edit] | None:
    made = _assigned(code, call)
    if made is None or call.args:
        return None
    statement, name = made
    used = _used_after(code, statement, {name})
    function = code.function(statement)
    file = free_name([function], f"{name}_file", f"{name}_made") if function is not None else None
    if not used or file is None:
        return None
    maker = code.source(call.func).removesuffix("mktemp") + "NamedTemporaryFile"
    arguments = code.text.text[code.end(call.func) : code.end(call)]
    indent, step = code.indent(statement), code.step(statement)
    head = f"with {maker}{arguments} as {file}:"
    return _entered(code, statement, head, used, first=f"\n{indent}{step}{name} = {file}.name")


def _file(code: Code, call: ast.Call) -> list[Edit] | None:
    """The file is deleted when it is closed, so what still needs its name comes before that."""
    kept = [each for each in call.keywords if each.arg == "delete"]
    match kept:
        case [ast.keyword(value=ast.Constant(value=False)) as keyword]:
            pass
        case _:
            return None
    others = [code.source(each) for each in (*call.args, *call.keywords) if each is not keyword]
    head = f"with {code.source(call.func)}({', '.join(others)}) as "
    outer = code.parents[code.parents[call]] if isinstance(code.parents[call], ast.withitem) else None
    match outer:
        case ast.With(items=[ast.withitem(optional_vars=ast.Name(id=name) as target)], body=body):
            used = _used_after(code, outer, {name})
            indent = code.indent(body[-1])
            if not used or indent is None or body[0].lineno == outer.lineno or _is_closed([*body, *used], name):
                return None
            opening = code.text.edit(code.start(outer), code.end(target), f"{head}{name}")
            start, end = code.line_end(outer), code.line_end(used[-1])
            more = f"\n{indent}{name}.flush(){code.indented(start, end, code.step(outer))}"
            return [opening, code.text.edit(start, end, more)]
    made = _assigned(code, call)
    if made is None:
        return None
    statement, name = made
    used = _used_after(code, statement, {name})
    if not used:
        return None
    closes = [each for each in used if _is_close(each, name)]
    if len(closes) > 1 or _is_closed([each for each in used if each not in closes], name):
        return None
    if closes and closes[0] is used[-1]:
        # The end of the block closes it.
        used, between = used[:-1], code.text.text[code.line_end(used[-2]) : code.start(closes[0])] if used[1:] else ""
        if not used or between.strip() or code.comment(closes[0]):
            return None
        return _entered(code, statement, f"{head}{name}:", used, until=closes[0])
    return _entered(code, statement, f"{head}{name}:", used, flushed=name if closes else None)


def _is_close(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="close"))):
            return found == name
        case _:
            return False


def _is_closed(statements: Iterable[ast.stmt], name: str) -> bool:
    return any(_is_close(each, name) for one in statements for each in ast.walk(one) if isinstance(each, ast.stmt))


def _in_folder(code: Code, call: ast.Call) -> list[Edit] | None:
    """What is written under ``/tmp`` is written into a folder of its own, if nothing else of the module is there."""
    found = [each for each in _texts(code) if _TMP in _value(each)]
    return _replaced(code, call, found, file=False)


def _by_name(code: Code, call: ast.Call, name: str, *, file: bool) -> list[Edit] | None:
    """The file of a constant *name* is another one each time, if only one block of the module knows it."""
    found = [each for each in _texts(code) if name in _value(each)]
    return None if any(_value(each) != name for each in found) else _replaced(code, call, found, file=file)


def _texts(code: Code) -> Iterator[ast.Constant]:
    for node in ast.walk(code.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def _value(node: ast.Constant) -> str:
    return str(node.value)


def _replaced(code: Code, call: ast.Call, found: list[ast.Constant], *, file: bool) -> list[Edit] | None:
    function = code.function(call)
    variable = (
        free_name([code.tree], "temporary", "temporary_file") if file else free_name([code.tree], "folder", "scratch")
    )
    need = imported(code.text, code.tree, "tempfile")
    if function is None or variable is None or need is None or not found:
        return None
    if any(code.function(each) is not function for each in found):
        return None
    block = _common_block(code, [*found, call])
    statements = [each for each in block if any(each is other for node in found for other in _around(code, node))]
    if not statements or not all(_is_consumed(code, each) for each in found):
        return None
    first, names = statements[0], set()
    for statement in block[block.index(first) :]:
        if any(statement is other for node in found for other in _around(code, node)):
            names |= _bound_by(statement)
    used = _used_after(code, first, names, least=statements[-1], alone=True)
    if used is None:
        return None
    edits = []
    for each in found:
        edit = _path_edit(code, each, f"{variable}.name" if file else variable, file=file)
        if edit is None:
            return None
        edits.append(edit)
    made = f"tempfile.NamedTemporaryFile({_suffix(_value(found[0]))})" if file else "tempfile.TemporaryDirectory()"
    whole = _indented(code, [first, *used], f"with {made} as {variable}:", edits)
    return None if whole is None else [whole, *([need] if isinstance(need, Edit) else [])]


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    return f'suffix=".{name.rpartition(".")[2]}"' if "." in name[1:] else ""


def _path_edit(code: Code, node: ast.Constant, variable: str, *, file: bool) -> Edit | None:
    """The edit that puts *variable* in place of ``/tmp``, or of the whole name of a file."""
    start, end = code.start(node), code.end(node)
    parent, rest = code.parents[node], _value(node)[len(_TMP) :]
    if isinstance(parent, ast.JoinedStr):
        if file or parent.values[0] is not node or not rest.startswith("/") or "/" in rest[1:]:
            return None
        opening = code.source(parent)
        at = opening.find(f"{_TMP}/")
        if at not in (2, 4) or opening[0] != "f":
            return None
        place = code.start(parent) + at
        return code.text.edit(place, place + len(_TMP), f"{{{variable}}}")
    if code.source(node)[1:-1] != _value(node):
        return None
    if file:
        alone = isinstance(parent, ast.Call | ast.Assign | ast.keyword)
        return code.text.edit(start, end, variable) if alone else None
    quote = code.source(node)[0]
    if rest in ("", "/") and isinstance(parent, ast.Call) and node in parent.args[:1]:
        return code.text.edit(start, end, variable)
    if not rest.startswith("/") or "/" in rest[1:]:
        return None
    prefix = f"{variable} + {quote}{rest}{quote}"
    match parent:
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod()) if left is node:
            return code.text.edit(start, end, prefix)
        case ast.Attribute(attr="format") if not isinstance(code.parents[code.parents[parent]], ast.Attribute):
            return code.text.edit(start, end, prefix)
        case ast.Call() | ast.Assign() | ast.keyword() if "{" not in rest and "}" not in rest:
            return code.text.edit(start, end, f"f{quote}{{{variable}}}{rest}{quote}")
        case _:
            return None


def _assigned(code: Code, call: ast.Call) -> tuple[ast.stmt, str] | None:
    """The statement of a function that does nothing but name the result of *call*, and the name."""
    match code.parents[call]:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) as statement if value is call:
            return (statement, name) if statement.lineno == statement.end_lineno else None
        case _:
            return None


def _used_after(
    code: Code, statement: ast.stmt, names: set[str], least: ast.stmt | None = None, *, alone: bool = False
) -> list[ast.stmt] | None:
    """The statements after *statement* that use what it makes, up to the last one; ``None`` where others do, too."""
    function, block = code.function(statement), code.block(statement)
    if function is None or any(code.indent(each) != code.indent(statement) for each in block):
        return None
    rest = block[block.index(statement) + 1 :]
    touched, last = set(names), 0
    for number, each in enumerate(rest, 1):
        if any(mentions([each], name) for name in touched) or each is least:
            touched |= _bound_by(each)
            last = number
    used = rest[:last]
    inside = {id(node) for each in (statement, *used) for node in ast.walk(each)}
    for name in names:
        found = reads([function], name)
        if any(id(node) not in inside for node in found):
            return None
        if not alone and (writes(used, name) or not all(_is_consumed(code, node) for node in found)):
            return None
    if any(
        isinstance(each, SCOPES) and any(mentions([each], name) for name in names)
        for one in used
        for each in ast.walk(one)
    ) or any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own([statement, *used])):
        return None
    return used


def _bound_by(statement: ast.stmt) -> set[str]:
    return {each.id for each in own([statement]) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _is_consumed(code: Code, node: ast.expr) -> bool:
    """Whether a path goes nowhere but into calls that come to an end, and leave the file there."""
    child: ast.AST = node
    while True:
        parent = code.parents[child]
        match parent:
            case ast.Call(func=ast.Attribute(attr=attr) as function) if child is not function and attr in _KEEPING:
                return False
            case ast.Call(func=function) if _last_part(function) not in _JOINING:
                return _last_part(function) not in _DELETING
            case ast.Compare():
                return True
            case ast.Assign(targets=[ast.Name(id=name)]):
                around = code.function(parent)
                others = reads([around], name) if around is not None else []
                return bool(others) and all(_is_consumed(code, each) for each in others)
            case ast.With() | ast.Expr():
                return True
            case (
                ast.Call()
                | ast.Attribute()
                | ast.BinOp()
                | ast.JoinedStr()
                | ast.FormattedValue()
                | ast.List()
                | ast.Tuple()
                | ast.Dict()
                | ast.keyword()
                | ast.Starred()
                | ast.withitem()
            ):
                child = parent
            case _:
                return False


def _last_part(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _around(code: Code, node: ast.AST) -> Iterator[ast.AST]:
    parent: ast.AST | None = node
    while parent is not None:
        yield parent
        parent = code.parents.get(parent)


def _common_block(code: Code, nodes: list[ast.expr]) -> list[ast.stmt]:
    """The innermost statements that all of *nodes* are in."""
    for outer in _around(code, nodes[0]):
        if isinstance(outer, ast.stmt):
            block = code.block(outer)
            inside = [{id(each) for each in _around(code, node)} for node in nodes]
            if all(any(id(each) in one for each in block) for one in inside):
                return block
    return []


def _entered(
    code: Code,
    statement: ast.stmt,
    head: str,
    used: list[ast.stmt],
    *,
    first: str = "",
    flushed: str | None = None,
    until: ast.stmt | None = None,
) -> list[Edit] | None:
    """*statement* becomes the *head* of a ``with``, with the statements that are *used* after it inside.

    All until *until* after those goes.
    """
    start, end = code.line_end(statement), code.line_end(used[-1])
    body = code.inside(start, end, code.step(statement))
    if flushed is not None:
        body = body.replace(f"{flushed}.close()", f"{flushed}.flush()")
    if until is not None:
        end = code.line_end(until)
    comment = code.comment(statement)
    return [code.text.edit(code.start(statement), end, f"{head}{comment}{first}{body}")]


def _indented(code: Code, statements: list[ast.stmt], head: str, edits: list[Edit]) -> Edit | None:
    """The *statements* under *head*, with *edits* made in them."""
    start, end = code.line_start(statements[0]), code.line_end(statements[-1])
    indent = code.indent(statements[0])
    if indent is None:
        return None
    offsets = [code.text.bounds(edit.span) for edit in edits]
    if any(not start <= first <= last <= end for first, last in offsets):
        return None
    changed, at = [], start
    for (first, last), edit in sorted(zip(offsets, edits, strict=True)):
        changed += [code.text.text[at:first], edit.text]
        at = last
    changed.append(code.text.text[at:end])
    whole = "".join(changed)
    kept = [row for _, row in code.lines(start, end)]
    rows = whole.replace("\r\n", "\n").split("\n")
    if len(rows) != len(kept):
        return None
    step = code.step(statements[0])
    body = "\n".join(row if same or not row.strip() else step + row for row, same in zip(rows, kept, strict=True))
    return code.text.edit(start, end, f"{indent}{head}\n{body}")
