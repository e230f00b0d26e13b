"""What handlers answer when something goes wrong."""

import ast
import re
from typing import Final

from lambdalint.engine.import_edits import imported
from lambdalint.engine.python_text import Code, Def, first_statement, free_name, mentions, own, parameters, writes
from lambdalint.model.changes import AnswerFailures, HideException
from lambdalint.model.finding import Edit

_MESSAGE: Final = "internal error"
_TRACES: Final = ("format_exc", "format_exception", "format_tb")
_LOGGERS: Final = ("getLogger", "Logger", "get_logger")


def exception_hidden(code: Code, change: HideException) -> list[Edit] | None:
    value = code.expression(change.at)
    returned = None if value is None else code.parents[value]
    if value is None or not isinstance(returned, ast.Return) or code.indent(returned) is None:
        return None
    handler: ast.AST = returned
    while not isinstance(handler, ast.ExceptHandler):
        if handler not in code.parents or isinstance(handler, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        handler = code.parents[handler]
    name = handler.name
    told = [each for each in ast.walk(value) if isinstance(each, ast.expr) and _tells(code, each, name)]
    told = [each for each in told if not any(other is not each and _holds(other, each) for other in told)]
    if len(told) != 1 or isinstance(code.parents[told[0]], ast.FormattedValue):
        return None
    message = _message(code, told[0], name)
    if message is None:
        return None
    quote = '"' if '"' in code.source(value) or "'" not in code.source(value) else "'"
    edits = [code.text.edit(code.start(told[0]), code.end(told[0]), f"{quote}{message}{quote}")]
    logged = _is_logged(handler, returned, name)
    if not logged:
        logging = _logging(code)
        if logging is None:
            return None
        indent, start = code.indent(returned), code.line_start(returned)
        edits = [*logging[1], code.text.edit(start, start, f"{indent}{logging[0]}\n"), *edits]
    return [*edits, *_unnamed(code, handler, told[0])]


def _holds(node: ast.AST, other: ast.AST) -> bool:
    return any(each is other for each in ast.walk(node))


def _tells(code: Code, node: ast.expr, name: str | None) -> bool:
    """Whether *node* is text made of the exception *name*, or of the way to it."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="traceback"), attr=attr)):
            return attr in _TRACES
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=found)]):
            return found == name
        case ast.JoinedStr(values=values):
            return any(isinstance(each, ast.FormattedValue) and _is_exception(each.value, name) for each in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return any(_tells(code, each, name) for each in (left, right))
        case _:
            return False


def _is_exception(node: ast.expr, name: str | None) -> bool:
    match node:
        case ast.Name(id=found) | ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=found)]):
            return found == name
        case ast.Call(func=ast.Attribute(value=ast.Name(id="traceback"), attr=attr)):
            return attr in _TRACES
        case _:
            return False


def _message(code: Code, node: ast.expr, name: str | None) -> str | None:
    """What is left of a text without the exception; ``None`` where it says other things that are not constant."""
    match node:
        case ast.JoinedStr(values=parts):
            pass
        case ast.BinOp(left=left, right=right):
            parts = [left, right]
        case _:
            return _MESSAGE
    constant = [str(each.value) for each in parts if isinstance(each, ast.Constant)]
    others = [
        each.value if isinstance(each, ast.FormattedValue) else each
        for each in parts
        if not isinstance(each, ast.Constant)
    ]
    if len(others) != 1 or not (_is_exception(others[0], name) or isinstance(others[0], ast.Call)):
        return None
    text = " ".join("".join(constant).split()).strip(" :;,-([")
    return (text or _MESSAGE) if not re.search(r"[\"'\\{}\n]", text) else None


def _is_logged(handler: ast.ExceptHandler, returned: ast.Return, name: str | None) -> bool:
    """Whether something is done with the exception besides returning it."""
    for statement in handler.body:
        if statement is returned:
            continue
        for each in ast.walk(statement):
            if isinstance(each, ast.Call):
                method = each.func.attr if isinstance(each.func, ast.Attribute) else ""
                if method in ("exception", "print_exc") or any(name and mentions([part], name) for part in each.args):
                    return True
    return False


def _logging(code: Code) -> tuple[str, list[Edit]] | None:
    """How the module logs an exception, and what it has to import for that."""
    logger = _logger(code)
    if logger is not None:
        return f'{logger}.exception("request failed")', []
    need = imported(code.text, code.tree, "traceback")
    return None if need is None else ("traceback.print_exc()", [need] if isinstance(need, Edit) else [])


def _logger(code: Code) -> str | None:
    """The logger of the module."""
    for node in code.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                made = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if made in _LOGGERS:
                    return name
    return None


def _unnamed(code: Code, handler: ast.ExceptHandler, told: ast.expr) -> list[Edit]:
    """The edit that takes the name of an exception away that nothing but *told* reads."""
    name = handler.name
    if name is None or handler.type is None:
        return []
    inside = {id(each) for each in ast.walk(told)}
    names = [each for one in handler.body for each in ast.walk(one) if isinstance(each, ast.Name) and each.id == name]
    if any(id(each) not in inside for each in names):
        return []
    end = code.end(handler.type)
    match = re.compile(rf"\s+as\s+{re.escape(name)}(?=\s*:)").match(code.text.text, end)
    return [] if match is None else [code.text.edit(match.start(), match.end(), "")]


def failures_answered(code: Code, change: AnswerFailures) -> list[Edit] | None:
    early = code.statement_at(change.at)
    if isinstance(early, ast.Return):
        return _deletion_answered(code, early)
    function = code.definition(change.at)
    first = None if function is None else first_statement(function)
    if function is None or first is None or not isinstance(code.parents[function], ast.Module):
        return None
    names = parameters(function)
    error = free_name([function], "error", "exception")
    if len(names) != 2 or error is None or any(writes(function.body, each) for each in names):
        return None
    if imported(code.text, code.tree, "cfnresponse") is not True or not _is_sent(function, names):
        return None
    body = function.body[function.body.index(first) :]
    indent, step = code.indent(first), code.step(first)
    if indent is None or any(code.indent(each) != indent for each in body) or any(map(_catches_all, body)):
        return None
    if any(isinstance(each, ast.Yield | ast.YieldFrom | ast.Global) for each in own(body)):
        return None
    event, context = names
    logger = _logger(code)
    logged = f'{logger}.exception("request failed")' if logger else f"print({error})"
    start, end = code.line_start(first), code.line_end(body[-1])
    sent = f'cfnresponse.send({event}, {context}, cfnresponse.FAILED, {{"Error": str({error})}}'
    rows = (
        f"{indent}try:",
        code.indented(start, end, step),
        f"{indent}except Exception as {error}:",
        f"{indent}{step}{logged}",
        f'{indent}{step}{sent}, {event}.get("PhysicalResourceId"))',
    )
    return [code.text.edit(start, end, "\n".join(rows))]


def _deletion_answered(code: Code, early: ast.Return) -> list[Edit] | None:
    """The edit that tells of success before a ``return`` where there is nothing to be deleted."""
    function, branch, indent = code.function(early), code.parents[early], code.indent(early)
    names = parameters(function) if function is not None else []
    if function is None or indent is None or len(names) != 2 or any(writes(function.body, each) for each in names):
        return None
    if imported(code.text, code.tree, "cfnresponse") is not True or not _is_sent(function, names):
        return None
    event, context = names
    match branch:
        case ast.If(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value="Delete")]), body=body):
            asked = code.source(left).replace("'", '"')
        case _:
            return None
    if (
        early not in body
        or early.value is not None
        or asked
        not in (
            f'{event}["RequestType"]',
            f'{event}.get("RequestType")',
        )
    ):
        return None
    sent = f'cfnresponse.send({event}, {context}, cfnresponse.SUCCESS, {{}}, {event}.get("PhysicalResourceId"))'
    start = code.line_start(early)
    return [code.text.edit(start, start, f"{indent}{sent}\n")]


def _is_sent(function: Def, names: list[str]) -> bool:
    """Whether the function itself answers, with what it was given."""
    for each in own(function.body):
        match each:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="cfnresponse"), attr="send"),
                args=[ast.Name(id=event), ast.Name(id=context), *_],
            ) if [event, context] == names:
                return True
    return False


def _catches_all(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Try) and any(
        each.type is None or (isinstance(each.type, ast.Name) and each.type.id in ("Exception", "BaseException"))
        for each in statement.handlers
    )
