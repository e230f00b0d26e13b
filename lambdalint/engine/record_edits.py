"""Handlers that get to all records of a batch, and name those that failed."""

import ast
from collections.abc import Iterable
from typing import Final

from lambdalint.engine.python_text import Code, Def, free_name, mentions, own, reads, writes
from lambdalint.model.changes import CollectFailures, HandleRecords
from lambdalint.model.finding import Edit
from lambdalint.model.places import Span

_RECORDS: Final = "Records"
_LEAVING: Final = (ast.Return, ast.Yield, ast.YieldFrom, ast.Break, ast.Continue, ast.Raise)


def records_handled(code: Code, change: HandleRecords) -> list[Edit] | None:
    node = code.expression(change.at)
    if isinstance(node, ast.Subscript):
        return _all_for_first(code, node)
    end = code.statement_at(change.at) if node is None else code.statement(node)
    return _after_loop(code, end) if isinstance(end, ast.Return) else None


def _after_loop(code: Code, end: ast.Return) -> list[Edit] | None:
    """The ``return`` at the end of a loop's body comes after the loop."""
    loop = code.parents[end]
    if not isinstance(loop, ast.For) or loop.orelse or loop.body[-1] is not end or len(loop.body) == 1:
        return None
    inside, outside = code.indent(end), code.indent(loop)
    if not _is_constant(end.value) or inside is None or outside is None or code.block(loop)[-1] is not loop:
        return None
    if any(isinstance(each, ast.Return) and each is not end for each in own(loop.body)):
        return None
    start, stop = code.line_start(end), code.line_end(end)
    text = code.dedented(start, stop, inside.removeprefix(outside))
    return None if text is None else [code.text.edit(start, stop, text)]


def _all_for_first(code: Code, node: ast.Subscript) -> list[Edit] | None:
    """What is done with ``event["Records"][0]`` is done in a loop over ``event["Records"]``."""
    function = code.function(node)
    if function is None or not _are_records(node.value):
        return None
    found = [each for each in ast.walk(function) if isinstance(each, ast.Subscript) and _is_same(each, node)]
    if sum(isinstance(each, ast.Constant) and each.value == _RECORDS for each in ast.walk(function)) != len(found):
        return None
    statement = code.statement(min(found, key=code.start))
    block = code.block(statement)
    around = code.parents[statement]
    if around is not function and not (isinstance(around, ast.Try) and code.parents[around] is function):
        return None
    moved = block[block.index(statement) :]
    if isinstance(moved[-1], ast.Return) and _is_constant(moved[-1].value):
        moved = moved[:-1]
    inside = {id(each) for one in moved for each in ast.walk(one)}
    if not moved or any(id(each) not in inside for each in found) or not _stays(code, moved, inside, function):
        return None
    records = node.value
    if any(writes(moved, each.id) for each in ast.walk(records) if isinstance(each, ast.Name)):
        return None
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value in found:
            if len(found) > 1 or len(moved) == 1 or writes(moved[1:], name):
                return None
            start, end = code.line_end(statement), code.line_end(moved[-1])
            body = code.inside(start, end, code.step(statement))
            head = f"for {name} in {code.source(records)}:{code.comment(statement)}"
            return [code.text.edit(code.start(statement), end, head + body)]
    record = free_name([function], "record", "each")
    if record is None or not all(_is_placed(code, each) for each in found):
        return None
    start, end = code.line_start(statement), code.line_end(moved[-1])
    text, at = "", start
    for each in sorted(found, key=code.start):
        text += code.text.text[at : code.start(each)] + record
        at = code.end(each)
    text += code.text.text[at:end]
    kept = [row for _, row in code.lines(start, end)]
    rows = text.replace("\r\n", "\n").split("\n")
    if len(rows) != len(kept):
        return None
    step = code.step(statement)
    body = "\n".join(row if same or not row.strip() else step + row for row, same in zip(rows, kept, strict=True))
    return [code.text.edit(start, end, f"{code.indent(statement)}for {record} in {code.source(records)}:\n{body}")]


def _is_placed(code: Code, node: ast.expr) -> bool:
    """Whether the place of *node* is right: within texts of several lines it may not be."""
    try:
        return ast.dump(ast.parse(code.source(node), mode="eval").body) == ast.dump(node)
    except SyntaxError:
        return False


def _is_same(node: ast.Subscript, other: ast.Subscript) -> bool:
    return ast.dump(node) == ast.dump(other)


