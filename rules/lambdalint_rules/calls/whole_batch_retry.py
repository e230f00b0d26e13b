"""One failing record makes the whole batch come again, unless single failures are reported.

When the handler raises, SQS shows every message of the batch again, those that were handled included; Kinesis and
DynamoDB deliver the batch again and again until it passes or expires.  With ReportBatchItemFailures the handler returns
the records that failed, and only they come again.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.batches import Batches, RecordLoop
from lambdalint.facts.http_calls import http_call
from lambdalint.facts.needs import service_call
from lambdalint.facts.path_calls import PathCalls
from lambdalint.rule import Function, Known, PerModule, Problem, Problems, Related, Severity, Trigger, TriggerKind, rule
from lambdalint_rules.calls.mappings import (
    DECLARED,
    DELETES,
    REPORTING,
    STREAM,
    TEMPLATE,
    batch_size,
    declares_failures,
    is_of_batch,
)

APP = """\
import json
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item=json.loads(record["body"]))
"""
COLLECTING = """\
import json
import boto3

firehose = boto3.client("firehose")

def handler(event, context):
    records = []
    for record in event["Records"]:
        records.append({"Data": json.dumps(record)})
    firehose.put_record_batch(DeliveryStreamName="orders", Records=records)
"""
CATCHING = """\
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            sqs.send_message(QueueUrl="failed", MessageBody=record["body"])

def work(record):
    boto3.resource("dynamodb").Table("orders").put_item(Item=record)
"""
DELETING = """\
import json
import boto3

sqs = boto3.client("sqs")
table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item=json.loads(record["body"]))
        sqs.delete_message(QueueUrl="jobs", ReceiptHandle=record["receiptHandle"])
"""
MARKED = TEMPLATE.replace("Job:\n", "Job:  # finding\n")
MARKED_STREAM = STREAM.replace("Mapping:\n", "Mapping:  # finding\n")


@rule(
    "LE004",
    "whole-batch-retry",
    severity=Severity.WARNING,
    since="0.1.0",
    bad=(
        {"template.yaml": MARKED, "src/app.py": APP},
        {"template.yaml": MARKED_STREAM, "src/app.py": APP.replace("json.loads(record", "dict(record")},
    ),
    good=(
        {"template.yaml": DECLARED, "src/app.py": APP},
        {"template.yaml": TEMPLATE.replace("Jobs.Arn}", "Jobs.Arn, BatchSize: 1}"), "src/app.py": APP},
        {"template.yaml": STREAM + "      BisectBatchOnFunctionError: true\n", "src/app.py": APP},
        {"template.yaml": TEMPLATE, "src/app.py": COLLECTING},
        {"template.yaml": TEMPLATE, "src/app.py": CATCHING},
        {"template.yaml": TEMPLATE, "src/app.py": DELETING},
    ),
)
def check(
    trigger: Trigger,
    function: Function,
    batches: PerModule[Batches],
    calls: PathCalls,
    arguments: PerModule[Arguments],
) -> Problems:
    if trigger.kind not in (TriggerKind.SQS, TriggerKind.KINESIS, TriggerKind.DYNAMODB):
        return
    size = batch_size(trigger)
    if size is None or size < 2 or declares_failures(trigger) is not False or _bisects(trigger) is not False:
        return
    if any(each.name in DELETES and is_of_batch(each, arguments.get(each.path)) for each in calls.calls):
        return  # what is deleted by hand does not come again; manual-delete says what to do instead
    found = [(path, module) for path in {path for path, _ in calls.reach.invoke} if (module := batches.get(path))]
    if any(module.processed or module.reported for _, module in found):
        return
    loops = [
        (loop, path)
        for path, module in found
        for loop in module.loops
        if (path, loop.scope) in calls.reach.invoke and _may_fail(loop, path, calls)
    ]
    if loops:
        loop, _ = min(loops, key=lambda each: each[0].span)
        source = REPORTING[trigger.kind]
        unit = "message" if trigger.kind is TriggerKind.SQS else "record"
        yield Problem(
            trigger.span,
            f"one bad {unit} makes {source} deliver all {size} again: neither {trigger.name} nor {function.name} "
            "reports single failures",
            related=(Related(loop.span, f"{loop.scope} goes through the records here"),),
            hint="return batchItemFailures, and let the mapping's response types hold ReportBatchItemFailures",
        )


def _may_fail(loop: RecordLoop, path: str, calls: PathCalls) -> bool:
    """Whether something is done with each record: a request, or a function of the project."""
    inside = set(loop.calls)
    for call in calls.calls:
        if call.path == path and call.call.span in inside and call.name:
            own = call.call.name is not None and call.call.name.startswith((":", "."))
            if own or service_call(call.name) or http_call(call.name):
                return True
    return False


def _bisects(trigger: Trigger) -> bool | None:
    value = trigger.settings.get("BisectBatchOnFunctionError")
    if value is None:
        return False
    return str(value.value).lower() == "true" if isinstance(value, Known) else None
