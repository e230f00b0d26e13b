"""Behind a proxy integration the handler's result is the HTTP response, and must have its form.

``body`` is text and ``statusCode`` a number.  A dict as the body looks right in every test that calls the handler; API
Gateway answers it with 502 ``Malformed Lambda proxy response``.  An HTTP API of payload 2.0 and a function URL make a
response of whatever has no ``statusCode``; with one they are as strict.  Other callers take any value, so the rule asks
for a trigger that is known to be a proxy.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.entry import Entry
from lambdalint.facts.expressions import (
    NONE,
    CallOf,
    Collection,
    Either,
    EventPath,
    Expression,
    Joined,
    Literal,
    Opaque,
)
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.returns import Return, Returns
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Problem,
    Problems,
    Related,
    Severity,
    Span,
    Trigger,
    TriggerKind,
    Wrap,
    rule,
)

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Events:
        Call: {event}
"""
REST: Final = TEMPLATE.format(event="{Type: Api, Properties: {Path: /orders, Method: get}}")
HTTP: Final = TEMPLATE.format(event="{Type: HttpApi}")
BOTH: Final = REST + "        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}\n"
NOT_PROXY: Final = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: app.handler
      Runtime: python3.13
      Role: arn:aws:iam::111122223333:role/orders
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      HttpMethod: GET
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      Integration:
        Type: AWS
        IntegrationHttpMethod: POST
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: orders}
"""

DICT_BODY: Final = """\
def handler(event, context):
    return {  # finding
        "statusCode": 200,
        "body": {"orders": []},
    }
"""
HELPER: Final = """\
from replies import reply

def handler(event, context):
    if not event.get("pathParameters"):
        return reply(400, ["no order"])  # finding
    return reply(200, "[]")
"""
REPLIES: Final = """\
def reply(status, body):
    response = {"statusCode": status, "headers": {"X-Order": "1"}}
    response["body"] = body
    return response
"""
TEXT_OR_NOT: Final = """\
import json

def handler(event, context):
    if event["path"] == "/":
        return finished({"statusCode": 200, "body": {"orders": []}})
    return reply({"orders": []})

def finished(response):
    response["body"] = json.dumps(response["body"])
    return response

def reply(body):
    if isinstance(body, dict):
        return {"statusCode": 200, "body": json.dumps(body)}
    return {"statusCode": 200, "body": body}
"""
SWALLOWED: Final = """\
import json

def handler(event, context):  # finding
    try:
        return {"statusCode": 200, "body": json.dumps(event["queryStringParameters"])}
    except KeyError as error:
        print(error)
"""
GOOD: Final = """\
import json

import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    response = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": {}}
    if event["httpMethod"] == "GET":
        response["body"] = json.dumps(table.scan()["Items"], default=str)
    elif event.get("warm"):
        return
    elif event["httpMethod"] == "DELETE":
        return {"statusCode": "204", "body": None}
    else:
        body = {"order": event["body"]}
        body = json.dumps(body)
        return {"statusCode": 201, "body": body, "headers": {"X-Count": 1}}
    response.update(body=json.dumps(response["body"]))
    return response
"""
DECORATED: Final = """\
from framework import app

@app.http
def handler(event, context):
    return {"statusCode": 200, "body": {}}
"""

#: Callees whose result is a dict.
_DICTS: Final = tuple(
    f"boto3.resource(dynamodb).Table().{operation}"
    for operation in ("get_item", "put_item", "update_item", "delete_item", "query", "scan")
)
_ARTICLES: Final = {"dict": "a dict", "list": "a list", "set": "a set", "tuple": "a tuple", "generator": "a generator"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a response; *at* is the ``return`` of another function that it comes out of.

    *plain_body*: the body is data that its ``return`` states, and JSON is what it should be.
    """

    what: str
    at: Span | None = None
    plain_body: bool = False


