"""A handler that returns after a failure tells the source that all went well.

SQS then deletes the message, a stream goes on to the next record, an asynchronous event counts as delivered: neither
retries nor a dead-letter queue ever see it.  Let the exception leave the handler, report the record in
``batchItemFailures``, or send it somewhere.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from typing import Final

from lambdalint.facts.batches import Batches
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.returns import Returns
from lambdalint.facts.tries import Tries
from lambdalint.rule import (
    Confidence,
    Function,
    PerModule,
    Problem,
    Problems,
    Related,
    Severity,
    Trigger,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import DECLARED, REPORTING, STREAM, TEMPLATE, declares_failures
from lambdalint_rules.calls.swallowing import swallowings

LOGGED: Final = """\
import logging
import boto3

logger = logging.getLogger()
table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        try:
            table.put_item(Item={"id": record["messageId"]})
        except Exception as error:  # finding
            logger.error("could not store: %s", error)
"""
ANSWERED: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    failed = []
    try:
        for record in event["Records"]:
            work(record)
        return {"statusCode": 200}
    except Exception as error:  # finding
        print(error)
        return {"statusCode": 500}

def work(record):
    table.put_item(Item=record)
"""
IGNORED: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        try:
            s3.delete_object(Bucket="thumbnails", Key=record["Sns"]["Message"])
        except Exception:  # finding
            pass
"""
UNREPORTED: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            table.put_item(Item=record)
        except ValueError:
            failures.append({"itemIdentifier": record["messageId"]})
        except Exception as error:  # finding
            print(error)
    return {"batchItemFailures": failures}
"""
ONE_BY_ONE: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        store(record)

def store(record):
    try:
        table.put_item(Item=record)
    except Exception as error:  # finding
        print(error)
"""
ANSWERING: Final = (
    ONE_BY_ONE.replace("        store(record)", "        if not store(record):\n            raise ValueError")
    .replace("(Item=record)", "(Item=record)\n        return True")
    .replace("  # finding", "")
)
GOOD: Final = """\
import json
import boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs")
table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    failed = []
    for record in event["Records"]:
        try:
            table.put_item(Item=record)
        except table.meta.client.exceptions.ConditionalCheckFailedException:
            print("done already")
        except Exception as error:
            print(error)
            failed.append(record)
    for record in event["Records"]:
        try:
            order = json.loads(record["body"])
        except Exception:
            print("not JSON")
            continue
        try:
            table.put_item(Item=order)
        except Exception as error:
            print(error)
            try:
                sqs.send_message(QueueUrl="failed", MessageBody=record["body"])
            except Exception:
                print("not even that")
    for record in event["Records"]:
        try:
            table.put_item(Item=record)
        except Exception as error:
            print(error)
            raise
    for record in event["Records"]:
        table.put_item(Item=record)
        try:
            sqs.send_message(QueueUrl="done", MessageBody=record["body"])
        except Exception as error:
            print("nobody is told", error)
    if failed:
        raise RuntimeError(f"{len(failed)} records failed")
"""
REPORTED: Final = UNREPORTED.replace(
    '        except ValueError:\n            failures.append({"itemIdentifier": record["messageId"]})\n', ""
).replace(
    "  # finding\n            print(error)", '\n            failures.append({"itemIdentifier": record["messageId"]})'
)
TOPIC: Final = TEMPLATE.replace("Type: SQS", "Type: SNS").replace("Queue: !GetAtt Jobs.Arn", "Topic: jobs")
API: Final = TEMPLATE.replace("Type: SQS", "Type: Api").replace("Queue: !GetAtt Jobs.Arn", "Path: /jobs, Method: post")

_POLLED: Final = {**REPORTING, TriggerKind.MQ: "the broker"}
_ASYNC: Final = {TriggerKind.S3: "S3", TriggerKind.SNS: "SNS", TriggerKind.EVENTBRIDGE: "EventBridge"}


@rule(
    "LE001",
    "swallowed-message",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    covers=(
        "codeguru:swallow-exceptions",
        "ruff:BLE001",
        "ruff:S110",
        "ruff:S112",
        "bandit:B110",
        "bandit:B112",
    ),
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": LOGGED},
        {"template.yaml": STREAM, "src/app.py": LOGGED},
        {"template.yaml": TEMPLATE, "src/app.py": ANSWERED},
        {"template.yaml": TEMPLATE, "src/app.py": ONE_BY_ONE},
        {"template.yaml": TOPIC, "src/app.py": IGNORED},
        {"template.yaml": DECLARED, "src/app.py": UNREPORTED},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": ANSWERING},
        {"template.yaml": DECLARED, "src/app.py": REPORTED},
        {"template.yaml": TOPIC, "src/app.py": LOGGED.replace("  # finding", "")},
        {"template.yaml": API, "src/app.py": ANSWERED.replace("  # finding", "")},
    ),
)
def check(
    function: Function,
    batches: PerModule[Batches],
    tries: PerModule[Tries],
    returns: PerModule[Returns],
    calls: PathCalls,
) -> Problems:
    polled = next((each for each in function.triggers if each.kind in _POLLED), None)
    pushed = next((each for each in function.triggers if each.kind in _ASYNC), None)
    trigger = polled or pushed
    if trigger is None or _is_for_another_rule(trigger, function, batches):
        return
    for each in swallowings(function, batches, tries, returns, calls):
        if polled is None and (each.logged or not each.catch.idle):
            continue
        yield Problem(
            each.catch.head,
            f"the error is {'logged' if each.logged else 'caught'} and {each.scope}() goes on, {_outcome(trigger)}",
            related=(Related(trigger.span, "this delivers the records"),),
            hint="let it raise, report the record as failed, or send it to a queue",
        )


def _is_for_another_rule(trigger: Trigger, function: Function, batches: PerModule[Batches]) -> bool:
    """Whether failures are asked for and nothing is reported: ``unreturned-batch-failures`` speaks of that."""
    if trigger.kind not in REPORTING or declares_failures(trigger) is False:
        return False
    path, scope = function.target.scope_path, function.target.scope
    module = None if path is None else batches.get(path)
    return module is None or not any(where == scope for where, _ in module.reported)


def _outcome(trigger: Trigger) -> str:
    match trigger.kind:
        case TriggerKind.SQS:
            return "so SQS deletes the message"
        case kind if kind in _POLLED:
            return f"so {_POLLED[kind]} passes to the next record"
        case kind:
            return f"so {_ASYNC[kind]}'s event is neither tried again nor kept"
