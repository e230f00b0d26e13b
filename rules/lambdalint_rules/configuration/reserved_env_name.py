"""Lambda sets some environment variables itself and refuses a function that declares one of them.

These are exact names, no prefix: ``AWS_LAMBDA_EXEC_WRAPPER`` is there to be set.  For credentials there is the
execution role, and the region is that of the function.  Code that assigns them takes both away from every client of the
SDK that is made afterwards, in later invocations too.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import re
from collections.abc import Iterator
from typing import Final

from lambdalint.aws.environment import reserved_names
from lambdalint.facts.calls import Calls
from lambdalint.facts.env_reads import Absence, EnvRead, EnvReads
from lambdalint.facts.expressions import Env
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.reach import Reach
from lambdalint.rule import Function, Known, Problem, Problems, Severity, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      Environment:
        Variables:
          {name}: {value}
"""

ASSIGNED = """\
import os

import boto3

os.environ["AWS_ACCESS_KEY_ID"] = "AKIA"

def handler(event, context):
    os.environ["AWS_REGION"] = event["region"]
    return boto3.client("s3").list_buckets()
"""
GUARDED = """\
import os

import boto3

os.environ["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/wrapper"
os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
os.environ.setdefault("AWS_REGION", "eu-central-1")
if os.environ.get("AWS_SAM_LOCAL"):
    os.environ["AWS_ACCESS_KEY_ID"] = "local"

def handler(event, context):
    return boto3.client("s3").list_buckets()

def try_out():
    os.environ["AWS_ACCESS_KEY_ID"] = "local"

if __name__ == "__main__":
    os.environ["AWS_REGION"] = "eu-central-1"
    try_out()
"""
ZIPPED = TEMPLATE.replace('InlineCode: "def handler(event, context): ..."', "CodeUri: src/").replace("index.", "app.")

#: What of the reserved variables the SDK takes credentials and region from.
_READ_BY_SDK: Final = re.compile(r"AWS_(ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN|(DEFAULT_)?REGION)")
_LOCAL: Final = re.compile(r"local|debug|offline|test|develop", re.IGNORECASE)


@rule(
    "LC017",
    "reserved-env-name",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=(
        "cfn-lint:E3663",
        "semgrep:reserved-aws-lambda-environment-variable",
        "sonar:S7617",
        "codeguru:lambda-override-reserved",
    ),
    bad=(
        {"template.yaml": TEMPLATE.format(name="AWS_REGION", value="eu-central-1  # finding")},
        {"template.yaml": TEMPLATE.format(name="AWS_ACCESS_KEY_ID", value="!Ref AWS::AccountId  # finding")},
        {
            "template.yaml": ZIPPED.format(name="STAGE", value="test"),
            "src/app.py": ASSIGNED.replace('AKIA"\n', 'AKIA"  # finding\n').replace('"]\n', '"]  # finding\n'),
        },
    ),
    good=(
        {"template.yaml": TEMPLATE.format(name="AWS_LAMBDA_EXEC_WRAPPER", value="/opt/wrapper")},
        {"template.yaml": TEMPLATE.format(name="AWS_ACCOUNT_ID", value="!Ref AWS::AccountId")},
        {"template.yaml": ZIPPED.format(name="STAGE", value="test"), "src/app.py": GUARDED},
    ),
)
def check(function: Function, reach: Reach, reads: PerModule[EnvReads], calls: PerModule[Calls]) -> Problems:
    match function.env:
        case Known(variables):
            for name in variables.keys() & reserved_names():
                yield Problem(variables[name].span, f"{name} is reserved; Lambda refuses the deployment")
    for path, read in _assignments(reach, reads, calls):
        what = "region" if read.name and read.name.endswith("REGION") else "execution role's credentials"
        yield Problem(
            read.span,
            f"{read.name} is Lambda's; setting it takes the {what} away from the SDK",
            related=reach.way(path, read.scope),
        )


def _assignments(reach: Reach, reads: PerModule[EnvReads], calls: PerModule[Calls]) -> Iterator[tuple[str, EnvRead]]:
    """Where code on either path gives a variable that the SDK reads another value."""
    for path in sorted({path for path, _ in reach.init | reach.invoke}):
        module, called = reads.get(path), calls.get(path)
        if module is None or called is None:
            continue
        written = [read for read in module.reads if read.absence is Absence.WRITTEN and not read.skipped]
        # setdefault() leaves alone what Lambda has set.
        defaults = {call.span for call in called.calls if call.name == "os.environ.setdefault"} if written else set()
        for read in written:
            if (
                read.name in reserved_names()
                and _READ_BY_SDK.fullmatch(read.name or "")
                and reach.phases(path, read.scope)
                and read.span not in defaults
                and not _is_the_same(read)
                and not any(map(_may_be_local, read.guards))
            ):
                yield path, read


def _is_the_same(read: EnvRead) -> bool:
    """Whether the region gets the value that Lambda gives it anyway."""
    return isinstance(read.value, Env) and read.value.name in ("AWS_REGION", "AWS_DEFAULT_REGION", read.name)


def _may_be_local(guard: Guard) -> bool:
    """Whether the code may be for a developer's machine only."""
    return guard.kind in (GuardKind.ENV, GuardKind.VERSION) or any(_LOCAL.search(name) for name in guard.names)
