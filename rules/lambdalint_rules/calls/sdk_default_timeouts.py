"""boto3 waits for a silent server much longer than most functions may run.

A client without a ``Config`` gives a connection a minute, an answer another, and then tries again.  The function is
stopped in the middle of it: nothing is logged, no other attempt is made, and the caller sees a time out.  When a
function that takes longer than the read timeout is invoked, boto3 gives up and invokes it a second time.

Source: https://docs.aws.amazon.com/botocore/latest/reference/config.html
"""

import re
from collections.abc import Iterator
from typing import Final

from lambdalint.aws.sdk import CONNECT_TIMEOUT_S, LEAST_ATTEMPTS, READ_TIMEOUT_S
from lambdalint.facts.client_timeouts import CONFIGS
from lambdalint.facts.expressions import CallOf, Literal
from lambdalint.facts.function_calls import FunctionCalls
from lambdalint.facts.needs import service_call
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Invocation,
    Known,
    Problem,
    Problems,
    Profile,
    Related,
    SetArgument,
    Severity,
    rule,
)
from lambdalint_rules.calls.timeouts import waiting_time

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: src/, Runtime: python3.13}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Timeout: 15
      Events:
        Order: {Type: HttpApi, Properties: {Path: /orders, Method: post}}
"""
ALONE: Final = TEMPLATE[: TEMPLATE.index("      Events")]
REPORT: Final = (
    ALONE
    + """\
  Report:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.report, Timeout: 300, FunctionName: report}
"""
)
BAD: Final = """\
import boto3
from botocore.config import Config

table = boto3.resource("dynamodb", config=Config(retries={"max_attempts": 2})).Table("orders")  # finding

def handler(event, context):
    return table.get_item(Key={"id": event["id"]})["Item"]
"""
ASKING: Final = """\
import boto3

functions = boto3.client("lambda")

def handler(event, context):
    return functions.invoke(FunctionName="report")["Payload"].read()  # finding

def report(event, context):
    return "done"
"""
MODEL: Final = """\
import boto3

bedrock = boto3.client("bedrock-runtime")  # finding

def handler(event, context):
    return bedrock.converse(modelId="m", messages=event["messages"])["output"]
"""
GOOD: Final = """\
import boto3
from botocore.config import Config

config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
table = boto3.resource("dynamodb", config=config).Table("orders")

def handler(event, context):
    queue(event["region"])
    return table.get_item(Key={"id": event["id"]})["Item"]

def queue(region, settings=None):
    return boto3.client("sqs", region_name=region, config=settings)
"""
PLAIN: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    return table.get_item(Key={"id": event["id"]})["Item"]
"""
SIGNING: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    return s3.generate_presigned_url("get_object", Params={"Bucket": "pictures", "Key": event["key"]})
"""
SESSION: Final = """\
import boto3
import botocore.session
from botocore.config import Config

core = botocore.session.get_session()
core.set_default_client_config(Config(connect_timeout=2, read_timeout=3))
table = boto3.Session(botocore_session=core).resource("dynamodb").Table("orders")

def handler(event, context):
    return table.get_item(Key={"id": event["id"]})["Item"]