@rule(
    "LV007",
    "malformed-proxy-response",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": REST, "src/app.py": DICT_BODY},
        {"template.yaml": HTTP, "src/app.py": DICT_BODY},
        {"template.yaml": BOTH, "src/app.py": DICT_BODY},
        {"template.yaml": REST, "src/app.py": HELPER, "src/replies.py": REPLIES},
        {"template.yaml": REST, "src/app.py": SWALLOWED},
        {
            "template.yaml": REST,
            "src/app.py": "def handler(event, context):\n    return {'message': 'hello'}  # finding\n",
        },
        {
            "template.yaml": HTTP,
            "src/app.py": "def handler(event, context):\n    return {'statusCode': 'OK', 'body': ''}  # finding\n",
        },
    ),
    good=(
        {"template.yaml": REST, "src/app.py": GOOD},
        {"template.yaml": REST, "src/app.py": TEXT_OR_NOT},
        {"template.yaml": NOT_PROXY, "src/app.py": DICT_BODY.replace("  # finding", "")},
        {"template.yaml": HTTP, "src/app.py": "def handler(event, context):\n    return {'message': 'hello'}\n"},
        {"template.yaml": BOTH, "src/app.py": SWALLOWED.replace("  # finding", "")},
        {"template.yaml": REST, "src/app.py": DECORATED},
        {
            "template.yaml": TEMPLATE.format(event="{Type: SNS, Properties: {Topic: t}}"),
            "src/app.py": "def handler(event, context): ...\n",
        },
    ),
)
def check(function: Function, entry: Entry, symbols: PerModule[Symbols], returns: PerModule[Returns]) -> Problems:
    definition, path = entry.definition, entry.path
    callers = _proxies(function)
    found = returns.get(path) if path is not None else None
    if definition is None or path is None or found is None or definition.is_deferred or not callers:
        return
    alone = function.triggers_complete and len(callers) == len(function.triggers) and all(map(_is_strict, callers))
    responses = _Responses(function, symbols, returns, strict=alone)
    caller = callers[0]
    name = "the load balancer" if caller.kind is TriggerKind.ALB else "API Gateway"
    outcome = "a function URL answers 502" if caller.kind is TriggerKind.FUNCTION_URL else f"{name} answers 502"
    if caller.kind is TriggerKind.HTTP_API:
        outcome = f"{name} answers 500"
    trigger = Related(caller.span, "this sends the response on as it is")
    values = found.get(definition.scope)
    for each in values:
        fault = responses.fault(each.value, path)
        if fault is None and alone and each.value == NONE and not _is_for_others(each):
            fault = Fault("nothing is returned")
        if fault is not None:
            inner = (Related(fault.at, "it comes out of here"),) if fault.at else ()
            fix = _dumping(fault.at or each.span) if fault.plain_body else None
            yield Problem(each.span, f"{fault.what}; {outcome}", related=(*inner, trigger), fix=fix)
    if not alone:
        return
    if not values and definition.scope in found.falls_off:
        yield Problem(definition.span, f"{definition.scope}() returns nothing; {outcome}", related=(trigger,))
    elif definition.scope in found.swallowing:
        text = f"{definition.scope}() returns nothing after an exception that it catches; {outcome}"
        yield Problem(definition.span, text, related=(trigger,), confidence=Confidence.MEDIUM)


def _dumping(response: Span) -> Fix:
    change = Wrap(response, "json.dumps({})", ("body",), ("json",))
    return Fix("make the body JSON", Applicability.UNSAFE, changes=(change,))


def _proxies(function: Function) -> tuple[Trigger, ...]:
    """The triggers whose response is the handler's result; none where one of them may be another integration."""
    http = (TriggerKind.REST_API, TriggerKind.HTTP_API, TriggerKind.ALB, TriggerKind.FUNCTION_URL)
    found = tuple(trigger for trigger in function.triggers if trigger.kind in http)
    return found if all(trigger.proxy for trigger in found) else ()


def _is_strict(trigger: Trigger) -> bool:
    """Whether it takes nothing but a whole response."""
    return trigger.kind in (TriggerKind.REST_API, TriggerKind.ALB) or trigger.payload_version == "1.0"


def _is_for_others(each: Return) -> bool:
    """Whether an empty return is chosen by what the event is: for a warmer, say."""
    return any(guard.on_event or guard.kind is GuardKind.UNSET for guard in each.guards)


