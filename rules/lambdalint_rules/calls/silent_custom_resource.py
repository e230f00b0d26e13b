"""CloudFormation waits for the answer of a custom resource until it comes, or an hour has passed.

An exception that leaves the handler, or a way through it that sends nothing, leaves the stack in progress all that
time, and once more when it rolls back.  Whatever happens, the handler has to send ``SUCCESS`` or ``FAILED``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-cloudformation.html
"""

from typing import Final

from lambdalint.facts.custom_resources import CustomResources, Ending
from lambdalint.facts.entry import Entry
from lambdalint.facts.symbols import Definition
from lambdalint.rule import (
    AnswerFailures,
    Applicability,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    Severity,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.custom_resources import TEMPLATE, related

UNCAUGHT: Final = """\
import boto3
import cfnresponse

def handler(event, context):
    if event["RequestType"] == "Delete":
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {})
        return
    boto3.client("route53domains").register_domain(DomainName="example.com")  # finding
    cfnresponse.send(event, context, cfnresponse.SUCCESS, {})
"""
EARLY: Final = """\
import cfnresponse

def handler(event, context):
    try:
        if event["RequestType"] == "Delete":
            return  # finding
        create(event["ResourceProperties"])
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {})
    except Exception:
        cfnresponse.send(event, context, cfnresponse.FAILED, {})

def create(properties): ...
"""
ONE_TYPE: Final = """\
import json
import urllib3

http = urllib3.PoolManager()

def handler(event, context):  # finding
    try:
        if event["RequestType"] == "Create":
            answer(event, "SUCCESS")
    except Exception:
        answer(event, "FAILED")

def answer(event, status):
    http.request("PUT", event["ResponseURL"], body=json.dumps({"Status": status}), timeout=5)
"""
GOOD: Final = """\
import boto3
import cfnresponse

def handler(event, context):
    print(event)
    status = cfnresponse.FAILED
    try:
        if event["RequestType"] == "Delete":
            status = cfnresponse.SUCCESS
            return
        boto3.client("route53domains").register_domain(DomainName="example.com")
        status = cfnresponse.SUCCESS
    finally:
        cfnresponse.send(event, context, status, {})
"""
CAUGHT: Final = """\
import cfnresponse

def handler(event, context):
    response = {}
    try:
        if event["RequestType"] == "Create":
            response = create(event["ResourceProperties"])
        elif event["RequestType"] == "Delete":
            cfnresponse.send(event, context, cfnresponse.SUCCESS, response)
            return
    except Exception as error:
        print(error)
        cfnresponse.send(event, context, cfnresponse.FAILED, {})
        return
    cfnresponse.send(event, context, cfnresponse.SUCCESS, response)

def create(properties):
    return {}
"""
HELPED: Final = """\
from crhelper import CfnResource

helper = CfnResource()

@helper.create
def create(event, context): ...

def handler(event, context):
    helper(event, context)
"""
SENDING: Final = """\
import urllib3

http = urllib3.PoolManager()

def handler(event, context):
    try:
        http.request("PUT", event["ResponseURL"], body="{}", timeout=5)
    except Exception as error:
        print("could not send", error)
"""
LISTED: Final = """\
import cfnresponse

def handler(event, context):
    try:
        if event["RequestType"] in ("Create", "Update"):
            cfnresponse.send(event, context, cfnresponse.SUCCESS, {})
        elif event["RequestType"] == "Delete":
            cfnresponse.send(event, context, cfnresponse.SUCCESS, {})
    except:
        cfnresponse.send(event, context, cfnresponse.FAILED, {})
"""


@rule(
    "LE012",
    "silent-custom-resource",
    severity=Severity.ERROR,
    fix="unsafe",
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": UNCAUGHT},
        {"template.yaml": TEMPLATE, "src/app.py": EARLY},
        {"template.yaml": TEMPLATE, "src/app.py": ONE_TYPE},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": CAUGHT},
        {"template.yaml": TEMPLATE, "src/app.py": HELPED},
        {"template.yaml": TEMPLATE, "src/app.py": LISTED},
        {"template.yaml": TEMPLATE, "src/app.py": SENDING},
    ),
)
def check(function: Function, entry: Entry, resources: PerModule[CustomResources]) -> Problems:
    kinds = {trigger.kind for trigger in function.triggers}
    found = resources.get(entry.path) if entry.path is not None else None
    if found is None or entry.definition is None or not kinds <= {TriggerKind.CUSTOM_RESOURCE}:
        return
    if not found.answers and not kinds:
        return
    ending = found.endings.get(entry.definition.scope)
    if ending is not None:
        yield from _problems(function, entry.definition, ending)


def _problems(function: Function, definition: Definition, ending: Ending) -> Problems:
    waiting = "CloudFormation gets no answer and waits up to an hour"
    where = related(function)
    for name, span in ending.unanswered[:1]:
        when = "after this exception" if name == "raise" else f"when {name}() raises"
        fix = Fix("send that it failed", Applicability.UNSAFE, changes=(AnswerFailures(definition.span),))
        yield Problem(span, f"{when}, {waiting}", related=where, fix=fix)
    for span in ending.returns:
        fix = Fix("send that it is done", Applicability.UNSAFE, changes=(AnswerFailures(span),))
        yield Problem(span, f"this returns before an answer is sent: {waiting}", related=where, fix=fix)
    if ending.falls_off:
        asked = f" (it asks for {' and '.join(ending.asked)} only)" if ending.asked else ""
        text = f"{definition.scope}() has a way to its end without an answer{asked}; CloudFormation waits up to an hour"
        yield Problem(definition.span, text, related=where)
