"""What the SAM transform makes of a template: functions with their Globals, layers, events and function URLs.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

from collections.abc import Iterator, Mapping
from typing import Final

from lambdalint.join.cloudformation import (
    Declared,
    code_at,
    declare,
    declared_function,
    declared_layer,
    inline_code,
)
from lambdalint.join.intrinsics import Evaluator
from lambdalint.join.properties import merged, properties_of, reference_of, text_of
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node
from lambdalint.model.function import Code, CodeKind, Trigger, TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.template import Resource, Template
from lambdalint.model.values import Known, Properties, Property
from lambdalint.readers.tree import Tree

FUNCTION: Final = "AWS::Serverless::Function"
LAYER: Final = "AWS::Serverless::LayerVersion"

#: SAM's event types; those with a source name the property that holds it.
EVENTS: Final[Mapping[str, tuple[TriggerKind, str | None]]] = {
    "Api": (TriggerKind.REST_API, "RestApiId"),
    "HttpApi": (TriggerKind.HTTP_API, "ApiId"),
    "SQS": (TriggerKind.SQS, "Queue"),
    "Kinesis": (TriggerKind.KINESIS, "Stream"),
    "DynamoDB": (TriggerKind.DYNAMODB, "Stream"),
    "MSK": (TriggerKind.MSK, "Stream"),
    "SelfManagedKafka": (TriggerKind.KAFKA, None),
    "MQ": (TriggerKind.MQ, "Broker"),
    "DocumentDB": (TriggerKind.DOCUMENTDB, "Cluster"),
    "S3": (TriggerKind.S3, "Bucket"),
    "SNS": (TriggerKind.SNS, "Topic"),
    "Schedule": (TriggerKind.SCHEDULE, None),
    "ScheduleV2": (TriggerKind.SCHEDULE, None),
    "CloudWatchEvent": (TriggerKind.EVENTBRIDGE, None),
    "EventBridgeRule": (TriggerKind.EVENTBRIDGE, None),
    "CloudWatchLogs": (TriggerKind.LOGS, None),
    "IoTRule": (TriggerKind.IOT, None),
    "AlexaSkill": (TriggerKind.ALEXA, None),
    "Cognito": (TriggerKind.COGNITO, "UserPool"),
}


def declare_sam(document: Document, template: Template, evaluator: Evaluator, tree: Tree) -> Declared:
    """All that a SAM template declares, its plain CloudFormation resources included."""
    found = declare(template, tree)
    defaults = _globals(document, evaluator)
    for resource in template.resources.values():
        if resource.type == FUNCTION:
            settings = properties_of(merged(defaults, Known(resource.properties, resource.span)))
            found.functions.append(
                declared_function(resource, settings, template, _code(resource, settings, template, tree))
            )
            found.triggers += _triggers(resource, settings, template, _event_names(document, resource))
        elif resource.type == LAYER:
            found.layers.append(declared_layer(resource, "ContentUri", template, tree))
    return found


def _globals(document: Document, evaluator: Evaluator) -> Property | None:
    section = document.items.get("Globals")
    return properties_of(evaluator.value(section)).get("Function") if section is not None else None


def _code(resource: Resource, settings: Properties, template: Template, tree: Tree) -> Code | None:
    if "InlineCode" in settings:
        return inline_code(settings["InlineCode"], template, resource.name)
    if text_of(settings.get("PackageType")) == "Image":
        return Code(CodeKind.IMAGE, settings.get("ImageUri", settings["PackageType"]).span)
    return code_at(settings.get("CodeUri"), template, tree, resource.span)


def _event_names(document: Document, resource: Resource) -> Mapping[str, Span]:
    """Where the events of *resource* are named, for those that stand in the resource itself."""
    node: Node | None = document
    for key in ("Resources", resource.name, "Properties", "Events"):
        node = node.items.get(key) if isinstance(node, Document) else None
    return node.keys if isinstance(node, Document) else {}


def _triggers(
    resource: Resource, settings: Properties, template: Template, names: Mapping[str, Span]
) -> Iterator[Trigger]:
    for name, event in properties_of(settings.get("Events")).items():
        parts = properties_of(event)
        kind = text_of(parts.get("Type"))
        if kind is not None and kind in EVENTS:
            yield _trigger(
                name, kind, properties_of(parts.get("Properties")), names.get(name, event.span), resource, template
            )
    if "FunctionUrlConfig" in settings:
        yield Trigger(
            TriggerKind.FUNCTION_URL,
            "FunctionUrlConfig",
            resource.name,
            settings["FunctionUrlConfig"].span,
            settings=properties_of(settings["FunctionUrlConfig"]),
            payload_version="2.0",
            proxy=True,
        )


def _trigger(
    name: str, event: str, settings: Properties, span: Span, resource: Resource, template: Template
) -> Trigger:
    kind, source_key = EVENTS[event]
    reference = reference_of(settings.get(source_key)) if source_key else None
    source = template.resources.get(reference.resource) if reference else None
    payload, proxy = None, None
    if kind is TriggerKind.REST_API:
        payload, proxy = "1.0", _generated(source, source_key in settings)
    elif kind is TriggerKind.HTTP_API:
        version = settings.get("PayloadFormatVersion")
        payload = "2.0" if version is None else text_of(version)
        proxy = _generated(source, source_key in settings)
    return Trigger(kind, name, resource.name, span, source, settings, payload, proxy)


def _generated(api: Resource | None, named: bool) -> bool | None:
    """Whether SAM writes the API's integrations, which are proxies; a definition of the project's may say otherwise."""
    if api is None:
        return None if named else True
    return None if "DefinitionBody" in api.properties or "DefinitionUri" in api.properties else True
