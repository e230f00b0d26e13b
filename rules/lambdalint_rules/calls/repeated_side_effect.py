"""Queues, streams and asynchronous events are delivered at least once, now and then more often.

A write under an id made in the handler, a counter that goes up, or a mail then happens twice.  An id from the event, a
condition, or the idempotency decorator of Powertools makes the second time harmless.

Source: https://docs.aws.amazon.com/lambda/latest/dg/concepts-event-driven-architectures.html
"""

import re
from typing import Final

from lambdalint.facts.expressions import CallOf, Collection, Expression, Literal, text_prefix, walk
from lambdalint.facts.needs import service_call
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import (
    Confidence,
    Function,
    PerModule,
    Problem,
    Problems,
    Related,
    Severity,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import STREAM, TEMPLATE

FRESH: Final = """\
import uuid
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item={"id": str(uuid.uuid4()), "order": record["body"]})  # finding
"""
COUNTER: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        table.update_item(  # finding
            Key={"id": "total"},
            UpdateExpression="SET orders = orders + :one",
            ExpressionAttributeValues={":one": 1},
        )
"""
MAIL: Final = """\
import boto3

ses = boto3.client("ses")

def handler(event, context):
    for record in event["Records"]:
        ses.send_email(Source="a@example.com", Destination={}, Message={})  # finding
"""
GOOD: Final = """\
import uuid
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item={"id": record["messageId"], "trace": str(uuid.uuid4())})
        table.put_item(Item={"id": str(uuid.uuid4())}, ConditionExpression="attribute_not_exists(id)")
        table.update_item(Key={"id": record["messageId"]}, UpdateExpression="SET seen = :now")
"""
DECORATED: Final = MAIL.replace("  # finding", "").replace(
    "def handler", "from aws_lambda_powertools.utilities.idempotency import idempotent\n\n@idempotent\ndef handler"
)
LOOKING: Final = MAIL.replace("  # finding", "").replace(
    "        ses",
    '        if "Item" in boto3.client("dynamodb").get_item(TableName="t", Key={}):\n            continue\n        ses',
)

_AT_LEAST_ONCE: Final = {
    TriggerKind.SQS: "SQS",
    TriggerKind.KINESIS: "Kinesis",
    TriggerKind.DYNAMODB: "DynamoDB",
    TriggerKind.MSK: "Kafka",
    TriggerKind.KAFKA: "Kafka",
    TriggerKind.S3: "S3",
    TriggerKind.SNS: "SNS",
    TriggerKind.EVENTBRIDGE: "EventBridge",
}
_FRESH: Final = ("uuid.uuid1", "uuid.uuid4")
_IDS: Final = re.compile(r"(?:.*_)?(?:id|pk|key|uuid)|[a-z]+Id", re.IGNORECASE)
_COUNTING: Final = re.compile(r"\bADD\s|=\s*[\w.#()]+\s*\+\s*:|if_not_exists\([^)]*\)\s*\+")
_MAILS: Final = (
    ("ses", "send_email"),
    ("ses", "send_raw_email"),
    ("ses", "send_templated_email"),
    ("sesv2", "send_email"),
    ("pinpoint", "send_messages"),
)
_PAYMENTS: Final = ("stripe.Charge.create", "stripe.PaymentIntent.create", "stripe.Transfer.create")
#: Operations by which a handler asks whether something was done before.
_LOOKUPS: Final = ("get_item", "query", "head_object", "transact_write_items", "batch_get_item", "scan")


@rule(
    "LE009",
    "repeated-side-effect",
    severity=Severity.INFO,
    confidence=Confidence.LOW,
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": FRESH},
        {"template.yaml": STREAM, "src/app.py": COUNTER},
        {"template.yaml": TEMPLATE, "src/app.py": MAIL},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": DECORATED},
        {"template.yaml": TEMPLATE, "src/app.py": LOOKING},
        {
            "template.yaml": TEMPLATE.replace("Type: SQS", "Type: Api").replace(
                "Queue: !GetAtt Jobs.Arn", "Path: /, Method: post"
            ),
            "src/app.py": MAIL.replace("  # finding", ""),
        },
    ),
)
def check(function: Function, calls: PathCalls, symbols: PerModule[Symbols]) -> Problems:
    if not function.triggers or any(trigger.kind not in _AT_LEAST_ONCE for trigger in function.triggers):
        return
    if _is_idempotent(calls, symbols):
        return
    trigger = function.triggers[0]
    for call in calls.calls:
        effect = _effect(call) if call.phase == "invoke" and call.name is not None else None
        if effect is not None:
            yield Problem(
                call.call.span,
                f"{_AT_LEAST_ONCE[trigger.kind]} may deliver twice; {effect}",
                related=(*calls.way(call), Related(trigger.span, "this delivers at least once")),
                hint="use an id of the event, or a condition",
            )


def _is_idempotent(calls: PathCalls, symbols: PerModule[Symbols]) -> bool:
    """Whether anything on the way looks as if it kept track of what was done."""
    for call in calls.calls:
        name = call.name or ""
        found = service_call(name) if name else None
        if "idempoten" in name.lower() or (found is not None and found[1] in _LOOKUPS):
            return True
    return any(
        decorator is not None and "idempoten" in decorator.lower()
        for path, scope in calls.reach.invoke
        if (module := symbols.get(path)) is not None and (definition := module.definitions.get(scope)) is not None
        for decorator in definition.decorators
    )


def _effect(call: PathCall) -> str | None:
    """What happens twice when *call* is made twice."""
    given = call.call.keywords
    if "ConditionExpression" in given or "**" in given or call.name is None:
        return None
    if call.name in _PAYMENTS:
        return None if "idempotency_key" in given else f"{call.name} then pays twice"
    found = service_call(call.name)
    if found is None:
        return None
    service, operation = found
    if found in _MAILS:
        return f"{operation} then sends two mails"
    if service == "dynamodb" and operation == "put_item":
        return "put_item with a new uuid then writes two items" if _has_fresh_id(given.get("Item")) else None
    if service == "dynamodb" and operation == "update_item":
        expression = given.get("UpdateExpression")
        counts = expression is not None and _COUNTING.search(text_prefix(expression)) is not None
        return "update_item then counts twice" if counts else None
    return None


def _has_fresh_id(item: Expression | None) -> bool:
    if not isinstance(item, Collection):
        return False
    return any(
        isinstance(key, Literal)
        and isinstance(key.value, str)
        and _IDS.fullmatch(key.value) is not None
        and any(isinstance(part, CallOf) and part.name in _FRESH for part in walk(value))
        for key, value in zip(item.keys, item.items, strict=False)
    )
