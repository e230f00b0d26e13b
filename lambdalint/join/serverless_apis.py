"""API Gateway events of a Serverless Framework function as resources of its stack.

Source: https://www.serverless.com/framework/docs/providers/aws/events/apigateway
"""

from typing import Any, Final

from lambdalint.aws.serverless import Event, framework_default, integration_type
from lambdalint.join.serverless_nodes import (
    at,
    block,
    is_hidden,
    is_true,
    known,
    reference,
    several,
    substituted,
    text,
    unknown,
)
from lambdalint.join.serverless_stack import Compiled, Stack, alphanumeric, function_name, normalized, path_part, permit
from lambdalint.model.document import Mapping, Node, Scalar
from lambdalint.model.function import TriggerKind
from lambdalint.model.places import Span

_INVOKED: Final = (
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s.Arn}/invocations"
)
_API: Final = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${%s}/*"


def _endpoint(node: Node) -> tuple[str | None, str | None]:
    """The method and the path of an event of an API; ``None`` for what is not known."""
    written = text(node)
    if written is not None:
        method, _, path = written.strip().partition(" ")
        return method.upper(), path.strip() or ("*" if method == "*" else None)
    verb, route = text(at(node, "method")), text(at(node, "path"))
    return verb.upper() if verb is not None else None, route


def compile_http(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    service = stack.service
    api = at(service.provider, "apiGateway", "restApiId")
    if api is None:
        title = {"Name": known(service.own_name("api") or "api", service.span, stated=False)}
        api = reference(stack.once("ApiGatewayRestApi", "AWS::ApiGateway::RestApi", title, service.span), span)
        arn: Node | None = substituted(_API % "ApiGatewayRestApi", span)
    else:
        arn = None if is_hidden(api) else _api_arn(api, span)
    method, path = _endpoint(node)
    kind = _integration_type(node, span)
    integration: dict[str, Any] = {"Type": kind, "IntegrationHttpMethod": known("POST", span)}
    if text(kind) not in ("HTTP", "HTTP_PROXY", "MOCK"):
        integration["Uri"] = substituted(_INVOKED % function.logical, span)
    authorizer = at(node, "authorizer")
    properties = {
        "RestApiId": api,
        "HttpMethod": known(method, span) if method else unknown("the method", span),
        "Integration": block(span, integration),
        "ApiKeyRequired": at(node, "private"),
        "AuthorizationType": _authorization(authorizer, span),
        "TimeoutInMillis": at(node, "timeout"),
    }
    logical = f"ApiGatewayMethod{path_part(path or '')}{(method or 'any').capitalize()}"
    stack.kinds[stack.add(logical, "AWS::ApiGateway::Method", properties, span, node.span)] = TriggerKind.REST_API
    _permit_once(stack, function, "ApiGateway", span, row, arn or unknown("the API", span))
    _authorizing(stack, authorizer, {"RestApiId": api}, "AWS::ApiGateway::Authorizer", "ApiGatewayAuthorizer")


def _api_arn(api: Node, span: Span) -> Node:
    """The ARN of the API that *api* names."""
    parts = block(api.span, {"Api": api})
    return block(span, {"Fn::Sub": several(span, known(_API % "Api", span), parts)})


def _integration_type(node: Node, span: Span) -> Node:
    stated = at(node, "integration")
    if is_hidden(node) or is_hidden(stated):
        return unknown("the integration", span)
    written = text(stated)
    if written is None:
        # Without an integration an asynchronous event is not proxied: its response has no body.
        return known("AWS" if is_true(at(node, "async")) else "AWS_PROXY", span, stated=False)
    kind = integration_type(written)
    return known(kind, stated.span) if kind is not None and stated is not None else unknown(written, span)


def _authorization(authorizer: Node | None, span: Span) -> Node:
    if authorizer is None:
        return known("NONE", span, stated=False)
    name = text(authorizer) or text(at(authorizer, "name")) or ""
    kind = text(at(authorizer, "type")) or ""
    if "aws_iam" in (name.lower(), kind.lower()):
        return known("AWS_IAM", authorizer.span)
    if is_hidden(authorizer):
        return unknown("the authorizer", authorizer.span)
    cognito = "cognito" in kind.lower() or ":cognito-idp:" in f"{text(authorizer) or text(at(authorizer, 'arn'))}"
    return known("COGNITO_USER_POOLS" if cognito else "CUSTOM", authorizer.span)


def _authorizing(stack: Stack, authorizer: Node | None, api: dict[str, Node], kind: str, suffix: str) -> None:
    """The authorizer that a function of the service is."""
    name = text(authorizer) or text(at(authorizer, "name"))
    if name is None or authorizer is None or ":" in name or name.lower() == "aws_iam":
        return
    if isinstance(authorizer, Mapping) and ("arn" in authorizer.items or "authorizerId" in authorizer.items):
        return
    uri = {"AuthorizerUri": substituted(_INVOKED % function_name(name), authorizer.span)}
    stack.once(
        f"{normalized(name)}{suffix}", kind, {"Name": known(name, authorizer.span), **api, **uri}, authorizer.span
    )


def _permit_once(stack: Stack, function: Compiled, what: str, span: Span, row: Event, source: Node) -> None:
    if f"{normalized(function.key)}LambdaPermission{what}" not in stack.resources:
        permit(stack, function, what, span, row.principal, source)


def compile_http_api(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    service = stack.service
    api = at(service.provider, "httpApi", "id")
    if api is None:
        parts = {"ProtocolType": known("HTTP", service.span)}
        api = reference(stack.once("HttpApi", "AWS::ApiGatewayV2::Api", parts, service.span), span)
        arn: Node = substituted(_API % "HttpApi", span)
    else:
        arn = api if is_hidden(api) else _api_arn(api, span)
    integration = f"HttpApiIntegration{normalized(function.key)}"
    if integration not in stack.resources:
        payload = at(function.node, "httpApi", "payload") or at(service.provider, "httpApi", "payload")
        if payload is None:
            payload = known(framework_default("payload"), span, stated=False)
        properties = {
            "ApiId": api,
            "IntegrationType": known("AWS_PROXY", span),
            "IntegrationUri": function.arn(span),
            "PayloadFormatVersion": payload,
        }
        stack.add(integration, "AWS::ApiGatewayV2::Integration", properties, span, node.span)
        stack.kinds[integration] = TriggerKind.HTTP_API
    method, path = _endpoint(node)
    key = "$default" if path == "*" else f"{'ANY' if method == '*' else method} {path}"
    authorizer = at(node, "authorizer")
    route = {
        "ApiId": api,
        "RouteKey": known(key, span) if method and path else unknown("the route", span),
        "Target": _joined(span, known("integrations/", span), reference(integration, span)),
        "AuthorizationType": _route_authorization(authorizer, span),
    }
    stack.add(
        f"HttpApiRoute{path_part(path or '')}{(method or '').capitalize()}", "AWS::ApiGatewayV2::Route", route, span
    )
    _permit_once(stack, function, "HttpApi", span, row, arn)


def _route_authorization(authorizer: Node | None, span: Span) -> Node:
    if authorizer is None:
        return known("NONE", span, stated=False)
    kind = text(at(authorizer, "type"))
    if kind is None:
        return unknown("the authorizer", authorizer.span)
    return known({"aws_iam": "AWS_IAM", "request": "CUSTOM"}.get(kind.lower(), "JWT"), authorizer.span)


def _joined(span: Span, *parts: Node) -> Node:
    return block(span, {"Fn::Join": several(span, known("", span), several(span, *parts))})


def compile_websocket(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    service = stack.service
    api = at(service.provider, "apiGateway", "websocketApiId")
    arn: Node = unknown("the API", span)
    if api is None:
        parts = {"ProtocolType": known("WEBSOCKET", service.span)}
        api = reference(stack.once("WebsocketsApi", "AWS::ApiGatewayV2::Api", parts, service.span), span)
        arn = substituted(_API % "WebsocketsApi", span)
    integration = f"{normalized(function.key)}WebsocketsIntegration"
    if integration not in stack.resources:
        properties = {
            "ApiId": api,
            "IntegrationType": known("AWS_PROXY", span),
            "IntegrationUri": substituted(_INVOKED % function.logical, span),
        }
        stack.add(integration, "AWS::ApiGatewayV2::Integration", properties, span, node.span)
        stack.kinds[integration] = TriggerKind.WEBSOCKET_API
    route = node if isinstance(node, Scalar) else at(node, "route")
    authorizer = at(node, "authorizer")
    properties = {
        "ApiId": api,
        "RouteKey": route or unknown("the route", span),
        "Target": _joined(span, known("integrations/", span), reference(integration, span)),
        "AuthorizationType": _authorization(authorizer, span),
    }
    stack.add(f"{alphanumeric(text(route) or '')}WebsocketsRoute", "AWS::ApiGatewayV2::Route", properties, span)
    _permit_once(stack, function, "Websockets", span, row, arn)
    _authorizing(stack, authorizer, {"ApiId": api}, "AWS::ApiGatewayV2::Authorizer", "WebsocketsAuthorizer")
