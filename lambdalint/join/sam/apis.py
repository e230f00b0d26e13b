"""SAM's APIs: those that a template declares, those that events imply, and who may call what for them.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from lambdalint.join.called import functions_in
from lambdalint.join.definitions import integrations
from lambdalint.join.properties import properties_of, text_of
from lambdalint.join.sam.making import PERMISSION, Making, Origin, digest
from lambdalint.join.sam.names import http_stage_suffix, plain_text, stage_suffix
from lambdalint.join.sam.targets import Event, Target, permit, source_of
from lambdalint.model.document import Node, Scalar
from lambdalint.model.function import Trigger, TriggerKind
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Properties, Property

REST_API: Final = "AWS::ApiGateway::RestApi"
HTTP_API: Final = "AWS::ApiGatewayV2::Api"
REST_EVENT: Final = "Api"
HTTP_EVENT: Final = "HttpApi"
API_GATEWAY: Final = "apigateway.amazonaws.com"

IMPLICIT_REST: Final = "ServerlessRestApi"
IMPLICIT_HTTP: Final = "ServerlessHttpApi"

_REST_SETTINGS: Final = (
    "ApiKeySourceType",
    "BinaryMediaTypes",
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointAccessMode",
    "FailOnWarnings",
    "MinimumCompressionSize",
    "Mode",
    "Name",
    "Policy",
    "SecurityPolicy",
)
_REST_STAGE_SETTINGS: Final = (
    "AccessLogSetting",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "MethodSettings",
    "TracingEnabled",
    "Variables",
)
_HTTP_STAGE_SETTINGS: Final = ("AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageVariables")
#: The method of a definition that stands for all.
_ANY: Final = "x-amazon-apigateway-any-method"
_PARAMETER: Final = re.compile(r"{([a-zA-Z0-9._-]+\+?|proxy\+)}")
_HTTP_PARAMETER: Final = re.compile(r"{([a-zA-Z0-9._-]+|proxy\+)}")


def add_rest_api(resource: Resource, settings: Properties, nodes: Mapping[str, Node], making: Making) -> None:
    """A REST API with its stage; *nodes* are the settings as written."""
    span = resource.span
    endpoint = settings.get("EndpointConfiguration")
    kinds = properties_of(endpoint).get("Type") if properties_of(endpoint) else endpoint
    making.retyped(
        resource,
        REST_API,
        {
            **{name: settings.get(name) for name in _REST_SETTINGS},
            "Body": settings.get("DefinitionBody"),
            "BodyS3Location": settings.get("DefinitionUri"),
            "EndpointConfiguration": None if kinds is None else making.made({"Types": [kinds]}, kinds.span),
        },
    )
    origin = Origin(span, resource.extent, resource.name, resource.condition)
    api = making.reference(resource.name, span)
    deployment = f"{resource.name}Deployment"
    making.add(origin, deployment, "AWS::ApiGateway::Deployment", {"RestApiId": api})
    making.add(
        origin,
        resource.name + stage_suffix(nodes.get("StageName")),
        "AWS::ApiGateway::Stage",
        {
            "RestApiId": api,
            "DeploymentId": making.reference(deployment, span),
            "StageName": settings.get("StageName"),
            **{name: settings.get(name) for name in _REST_STAGE_SETTINGS},
        },
    )


def add_http_api(resource: Resource, settings: Properties, nodes: Mapping[str, Node], making: Making) -> None:
    """An HTTP API with its stage."""
    span = resource.span
    shared = ("Name", "Description", "FailOnWarnings", "DisableExecuteApiEndpoint")
    making.retyped(
        resource,
        HTTP_API,
        {
            **{name: settings.get(name) for name in shared},
            "Body": settings.get("DefinitionBody"),
            "BodyS3Location": settings.get("DefinitionUri"),
            "CorsConfiguration": settings.get("CorsConfiguration"),
            "ProtocolType": Known("HTTP", span, stated=False),
        },
    )
    making.add(
        Origin(span, resource.extent, resource.name, resource.condition),
        resource.name + http_stage_suffix(nodes.get("StageName")),
        "AWS::ApiGatewayV2::Stage",
        {
            "ApiId": making.reference(resource.name, span),
            "StageName": settings.get("StageName", Known("$default", span, stated=False)),
            "AutoDeploy": True,
            **{name: settings.get(name) for name in _HTTP_STAGE_SETTINGS},
        },
    )


def add_authorizers(api: Resource, settings: Properties, making: Making) -> None:
    """The functions that decide who may call an API, and the leave to call them.

    SAM gives it for a REST API unless it is told not to, and for an HTTP API only when it is told to.
    """
    rest = api.type == REST_API
    for name, authorizer in properties_of(properties_of(settings.get("Auth")).get("Authorizers")).items():
        options = properties_of(authorizer)
        function = options.get("FunctionArn")
        if function is None:
            continue
        at = Origin(authorizer.span, api.extent, name, api.condition)
        _authorizer_triggers(api, at, function, making)
        permitted = (
            not _is_true(options.get("DisableFunctionDefaultPermissions"))
            if rest
            else _is_true(options.get("EnableFunctionDefaultPermissions"))
        )
        if permitted:
            _permit_authorizer(api, f"{api.name}{name}AuthorizerPermission", at, function, making)


def add_websocket_api(resource: Resource, settings: Properties, nodes: Mapping[str, Node], making: Making) -> None:
    """A WebSocket API with its routes, which call functions through proxies."""
    span, api = resource.span, making.reference(resource.name, resource.span)
    dropped = ("Auth", "Domain", "PropagateTags", "Routes", "StageName", *_HTTP_STAGE_SETTINGS)
    protocol = Known("WEBSOCKET", span, stated=False)
    kept = {name: value for name, value in settings.items() if name not in dropped}
    websocket = making.retyped(resource, HTTP_API, {**kept, "ProtocolType": protocol})
    for key, route in properties_of(settings.get("Routes")).items():
        _add_route(websocket, key, route, settings.get("StageName"), making)
    stage = plain_text(nodes.get("StageName"))
    making.add(
        Origin(span, resource.extent, resource.name, resource.condition),
        f"{resource.name}{'Default' if 'StageName' not in nodes or stage == 'default' else stage or ''}Stage",
        "AWS::ApiGatewayV2::Stage",
        {
            "ApiId": api,
            "StageName": settings.get("StageName"),
            "AutoDeploy": True,
            **{name: settings.get(name) for name in _HTTP_STAGE_SETTINGS},
        },
    )
    auth = properties_of(settings.get("Auth"))
    if "AuthArn" in auth and text_of(auth.get("AuthType")) == "CUSTOM":
        at = Origin(auth["AuthArn"].span, resource.extent, "Auth", resource.condition)
        _authorizer_triggers(websocket, at, auth["AuthArn"], making)
        if "InvokeRole" not in auth:
            _permit_authorizer(websocket, f"{resource.name}AuthorizerPermission", at, auth["AuthArn"], making)


def _add_route(api: Resource, key: str, route: Property, stage: Property | None, making: Making) -> None:
    options = properties_of(route)
    function = options.get("FunctionArn")
    if function is None:
        return
    at = Origin(route.span, route.span, key, api.condition)
    base = f"{api.name}{key.replace('$', '').capitalize()}"
    reference = making.reference(api.name, route.span)
    uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations"
    integration = making.add(
        at,
        f"{base}Integration",
        "AWS::ApiGatewayV2::Integration",
        {
            "ApiId": reference,
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": uri,
            "TimeoutInMillis": options.get("IntegrationTimeout"),
        },
        {"Function": function},
    )
    making.add(
        at,
        f"{base}Route",
        "AWS::ApiGatewayV2::Route",
        {
            "ApiId": reference,
            "RouteKey": key,
            "Target": making.made(
                "integrations/${Integration}",
                route.span,
                {"Integration": making.reference(integration.name, route.span)},
            ),
            **{name: options.get(name) for name in ("ApiKeyRequired", "OperationName", "RequestParameters")},
        },
    )
    source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api.ApiId}/${Stage}/"
    making.add(
        at,
        f"{base}Permission",
        PERMISSION,
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": function,
            "Principal": API_GATEWAY,
            "SourceArn": source + key.replace("$", "${Dollar}"),
        },
        {
            "Api.ApiId": making.reference(api.name, route.span, "ApiId"),
            "Stage": stage or Known("default", route.span, stated=False),
            "Dollar": Known("$", route.span, stated=False),
        },
    )
    for name in sorted(functions_in(function, making.resources)):
        making.triggers.append(
            Trigger(TriggerKind.WEBSOCKET_API, key, name, route.span, api, integration.properties, "1.0", True)
        )


def _authorizer_triggers(api: Resource, at: Origin, function: Property, making: Making) -> None:
    for called in sorted(functions_in(function, making.resources)):
        making.triggers.append(
            Trigger(TriggerKind.AUTHORIZER, at.label, called, at.span, making.resources.get(api.name, api))
        )


def _permit_authorizer(api: Resource, name: str, at: Origin, function: Property, making: Making) -> None:
    partition = "aws" if making.resources[api.name].type == REST_API else "${AWS::Partition}"
    making.add(
        at,
        name,
        PERMISSION,
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": function,
            "Principal": API_GATEWAY,
            "SourceArn": f"arn:{partition}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/authorizers/*",
        },
        {"Api": making.reference(api.name, at.span)},
    )


def rest_event(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    """The leave to call for one method of a REST API, and the call itself."""
    api = event.settings.get("RestApiId")
    if api is None:
        api = making.reference(making.scope + IMPLICIT_REST, event.origin.span)
    source = _api_of(api, making)
    path, method = text_of(event.settings.get("Path")), text_of(event.settings.get("Method"))
    if path is not None and method is not None:
        suffix = _permitted_stage(source, making)
        tail = _PARAMETER.sub("*", re.sub(r"^(.+)/$", r"\1", path))
        verb = "*" if method.lower() == "any" else method.upper()
        where = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/*/" + verb + _escaped(tail)
        arn = making.made(where, event.origin.span, {"__ApiId__": api})
        permit(making, event, target, API_GATEWAY, suffix=suffix if suffix.isalnum() else digest(suffix), SourceArn=arn)
    yield from _called(event, target, source, TriggerKind.REST_API, "1.0", making)


def _api_of(value: Property, making: Making) -> Resource | None:
    """The API that an event names, by a reference or by its logical name as such."""
    return source_of(value, making) or making.resources.get(making.scope + (text_of(value) or ""))


def _permitted_stage(api: Resource | None, making: Making) -> str:
    if api is None:
        return "AllStages"
    if api.name == making.scope + IMPLICIT_REST and api.label is not None:
        return "Prod"
    written = making.node(api.name, "Properties", "StageName")
    return plain_text(written) or "Stage"


def http_event(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    """The leave to call for one route of an HTTP API, and the call itself."""
    api = event.settings.get("ApiId")
    if api is None:
        api = making.reference(making.scope + IMPLICIT_HTTP, event.origin.span)
    source = _api_of(api, making)
    path = text_of(event.settings.get("Path")) or ("$default" if "Path" not in event.settings else None)
    method = text_of(event.settings.get("Method")) or ("any" if "Method" not in event.settings else None)
    if path is not None and method is not None:
        every = path == "$default"
        tail = "" if every else _HTTP_PARAMETER.sub("*", re.sub(r"^(.+)/$", r"\1", path))
        verb = "*" if method.lower() in ("any", _ANY) else method.upper()
        called = tail if method.lower() == "any" and tail == "/$default" else f"/{verb}{tail}"
        where = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/*"
        arn = making.made(where + _escaped(called), event.origin.span, {"__ApiId__": api})
        if every or not _takes_every_path(source, target, making):
            permit(making, event, target, API_GATEWAY, SourceArn=arn)
    version = event.settings.get("PayloadFormatVersion")
    payload = "2.0" if version is None else str(version.value) if isinstance(version, Known) else None
    yield from _called(event, target, source, TriggerKind.HTTP_API, payload, making)


def _takes_every_path(api: Resource | None, target: Target, making: Making) -> bool:
    """Whether the function is already let in for all paths of the API, by an event or by the API's definition."""
    if any(
        each.path == "$default" and target.name in functions_in(each.uri, making.resources)
        for each in integrations(api.get("Body") if api else None)
    ):
        return True
    return any(
        trigger.function == target.name
        and trigger.kind is TriggerKind.HTTP_API
        and trigger.source is api
        and (text_of(trigger.settings.get("Path")) or "$default") == "$default"
        for trigger in making.triggers
    )


