"""Events of different triggers have different keys, and a key of another trigger's event is a ``KeyError``.

Most come from code that was written for a REST API and now answers an HTTP API, whose payload 2.0 has other names for
the method, the path and the caller.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from typing import Final

from lambdalint.aws.events import SHAPES, counterpart, event_keys
from lambdalint.facts.entry import Entry
from lambdalint.facts.event_reads import EventRead, EventReads, Reading
from lambdalint.rule import (
    Applicability,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    ReadKeys,
    Related,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.calls.event_shapes import sender, shape

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
        One: {event}
"""
HTTP: Final = TEMPLATE.format(event="{Type: HttpApi, Properties: {Path: /orders, Method: any}}")
REST: Final = TEMPLATE.format(event="{Type: Api, Properties: {Path: /orders, Method: any}}")
BOTH: Final = HTTP + "        Two: {Type: Api, Properties: {Path: /orders, Method: any}}\n"
QUEUE: Final = TEMPLATE.format(event="{Type: SQS, Properties: {Queue: arn:aws:sqs:eu-west-1:123456789012:q}}")
TOPIC: Final = TEMPLATE.format(event="{Type: SNS, Properties: {Topic: arn:aws:sns:eu-west-1:123456789012:t}}")
OLD: Final = """\
def handler(event, context):
    method = event["httpMethod"]  # finding
    source = event["requestContext"]["identity"]["sourceIp"]  # finding
    claims = event["requestContext"]["authorizer"]["claims"]  # finding
    return {"statusCode": 200, "body": method + source + claims["sub"]}
"""
NEW: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["requestContext"]["http"]["method"]}  # finding
"""
UPLOADS: Final = """\
def handler(event, context):
    for record in event["Records"]:
        print(record["s3"]["object"]["key"])  # finding
"""
SOURCE: Final = """\
def handler(event, context):
    for record in event["Records"]:
        print(record["eventSource"])  # finding
    return event["body"]  # finding
"""
EITHER: Final = """\
def handler(event, context):
    if event.get("version") == "2.0":
        return {"statusCode": 200, "body": event["requestContext"]["http"]["method"]}
    try:
        path = event["path"]
    except KeyError:
        path = event["rawPath"]
    if "httpMethod" in event:
        print(event["httpMethod"])
    return {"statusCode": 200, "body": path + event["isBase64Encoded"] + event.get("resource", "")}
"""
OWN: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["order"]}
"""


@rule(
    "LV001",
    "foreign-event-key",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": HTTP, "src/app.py": OLD},
        {"template.yaml": REST, "src/app.py": NEW},
        {"template.yaml": QUEUE, "src/app.py": UPLOADS},
        {"template.yaml": TOPIC, "src/app.py": SOURCE},
    ),
    good=(
        {"template.yaml": HTTP, "src/app.py": EITHER},
        {"template.yaml": HTTP, "src/app.py": OWN},
        {"template.yaml": BOTH, "src/app.py": OLD.replace("  # finding", "")},
        {"template.yaml": REST, "src/app.py": OLD.replace("  # finding", "")},
        {"template.yaml": HTTP, "src/app.py": NEW.replace("  # finding", "")},
        {"template.yaml": QUEUE.replace("SQS", "Schedule"), "src/app.py": UPLOADS.replace("  # finding", "")},
    ),
)
def check(function: Function, entry: Entry, modules: PerModule[EventReads]) -> Problems:
    shapes = [shape(trigger) for trigger in function.triggers]
    known = [each for each in shapes if each is not None]
    found = modules.get(entry.path) if entry.path is not None else None
    if found is None or entry.definition is None or not known or len(known) < len(shapes):
        return
    if not function.triggers_complete:
        return
    reads = [each for each in found.reads if each.scope == entry.definition.scope]
    asked = {each.keys for each in reads if each.reading is not Reading.ITEM}
    trigger = function.triggers[0]
    seen = set()
    for read in reads:
        if read.reading is not Reading.ITEM or read.forgiven or read.keys in asked or read.keys in seen:
            continue
        if all(_is_foreign(read, each) for each in known):
            seen.add(read.keys)
            keys = [key for key in read.keys if key is not None]
            is_map = any(len(each.keys) > 1 and each.keys[0] == "path" for each in reads)
            there = "pathParameters" if keys == ["path"] and is_map else _there(known[0], keys)
            yield Problem(
                Span(str(entry.path), *read.lines),
                f"{_written(read)} does not exist: {sender(trigger)} sends {there or 'no such key'}",
                related=(Related(trigger.span, "this sends the event"),),
                fix=_reading(Span(str(entry.path), *read.lines), read, there),
            )


def _reading(at: Span, read: EventRead, there: str | None) -> Fix | None:
    """The fix that reads what the event has instead, one of a record's keys or all from the event on."""
    keys = tuple(key for key in read.keys if isinstance(key, str))
    if there is None or " " in there or (keys[0] == "Records" and len(keys) != 2):
        return None
    if keys[-1] == "resourcePath":
        return None  # a route key has the method before the path
    old = keys[1:] if keys[0] == "Records" else keys
    change = ReadKeys(at, old, tuple(there.split(".")))
    return Fix(f"read {there}", Applicability.UNSAFE, changes=(change,))


def _there(shape_: str, keys: list[str | int]) -> str | None:
    """Where the events have what was looked for."""
    if keys[:2] == ["requestContext", "authorizer"]:
        return "requestContext.authorizer.jwt.claims" if keys[2:] == ["claims"] else None
    if shape_ == "sns" and keys == ["Records", "eventSource"]:
        return "EventSource"
    return counterpart(shape_, ".".join(map(str, keys)))


def _is_foreign(read: EventRead, shape_: str) -> bool:
    """Whether events of that shape lack what is read, and those of another one have it."""
    match read.keys:
        case (str(key),):
            return _lacks(shape_, "top", key)
        case ("requestContext", str(key)):
            return _lacks(shape_, "context", key)
        case ("requestContext", "authorizer", "claims" | "principalId"):
            return shape_ == "http"
        case ("Records", None | int(), "messageId") if shape_ in ("kinesis", "dynamodb"):
            return False  # wrong-item-identifier says more about it
        case ("Records", None | int(), str(key)):
            return _lacks(shape_, "record", key)
        case _:
            return False


def _lacks(shape_: str, part: str, key: str) -> bool:
    own = event_keys(shape_, part)
    return bool(own) and key not in own and any(key in event_keys(other, part) for other in SHAPES)


def _written(read: EventRead) -> str:
    if read.keys[0] == "Records" and len(read.keys) > 1:
        return f'record["{read.keys[-1]}"]'
    return "event" + "".join(f'["{key}"]' for key in read.keys)
