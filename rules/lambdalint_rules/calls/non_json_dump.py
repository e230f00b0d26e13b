"""``json.dumps`` refuses what boto3 returns for numbers, times and bytes.

An item of a table has its numbers as ``Decimal`` and its sets as ``set``; descriptions and lists have times as
``datetime``, and a body is a stream.  Lambda itself turns a ``Decimal`` in a returned value into a number;
``json.dumps`` raises ``TypeError``.

Source: https://docs.aws.amazon.com/boto3/latest/guide/dynamodb.html
"""

import re
from typing import Final

from lambdalint.aws.sdk import undumpable
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import (
    CallOf,
    Collection,
    Either,
    EventPath,
    Expression,
    Item,
    Joined,
    Literal,
    Opaque,
    walk,
)
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.needs import service_call
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Module,
    Problem,
    Problems,
    SetArgument,
    Severity,
    rule,
)

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
BAD: Final = """\
import json
import boto3

table = boto3.resource("dynamodb").Table("orders")
s3 = boto3.client("s3")
lambda_ = boto3.client("lambda")

def handler(event, context):
    response = table.get_item(Key={"id": event["id"]})
    item = response.get("Item")
    print(json.dumps({"order": item}))  # finding
    print(json.dumps(s3.list_objects_v2(Bucket="pictures")))  # finding
    print(json.dumps(s3.list_objects_v2(Bucket="pictures")["Contents"]))  # finding
    return json.dumps(lambda_.invoke(FunctionName="billing")["Payload"])  # finding
"""
GOOD: Final = """\
import json
import boto3
import simplejson

table = boto3.resource("dynamodb").Table("orders")
s3 = boto3.client("s3")
lambda_ = boto3.client("lambda")
client = boto3.client("dynamodb")

def handler(event, context):
    item = table.get_item(Key={"id": event["id"]})["Item"]
    print(json.dumps(item, default=str), json.dumps(item["name"]), simplejson.dumps(item))
    print(json.dumps(s3.list_objects_v2(Bucket="pictures")["KeyCount"]))
    print(json.dumps(client.get_item(TableName="orders", Key={"id": {"S": "1"}})))
    print(json.dumps(table.put_item(Item={"id": "1"})))
    print(json.dumps(lambda_.invoke(FunctionName="billing")["Payload"].read().decode()))
    objects = s3.list_objects_v2(Bucket="pictures")["Contents"]
    objects = [each["Key"] for each in objects]
    return json.dumps(objects)

def safe(key):
    item = table.get_item(Key=key)["Item"]
    item["total"] = float(item["total"])
    return json.dumps(item)
"""
TEXT: Final = """\
import json
import uuid
import boto3

links = boto3.resource("dynamodb").Table("links")

def handler(event, context):
    if event["httpMethod"] == "POST":
        short = str(uuid.uuid4())[:8]
        links.put_item(Item={"id": short, "url": event["queryStringParameters"]["url"], "by": f"{event}"})
    print(json.dumps(links.get_item(Key={"id": event["pathParameters"]["id"]})))
"""

_WRITES: Final = re.compile(r".*\.resource\(dynamodb\)\.Table\(\)\.(?P<method>put_item|update_item|batch_writer)")
#: What of an HTTP event is text, or text by name.
_TEXTS: Final = frozenset(("headers", "pathParameters", "queryStringParameters", "rawPath", "stageVariables"))
_READS: Final = re.compile(r".*\.resource\(dynamodb\)\.Table\(\)\.(?P<method>get_item|query|scan)")
_ITEMS: Final = ("Item", "Items")
_CONVERTING: Final = frozenset(("float", "int", "str"))
_MAX_DEPTH: Final = 6


@rule(
    "LV011",
    "non-json-dump",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": TEXT},
    ),
)
def check(module: Module, calls: Calls) -> Problems:
    for call in calls.calls:
        if call.name not in ("json.dumps", "json.dump") or {"default", "cls", "**"} & call.keywords.keys():
            continue
        value = call.argument(0, "obj")
        found = None if value is None or _is_caught(call) else _refused(value)
        if found is None:
            continue
        what, by = found
        if any(each.scope == call.scope and _converts(each, by) for each in calls.calls):
            continue
        of_items = what.startswith("an item")
        if of_items and _writes_text(calls):
            continue
        yield Problem(
            call.span,
            f"{what}; {call.name}() raises TypeError",
            hint="pass default=str, or a function that converts as wanted",
            confidence=Confidence.MEDIUM if of_items else None,
            fix=None if "a stream" in what else _as_text(call),
        )


def _as_text(call: Call) -> Fix:
    return Fix("pass default=str", Applicability.UNSAFE, changes=(SetArgument(call.span, "default", "str"),))


def _is_caught(call: Call) -> bool:
    return any(guard.kind is GuardKind.TRY and "TypeError" in guard.names for guard in call.guards)


def _converts(call: Call, by: str) -> bool:
    """Whether *call* makes something plain of a part of what *by* gave, perhaps in its place."""
    return call.name in _CONVERTING and any(
        isinstance(part, CallOf) and part.name == by for arg in call.args for part in walk(arg)
    )


def _writes_text(calls: Calls) -> bool:
    """Whether the module writes items itself, and never a number."""
    written = [(call, found["method"]) for call in calls.calls if (found := _WRITES.fullmatch(call.name or ""))]
    for call, method in written:
        item = call.argument(None, "Item")
        if method != "put_item" or not isinstance(item, Collection) or not item.complete:
            return False
        if not all(map(_is_text, item.items)):
            return False
    return bool(written)


def _is_text(value: Expression) -> bool:
    match value:
        case Literal(str() | bool() | None) | Joined() | CallOf("str"):
            return True
        case EventPath((str(first), _, *_)):
            return first in _TEXTS
        case Opaque(parts):  # a slice, for one
            return bool(parts) and all(map(_is_text, parts))
        case _:
            return False


def _refused(value: Expression, depth: int = 0) -> tuple[str, str] | None:
    """What of *value* ``json`` refuses, and the call that it comes from."""
    if depth > _MAX_DEPTH:
        return None
    match value:
        case Item(CallOf(str(name)), Literal(str(key))):
            return _of_result(name, key)
        case CallOf(str(method), (Literal(str(key)), *_)) if method.endswith("().get"):
            return _of_result(method.removesuffix("().get"), key)
        case CallOf(str(name)):
            return _of_result(name, None)
        case Item(Item(CallOf(str(name)), Literal(str(key))), (None | Literal(int()))):
            return _of_result(name, key)
        case Collection(_, items):
            return next((found for each in items if (found := _refused(each, depth + 1))), None)
        case Either(options):
            # Names are not followed through time: it may have been converted before it is written.
            each_refused = [_refused(each, depth + 1) for each in options]
            return each_refused[0] if all(each_refused) else None
        case _:
            return None


def _of_result(name: str, key: str | None) -> tuple[str, str] | None:
    if _READS.fullmatch(name):
        return ("an item of the table has Decimals for numbers", name) if key is None or key in _ITEMS else None
    asked = service_call(name)
    if asked is None or ".resource(" in name:
        return None
    members = undumpable(*asked)
    if not members or (key is not None and key not in members):
        return None
    member = key or members[0]
    streams = member in ("Body", "Payload", "body", "AudioStream")
    kind = "a stream" if streams else "no JSON, with times or bytes in it"
    return f"{member} of {asked[1]} is {kind}", name
