"""Changes of single statements: removed, moved, or with another value."""

import ast
import re
from keyword import iskeyword
from typing import Final

from lambdalint.engine.import_edits import imported
from lambdalint.engine.python_text import (
    Code,
    Def,
    first_statement,
    mentions,
    parameters,
    qualified_name,
    reads,
    writes,
)
from lambdalint.model.changes import (
    BoundCache,
    DefaultInBody,
    DropCall,
    MoveImport,
    MoveIntoFunction,
    Paginate,
    ReadAbsent,
    ReturnEvent,
)
from lambdalint.model.finding import Edit

#: More functions than these that need an import are better served by one for all.
_MOST_USERS: Final = 2
_ATOMS: Final = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)


def absent_read(code: Code, change: ReadAbsent) -> list[Edit] | None:
    """A subscript is only changed where ``None`` is stored or asked about: elsewhere it would fail in another way."""
    node = code.expression(change.at)
    match node:
        case ast.Subscript(value=of, slice=ast.Constant(value=str()) as key) if _takes_none(code, node):
            look = f".get({code.source(key)})"
        case ast.Call(func=ast.Attribute(value=of, attr="get")):
            look = code.text.text[code.end(of) : code.end(node)].strip()
        case _:
            return None
    match of:
        case ast.Name(id=name):
            base = name
        case ast.Subscript(value=outer, slice=ast.Constant(value=str()) as key):
            base = f"{code.source(outer)}.get({code.source(key)})"
        case ast.Call(func=ast.Attribute(value=outer, attr="get"), args=[part, *default], keywords=[]):
            if any(
                not isinstance(each, ast.Constant | ast.Dict) or code.source(each) not in ("{}", "None")
                for each in default
            ):
                return None
            base = f"{code.source(outer)}.get({code.source(part)})"
        case _:
            return None
    if not isinstance(of, ast.Name) and not isinstance(outer, _ATOMS):
        return None
    if not look.startswith("."):
        return None
    return [code.text.edit(code.start(node), code.end(node), f"({base} or {{}}){look}")]


def _takes_none(code: Code, node: ast.expr) -> bool:
    match code.parents[node]:
        case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.NamedExpr(value=value):
            return value is node
        case ast.Compare(ops=ops):
            return all(isinstance(each, ast.Eq | ast.NotEq | ast.Is | ast.IsNot) for each in ops)
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.If(test=test) | ast.IfExp(test=test):
            return test is node
        case _:
            return False


def event_returned(code: Code, change: ReturnEvent) -> list[Edit] | None:
    function = code.definition(change.at)
    value = None if function is not None else code.expression(change.at) or code.statement_at(change.at)
    if function is None and value is not None:
        function = code.function(value)
    if function is None:
        return None
    names = parameters(function)[1 if isinstance(code.parents[function], ast.ClassDef) else 0 :]
    if not names or writes(function.body, names[0]):
        return None
    if value is None:
        last = function.body[-1]
        indent, end = code.indent(last), code.line_end(last)
        return None if indent is None else [code.text.edit(end, end, f"\n{indent}return {names[0]}")]
    if isinstance(value, ast.Return):
        return [code.text.edit(code.start(value), code.end(value), f"return {names[0]}")]
    if not isinstance(code.parents[value], ast.Return) or any(
        isinstance(each, ast.Call | ast.Await | ast.NamedExpr) for each in ast.walk(value)
    ):
        return None
    return [code.text.edit(code.start(value), code.end(value), names[0])]


def call_dropped(code: Code, change: DropCall) -> list[Edit] | None:
    call = code.expression(change.call)
    statement = None if call is None else code.parents[call]
    if not isinstance(statement, ast.Expr) or code.indent(statement) is None or len(code.block(statement)) == 1:
        return None
    if "#" in code.source(statement):
        return None
    comment = code.comment(statement)
    if comment:
        return [code.text.edit(code.start(statement), code.line_end(statement), comment.lstrip())]
    return [without_lines(code, statement)]


