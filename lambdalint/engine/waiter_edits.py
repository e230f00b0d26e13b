"""Loops that ask again and again, as the waiter of the SDK that does the same."""

import ast
from typing import TypeAlias

from lambdalint.engine.python_text import Code, mentions, own, reads
from lambdalint.engine.statement_edits import without_lines
from lambdalint.model.changes import AwaitByWaiter
from lambdalint.model.finding import Edit

#: A call with the keys that lead into its answer.
_Asked: TypeAlias = tuple[ast.Call, tuple[object, ...]]


def awaited_by_waiter(code: Code, change: AwaitByWaiter) -> list[Edit] | None:
    """The loop must do nothing but ask, compare and sleep, and nothing else may want what it got."""
    sleep = code.expression(change.call)
    nap = None if sleep is None else code.parents[sleep]
    loop = None if nap is None else code.parents[nap]
    function = None if loop is None else code.function(loop)
    if not isinstance(nap, ast.Expr) or not isinstance(loop, ast.While) or loop.orelse or function is None:
        return None
    found = _ending(loop, nap)
    if found is None:
        return None
    (call, keys), value = found
    names = [each[0] for each in change.waiters if each[2] == value and _lead_to(keys, each[1])]
    match call.func:
        case ast.Attribute(value=ast.Name() | ast.Attribute() as client, attr=attr) if attr == change.operation:
            pass
        case _:
            return None
    bound = {each.id for each in own([loop]) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    if not names or any(len(reads([function], each)) != len(reads([loop], each)) for each in bound):
        return None
    if any(mentions([call], each) for each in bound):
        return None
    comment = code.comment(nap)
    region = code.text.text[code.start(loop) : code.line_end(loop)]
    if "#" in region.replace(comment, ""):
        return None
    arguments = code.text.text[code.end(call.func) : code.end(call)]
    waiting = f'{code.source(client)}.get_waiter("{names[0]}").wait{arguments}{comment}'
    return [code.text.edit(code.start(loop), code.line_end(loop), waiting), *_unimported(code, loop, nap)]


def _unimported(code: Code, loop: ast.While, nap: ast.Expr) -> list[Edit]:
    """The edit that removes the import of what slept, if nothing else needs it."""
    match nap.value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
            pass
        case _:
            return []
    if len(reads([code.tree], name)) > len(reads([loop], name)):
        return []
    for each in code.tree.body:
        match each:
            case ast.Import(names=[ast.alias(name=module, asname=None)]) if module == name and not code.comment(each):
                return [without_lines(code, each)]
    return []


def _ending(loop: ast.While, nap: ast.Expr) -> tuple[_Asked, str] | None:
    """What ends *loop*: the part of the answer that is looked at, and what it then is."""
    rest = [each for each in loop.body if each is not nap]
    match loop.test:
        case ast.Constant(value=True | 1):
            *assigned, last = rest or [nap]
            match last:
                case ast.If(
                    test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value=str(value))]),
                    body=[ast.Break()],
                    orelse=[],
                ):
                    asked = _asked(left, _values(assigned))
                    return None if asked is None else (asked, value)
        case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[ast.Constant(value=str(value))]) if not rest:
            asked = _asked(left, {})
            return None if asked is None else (asked, value)
    return None


def _values(statements: list[ast.stmt]) -> dict[str, ast.expr] | None:
    """What names are set to by *statements*, if that is all they do."""
    found: dict[str, ast.expr] = {}
    for each in statements:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in found:
                found[name] = value
            case _:
                return None
    return found


def _asked(node: ast.expr, values: dict[str, ast.expr] | None) -> _Asked | None:
    keys: list[object] = []
    for _ in range(50):
        match node:
            case ast.Name(id=name) if values is not None and name in values:
                node = values[name]
            case ast.Subscript(value=of, slice=ast.Constant(value=key)):
                keys.append(key)
                node = of
            case ast.Call(func=ast.Attribute(value=of, attr="get"), args=[ast.Constant(value=key)], keywords=[]):
                keys.append(key)
                node = of
            case ast.Call(args=[]):
                return node, tuple(reversed(keys))
            case _:
                return None
    return None


def _lead_to(keys: tuple[object, ...], path: tuple[str, ...]) -> bool:
    expected: list[object] = []
    for part in path:
        expected += [part.removesuffix("[]"), 0] if part.endswith("[]") else [part]
    return list(keys) == expected