def _stays(code: Code, moved: list[ast.stmt], inside: set[int], function: Def) -> bool:
    """Whether statements can be done several times: nothing leaves them, and nothing else wants what they set."""
    indent = code.indent(moved[0])
    if indent is None or any(code.indent(each) != indent for each in moved):
        return False
    for each in own(moved):
        if isinstance(each, ast.Return | ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal):
            return False
    bound = {each.id for each in own(moved) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return all(id(each) in inside for name in bound for each in reads([function], name))


def _is_constant(value: ast.expr | None) -> bool:
    """Whether a value is the same whatever happened, text that is made of it included."""
    match value:
        case None | ast.Constant():
            return True
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and _is_constant(key) for key in keys) and all(map(_is_constant, values))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return all(map(_is_constant, items))
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="dumps"), args=[only], keywords=[]):
            return _is_constant(only)
        case _:
            return False


def failures_collected(code: Code, change: CollectFailures) -> list[Edit] | None:
    caught = _handler(code, change.at)
    tried = None if caught is None else code.parents[caught]
    loop = None if tried is None else code.parents.get(tried)
    function = None if loop is None else code.parents.get(loop)
    if (
        not isinstance(tried, ast.Try)
        or not isinstance(loop, ast.For)
        or not isinstance(function, ast.FunctionDef)
        or not isinstance(loop.target, ast.Name)
        or loop.orelse
        or not _are_records(loop.iter)
        or sum(isinstance(each, ast.Try) for each in own(loop.body)) != 1
        or writes(loop.body, loop.target.id)
    ):
        return None
    name = free_name([function], "failures", "batch_item_failures")
    ending = _ending(code, function, loop, f'return {{"batchItemFailures": {name}}}')
    if ending is None or name is None:
        return None
    start = code.text.starts[code.first_line(loop) - 1]
    edits = [code.text.edit(start, start, f"{code.indent(loop)}{name} = []\n")]
    record = loop.target.id
    failed = record + "".join(f'["{key}"]' for key in change.keys)
    for handler in tried.handlers:
        edit = _collecting(code, handler, f'{name}.append({{"itemIdentifier": {failed}}})', record)
        if edit is None:
            return None
        edits.append(edit)
    if edits[-1].span == ending.span:
        edits[-1] = Edit(ending.span, edits[-1].text + ending.text)
        return edits
    return [*edits, ending]


def _are_records(node: ast.expr) -> bool:
    match node:
        case ast.Subscript(slice=ast.Constant(value=key)):
            return key == _RECORDS
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=key), *_]):
            return key == _RECORDS
        case _:
            return False


def _handler(code: Code, at: Span) -> ast.ExceptHandler | None:
    start, end = code.text.bounds(at)
    for node in ast.walk(code.tree):
        if isinstance(node, ast.ExceptHandler):
            head: ast.AST = node.type or node.body[0]
            if code.start(head) == start and (node.type is None or code.end(head) == end):
                return node
    return None


def _ending(code: Code, function: Def, loop: ast.For, returned: str) -> Edit | None:
    """The edit that ends *function* with a ``return``; what else it returns must be said before the loop."""
    last = function.body[-1]
    for each in own(function.body):
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return None
        if isinstance(each, ast.Return) and each is not last and each.lineno > loop.lineno:
            return None
    indent, end = code.indent(loop), code.line_end(last)
    if indent is None or code.indent(last) != indent:
        return None
    if isinstance(last, ast.Return):
        return code.text.edit(code.start(last), code.end(last), returned) if _is_constant(last.value) else None
    return code.text.edit(end, end, f"\n{indent}{returned}")


def _collecting(code: Code, handler: ast.ExceptHandler, line: str, record: str) -> Edit | None:
    """The edit that makes *line* the last thing that *handler* does, before it goes on."""
    last = handler.body[-1]
    indent = code.indent(last)
    leaves = [each for each in own(handler.body) if isinstance(each, _LEAVING) and each is not last]
    if indent is None or leaves or _is_kept(handler.body, record):
        return None
    if isinstance(last, _LEAVING) and not isinstance(last, ast.Continue):
        return None
    if isinstance(last, ast.Continue):
        start = code.line_start(last)
        return code.text.edit(start, start, f"{indent}{line}\n")
    if isinstance(last, ast.Pass):
        return code.text.edit(code.start(last), code.end(last), line)
    end = code.line_end(last)
    return code.text.edit(end, end, f"\n{indent}{line}")


def _is_kept(body: Iterable[ast.stmt], record: str) -> bool:
    """Whether something is made note of already, in another way."""
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in ("append", "add", "extend")
        and mentions([each], record)
        for each in own(body)
    )
