"""What stands at module level runs once per environment, and not once per event.

Sending, storing or asking for input while the handler is imported happens at cold starts: never for most events, again
for a failed init, and several times at once when the function scales.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import re
from typing import Final

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import text_prefix
from lambdalint.rule import Confidence, Module, Problem, Problems, Severity, rule
from lambdalint_rules.handler.certain import certain_at_import
from lambdalint_rules.handler.samples import orders

BAD = """\
import argparse
import boto3
import requests

sqs = boto3.client("sqs")
table = boto3.resource("dynamodb").Table("orders")

def announce():
    sqs.send_message(QueueUrl="https://sqs/orders", MessageBody="started")  # finding

announce()
table.put_item(Item={"id": "1"})  # finding
requests.put("https://api.example.com/state", json={"up": True}, timeout=2)  # finding
requests.post("https://api.example.com/events", json={}, timeout=2)  # finding
name = input("your name: ")  # finding
arguments = argparse.ArgumentParser().parse_args()  # finding

def handler(event, context): ...
"""
GOOD = """\
import logging
import os
import boto3
import requests

logging.basicConfig(level="INFO")
s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table("orders")
password = boto3.client("secretsmanager").get_secret_value(SecretId="orders")
session = boto3.client("appconfigdata").start_configuration_session(ApplicationIdentifier="orders")
url = s3.generate_presigned_url("put_object")
token = requests.post("https://example.com/oauth/token", timeout=2).json()["access_token"]
flags = requests.post("https://example.com/flags", timeout=2)
if os.environ.get("SEED"):
    table.put_item(Item={"id": "1"})

def handler(event, context):
    table.put_item(Item=event)
    requests.post("https://example.com", json=event, timeout=2)

if __name__ == "__main__":
    table.delete_item(Key={"id": input()})
"""

_OF_AWS: Final = re.compile(r"boto3\.(?:session\.)?(?:Session\(\)\.)?(?:client|resource)\(\w+\)\.(?:\w+\(\)\.)*(\w+)")
_WRITING: Final = re.compile(
    r"(?:batch_write|copy|create|delete|invoke|put|send|terminate|transact_write|update|upload)(?:_\w+)?|publish\w*"
)
_SENDING: Final = re.compile(r"(?:requests|httpx)\.(?:api\.|Session\(\)\.|Client\(\)\.)?(?:delete|patch|post|put)")
_ASKING: Final = re.compile(r"oauth|token|auth|login|session|graphql|query|search", re.IGNORECASE)


@rule(
    "LH008",
    "work-at-import",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=orders(BAD),
    good=orders(GOOD),
)
def check(module: Module, calls: Calls) -> Problems:
    for call in certain_at_import(calls):
        if call.name == "input" or (call.name == "argparse.ArgumentParser().parse_args" and not call.args):
            yield Problem(call.span, f"{_shown(call)}() runs at import, where there is neither terminal nor arguments")
        elif _writes(call, calls):
            yield Problem(call.span, f"{_shown(call)}() runs at import: once per cold start, not once per event")


def _writes(call: Call, calls: Calls) -> bool:
    name = call.name or ""
    if found := _OF_AWS.fullmatch(name):
        return bool(_WRITING.fullmatch(found[1]))
    if not _SENDING.fullmatch(name):
        return False
    if not name.endswith(".post"):
        return True
    # A POST whose answer is used may fetch a token.
    used = call.assigned is not None or any((each.name or "").startswith(f"{name}().") for each in calls.calls)
    return not used and not (call.args and _ASKING.search(text_prefix(call.args[0])))


def _shown(call: Call) -> str:
    name = call.name or ""
    return name.rpartition(".")[2] if "(" in name else name
