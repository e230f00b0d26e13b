"""An HTTP event has no query when the URL has none, and no header that the client did not send.

``queryStringParameters`` is ``null`` then for a REST API, and not there at all for an HTTP API or a function URL.  The
client that forgot something gets a 502 instead of being told what is missing.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from typing import Final

from lambdalint.facts.event_reads import EventRead, EventReads, Reading
from lambdalint.rule import (
    Applicability,
    Fix,
    Module,
    Problem,
    Problems,
    Project,
    ReadAbsent,
    Severity,
    Span,
    Trigger,
    rule,
)
from lambdalint_rules.calls.event_shapes import HTTP, shape

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
        Order: {{Type: {kind}, Properties: {{Path: /orders, Method: get}}}}
"""
REST: Final = TEMPLATE.format(kind="Api")
HTTP_API: Final = TEMPLATE.format(kind="HttpApi")
CHECKED: Final = REST.replace(
    "get}", "get, RequestParameters: [method.request.querystring.id: {Required: true}], RequestModel: {Model: Order}}"
)
ITEM: Final = """\
def handler(event, context):
    order = event["queryStringParameters"]["id"]  # finding
    key = event["headers"]["x-api-key"]  # finding
    return {"statusCode": 200, "body": order + key}
"""
DEFAULT: Final = """\
def handler(event, context):
    order = event.get("queryStringParameters", {}).get("id")  # finding
    return {"statusCode": 200, "body": order}
"""
COOKIES: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["cookies"][0]}  # finding
"""
GOOD: Final = """\
def handler(event, context):
    order = (event.get("queryStringParameters") or {}).get("id")
    parameters = event["queryStringParameters"]
    if parameters:
        order = parameters["id"]
    try:
        order = event["queryStringParameters"]["id"]
    except (KeyError, TypeError):
        order = "none"
    if event.get("queryStringParameters") and "id" in event["queryStringParameters"]:
        order = event["queryStringParameters"]["id"]
    return {"statusCode": 200, "body": order + event["headers"]["Host"] + event["headers"].get("x-api-key", "")}
"""

_QUERIES: Final = ("queryStringParameters", "multiValueQueryStringParameters")
#: Headers that each request has, by the protocol or by what API Gateway and load balancers add.
_ALWAYS: Final = frozenset(
    ("host", "via", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "user-agent")
)


@rule(
    "LV004",
    "absent-http-part",
    severity=Severity.WARNING,
    fix="unsafe",
    since="0.1.0",
    bad=(
        {"template.yaml": REST, "src/app.py": ITEM},
        {"template.yaml": HTTP_API, "src/app.py": ITEM},
        {"template.yaml": REST, "src/app.py": DEFAULT},
        {"template.yaml": HTTP_API, "src/app.py": COOKIES},
    ),
    good=(
        {"template.yaml": REST, "src/app.py": GOOD},
        {"template.yaml": HTTP_API, "src/app.py": DEFAULT.replace("  # finding", "")},
        {"template.yaml": CHECKED, "src/app.py": ITEM.replace("  # finding", "")},
        {
            "template.yaml": TEMPLATE.format(kind="Schedule").replace(
                "Path: /orders, Method: get", "Schedule: rate(1 day)"
            ),
            "src/app.py": ITEM.replace("  # finding", ""),
        },
    ),
)
def check(module: Module, project: Project, found: EventReads) -> Problems:
    reads = [each for each in found.reads if each.reading is not Reading.TEST and not each.forgiven]
    reads = [each for each in reads if each.keys[0] in (*_QUERIES, "headers", "cookies")]
    if not reads:
        return
    loaders = project.loaders().get(module.path, ())
    triggers = [trigger for each in loaders for trigger in each.triggers if trigger.kind in HTTP]
    if not triggers or any(map(_is_validated, triggers)):
        return
    shapes = {shape(each) for each in triggers}
    tested = {(each.scope, each.keys) for each in found.reads if each.reading is Reading.TEST}
    for read in reads:
        if (read.scope, read.keys) in tested:
            continue
        what = _missing(read, shapes)
        if what is not None:
            place = Span(module.path, *read.lines)
            change = ReadAbsent(place)
            yield Problem(
                place,
                what,
                hint=f'(event.get("{read.keys[0]}") or {{}}).get(…) copes with that',
                fix=Fix("let it be None where it is not there", Applicability.UNSAFE, changes=(change,)),
            )


def _missing(read: EventRead, shapes: set[str | None]) -> str | None:
    """What is not there for some request, so that the code fails."""
    match read.keys:
        case (str(part), str(_)) if part in _QUERIES:
            null = "rest" in shapes
            lost = read.base in (Reading.ITEM, Reading.GET) or (null and read.base is Reading.DEFAULT)
            if read.reading is not Reading.ITEM and (not lost or shapes == {"alb"}):
                return None
            return f"{part} is {'null' if null else 'not there'} when the URL has no query"
        case ("headers", str(name)) if read.reading is Reading.ITEM and name.lower() not in _ALWAYS:
            return f'headers["{name}"] is not there when the client does not send it'
        case ("cookies", None | int()) if shapes == {"http"} and read.reading is Reading.ITEM:
            return "cookies is not there when the client sends none"
        case _:
            return None


def _is_validated(trigger: Trigger) -> bool:
    """Whether the API may refuse requests that lack something."""
    settings = trigger.settings
    return any(key in settings for key in ("RequestParameters", "RequestModel", "RequestValidatorId"))
