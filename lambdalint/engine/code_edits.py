"""Changes of Python code as edits, by its concrete syntax tree: what is around stays as it is, comments included."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import libcst as cst
from libcst.metadata import (
    FunctionScope,
    GlobalScope,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

from lambdalint.engine.import_edits import imported
from lambdalint.engine.python_text import Code
from lambdalint.engine.restructuring import restructured
from lambdalint.engine.text import Text
from lambdalint.model.changes import (
    AddParameter,
    AwaitHandler,
    Change,
    MoveToModule,
    PrefixText,
    ReadKeys,
    RenameItem,
    Replace,
    SetArgument,
    Wrap,
)
from lambdalint.model.finding import Edit
from lambdalint.model.places import Span

#: What a method can be called on without parentheses around it.
_ATOMS: Final = (cst.Call, cst.Name, cst.Attribute, cst.Subscript)
#: Levels of the syntax tree; code that people write stays under 50.
_MAX_DEPTH: Final = 400


def code_edits(text: Text, changes: Sequence[Change]) -> list[Edit] | None:
    """The edits that make *changes* in one module; ``None`` when one of them cannot be made."""
    try:
        return _edits(_Module(text), changes)
    except (cst.ParserSyntaxError, SyntaxError, ValueError):
        return None
    except (RecursionError, KeyError):
        # What nests too deeply ends in the first, and in the second where libcst stumbles over it.
        return None


def _edits(module: "_Module", changes: Sequence[Change]) -> list[Edit] | None:
    edits: list[Edit] = []
    for change in changes:
        found = module.edits(change)
        if found is None:
            return None
        edits += (edit for edit in found if edit not in edits)
    return edits


class _Module:
    def __init__(self, text: Text) -> None:
        self.text = text
        self.plain = ast.parse(text.text)
        if _is_deep(self.plain):
            raise RecursionError
        self.code = Code(text, self.plain)
        self.wrapper = MetadataWrapper(cst.parse_module(text.text), unsafe_skip_copy=True)
        self.positions: Mapping[cst.CSTNode, Any] = self.wrapper.resolve(PositionProvider)
        self.by_place: dict[tuple[int, int, int, int], list[cst.CSTNode]] = {}
        for node, place in self.positions.items():
            key = (place.start.line, place.start.column, place.end.line, place.end.column)
            self.by_place.setdefault(key, []).append(node)

    def edits(self, change: Change) -> list[Edit] | None:
        match change:
            case SetArgument():
                return self.argument_set(change)
            case Wrap():
                return self.wrapped(change)
            case PrefixText():
                return self.prefixed(change)
            case ReadKeys():
                return self.read_differently(change)
            case AddParameter():
                return self.parameter_added(change)
            case AwaitHandler():
                return self.awaited(change)
            case MoveToModule():
                return self.moved(change)
            case Replace():
                return self.replaced(change)
            case RenameItem():
                return self.item_renamed(change)
            case _:
                return restructured(self.code, change)

    def replaced(self, change: Replace) -> list[Edit] | None:
        inner = self.inner(change.at, change.steps)
        return None if inner is None else [self.text.edit(*self.bounds(inner), change.new)]

    def item_renamed(self, change: RenameItem) -> list[Edit] | None:
        node = self.expression(change.at)
        elements = node.elements if isinstance(node, cst.Dict) else ()
        keys = [each.key for each in elements if isinstance(each, cst.DictElement) and _text(each.key) == change.old]
        match keys:
            case [cst.SimpleString(quote=quote) as key]:
                return [self.text.edit(*self.bounds(key), f"{quote}{change.new}{quote}")]
            case _:
                return None

    def argument_set(self, change: SetArgument) -> list[Edit] | None:
        call = self.expression(change.call)
        imports = [imported(self.text, self.plain, name) for name in change.imports]
        if not isinstance(call, cst.Call) or None in imports:
            return None
        changed = self.argument_edit(call, change)
        return None if changed is None else [*(each for each in imports if isinstance(each, Edit)), changed]

    def argument_edit(self, call: cst.Call, change: SetArgument) -> Edit | None:
        given = _inner(call, change.keyword)
        if given is None and change.position is not None:
            given = _inner(call, change.position)
        if given is not None:
            return self.text.edit(*self.bounds(given), change.value)
        added = f"{change.keyword}={change.value}"
        if not call.args:
            end = self.bounds(call)[1] - 1
            return self.text.edit(end, end, added)
        last = call.args[-1]
        if isinstance(last.value, cst.GeneratorExp) and not last.value.lpar:
            return None
        end = self.bounds(last)[1]
        column = self.positions[last].start.column
        before = self.text.text[self.bounds(last)[0] - column : self.bounds(last)[0]]
        own_line = not before.strip() and isinstance(last.comma, cst.Comma)
        return self.text.edit(end, end, f",\n{before}{added}" if own_line else f", {added}")

    def wrapped(self, change: Wrap) -> list[Edit] | None:
        inner = self.inner(change.at, change.steps)
        imports = [imported(self.text, self.plain, name) for name in change.imports]
        if inner is None or None in imports:
            return None
        before, _, after = change.pattern.partition("{}")
        bare = isinstance(inner, cst.Tuple | cst.Yield) and not inner.lpar
        if bare or (not before and not isinstance(inner, _ATOMS)):
            before, after = f"{before}(", f"){after}"
        start, end = self.bounds(inner)
        if isinstance(inner, cst.GeneratorExp) and inner.lpar and (before[-1:], after) == ("(", ")"):
            before, after, start = before[:-1], "", self.text.text.rindex("(", 0, start)
        added = [edit for edit in imports if isinstance(edit, Edit)]
        return [*added, self.text.edit(start, start, before), self.text.edit(end, end, after)]

    def prefixed(self, change: PrefixText) -> list[Edit] | None:
        inner = self.inner(change.at, change.steps)
        while isinstance(inner, cst.ConcatenatedString):
            inner = inner.left
        match inner:
            case cst.SimpleString():
                opening = len(inner.prefix) + len(inner.quote)
            case cst.FormattedString():
                opening = len(inner.start)
            case _:
                return None
        start = self.bounds(inner)[0] + opening
        return [self.text.edit(start, start, change.prefix)]

    def read_differently(self, change: ReadKeys) -> list[Edit] | None:
        node = self.expression(change.at)
        end = self.text.bounds(change.at)[1]
        quote = '"'
        for key in reversed(change.old):
            match node:
                case cst.Subscript(value=inner, slice=[cst.SubscriptElement(slice=cst.Index(value=written))]):
                    if _text(written) != key or node.rpar:
                        return None
                    quote = written.quote if isinstance(written, cst.SimpleString) else quote
                    node = inner
                case cst.Call(
                    func=cst.Attribute(attr=cst.Name("get")), args=[cst.Arg(value=cst.SimpleString() as written), *_]
                ):
                    # One key for another, with the default that is there.
                    if (len(change.old), len(change.new)) != (1, 1) or _text(written) != key:
                        return None
                    start, end = self.bounds(written)
                    return [self.text.edit(start, end, f"{written.quote}{change.new[0]}{written.quote}")]
                case _:
                    return None
        if node is None or node.rpar:
            return None
        keys = "".join(f"[{quote}{key}{quote}]" for key in change.new)
        return [self.text.edit(self.bounds(node)[1], end, keys)]

    def parameter_added(self, change: AddParameter) -> list[Edit] | None:
        place = (change.at.line, change.at.column)
        for node, where in self.positions.items():
            if isinstance(node, cst.FunctionDef | cst.Lambda) and (where.start.line, where.start.column) == place:
                break
        else:
            return None
        taken = [*node.params.posonly_params, *node.params.params]
        if taken:
            bare = taken[-1].with_changes(
                comma=cst.MaybeSentinel.DEFAULT, whitespace_after_param=cst.SimpleWhitespace("")
            )
            end = self.bounds(taken[-1])[0] + len(self.wrapper.module.code_for_node(bare))
            return [self.text.edit(end, end, f", {change.name}{'=None' if taken[-1].default else ''}")]
        rest = node.params
        if rest.kwonly_params or rest.star_kwarg or isinstance(rest.star_arg, cst.Param | cst.ParamStar):
            return None
        if isinstance(node, cst.Lambda):
            start = self.bounds(node)[0] + len("lambda")
            return [self.text.edit(start, start, f" {change.name}")]
        start = self.text.text.index("(", self.bounds(node.name)[1]) + 1
        return [self.text.edit(start, start, change.name)]

    def awaited(self, change: AwaitHandler) -> list[Edit] | None:
        place = (change.at.line, change.at.column)
        body = self.wrapper.module.body
        found = [
            node
            for node in body
            if isinstance(node, cst.FunctionDef)
            and (self.positions[node].start.line, self.positions[node].start.column) == place
        ]
        if not found or found[0].asynchronous is None or found[0].decorators:
            return None
        node, name = found[0], found[0].name.value
        other = f"{name}_async"
        run = imported(self.text, self.plain, "asyncio")
        words = re.findall(rf"\b(?:{re.escape(name)}|{re.escape(other)})\b", self.text.text)
        params = [*node.params.posonly_params, *node.params.params]
        if run is None or len(words) != 1 or len(params) != 2:
            return None
        names = ", ".join(each.name.value for each in params)
        start, end = self.bounds(node.name)
        last = self.text.line_end(self.positions[node].end.line)
        plain = f"\n\n\ndef {name}({names}):\n    return asyncio.run({other}({names}))"
        edits = [self.text.edit(start, end, other), self.text.edit(last, last, plain)]
        return [run, *edits] if isinstance(run, Edit) else edits

    def moved(self, change: MoveToModule) -> list[Edit] | None:
        parents: Mapping[cst.CSTNode, cst.CSTNode] = self.wrapper.resolve(ParentNodeProvider)
        scopes: Mapping[cst.CSTNode, Scope | None] = self.wrapper.resolve(ScopeProvider)
        call = self.expression(change.call)
        if call is None:
            return None
        whole = _whole(call, parents)
        definition: cst.CSTNode = whole
        while (parent := parents.get(definition)) is not None and not isinstance(parent, cst.Module):
            definition = parent
        if not isinstance(definition, cst.FunctionDef):
            return None
        line = self.assigned(whole, definition, parents)
        scope, top = scopes[whole], scopes[definition]
        if (
            not isinstance(scope, FunctionScope)
            or not isinstance(top, GlobalScope)
            or scope is not scopes[definition.body]
        ):
            return None
        before = self.positions[definition].start.line
        if not all(self.is_made_by(each, scope, top, before) for each in self.names(whole)):
            return None
        if line is None:
            if change.name is None or isinstance(parents[whole], cst.Assign):
                return None
            start, end = self.bounds(whole)
            code = f"{change.name} = {self.text.text[start:end]}"
            gone = self.text.edit(start, end, change.name)
            made = rf"^{re.escape(code)}[ \t]*(?:#.*)?$"
            if re.search(made, self.text.text[: self.text.starts[before - 1]], re.MULTILINE):
                return [gone]
            if re.search(rf"(?<![.\w\"'/-])\b{re.escape(change.name)}\b", self.text.text):
                return None
        else:
            name = line.body[0].targets[0].target.value  # type: ignore[attr-defined]
            if len(scope[name]) != 1:
                return None
            start, end = self.lines_of(line)
            code = self.text.text[start:end]
            following = self.text.text[end : end + 2]
            gone = self.text.edit(start, end + (2 if following == "\r\n" else len(following[:1])), "")
            earlier = self.text.text[: self.text.starts[before - 1]]
            if name in {each.name for each in top.assignments}:
                same = re.search(rf"^{re.escape(code.strip())}[ \t]*$", earlier, re.MULTILINE)
                return [gone] if same and "#" not in code else None
            margin = code[: len(code) - len(code.lstrip())]
            if re.search(rf"^{margin}{re.escape(name)}[ \t]*=[ \t]*\S", earlier, re.MULTILINE):
                return None  # another function makes one of that name: it comes first
        if '"""' in code or "'''" in code:
            return None
        width = len(code) - len(code.lstrip())
        level = "\n".join(row[width:] if not row[:width].strip() else row for row in re.split(r"\r\n|\r|\n", code))
        return [self.above(definition, level), gone]

    def assigned(
        self, value: cst.CSTNode, definition: cst.FunctionDef, parents: Mapping[cst.CSTNode, cst.CSTNode]
    ) -> cst.SimpleStatementLine | None:
        """The statement of *definition* that does nothing but name *value*."""
        assign = parents[value]
        line = parents.get(assign)
        match assign, line:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name())]), cst.SimpleStatementLine(body=[_]):
                block = parents[line]
                alone = isinstance(block, cst.IndentedBlock) and len(block.body) == 1
                return line if parents.get(block) is definition and not alone else None
            case _:
                return None

    def above(self, definition: cst.FunctionDef, code: str) -> Edit:
        """The edit that writes *code* before a function of the module."""
        index = self.wrapper.module.body.index(definition)
        if index == 0:
            start = self.lines_of(definition)[0]
            return self.text.edit(start, start, f"{code}\n\n\n")
        before = self.plain.body[index - 1]
        end = self.text.line_end(self.positions[self.wrapper.module.body[index - 1]].end.line)
        simple = isinstance(self.wrapper.module.body[index - 1], cst.SimpleStatementLine)
        gap = "\n\n" if isinstance(before, ast.Import | ast.ImportFrom) else "\n" if simple else "\n\n\n"
        return self.text.edit(end, end, gap + code)

    def names(self, node: cst.BaseExpression) -> set[str]:
        """The names that an expression reads, its own parameters among them."""
        start, end = self.bounds(node)
        tree = ast.parse(f"({self.text.text[start:end]})", mode="eval")
        return {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}

    def is_made_by(self, name: str, local: Scope, top: GlobalScope, line: int) -> bool:
        """Whether *name* means the same at module level, above *line*."""
        if name in {each.name for each in local.assignments}:
            return False
        made = [each for each in top.assignments if each.name == name]
        return all(
            self.positions[node].start.line < line for each in made if (node := getattr(each, "node", None)) is not None
        ) and bool(made or local[name])

    def lines_of(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where the lines of a statement begin and end, with decorators and a comment right above it."""
        place = self.positions[node]
        first = place.start.line
        decorators = getattr(node, "decorators", ())
        if decorators:
            first = self.positions[decorators[0]].start.line
        while first > 1 and self.line(first - 1).lstrip().startswith("#"):
            first -= 1
        return self.text.starts[first - 1], self.text.line_end(place.end.line)

    def line(self, number: int) -> str:
        return self.text.text[self.text.starts[number - 1] : self.text.line_end(number)]

    def expression(self, span: Span) -> cst.BaseExpression | None:
        place = (span.line, span.column, span.end_line, span.end_column)
        inside = (span.line, span.column + 1, span.end_line, span.end_column - 1)
        # A generator's parentheses are its own to Python; here they stand around it.
        found = (
            *self.by_place.get(place, ()),
            *(self.by_place.get(inside, ()) if self.text.at(span)[:1] == "(" else ()),
        )
        return next((node for node in found if isinstance(node, cst.BaseExpression)), None)

    def inner(self, at: Span, steps: tuple[str | int, ...]) -> cst.BaseExpression | None:
        found = self.expression(at)
        for step in steps:
            found = None if found is None else _inner(found, step)
        return found

    def bounds(self, node: cst.CSTNode) -> tuple[int, int]:
        place = self.positions[node]
        return (
            self.text.offset(place.start.line, place.start.column),
            self.text.offset(place.end.line, place.end.column),
        )


def _whole(call: cst.BaseExpression, parents: Mapping[cst.CSTNode, cst.CSTNode]) -> cst.BaseExpression:
    """*call* with what is made of its result at once: ``boto3.resource("dynamodb").Table("orders")``."""
    attribute = parents[call]
    outer = parents.get(attribute)
    if isinstance(attribute, cst.Attribute) and isinstance(outer, cst.Call) and outer.func is attribute:
        name = attribute.attr.value
        if name[0].isupper() or name in ("client", "resource"):
            return _whole(outer, parents)
    return call


def _is_deep(tree: ast.AST) -> bool:
    """Whether the code nests so deeply that libcst, whose parser is native, might overflow the stack."""
    level: list[ast.AST] = [tree]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


def _inner(node: cst.BaseExpression, step: str | int) -> cst.BaseExpression | None:
    """The part of an expression that is passed as, kept under, or stands at *step*."""
    match node, step:
        case cst.Call(args=args), str():
            return next((each.value for each in args if each.keyword is not None and each.keyword.value == step), None)
        case cst.Call(args=args), int():
            before = args[: step + 1]
            if len(before) <= step or any(each.star or each.keyword for each in before):
                return None
            return before[step].value
        case cst.Dict(elements=elements), str():
            found = [each.value for each in elements if isinstance(each, cst.DictElement) and _text(each.key) == step]
            return found[0] if len(found) == 1 else None
        case ((cst.List(elements=elements) | cst.Tuple(elements=elements)), int()):
            if len(elements) <= step or any(isinstance(each, cst.StarredElement) for each in elements[: step + 1]):
                return None
            return elements[step].value
        case _:
            return None


def _text(node: cst.BaseExpression) -> object:
    return node.evaluated_value if isinstance(node, cst.SimpleString) else None
