"""Zappa: each stage of the settings file is one function, whose handler Zappa writes while it packs.

Source: https://github.com/zappa/Zappa#advanced-settings
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from lambdalint.aws.tables import table
from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import Declared, declared_function
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.plain import function_resource, plain
from lambdalint.join.properties import items_of, properties_of, text_of
from lambdalint.join.triggers import SERVICES
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Scalar, Sequence
from lambdalint.model.function import Code, CodeKind, Trigger, TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Resource, Template
from lambdalint.model.values import Known, Properties, Property, Unknown
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Mounted, Tree
from lambdalint.readers.yaml import read_yaml

_SUFFIXES: Final = (".json", ".toml", ".yml", ".yaml")
#: Stages that extend each other; longer chains are no settings of anybody's.
_MAX_EXTENDS: Final = 20

_TABLE: Final = re.compile(r"""\s*\[\[?\s*([\w.\-"' ]+?)\s*\]\]?\s*(?:#.*)?""")
_KEY: Final = re.compile(r"""\s*([\w\-"'.]+)\s*=""")


def claims(tree: Tree, path: str) -> bool:
    """Whether *path* is a settings file of Zappa."""
    name = path.rpartition("/")[2]
    return name.startswith("zappa_settings.") and name.endswith(_SUFFIXES) and tree.is_file(path)


def declare_zappa(tree: Mounted, path: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    """The function of every stage, or of the one that *inputs* name.

    Raises:
        UnreadableInput: the settings cannot be read.
    """
    document = _document(tree, path)
    stages = properties_of(plain(document)) if document else {}
    names = document.keys if isinstance(document, Document) else {}
    resources: dict[str, Resource] = {}
    found = Declared(Template(path, Dialect.ZAPPA, resources))
    for stage, value in stages.items():
        if inputs.stage not in (None, stage) or not properties_of(value):
            continue
        settings = _extended(stages, stage)
        if not {"app_function", "django_settings", "lambda_handler", "app_module", "s3_bucket"}.intersection(settings):
            continue
        project = text_of(settings.get("project_name"))
        name = f"{project}-{stage}" if project else stage
        resource = function_resource(
            name, _stated(settings, value.span), table("zappa")["settings"], names[stage], value.span
        )
        resources[name] = resource
        folder = path.rpartition("/")[0]
        given = {"Runtime": Unknown("the Python that deploys", value.span), **resource.properties}
        code = Code(CodeKind.FOLDER, names[stage], folder, folder)
        found.functions.append(declared_function(resource, given, found.template, code))
        found.triggers += _triggers(name, settings, names[stage])
    yield found


def _extended(stages: Properties, stage: str) -> Properties:
    """The settings of *stage* over those that it extends."""
    chain: list[Properties] = []
    seen: set[str] = set()
    name: str | None = stage
    while name is not None and name not in seen and len(chain) < _MAX_EXTENDS:
        seen.add(name)
        chain.append(properties_of(stages.get(name)))
        name = text_of(chain[-1].get("extends"))
    return {key: value for level in reversed(chain) for key, value in level.items()}


def _stated(settings: Properties, span: Span) -> Properties:
    """The settings with Zappa's own defaults; an empty network is none."""
    defaults = {
        key: Known(value, span, stated=False)
        for key, value in table("zappa")["defaults"].items()
        if key in table("zappa")["settings"]
    }
    return {
        key: value for key, value in {**defaults, **settings}.items() if key != "vpc_config" or properties_of(value)
    }


def _triggers(function: str, settings: Properties, span: Span) -> Iterator[Trigger]:
    if _flag(settings.get("use_apigateway", settings.get("apigateway_enabled")), default=True):
        payload = "2.0" if text_of(settings.get("apigateway_version")) == "v2" else "1.0"
        kind = TriggerKind.HTTP_API if payload == "2.0" else TriggerKind.REST_API
        yield Trigger(kind, "API", function, span, payload_version=payload, proxy=True)
    if _flag(settings.get("function_url_enabled"), default=False):
        yield Trigger(TriggerKind.FUNCTION_URL, "URL", function, span, payload_version="2.0", proxy=True)
    if _flag(settings.get("alb_enabled"), default=False):
        yield Trigger(TriggerKind.ALB, "load balancer", function, span, proxy=True)
    if _flag(settings.get("keep_warm"), default=True):
        yield Trigger(TriggerKind.SCHEDULE, "keep_warm", function, span)
    for event in items_of(settings.get("events")):
        parts = properties_of(event)
        name = text_of(parts.get("name")) or text_of(parts.get("function")) or "event"
        if "expression" in parts or "expressions" in parts:
            yield Trigger(TriggerKind.SCHEDULE, name, function, event.span)
        source = properties_of(parts.get("event_source"))
        if source:
            yield Trigger(_kind(source), name, function, event.span, settings=_mapping(source))


def _kind(source: Properties) -> TriggerKind:
    arn = text_of(source.get("arn")) or ""
    service = arn.split(":")[2] if arn.count(":") >= 2 else ""
    return {**SERVICES, "s3": TriggerKind.S3, "sns": TriggerKind.SNS, "events": TriggerKind.EVENTBRIDGE}.get(
        service, TriggerKind.OTHER
    )


def _mapping(source: Properties) -> Properties:
    names = {"arn": "EventSourceArn", "batch_size": "BatchSize", "batch_window": "MaximumBatchingWindowInSeconds"}
    return {theirs: source[ours] for ours, theirs in names.items() if ours in source}


def _flag(value: Property | None, *, default: bool) -> bool:
    """Whether a setting is on; one that nobody can know is off: it declares nothing for certain."""
    return default if value is None else isinstance(value, Known) and value.value is True


def _document(tree: Tree, path: str) -> Node | None:
    text = decoded(tree.read(path), path)
    if path.endswith(".json"):
        return read_json(text, path)
    return _read_toml(text, path) if path.endswith(".toml") else read_yaml(text, path)


def _read_toml(text: str, path: str) -> Node:
    import tomli

    try:
        document = tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise UnreadableInput(f"this is no TOML: {error}", path=path) from error
    return _node(document, (), _places(text, path), Span.whole(path))


def _places(text: str, path: str) -> dict[tuple[str, ...], Span]:
    """Where keys and tables stand; tomli does not say."""
    places: dict[tuple[str, ...], Span] = {}
    prefix: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if match := _TABLE.fullmatch(line):
            prefix = _parts(match[1])
            places.setdefault(prefix, Span(path, number, match.start(1), number, match.end(1)))
        elif match := _KEY.match(line):
            key = (*prefix, *_parts(match[1]))
            places.setdefault(key, Span(path, number, match.end(), number, len(line)))
    return places


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _node(value: Any, key: tuple[str, ...], places: dict[tuple[str, ...], Span], outer: Span) -> Node:
    span = places.get(key, outer)
    if isinstance(value, dict):
        items = {name: _node(each, (*key, name), places, span) for name, each in value.items()}
        return Document(items, {name: places.get((*key, name), span) for name in value}, span)
    if isinstance(value, list):
        return Sequence(tuple(_node(each, key, places, span) for each in value), span)
    plain_value = value if isinstance(value, str | int | float | bool) else str(value)
    return Scalar(plain_value, str(value), span)