def without_lines(code: Code, statement: ast.stmt) -> Edit:
    """The edit that removes the lines of a statement; blank ones after it as well, if there are some before."""
    start, end = code.line_start(statement), code.line_end(statement)
    following = re.compile(r"\r\n|\r|\n|\Z").match(code.text.text, end)
    end = following.end() if following else end
    if re.search(r"(?:\A|\n|\r)[ \t]*(?:\r\n|\r|\n)\Z", code.text.text[:start]):
        blank = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*").match(code.text.text, end)
        end = blank.end() if blank else end
    return code.text.edit(start, end, "")


def import_moved(code: Code, change: MoveImport) -> list[Edit] | None:
    statement = code.statement_at(change.at)
    match statement:
        case ast.Import(names=[alias]) | ast.ImportFrom(names=[alias]):
            name = alias.asname or alias.name.partition(".")[0]
        case _:
            return None
    if code.indent(statement) != "" or statement.lineno != statement.end_lineno:
        return None
    users = [each for each in _functions(code) if qualified_name(code, each) in change.scopes]
    rest = [each for each in code.tree.body if each is not statement]
    if len(users) != len(change.scopes) or len(users) > _MOST_USERS or writes(rest, name):
        return None
    if any(not _is_in_body(code, each, users) for each in reads(rest, name)):
        return None
    edits = [without_lines(code, statement)]
    comment = code.comment(statement)
    for user in sorted(users, key=code.start):
        edit = _first_line(code, user, code.source(statement) + comment)
        if edit is None:
            return None
        edits.append(edit)
        comment = ""
    return edits


