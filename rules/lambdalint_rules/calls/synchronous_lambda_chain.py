"""A function that waits for another one is billed for both, and fails when the other is slow or throttled.

Its own timeout has to hold the other's, its retries multiply with those of the other, and neither can be changed
alone.  Asynchronous invocation, a queue, or a state machine lets each do its own work.

Source: https://docs.aws.amazon.com/lambda/latest/dg/concepts-event-driven-architectures.html
"""

from typing import Final

from lambdalint.facts.function_calls import FunctionCall, FunctionCalls
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.sdk_results import SdkResults
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Related,
    SetArgument,
    Severity,
    Span,
    rule,
)

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{CodeUri: src/, Runtime: python3.13}}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Timeout: {own}
      Environment: {{Variables: {{BILLING: !Ref Billing}}}}
  Billing:
    Type: AWS::Serverless::Function
    Properties: {{Handler: billing.handler, Timeout: 30, FunctionName: billing}}
"""
BILLING: Final = "def handler(event, context): ...\n"
BAD: Final = """\
import os
import boto3

functions = boto3.client("lambda")

def handler(event, context):
    functions.invoke(FunctionName="billing", Payload=b"{}")  # finding
    functions.invoke(FunctionName=os.environ["BILLING"], InvocationType="RequestResponse")  # finding
    functions.invoke(FunctionName=event["function"])  # finding
"""
GOOD: Final = """\
import boto3

functions = boto3.client("lambda")

def handler(event, context):
    functions.invoke(FunctionName="billing", InvocationType="Event", Payload=b"{}")
    functions.invoke(FunctionName=event["function"], InvocationType=event["how"])
    response = functions.invoke(FunctionName="billing", Payload=b"{}")
    return response["Payload"].read()
"""


@rule(
    "LT006",
    "synchronous-lambda-chain",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    fix="unsafe",
    covers=("sonar:S6246",),
    bad={"template.yaml": TEMPLATE.format(own=30), "src/app.py": BAD, "src/billing.py": BILLING},
    good={"template.yaml": TEMPLATE.format(own=60), "src/app.py": GOOD, "src/billing.py": BILLING},
)
def check(function: Function, invoked: FunctionCalls, calls: PathCalls, results: PerModule[SdkResults]) -> Problems:
    for each in invoked.calls:
        if not each.waits or each.call.phase != "invoke":
            continue
        own, other = _seconds(function), _seconds(each.callee) if each.callee else None
        used = _is_used(each, results)
        if used and own is not None and other is not None and other < own:
            continue
        name = each.callee.name if each.callee else "the function that it invokes"
        times = ("" if other is None else f" ({other} s)", "" if own is None else f" inside its own {own} s")
        callee = (Related(each.callee.span, f"{name} is declared here"),) if each.callee else ()
        yield Problem(
            each.call.call.span,
            f"{function.name} waits for {name}{times[0]}{times[1]} and pays for both",
            related=(*calls.way(each.call), *callee),
            hint="let a state machine call both"
            if used
            else 'nobody reads the answer: pass InvocationType="Event", or send a message',
            fix=None if used else _leaving(each.call.call.span),
        )


def _leaving(call: Span) -> Fix:
    change = SetArgument(call, "InvocationType", '"Event"')
    return Fix('pass InvocationType="Event"', Applicability.UNSAFE, changes=(change,))


def _seconds(function: Function) -> int | None:
    timeout = function.timeout_s
    return timeout.value if isinstance(timeout, Known) and isinstance(timeout.value, int) else None


def _is_used(each: FunctionCall, results: PerModule[SdkResults]) -> bool:
    """Whether somebody looks at what the other function answers; also where that cannot be seen."""
    module = results.get(each.call.path)
    result = module.results.get(each.call.call.lines) if module is not None else None
    return result is None or result.escapes or "Payload" in result.read or "FunctionError" in result.read
