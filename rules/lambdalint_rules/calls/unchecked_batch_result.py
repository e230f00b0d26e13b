"""A batch operation that succeeds may have failed for some of what it was given.

It raises nothing: throttled and refused entries stand in the response, and are lost unless somebody looks there and
sends them again.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from typing import Final

from lambdalint.aws.sdk import failures
from lambdalint.facts.calls import Calls
from lambdalint.facts.sdk_results import SdkResults
from lambdalint.rule import Module, Problem, Problems, Severity, rule

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
BAD: Final = """\
import boto3

dynamodb = boto3.client("dynamodb")
events = boto3.client("events")
sqs = boto3.client("sqs")

def handler(event, context):
    dynamodb.batch_write_item(RequestItems={"orders": event["requests"]})  # finding
    response = events.put_events(Entries=event["entries"])  # finding
    if response["ResponseMetadata"]["HTTPStatusCode"] != 200:
        raise RuntimeError("not sent")
    sent = sqs.send_message_batch(QueueUrl="q", Entries=event["entries"])  # finding
    return len(sent["Successful"])
"""
GOOD: Final = """\
import boto3

dynamodb = boto3.client("dynamodb")
events = boto3.client("events")
kinesis = boto3.client("kinesis")
sqs = boto3.client("sqs")
table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    waiting = {"orders": event["requests"]}
    while waiting:
        waiting = dynamodb.batch_write_item(RequestItems=waiting).get("UnprocessedItems")
    response = events.put_events(Entries=event["entries"])
    if response["FailedEntryCount"]:
        raise RuntimeError("not sent")
    print(kinesis.put_records(StreamName="orders", Records=event["records"]))
    with table.batch_writer() as batch:
        batch.put_item(Item=event)
    check(sqs.delete_message_batch(QueueUrl="q", Entries=event["entries"]))
    return sqs.send_message_batch(QueueUrl="q", Entries=event["entries"])

def check(response):
    if response.get("Failed"):
        raise RuntimeError("not deleted")
"""


@rule(
    "LT009",
    "unchecked-batch-result",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=("codeguru:aws-unchecked-batch-failures",),
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good={"template.yaml": TEMPLATE, "src/app.py": GOOD},
)
def check(module: Module, calls: Calls, results: SdkResults) -> Problems:
    if not results.results:
        return
    for call in calls.calls:
        result = results.results.get(call.lines)
        if result is None or result.escapes or result.logged:
            continue
        failed = failures(result.service, result.operation)
        if failed and result.read.isdisjoint(failed):
            said = f"may leave {failed[0]}" if "nprocessed" in failed[0] else f"tells of failures in {failed[0]}"
            yield Problem(
                call.span,
                f"{result.operation} {said}; nothing looks at that",
                hint="look there after each call, and send again what failed",
            )
