"""SAM's connectors: the policies and permissions that they add between two resources.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/reference-sam-connector.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdalint.aws.sam import connected_resource, connector
from lambdalint.join.properties import items_of, properties_of, reference_of, text_of
from lambdalint.join.sam.making import PERMISSION, Making, Origin, is_same
from lambdalint.model.document import Mapping as Document
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Properties, Property

_TYPES: Final = {
    "AWS::Serverless::Api": "AWS::ApiGateway::RestApi",
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::StateMachine": "AWS::StepFunctions::StateMachine",
}
_ATTRIBUTES: Final = {
    "Arn": "arn",
    "ResourceId": "id",
    "Name": "name",
    "Qualifier": "qualifier",
    "QueueUrl": "url",
}


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connector: the type of its resource, what stands for it, and its role's resource."""

    kind: str
    values: Mapping[str, Property]
    role: Property | None


def add_connector(resource: Resource, making: Making) -> None:
    """What a resource ``AWS::Serverless::Connector`` adds; it is none of CloudFormation's itself."""
    making.resources.pop(resource.name, None)
    origin = Origin(resource.span, resource.extent, resource.name, resource.condition)
    settings = resource.properties
    _connect(resource.name, settings.get("Source"), settings, origin, making)


def add_embedded(resource: Resource, making: Making) -> None:
    """What the connectors that stand inside *resource* add."""
    written = making.node(resource.name, "Connectors")
    for name, node in written.items.items() if isinstance(written, Document) else ():
        connector_settings = properties_of(making.evaluator.value(node))
        settings = properties_of(connector_settings.get("Properties"))
        span = written.keys[name] if isinstance(written, Document) else node.span
        logical = Known(resource.name.removeprefix(making.scope), span)
        reference = properties_of(settings.get("SourceReference"))
        source = Known({**reference, "Id": logical}, span)
        origin = Origin(span, node.span, name, resource.condition)
        _connect(f"{resource.name}{name}", source, settings, origin, making)


def connect(
    name: str, source: Property, destination: Property, permissions: Property, origin: Origin, making: Making
) -> None:
    """What a connector that nobody wrote adds."""
    settings = {"Destination": destination, "Permissions": permissions}
    _connect(name, source, settings, origin, making)


def _connect(name: str, source: Property | None, settings: Properties, origin: Origin, making: Making) -> None:
    listed = settings.get("Destination")
    several = isinstance(listed, Known) and isinstance(listed.value, tuple)
    wanted = {text_of(item) for item in items_of(settings.get("Permissions"))}
    for number, destination in enumerate(items_of(listed)):
        one, other = _end(source, destination, making), _end(destination, source, making)
        profile = connector(one.kind, other.kind) if one and other else None
        if profile is None or one is None or other is None:
            continue
        own: dict[str, Property | None] = {
            f"{side}.{key}": value
            for side, end in (("Source", one), ("Destination", other))
            for key, value in end.values.items()
        }
        suffix = f"Destination{number}" if several else ""
        _add(name, suffix, profile, one if profile["on_source"] else other, wanted, own, origin, making)


def _add(
    name: str,
    suffix: str,
    profile: Mapping[str, Any],
    end: End,
    wanted: set[str | None],
    own: dict[str, Property | None],
    origin: Origin,
    making: Making,
) -> None:
    granted = {access: listed for access, listed in profile["access"].items() if access in wanted}
    statements = [statement for listed in granted.values() for statement in listed]
    document = {"Version": "2012-10-17", "Statement": statements}
    kind = profile["kind"]
    if kind == "AWS_LAMBDA_PERMISSION":
        for access, listed in granted.items():
            permission = {**listed[0], "FunctionName": end.values.get("Arn")}
            making.add(origin, f"{name}{access}LambdaPermission{suffix}", PERMISSION, permission, own)
    elif kind == "AWS_IAM_ROLE_MANAGED_POLICY" and end.role is not None:
        properties: dict[str, object] = {"PolicyDocument": document, "Roles": [end.role]}
        making.add(origin, f"{name}Policy{suffix}", "AWS::IAM::ManagedPolicy", properties, own)
    elif kind == "AWS_SQS_QUEUE_POLICY":
        properties = {"PolicyDocument": document, "Queues": [end.values.get("QueueUrl")]}
        making.add(origin, f"{name}QueuePolicy{suffix}", "AWS::SQS::QueuePolicy", properties, own)
    elif kind == "AWS_SNS_TOPIC_POLICY":
        properties = {"PolicyDocument": document, "Topics": [end.values.get("Arn")]}
        making.add(origin, f"{name}TopicPolicy{suffix}", "AWS::SNS::TopicPolicy", properties, own)


def _end(written: Property | None, other: Property | None, making: Making) -> End | None:
    settings = properties_of(written)
    name = text_of(settings.get("Id"))
    if name is None:
        kind = text_of(settings.get("Type")) or ""
        role = settings.get("RoleName")
        values = {key: settings[key] for key in _ATTRIBUTES if key in settings}
        return End(_TYPES.get(kind, kind), values, role)
    resource = making.resources.get(making.scope + name)
    if resource is None or written is None:
        return None
    span = written.span
    table = connected_resource(resource.type)
    found: dict[str, Property] = {}
    for key, column in _ATTRIBUTES.items():
        if column in table:
            attribute = table[column]
            found[key] = making.reference(resource.name, span, None if attribute == "Ref" else attribute)
        elif f"{column}_text" in table:
            found[key] = Known(table[f"{column}_text"], span, stated=False)
    if "Qualifier" in settings:
        found["Qualifier"] = settings["Qualifier"]
    return End(resource.type, found, _role_name(resource, table.get("role"), other, making))


def _role_name(resource: Resource, key: str | None, other: Property | None, making: Making) -> Property | None:
    """The name of the role that *resource* has, as a policy attaches to it."""
    if key is None:
        return None
    values = _target_roles(resource, other, making) if "." in key else iter((resource.properties.get(key),))
    for value in values:
        reference = reference_of(value)
        if reference is not None and value is not None:
            return making.reference(reference.resource, value.span)
    return None


def _target_roles(resource: Resource, other: Property | None, making: Making) -> Iterator[Property | None]:
    """The roles of those targets of a rule that are the other end."""
    settings = properties_of(other)
    name, arn = text_of(settings.get("Id")), settings.get("Arn")
    for target in items_of(resource.properties.get("Targets")):
        called = reference_of(properties_of(target).get("Arn"))
        named = called is not None and name is not None and called.resource == making.scope + name
        if named or (arn is not None and is_same(properties_of(target).get("Arn"), arn)):
            yield properties_of(target).get("RoleArn")
