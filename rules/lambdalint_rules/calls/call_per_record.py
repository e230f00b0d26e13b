"""A request for each record takes as many round trips as there are records.

Most of what writes or sends one thing has a form for many: fewer requests, less time that is billed, and less to be
throttled.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from collections.abc import Mapping
from typing import Final

from lambdalint.facts.batches import Batches
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.needs import service_call
from lambdalint.rule import Confidence, Module, Problem, Problems, Project, Severity, Trigger, TriggerKind, rule
from lambdalint_rules.calls.mappings import TEMPLATE, batch_size

BAD: Final = """\
import json
import boto3

table = boto3.resource("dynamodb").Table("orders")
sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item={"id": record["messageId"]})  # finding
        sqs.send_message(QueueUrl="q", MessageBody=record["body"])  # finding
"""
GOOD: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")
sqs = boto3.client("sqs")
s3 = boto3.client("s3")

def handler(event, context):
    with table.batch_writer() as batch:
        for record in event["Records"]:
            batch.put_item(Item={"id": record["messageId"]})
            table.put_item(Item={"id": record["messageId"]}, ConditionExpression="attribute_not_exists(id)")
            sqs.send_message(QueueUrl="q.fifo", MessageBody=record["body"], MessageGroupId="1")
            s3.put_object(Bucket="orders", Key=record["messageId"], Body=record["body"])
            try:
                sqs.send_message(QueueUrl="q", MessageBody=record["body"])
            except sqs.exceptions.QueueDoesNotExist:
                print(record["messageId"])
"""

#: By service and operation the form for many, and how many that takes.
#:
#: Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
#: Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
#: Source: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
#: Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
#: Source: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
_FORMS: Final[Mapping[tuple[str, str], tuple[str, int]]] = {
    ("dynamodb", "put_item"): ("batch_writer", 25),
    ("dynamodb", "delete_item"): ("batch_writer", 25),
    ("dynamodb", "get_item"): ("batch_get_item", 100),
    ("sqs", "send_message"): ("send_message_batch", 10),
    ("sqs", "delete_message"): ("delete_message_batch", 10),
    ("sns", "publish"): ("publish_batch", 10),
    ("kinesis", "put_record"): ("put_records", 500),
    ("firehose", "put_record"): ("put_record_batch", 500),
}
#: Arguments that have no place in the form for many, or that ask for an order.
_SINGLE: Final = frozenset(
    ("ConditionExpression", "Expected", "MessageGroupId", "PhoneNumber", "ReturnValues", "SequenceNumberForOrdering")
)


@rule(
    "LT010",
    "call-per-record",
    severity=Severity.INFO,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {
            "template.yaml": TEMPLATE.replace("Jobs.Arn}", "Jobs.Arn, BatchSize: 1}"),
            "src/app.py": BAD.replace("  # finding", ""),
        },
    ),
)
def check(module: Module, project: Project, calls: Calls, batches: Batches) -> Problems:
    inside = {span for loop in batches.loops for span in loop.calls}
    if not inside:
        return
    found = [call for call in calls.calls if call.name and "boto" in call.name and call.span in inside]
    if not found or not _gets_many(project, module):
        return
    for call in found:
        asked = service_call(call.name or "")
        form = _FORMS.get(asked) if asked else None
        if asked is None or form is None or not _is_plain(call):
            continue
        yield Problem(
            call.span,
            f"{asked[1]} runs once per record; {form[0]} takes {form[1]} at a time",
            hint=f"collect what the records ask for, and send it with {form[0]}",
        )


def _is_plain(call: Call) -> bool:
    return _SINGLE.isdisjoint(call.keywords) and not call.may_have_more and ".batch_writer()" not in (call.name or "")


def _gets_many(project: Project, module: Module) -> bool:
    """Whether an event may bring more than one record to the module, as far as templates say."""
    loaders = project.loaders().get(module.path, ())
    return any(not each.triggers or any(map(_brings_many, each.triggers)) for each in loaders)


def _brings_many(trigger: Trigger) -> bool:
    if trigger.kind in (TriggerKind.S3, TriggerKind.SNS):
        return False  # one record, in practice
    try:
        return batch_size(trigger) != 1
    except KeyError:
        return True
