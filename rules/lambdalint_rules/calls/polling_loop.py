"""A function that asks again and again whether something is done is billed while it sleeps.

It also may not run as long as the thing takes.  The state of something that takes minutes belongs to a state machine, a
durable function, or an event that says it is done; what takes seconds has a waiter.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from typing import Final

from lambdalint.aws.sdk import waiters_for
from lambdalint.facts.calls import Calls
from lambdalint.facts.needs import service_call
from lambdalint.facts.sleeps import Sleep, Sleeps
from lambdalint.rule import (
    Applicability,
    AwaitByWaiter,
    Confidence,
    Fix,
    Module,
    Problem,
    Problems,
    Severity,
    Span,
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
import time
import boto3

athena = boto3.client("athena")
glue = boto3.client("glue")

def handler(event, context):
    while True:
        state = athena.get_query_execution(QueryExecutionId=event["id"])
        if state["QueryExecution"]["Status"]["State"] == "SUCCEEDED":
            break
        time.sleep(5)  # finding
    while status(event["job"]) == "RUNNING":
        time.sleep(5)  # finding

def status(name):
    return glue.get_job_run(JobName=name, RunId="1")["JobRun"]["JobRunState"]
"""
WAITABLE: Final = """\
import time
import boto3

dynamodb = boto3.client("dynamodb")

def handler(event, context):
    dynamodb.create_table(**event["table"])
    while True:
        table = dynamodb.describe_table(TableName="orders")
        if table["Table"]["TableStatus"] == "ACTIVE":
            break
        time.sleep(5)  # finding
    return "ready"
"""
GOOD: Final = """\
import time
import boto3

athena = boto3.client("athena")
ec2 = boto3.client("ec2")

def handler(event, context):
    for attempt in range(3):
        if athena.get_query_execution(QueryExecutionId=event["id"])["QueryExecution"]:
            break
        time.sleep(2)
    for instance in event["instances"]:
        if ec2.describe_instances(InstanceIds=[instance]):
            time.sleep(1)
            continue
        break
    token, found = None, []
    while True:
        page = athena.list_query_executions(NextToken=token)
        found += page["QueryExecutionIds"]
        token = page.get("NextToken")
        if not token:
            break
        time.sleep(1)
    while True:
        try:
            return athena.get_query_execution(QueryExecutionId=event["id"])
        except athena.exceptions.TooManyRequestsException:
            time.sleep(2)
"""

#: A wait that is shorter than this costs less than what would take its place.
_SHORT_S: Final = 10


@rule(
    "LT005",
    "polling-loop",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    covers=("sonar:S7621", "codeguru:aws-polling-instead-of-waiter"),
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": BAD},
        {"template.yaml": TEMPLATE, "src/app.py": WAITABLE},
    ),
    good={"template.yaml": TEMPLATE, "src/app.py": GOOD},
)
def check(module: Module, sleeps: Sleeps, calls: Calls) -> Problems:
    for sleep in sleeps.sleeps:
        if sleep.asks is None or sleep.retries or sleep.loop is None or _is_short(sleep):
            continue
        every = "" if sleep.seconds is None else f" every {sleep.seconds:g} s"
        yield Problem(
            Span(module.path, *sleep.lines),
            f"the loop asks {sleep.asks}{every} and is billed while it sleeps",
            hint="let a state machine or a durable function wait, or an event tell that it is done",
            fix=_waiting(sleep, sleep.asks, module.path, calls),
        )


def _waiting(sleep: Sleep, operation: str, path: str, calls: Calls) -> Fix | None:
    """The fix that leaves the waiting to the SDK, which asks as often, and gives up some day."""
    asked = {
        found
        for call in calls.calls
        if call.scope == sleep.scope and call.name and "boto" in call.name and (found := service_call(call.name))
    }
    services = [service for service, name in asked if name == operation]
    waiters = waiters_for(services[0], operation) if len(services) == 1 else ()
    if not waiters:
        return None
    change = AwaitByWaiter(Span(path, *sleep.lines), operation, waiters)
    return Fix("wait by the waiter of the SDK", Applicability.UNSAFE, changes=(change,))


def _is_short(sleep: Sleep) -> bool:
    if sleep.seconds is not None and sleep.seconds < 1:
        return True
    return sleep.seconds is not None and sleep.repeats is not None and sleep.seconds * sleep.repeats < _SHORT_S
