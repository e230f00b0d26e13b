"""Chalice apps: ``.chalice/config.json`` says how, the decorators in ``app.py`` say which functions are deployed.

Source: https://aws.github.io/chalice/topics/configfile.html
"""

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdalint.aws.tables import table
from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import Declared, declared_function
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.plain import function_resource, plain
from lambdalint.join.properties import properties_of, text_of
from lambdalint.model.function import Code, CodeKind, Trigger, TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.source import Source
from lambdalint.model.template import Dialect, Resource, Template
from lambdalint.model.values import Known, Properties, Property, Unknown
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Mounted, Tree

#: The name of the function that answers for all routes.
API_HANDLER: Final = "api_handler"

_APP: Final = "app.py"
_MAX_APP_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Made:
    """A function that ``app.py`` makes: its name in Chalice, its handler, and what invokes it."""

    name: str
    handler: str
    span: Span
    kind: TriggerKind | None = None
    settings: Properties | None = None


def claims(tree: Tree, path: str) -> bool:
    """Whether *path* is the configuration of a Chalice app."""
    folder = path.rpartition("/")[0]
    return path.endswith("config.json") and folder.rpartition("/")[2] == ".chalice" and tree.is_file(path)


def declare_chalice(tree: Mounted, path: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    """The functions of every stage, or of the one that *inputs* name.

    Raises:
        UnreadableInput: the configuration is no JSON.
    """
    config = properties_of(plain(read_json(decoded(tree.read(path), path), path)))
    root = path.rpartition("/")[0].rpartition("/")[0]
    made = tuple(_made(tree, f"{root}/{_APP}" if root else _APP, said))
    stages = properties_of(config.get("stages")) or {table("chalice")["defaults"]["stage"]: Known({}, Span.whole(path))}
    resources: dict[str, Resource] = {}
    found = Declared(Template(path, Dialect.CHALICE, resources))
    for stage, values in stages.items():
        if inputs.stage not in (None, stage):
            continue
        for each in made:
            levels = _levels(config, properties_of(values), each.name)
            name = "-".join(filter(None, (text_of(config.get("app_name")), stage, each.name)))
            settings = _settings(levels, values.span)
            resource = function_resource(name, settings, table("chalice")["settings"], each.span, values.span)
            resources[name] = resource
            given = {
                **resource.properties,
                "Handler": Known(each.handler, each.span, stated=False),
                "Runtime": Unknown("the Python that deploys", each.span),
            }
            code = Code(CodeKind.FOLDER, each.span, root, root)
            found.functions.append(declared_function(resource, given, found.template, code))
            if each.kind:
                found.triggers.append(_trigger(each, each.kind, name))
    yield found


def _trigger(made: _Made, kind: TriggerKind, function: str) -> Trigger:
    proxied = kind in (TriggerKind.REST_API, TriggerKind.WEBSOCKET_API)
    payload = "1.0" if kind is TriggerKind.REST_API else None
    return Trigger(kind, made.name, function, made.span, None, made.settings or {}, payload, proxied or None)


def _levels(config: Properties, stage: Properties, function: str) -> tuple[Properties, ...]:
    """Where a setting is looked for, the innermost first."""
    own = properties_of(properties_of(stage.get("lambda_functions")).get(function))
    shared = properties_of(properties_of(config.get("lambda_functions")).get(function))
    return own, stage, shared, config


def _settings(levels: tuple[Properties, ...], span: Span) -> Properties:
    rows = table("chalice")
    found: dict[str, Property] = {}
    for name in rows["settings"]:
        stated = [level[name] for level in levels if name in level]
        if not stated:
            continue
        found[name] = stated[0]
        if name in rows["merged"]["settings"]:
            values: dict[str, Property] = {}
            for level in reversed(stated):
                values.update(properties_of(level))
            found[name] = Known(values, stated[0].span)
    for name in ("lambda_timeout", "lambda_memory_size"):
        found.setdefault(name, Known(rows["defaults"][name], span, stated=False))
    # A file without any variable is commonly filled in by a script of the project's, when it makes its tables.
    found.setdefault("environment_variables", Unknown("environment_variables", span))
    return found


def _made(tree: Tree, path: str, said: Said) -> Iterator[_Made]:
    """The functions that the decorators in the module at *path* make."""
    if not tree.is_file(path) or tree.size(path) > _MAX_APP_BYTES:
        return
    try:
        source = Source(path, decoded(tree.read(path), path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(source.text)
    except UnreadableInput as failure:
        said.failures.append(failure)
        return
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        said.failures.append(UnreadableInput("this is no Python that can be parsed", path=path))
        return
    app = _app_name(module)
    if app is None:
        return
    routed: ast.AST | None = None
    made: list[_Made] = []
    for statement in module.body:
        if isinstance(statement, ast.Expr) and _method(statement.value, app) == "register_blueprint":
            routed = routed or statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in statement.decorator_list:
            method = _method(decorator, app)
            if method == "route":
                routed = routed or statement
            elif method and method in table("chalice")["decorators"] and isinstance(decorator, ast.Call):
                made.append(_decorated(statement, decorator, method, source))
    if routed is not None:
        # With a blueprint, there may or may not be routes: the handler is then declared for its settings.
        yield _Made(API_HANDLER, f"app.{app}", source.span(routed), TriggerKind.REST_API)
    yield from made


def _decorated(
    function: ast.FunctionDef | ast.AsyncFunctionDef, decorator: ast.Call, method: str, source: Source
) -> _Made:
    row = table("chalice")["decorators"][method]
    given = dict(zip(row["positional"], decorator.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in decorator.keywords if keyword.arg}
    name = given.get("name")
    stated = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
    span = source.span(decorator)
    settings = {
        theirs: Known(row.get("defaults", {})[ours], span, stated=False)
        if ours not in given
        else _value(given[ours], source)
        for ours, theirs in row.get("settings", {}).items()
        if ours in given or ours in row.get("defaults", {})
    }
    return _Made(
        str(row.get("function", stated or function.name)),
        f"app.{function.name}",
        span,
        TriggerKind(row["kind"]) if "kind" in row else None,
        settings,
    )


def _value(node: ast.expr, source: Source) -> Property:
    span = source.span(node)
    try:
        return _known(ast.literal_eval(node), span)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return Unknown("an expression", span)


def _known(value: Any, span: Span) -> Property:
    if isinstance(value, Mapping):
        return Known({str(key): _known(each, span) for key, each in value.items()}, span)
    if isinstance(value, list | tuple | set):
        return Known(tuple(_known(each, span) for each in value), span)
    return Known(value, span)


def _app_name(module: ast.Module) -> str | None:
    """The module variable that holds the app."""
    for statement in module.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="Chalice") | ast.Attribute(attr="Chalice")),
            ):
                return name
    return None


def _method(node: ast.expr, app: str) -> str | None:
    """The method of the app that *node* calls."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name == app:
            return method
    return None
