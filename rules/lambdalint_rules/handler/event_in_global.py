"""An execution environment serves one invocation after the other, for any user, and module variables live as long.

What an event puts into one stays there.  Where the next invocation reads it before it has put its own there, a user
gets what belongs to another.  No test that calls the handler once shows it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from lambdalint.facts.guards import GuardKind
from lambdalint.facts.stale_state import StaleState
from lambdalint.rule import Function, Problem, Problems, Related, Severity, rule
from lambdalint_rules.handler.samples import orders


@rule(
    "LS001",
    "event-in-global",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=("codeguru:dangerous-global-variables", "ruff:PLW0603"),
    bad=(
        orders("""\
current_user = "nobody"

def handler(event, context):
    global current_user
    if "user" in event:
        current_user = event["user"]  # finding
    return greeting()

def greeting():
    return "hello " + current_user
"""),
        orders("""\
import boto3

queue = None

table = None

class Settings:
    tenant = None

def handler(event, context):
    if event.get("tenant"):
        Settings.tenant = event["tenant"]  # finding
    global table
    if table is None:
        table = boto3.resource("dynamodb").Table(event["table"])  # finding
    table.put_item(Item=event["item"])
    return send(event["tenant"], event["queue"])

def send(tenant, name):
    global queue
    if queue is None:
        queue = boto3.resource("sqs").get_queue_by_name(QueueName=name)  # finding
    return queue.send_message(MessageBody=Settings.tenant)
"""),
    ),
    good=(
        orders("""\
import os
import time

import boto3

is_cold = True
calls = 0
client = socket = None
account = None
user = None
cache = {}
last_id = last_order = None
state = {}

def handler(event, context):
    global is_cold, calls, client, socket, account, user, last_id, last_order
    user = event["user"]
    if "admin" in event:
        state["role"] = event["admin"]
    else:
        state["role"] = "guest"
    if is_cold:
        is_cold = False
    calls += 1
    if client is None:
        client = boto3.client("s3", region_name=os.environ["AWS_REGION"])
    if socket is None:
        domain = event["requestContext"]["domainName"]
        socket = boto3.client("apigatewaymanagementapi", endpoint_url=f"https://{domain}")
    if not account:
        account = context.invoked_function_arn.split(":")[4]
    if user not in cache:
        cache[user] = client.list_objects_v2(Bucket=account, Prefix=user)
    if event["id"] != last_id:
        last_id = event["id"]
        last_order = client.get_object(Bucket=account, Key=event["id"])
    return answer(socket)

def answer(socket):
    return [user, state["role"], cache[user], last_order]
"""),
        orders("""\
target = reply = None

def handler(event, context):
    global target, reply
    if event["kind"] == "order":
        target = event["order"]
    elif event["kind"] == "refund":
        target = event["refund"]
    else:
        raise ValueError(event["kind"])
    match event["channel"]:
        case "mail":
            reply = event["address"]
        case _:
            reply = event["number"]
    return send()

def send():
    return target, reply
"""),
        orders("""\
request = None

def handler(event, context):
    remember(event)
    try:
        return answer()
    finally:
        forget()

def remember(event):
    global request
    if event["requestContext"]:
        request = event["requestContext"]["requestId"]
    else:
        request = "none"

def forget():
    global request
    request = None

def answer():
    return request
"""),
    ),
)
def check(function: Function, state: StaleState) -> Problems:
    for kept in state.kept:
        name = kept.setting.name
        lazily = any(guard.kind is GuardKind.UNSET for guard in kept.setting.guards)
        what = "the first event" if lazily else "one invocation's event"
        yield Problem(
            kept.setting.span,
            f"{name} keeps what {what} said; the next invocation reads it",
            related=(*kept.way, Related(kept.reading.span, "it is read here, set by this invocation or not")),
            hint="pass it as an argument",
        )
