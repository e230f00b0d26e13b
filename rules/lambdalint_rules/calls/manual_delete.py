"""Lambda itself deletes the messages of a batch from the queue once the handler has returned.

A call of ``delete_message`` for what the mapping delivered costs a request per message and a permission, and hides what
the handler fails to do: a message that is deleted before the work is done never comes again.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.tries import Tries
from lambdalint.rule import (
    Applicability,
    Confidence,
    DropCall,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    Related,
    Severity,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import DELETES, TEMPLATE, is_of_batch
from lambdalint_rules.calls.sources import is_source

BY_HANDLE: Final = """\
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        print(record["body"])
        sqs.delete_message(QueueUrl="jobs", ReceiptHandle=record["receiptHandle"])  # finding
"""
BY_URL: Final = """\
import os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        done(record)

def done(message):
    sqs.delete_message(QueueUrl=os.environ["QUEUE"], ReceiptHandle=message["receiptHandle"])  # finding
"""
OTHER_QUEUE: Final = """\
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        found = sqs.receive_message(QueueUrl="others")["Messages"][0]
        sqs.delete_message(QueueUrl="others", ReceiptHandle=found["ReceiptHandle"])
"""
RAISING: Final = """\
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    failed = 0
    for record in event["Records"]:
        try:
            print(record["body"])
            sqs.delete_message(QueueUrl="jobs", ReceiptHandle=record["receiptHandle"])
        except ValueError:
            failed += 1
    if failed:
        raise RuntimeError("the rest comes again")
"""
WITH_URL: Final = TEMPLATE.replace(
    "      Events:\n", "      Environment: {Variables: {QUEUE: !Ref Jobs}}\n      Events:\n"
)


@rule(
    "LE008",
    "manual-delete",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": BY_HANDLE},
        {"template.yaml": WITH_URL, "src/app.py": BY_URL},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": OTHER_QUEUE},
        {"template.yaml": TEMPLATE, "src/app.py": RAISING},
        {
            "template.yaml": TEMPLATE.replace("Type: SQS", "Type: SNS").replace("Queue: !GetAtt Jobs.Arn", "Topic: t"),
            "src/app.py": BY_HANDLE.replace("  # finding", ""),
        },
    ),
)
def check(function: Function, calls: PathCalls, arguments: PerModule[Arguments], tries: PerModule[Tries]) -> Problems:
    triggers = [each for each in function.triggers if each.kind is TriggerKind.SQS]
    if not triggers:
        return
    for call in calls.calls:
        if call.phase != "invoke" or call.name not in DELETES:
            continue
        scopes = ((call.path, call.call.scope), (function.target.scope_path, function.target.scope))
        if any(_raises(tries.get(path), scope) for path, scope in scopes if path is not None):
            continue  # the whole batch comes again but for what is deleted: an old way to report single failures
        for trigger in triggers:
            url = call.call.argument(None, "QueueUrl")
            if is_of_batch(call, arguments.get(call.path)) or (url is not None and is_source(url, trigger, function)):
                operation = call.name.rpartition(".")[2]
                yield Problem(
                    call.call.span,
                    f"Lambda deletes the batch after a normal return; {operation}() here is one call too many",
                    related=(*calls.way(call), Related(trigger.span, "this delivers the messages")),
                    hint="leave the call out, and return the messages that failed as batchItemFailures",
                    fix=Fix("leave the call out", Applicability.UNSAFE, changes=(DropCall(call.call.span),)),
                )
                break


def _raises(module: Tries | None, scope: str | None) -> bool:
    return module is not None and any(where == scope for where, _ in module.raises)