def _escaped(path: str) -> str:
    return path.replace("${", "${!")


def _called(
    event: Event, target: Target, api: Resource | None, kind: TriggerKind, payload: str | None, making: Making
) -> Iterator[Trigger]:
    """The trigger, unless a definition of the project's own states it."""
    path, method = text_of(event.settings.get("Path")), (text_of(event.settings.get("Method")) or "").lower()
    if kind is TriggerKind.HTTP_API and path is None:
        path, method = "$default", _ANY
    own = api.get("Body") if api else None
    for found in integrations(own):
        same = found.path == path and found.method in (method, _ANY)
        if same and target.name in functions_in(found.uri, making.resources):
            return  # the definition is read like any other's
    # SAM writes the integration itself where there is no definition, and those that it writes are proxies.
    named = "RestApiId" in event.settings or "ApiId" in event.settings
    written = api is not None and "BodyS3Location" not in api.properties if named else True
    if written and own is not None and api is not None and kind is TriggerKind.REST_API:
        written = _is_true(_merging(api, making))
    settings = event.settings
    default = making.node(api.name, "Properties", "Auth", "DefaultAuthorizer") if api is not None else None
    authorizer = making.evaluator.value(default) if default is not None else None
    if authorizer is not None and "Auth" not in settings:
        settings = {**settings, "Auth": authorizer}
    yield event.trigger(kind, target, api, settings, payload, True if written else None)