class _Responses:
    """Judges responses, with results followed through the modules of a function; *strict* asks for whole ones."""

    def __init__(
        self, function: Function, symbols: PerModule[Symbols], returns: PerModule[Returns], *, strict: bool
    ) -> None:
        self._symbols = symbols
        self._returns = returns
        self._names = ProjectNames(function.modules, symbols)
        self._strict = strict

    def fault(self, value: Expression, path: str, depth: int = 0) -> Fault | None:
        """What is wrong with *value*, as described in the module at *path*."""
        if depth > 5:
            return None
        match value:
            case Collection("dict"):
                what = next(self._faults(value, handler=depth == 0), None)
                return None if what is None else Fault(what, plain_body=what in _PLAIN_BODIES)
            case Either(options):
                # Names are not followed through time: what it was first may be replaced before it is returned.
                found = [self.fault(option, path, depth + 1) for option in options if option != NONE]
                return found[0] if all(found) and found else None
            case CallOf("json.dumps") | Joined() | Literal(str()) if self._strict:
                return Fault("text is returned instead of a response")
            case CallOf(str(name), args, keywords):
                return self._result(name, args, dict(keywords), path, depth)
            case _:
                return None

    def _result(
        self, name: str, args: tuple[Expression, ...], keywords: dict[str, Expression], path: str, depth: int
    ) -> Fault | None:
        found = self._names.resolve(path, name)
        if found is None or found.path is None or found.scope is None or found.is_class or found.is_instance:
            return None
        symbols, returns = self._symbols.get(found.path), self._returns.get(found.path)
        definition = None if symbols is None else symbols.definitions.get(found.scope)
        if definition is None or returns is None or not definition.keeps_signature or definition.is_deferred:
            return None
        parameters = definition.parameters[1:] if definition.is_method else definition.parameters
        values = {**dict(zip(parameters, args, strict=False)), **keywords}
        for each in returns.get(found.scope):
            fault = self.fault(each.filled(values), found.path, depth + 1)
            if fault is not None:
                own = self.fault(each.value, found.path, depth + 1)
                return Fault(fault.what, fault.at or each.span, own is not None and own.plain_body)
        return None

    def _faults(self, response: Collection, *, handler: bool) -> Iterator[str]:
        """What is wrong with a dict; in the *handler* itself the event is Lambda's."""
        status = _values(response, "statusCode")
        if not status:
            named = {key.value for key in response.keys if isinstance(key, Literal)}
            if self._strict and response.complete and len(named) == len(response.keys) and named - _KEYS:
                yield "the response has no statusCode"
            return
        if all(map(_is_no_number, status)):
            yield "statusCode is no number"
        body = [
            "the event" if handler and value == EventPath() else _not_text(value) for value in _values(response, "body")
        ]
        if body and all(body):
            yield f"body is {body[0]}"
        for headers in _values(response, "headers")[-1:]:
            if isinstance(headers, Collection) and headers.kind != "dict":
                yield f"headers are {_ARTICLES[headers.kind]}"
            elif isinstance(headers, Collection):
                for key, value in zip(headers.keys, headers.items, strict=True):
                    if isinstance(key, Literal) and isinstance(key.value, str) and isinstance(value, Collection):
                        yield f"the header {key.value} is {_ARTICLES[value.kind]}"


_PLAIN_BODIES: Final = tuple(
    f"body is {what}" for what in ("a dict", "a list", "a tuple", "a number", "a boolean", "the event")
)
_KEYS: Final = frozenset(("statusCode", "statusDescription", "headers", "multiValueHeaders", "body", "isBase64Encoded"))


def _values(response: Collection, key: str) -> list[Expression]:
    """What is written under *key*, at different times; nothing where something unknown may replace it."""
    found: list[Expression] = []
    for each, value in zip(response.keys, response.items, strict=True):
        if not isinstance(each, Literal):
            found.clear()
        elif each.value == key:
            found.append(value)
    hidden = any(not isinstance(each, Literal) for each in response.keys)
    return found if response.complete or hidden else []


def _is_no_number(value: Expression) -> bool:
    match value:
        case Literal(str(text)):
            return not text.strip().isdecimal()
        case Literal(None) | Collection():
            return True
        case _:
            return False


def _not_text(value: Expression) -> str | None:
    """What a body is, where it is surely neither text nor null."""
    match value:
        case Collection(kind):
            return _ARTICLES[kind]
        case Literal(bool()):
            return "a boolean"
        case Literal(int() | float()):
            return "a number"
        case Opaque(_, kind):
            return _ARTICLES.get(kind)
        case CallOf(name) if name in _DICTS:
            return "a dict"
        case Either(options):
            found = [_not_text(option) for option in options]
            return found[0] if all(found) else None
        case _:
            return None
