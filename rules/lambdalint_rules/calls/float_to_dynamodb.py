"""The resource API of DynamoDB refuses floats: ``TypeError: Float types are not supported``.

DynamoDB keeps numbers in decimal, and boto3 does not round for its users.  JSON with a fraction in it parses to floats
unless ``json.loads`` is told otherwise, so that what works with ``{"price": 5}`` fails with ``{"price": 5.5}``.

Source: https://docs.aws.amazon.com/boto3/latest/guide/dynamodb.html
"""

import re
from typing import Final

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import CallOf, Collection, Either, Expression, Literal
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
import time
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    table.put_item(Item={"id": "1", "price": 9.99})  # finding
    table.put_item(Item={"id": "1", "at": time.time()})  # finding
    table.update_item(  # finding
        Key={"id": "1"},
        UpdateExpression="SET price = :price",
        ExpressionAttributeValues={":price": float(event["price"])},
    )
    order = json.loads(event["body"])
    table.put_item(Item=order)  # finding
    with table.batch_writer() as batch:
        batch.put_item(Item={"id": "1", "order": json.loads(event["body"])})  # finding
"""
GOOD: Final = """\
import json
import time
from decimal import Decimal
import boto3

table = boto3.resource("dynamodb").Table("orders")
client = boto3.client("dynamodb")

def handler(event, context):
    table.put_item(Item={"id": "1", "price": Decimal("9.99"), "at": int(time.time())})
    table.put_item(Item=json.loads(event["body"], parse_float=Decimal))
    order = json.loads(event["body"])
    table.put_item(Item={"id": order["id"], "text": str(1.5), "raw": json.dumps(order)})
    order = {key: str(value) for key, value in order.items()}
    table.put_item(Item=order)
    client.put_item(TableName="orders", Item={"id": {"S": "1"}, "price": {"N": str(9.99)}})
    table.put_item(Item=cleaned(event))

def cleaned(event):
    return json.loads(json.dumps(event), parse_float=Decimal)
"""

_WRITES: Final = re.compile(
    r".*\.resource\(dynamodb\)\.Table\(\)\.(?:batch_writer\(\)\.)?(?P<method>put_item|update_item|delete_item|get_item)"
)
_VALUES: Final = ("Item", "Key", "ExpressionAttributeValues")
#: Callees whose result is a float.
_FLOATS: Final = frozenset(
    (
        "float",
        "random.random",
        "random.uniform",
        "time.monotonic",
        "time.perf_counter",
        "time.time",
        "datetime.datetime.now().timestamp",
        "datetime.datetime.utcnow().timestamp",
    )
)
_MAX_DEPTH: Final = 6


@rule(
    "LV010",
    "float-to-dynamodb",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good={"template.yaml": TEMPLATE, "src/app.py": GOOD},
)
def check(module: Module, calls: Calls) -> Problems:
    for call in calls.calls:
        match = _WRITES.fullmatch(call.name) if call.name else None
        if match is None:
            continue
        found = {each for key in _VALUES if key in call.keywords and (each := _float(call.keywords[key]))}
        if found:
            certain = sorted(found - {"json.loads() makes floats"})
            what = certain[0] if certain else "json.loads() makes floats"
            yield Problem(
                call.span,
                f"{what}; Table.{match['method']} refuses them with TypeError",
                hint="make Decimals of them: Decimal(str(number)), json.loads(…, parse_float=Decimal)",
                confidence=None if certain else Confidence.MEDIUM,
                fix=None if certain else _parsing(call, calls),
            )


def _parsing(write: Call, calls: Calls) -> Fix | None:
    """The fix that reads the JSON with Decimals, where that is done beside the call that writes."""
    changes = tuple(
        SetArgument(each.span, "parse_float", "Decimal", imports=("decimal.Decimal",))
        for each in calls.calls
        if each.scope == write.scope
        and each.name in ("json.loads", "json.load")
        and not {"parse_float", "cls", "**"} & each.keywords.keys()
    )
    return Fix("read numbers as Decimal", Applicability.UNSAFE, changes=changes) if changes else None


def _float(value: Expression, depth: int = 0) -> str | None:
    """Where *value* has a float in it, if it surely has, or is JSON that may."""
    match value:
        case Literal(float(number)):
            return f"{number} is a float"
        case CallOf(name) if name in _FLOATS:
            return f"{name}() gives floats"
        case CallOf("json.loads" | "json.load", _, keywords) if not {"parse_float", "cls", "**"} & keywords.keys():
            return "json.loads() makes floats"
        case Collection(_, items) if depth < _MAX_DEPTH:
            return next((found for each in items if (found := _float(each, depth + 1))), None)
        case Either(options):
            # Names are not followed through time: it may have been converted before it is written.
            floats = [_float(each, depth + 1) for each in options]
            return floats[0] if all(floats) else None
        case _:
            return None
