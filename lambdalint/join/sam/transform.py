"""The SAM transform: a template's resources as CloudFormation has them, and what invokes its functions.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from lambdalint.join.intrinsics import Evaluator
from lambdalint.join.properties import properties_of
from lambdalint.join.sam.apis import (
    add_authorizers,
    add_http_api,
    add_rest_api,
    add_websocket_api,
    imply_apis,
)
from lambdalint.join.sam.connectors import add_connector, add_embedded
from lambdalint.join.sam.functions import add_function, events_of
from lambdalint.join.sam.globals import Globals
from lambdalint.join.sam.graphql import add_graphql_api
from lambdalint.join.sam.making import Making
from lambdalint.join.sam.others import SIMPLE, add_state_machine
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node
from lambdalint.model.function import Trigger
from lambdalint.model.template import Resource, Template
from lambdalint.model.values import Properties

_PREFIX: Final = "AWS::Serverless::"


def transformed(template: Template, evaluator: Evaluator) -> tuple[Template, list[Trigger]]:
    """*template* with the resources that SAM makes of its own, and the triggers that its events are."""
    making = Making(template, evaluator)
    defaults = Globals.of(evaluator)
    settings: dict[str, Properties] = {}
    nodes: dict[str, Mapping[str, Node]] = {}
    kinds: dict[str, list[Resource]] = {}
    for resource in template.resources.values():
        written = making.node(resource.name)
        if resource.type.startswith(_PREFIX) and isinstance(written, Document):
            kind = resource.type.removeprefix(_PREFIX)
            merged = defaults.merged(written, kind)
            nodes[resource.name] = merged.items
            settings[resource.name] = properties_of(evaluator.value(merged))
            kinds.setdefault(kind, []).append(resource)
    for kind, make in SIMPLE.items():
        for resource in kinds.get(kind, ()):
            make(resource, settings[resource.name], making)
    for resource in kinds.get("Api", ()):
        add_rest_api(resource, settings[resource.name], nodes[resource.name], making)
    for resource in kinds.get("HttpApi", ()):
        add_http_api(resource, settings[resource.name], nodes[resource.name], making)
    functions, machines = kinds.get("Function", []), kinds.get("StateMachine", [])
    events = [
        event for resource in (*functions, *machines) for event in events_of(resource, settings[resource.name], making)
    ]
    implied = imply_apis(events, _globals(defaults, "Api", evaluator), _globals(defaults, "HttpApi", evaluator), making)
    for resource in functions:
        if making.resources[resource.name] is resource:  # an implied API may have taken the name
            add_function(resource, settings[resource.name], nodes[resource.name], making)
    for resource in machines:
        add_state_machine(resource, settings[resource.name], making)
    for resource in (*kinds.get("Api", ()), *kinds.get("HttpApi", ())):
        add_authorizers(making.resources[resource.name], settings[resource.name], making)
    for api, api_settings in implied:
        add_authorizers(making.resources[api.name], api_settings, making)
    for resource in kinds.get("GraphQLApi", ()):
        add_graphql_api(resource, settings[resource.name], making)
    for resource in kinds.get("WebSocketApi", ()):
        add_websocket_api(resource, settings[resource.name], nodes[resource.name], making)
    for resource in template.resources.values():
        add_embedded(making.resources[resource.name], making)
    for resource in kinds.get("Connector", ()):
        add_connector(resource, making)
    return replace(template, resources=making.resources), making.triggers


def _globals(defaults: Globals, kind: str, evaluator: Evaluator) -> Properties:
    nothing: Document = Document({}, {}, evaluator.document.span)
    return properties_of(evaluator.value(defaults.merged(nothing, kind)))
