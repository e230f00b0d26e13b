"""Waiting that takes longer than the function may run ends with the function, not with what was waited for.

A waiter of the SDK asks for as long as it was told to, often for half an hour; a loop sleeps as often as it is written.
Lambda stops the function before, bills the time that it slept, and nothing after the wait is ever done.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
"""

import re
from collections.abc import Iterator
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.aws.sdk import waiter
from lambdalint.facts.expressions import Collection, Expression, Literal
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.sleeps import SLEEPS, Sleeps
from lambdalint.rule import Confidence, Function, Known, PerModule, Problem, Problems, Related, Severity, rule
from lambdalint_rules.calls.deadlines import knows_deadline

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Timeout: 60
"""
BAD: Final = """\
import time
import boto3

rds = boto3.client("rds")

def handler(event, context):
    waiter = rds.get_waiter("db_instance_available")  # finding
    waiter.wait(DBInstanceIdentifier=event["db"])
    for attempt in range(12):
        if rds.describe_db_instances(DBInstanceIdentifier=event["db"])["DBInstances"]:
            break
        time.sleep(10)  # finding
    time.sleep(90)  # finding
"""
GOOD: Final = """\
import random
import time
import boto3

rds = boto3.client("rds")
sleep_s = random.random()

def handler(event, context):
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier=event["db"], WaiterConfig={"Delay": 5, "MaxAttempts": 6})
    for attempt in range(5):
        time.sleep(5)
    while not rds.describe_db_instances(DBInstanceIdentifier=event["db"])["DBInstances"]:
        time.sleep(10)
    for each in event["orders"]:
        time.sleep(20)
    time.sleep(sleep_s)
"""
DEADLINE: Final = """\
import time

def handler(event, context):
    for attempt in range(100):
        if context.get_remaining_time_in_millis() < 5_000:
            return
        time.sleep(1)
"""

_GET_WAITER: Final = re.compile(r".*client\((?P<service>[a-z0-9-]+)\)\.get_waiter")
_LEAST_S: Final = 1


@rule(
    "LT004",
    "wait-over-timeout",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=("semgrep:arbitrary-sleep",),
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": BAD},
        {
            "template.yaml": TEMPLATE.replace("60", "!Ref Seconds"),
            "src/app.py": BAD.replace("10)  # finding", "10)").replace("90)  # finding", "901)  # finding"),
        },
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": DEADLINE},
    ),
)
def check(function: Function, calls: PathCalls, sleeps: PerModule[Sleeps]) -> Problems:
    timeout = function.timeout_s
    if timeout is None or knows_deadline(calls):
        return
    related: tuple[Related, ...] = ()
    match timeout:
        case Known(value=int(budget)):
            default = "" if timeout.stated else ", the default"
            stop = f"is stopped after {budget} s{default}"
            related = (Related(timeout.span, f"{function.name} may run for {budget} s{default}"),)
        case _:
            budget = limit("timeout", "max_s")
            stop = f"is stopped after {budget} s at the latest"
    seen = set()
    for call, seconds, what in (*_sleeping(calls, sleeps), *_waiting(calls)):
        if seconds < budget or call.call.span in seen:
            continue
        seen.add(call.call.span)
        yield Problem(
            call.call.span,
            f"{what} may take {_duration(seconds)}; {function.name} {stop}",
            related=(*calls.way(call), *related),
            hint="wait in a state machine, with a delay queue, or in a durable function",
            confidence=Confidence.MEDIUM if isinstance(timeout, Known) and timeout.parameter else None,
        )


def _sleeping(calls: PathCalls, sleeps: PerModule[Sleeps]) -> Iterator[tuple[PathCall, float, str]]:
    for call in calls.calls:
        if call.name not in SLEEPS or (found := sleeps.get(call.path)) is None:
            continue
        for sleep in found.sleeps:
            if sleep.lines != call.call.lines or sleep.seconds is None or sleep.repeats is None:
                continue
            if sleep.seconds >= _LEAST_S:
                times = f", {sleep.repeats} times over," if sleep.repeats > 1 else ""
                yield call, sleep.seconds * sleep.repeats, f"{call.name}({sleep.seconds:g}){times}"


def _waiting(calls: PathCalls) -> Iterator[tuple[PathCall, float, str]]:
    """Waiters that are used where they are made."""
    for call in calls.calls:
        match = _GET_WAITER.fullmatch(call.name or "")
        name = call.call.argument(0, "waiter_name")
        if match is None or not isinstance(name, Literal) or not isinstance(name.value, str):
            continue
        kind = waiter(match["service"], name.value)
        here = (call.path, call.phase, call.call.scope)
        uses = [
            each.call
            for each in calls.calls
            if each.name == f"{call.name}().wait" and (each.path, each.phase, each.call.scope) == here
        ]
        if kind is None or not uses or any(use.may_have_more for use in uses):
            continue
        configs = [use.keywords.get("WaiterConfig") for use in uses]
        if len(configs) > 1 and any(config is not None for config in configs):
            continue  # which waiter is told what cannot be seen
        delay = _setting(configs[0], "Delay", kind.delay_s)
        attempts = _setting(configs[0], "MaxAttempts", kind.attempts)
        if delay is not None and attempts is not None:
            yield call, delay * attempts, f"the waiter {name.value}"


def _setting(config: Expression | None, key: str, default: int) -> float | None:
    if config is None:
        return default
    if not isinstance(config, Collection) or not config.complete:
        return None
    match config.get(key):
        case None:
            return default
        case Literal(int() | float() as value):
            return value
        case _:
            return None


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 300 else f"{seconds / 60:.3g} min"