def _merging(api: Resource, making: Making) -> Property | None:
    written = making.node(api.name, "Properties", "MergeDefinitions")
    return making.evaluator.value(written) if written is not None else None


def _is_true(value: Property | None) -> bool:
    return isinstance(value, Known) and str(value.value).lower() == "true"


def imply_apis(
    events: list[Event], rest: Properties, http: Properties, making: Making
) -> list[tuple[Resource, Properties]]:
    """The APIs that SAM makes for events that name none, with their settings.

    *rest* and *http* are the globals of either kind.
    """
    implied: list[tuple[Resource, Properties]] = []
    for kind, key, name, settings in (
        (REST_EVENT, "RestApiId", IMPLICIT_REST, rest),
        (HTTP_EVENT, "ApiId", IMPLICIT_HTTP, http),
    ):
        found = [event for event in events if event.kind == kind and key not in event.settings]
        if not found:
            continue
        first = found[0].origin
        conditions = {event.origin.condition for event in found}
        every = conditions.pop() if len(conditions) == 1 else f"{name}Condition"
        at = replace(first, condition=None if None in conditions else every)
        api = making.add(at, making.scope + name, "AWS::Serverless", {})
        nodes: Mapping[str, Node] = {}
        if kind == REST_EVENT:
            stage = {"StageName": Known("Prod", at.span, stated=False)}
            nodes = {"StageName": Scalar("Prod", "Prod", at.span)}
            add_rest_api(api, {**settings, **stage}, nodes, making)
        else:
            add_http_api(api, settings, nodes, making)
        implied.append((making.resources[api.name], settings))
    return implied