"""

_MAKER: Final = re.compile(r"boto3(?:\.Session\(\)|\.session\.Session\(\))?\.(?:client|resource)")
_CONFIGURING: Final = ("boto3.Session", "boto3.session.Session", "boto3.setup_default_session")
#: Services whose answers take long by nature.
_SLOW: Final = frozenset(("athena", "bedrock-agent-runtime", "bedrock-runtime", "lambda", "sagemaker-runtime"))
#: Variables by which the SDK gets other timeouts.
_VARIABLES: Final = frozenset(("AWS_CONFIG_FILE", "AWS_DEFAULTS_MODE"))


@rule(
    "LT003",
    "sdk-default-timeouts",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    profile=Profile.STRICT,
    since="0.1.0",
    fix="unsafe",
    covers=("sonar:S7618",),
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": BAD},
        {"template.yaml": REPORT, "src/app.py": ASKING},
        {"template.yaml": ALONE, "src/app.py": MODEL},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": SESSION},
        {"template.yaml": TEMPLATE, "src/app.py": SIGNING},
        {"template.yaml": ALONE, "src/app.py": PLAIN},
        {"template.yaml": TEMPLATE.replace("15", "60"), "src/app.py": PLAIN},
        {
            "template.yaml": TEMPLATE + "      Environment: {Variables: {AWS_DEFAULTS_MODE: in-region}}\n",
            "src/app.py": PLAIN,
        },
    ),
)
def check(function: Function, calls: PathCalls, invoked: FunctionCalls) -> Problems:
    if not isinstance(function.env, Known) or not _VARIABLES.isdisjoint(function.env.value):
        return
    made = tuple(_unconfigured(calls))
    again = _invoked_again(invoked) if any(service == "lambda" for _, service in made) else None
    if again is not None:
        yield again
        return
    timeout = function.timeout_s
    if not isinstance(timeout, Known) or not isinstance(timeout.value, int) or timeout.value >= READ_TIMEOUT_S:
        return
    hurried = function.network is not None or any(each.kind.invocation is Invocation.SYNC for each in function.triggers)
    call = next((call for call, service in made if hurried or service in _SLOW), None)
    if call is not None:
        default = "" if timeout.stated else ", the default"
        yield Problem(
            call.call.span,
            f"boto3 waits {CONNECT_TIMEOUT_S} s to connect and {READ_TIMEOUT_S} s to read, and tries at least "
            f"{LEAST_ATTEMPTS} times; {function.name} has {timeout.value} s{default}",
            related=calls.way(call),
            hint="pass config=Config(connect_timeout=…, read_timeout=…, retries={…}) to each client",
            fix=_configuring(call, timeout.value),
        )


def _configuring(call: PathCall, budget_s: int) -> Fix | None:
    """The fix that gives a client timeouts of which two attempts fit into *budget_s*."""
    seconds = waiting_time(budget_s, 2 * 2)
    if seconds is None or "config" in call.call.keywords:
        return None
    timeouts = f"connect_timeout={min(seconds, 2):g}, read_timeout={seconds:g}"
    config = f'Config({timeouts}, retries={{"total_max_attempts": 2}})'
    change = SetArgument(call.call.span, "config", config, imports=("botocore.config.Config",))
    return Fix("pass timeouts", Applicability.UNSAFE, changes=(change,))


def _unconfigured(calls: PathCalls) -> Iterator[tuple[PathCall, str]]:
    """The clients and resources that are made with the SDK's own timeouts and then asked, each with its service."""
    if any(_configures_all(call) for call in calls.calls):
        return
    asked = {need[0] for call in calls.calls if call.name and (need := service_call(call.name))}
    for call in calls.calls:
        service = call.call.argument(0, "service_name")
        if not _MAKER.fullmatch(call.name or "") or not isinstance(service, Literal) or call.call.may_have_more:
            continue
        if service.value not in asked:
            continue
        match call.call.keywords.get("config"):
            case None | Literal(None):
                yield call, str(service.value)
            case CallOf(name, (), keywords) if name in CONFIGS:
                if not {"connect_timeout", "read_timeout", "defaults_mode", "**"} & keywords.keys():
                    yield call, str(service.value)
            case _:
                pass


def _configures_all(call: PathCall) -> bool:
    name = call.name or ""
    return name.endswith("set_default_client_config") or (
        name in _CONFIGURING and not {"botocore_session", "**"}.isdisjoint(call.call.keywords)
    )


def _invoked_again(invoked: FunctionCalls) -> Problem | None:
    """The first call of a function that may take longer than boto3 waits for the answer."""
    for each in invoked.calls:
        timeout = each.callee.timeout_s if each.callee else None
        if each.callee is None or not each.waits or not isinstance(timeout, Known):
            continue
        if isinstance(timeout.value, int) and timeout.value > READ_TIMEOUT_S:
            return Problem(
                each.call.call.span,
                f"boto3 waits {READ_TIMEOUT_S} s for the answer and then invokes {each.callee.name}, which may "
                f"take {timeout.value} s, again",
                related=(Related(timeout.span, f"{each.callee.name} may run for {timeout.value} s"),),
                hint="pass config=Config(read_timeout=…, retries={…}) to the client, or invoke asynchronously",
            )
    return None