def _functions(code: Code) -> list[Def]:
    return [each for each in ast.walk(code.tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def _is_in_body(code: Code, node: ast.AST, functions: list[Def]) -> bool:
    """Whether *node* runs within one of *functions*, or is at least made there."""
    child, parent = node, code.parents.get(node)
    while parent is not None:
        if parent in functions:
            return child in parent.body
        child, parent = parent, code.parents.get(parent)
    return False


def _first_line(code: Code, function: Def, line: str) -> Edit | None:
    """The edit that makes *line* the first one of a function, behind its docstring."""
    first = first_statement(function)
    indent = None if first is None else code.indent(first)
    if first is None or indent is None:
        return None
    start = code.text.starts[code.first_line(first) - 1]
    return code.text.edit(start, start, "".join(f"{indent}{each}\n" for each in line.split("\n")))


def moved_into_function(code: Code, change: MoveIntoFunction) -> list[Edit] | None:
    value = code.expression(change.at)
    statement = None if value is None else code.parents[value]
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=assigned) if assigned is value:
            pass
        case _:
            return None
    if code.indent(statement) != "" or statement.lineno != statement.end_lineno:
        return None
    rest = [each for each in code.tree.body if each is not statement]
    uses = reads(rest, name)
    functions = {code.function(each) for each in uses}
    if len(functions) != 1 or None in functions or writes(rest, name):
        return None
    (function,) = functions
    assert function is not None
    if change.scopes is not None and qualified_name(code, function) not in change.scopes:
        return None
    if any(writes([function], each.id) for each in ast.walk(value) if isinstance(each, ast.Name)):
        return None
    local = name.lower()
    renamed = (
        local != name
        and not iskeyword(local)
        and not mentions([code.tree], local)
        and all(code.source(each) == name for each in uses)
    )
    line = f"{local if renamed else name} = {code.source(value)}{code.comment(statement)}"
    added = _first_line(code, function, line)
    if added is None:
        return None
    changed = [code.text.edit(code.start(each), code.end(each), local) for each in uses] if renamed else []
    return [without_lines(code, statement), added, *changed]


def default_in_body(code: Code, change: DefaultInBody) -> list[Edit] | None:
    value = code.expression(change.at)
    arguments = None if value is None else code.parents[value]
    function = None if arguments is None else code.parents.get(arguments)
    if (
        value is None
        or not isinstance(arguments, ast.arguments)
        or not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    ):
        return None
    positional = [*arguments.posonlyargs, *arguments.args]
    given = {
        **dict(zip(arguments.defaults[::-1], positional[::-1], strict=False)),
        **{default: each for default, each in zip(arguments.kw_defaults, arguments.kwonlyargs, strict=True) if default},
    }
    parameter = given[value]
    names = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
    if parameter.annotation is not None or any(writes([function], each) for each in names):
        return None
    first = first_statement(function)
    if first is None or first.lineno == function.lineno:
        return None
    step = code.step(first)
    lines = f"if {parameter.arg} is None:\n{step}{parameter.arg} = {code.source(value)}"
    added = _first_line(code, function, lines)
    return None if added is None else [code.text.edit(code.start(value), code.end(value), "None"), added]


def cache_bounded(code: Code, change: BoundCache) -> list[Edit] | None:
    function = code.definition(change.at)
    bounded = f"lru_cache(maxsize={change.size})"
    for decorator in function.decorator_list if function is not None else ():
        match decorator:
            case ast.Attribute(attr="cache"):
                end = code.end(decorator)
                return [code.text.edit(end - len("cache"), end, bounded)]
            case ast.Name(id="cache"):
                made = _imported_beside(code, "functools", "cache", "lru_cache")
                return (
                    None
                    if made is None
                    else [*made, code.text.edit(code.start(decorator), code.end(decorator), bounded)]
                )
            case (
                ast.Call(
                    func=ast.Name(id="lru_cache") | ast.Attribute(attr="lru_cache"),
                    args=[ast.Constant(value=None) as size],
                )
                | ast.Call(
                    func=ast.Name(id="lru_cache") | ast.Attribute(attr="lru_cache"),
                    args=[],
                    keywords=[ast.keyword(arg="maxsize", value=ast.Constant(value=None) as size), *_],
                )
            ):
                return [code.text.edit(code.start(size), code.end(size), str(change.size))]
    return None


def _imported_beside(code: Code, module: str, old: str, new: str) -> list[Edit] | None:
    """The edits that import *new* where *old* is, instead of it if nothing else needs that."""
    found = imported(code.text, code.tree, f"{module}.{new}")
    if not isinstance(found, Edit):
        return None if found is None else []
    for node in code.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == module:
            for alias in node.names:
                if alias.name == old and alias.asname is None:
                    text = new if len(reads([code.tree], old)) == 1 else f"{old}, {new}"
                    return [code.text.edit(code.start(alias), code.end(alias), text)]
    return [found]


def paginated(code: Code, change: Paginate) -> list[Edit] | None:
    call = code.expression(change.call)
    match call:
        case ast.Call(func=ast.Attribute(value=of, attr=attr) as function, args=[]) if attr == change.operation:
            pass
        case _:
            return None
    if isinstance(code.parents[call], ast.Await) or any(each.arg is None for each in call.keywords):
        return None
    start, end = code.end(function) - len(attr), code.end(call)
    pages = f'get_paginator("{attr}").paginate'
    whole = code.text.edit(end, end, ".build_full_result()")
    if not change.by_table:
        return [code.text.edit(start, code.end(function), pages), whole]
    if not isinstance(of, ast.Name) and not (isinstance(of, ast.Attribute) and isinstance(of.value, ast.Name)):
        return None
    if any(each.arg == "TableName" for each in call.keywords):
        return None
    table = f"TableName={code.source(of)}.name"
    if call.keywords:
        first = code.start(call.keywords[0])
        named = code.text.edit(first, first, f"{table}, ")
    else:
        first = code.text.text.index("(", code.end(function)) + 1
        named = code.text.edit(first, first, table)
    return [code.text.edit(start, code.end(function), f"meta.client.{pages}"), named, whole]
