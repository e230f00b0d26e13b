"""Some services start a function and then wait for a call that says how it went.

What the function returns is not that call.  A CodePipeline job, a CodeDeploy hook, an evaluation for Config, an object
of S3 Object Lambda or a step of a rotation that nobody reports stays open until the service gives up.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from lambdalint.facts.entry import Entry
from lambdalint.facts.event_reads import EventReads
from lambdalint.facts.expressions import EventPath, walk
from lambdalint.facts.job_reports import JobReports
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.rule import Function, PerModule, Problem, Problems, Severity, rule
from lambdalint_rules.handler.orders import ORDERS

UNREPORTED: Final = """\
import boto3

builds = boto3.client("codebuild")

def handler(event, context):  # finding
    job = event["CodePipeline.job"]
    builds.start_build(projectName=job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
    return {"status": "ok"}
"""
ONLY_SUCCESS: Final = """\
import boto3

pipeline = boto3.client("codepipeline")

def handler(event, context):  # finding
    job = event["CodePipeline.job"]["id"]
    work(event)
    pipeline.put_job_success_result(jobId=job)

def work(event): ...
"""
ROTATION: Final = """\
def handler(event, context):  # finding
    token, step = event["ClientRequestToken"], event["Step"]
    if step == "createSecret":
        print(token)
    elif step == "setSecret":
        print(token)
    elif step == "finishSecret":
        print(token)
"""
REPORTED: Final = """\
import boto3
from reports import failed

pipeline = boto3.client("codepipeline")

def handler(event, context):
    job = event["CodePipeline.job"]["id"]
    try:
        pipeline.put_job_success_result(jobId=job)
    except Exception as error:
        failed(job, error)
"""
REPORTS: Final = """\
import boto3

def failed(job, error):
    details = {"type": "JobFailed", "message": str(error)}
    boto3.client("codepipeline").put_job_failure_result(jobId=job, failureDetails=details)
"""
SOMEBODY: Final = """\
from pipeline_helper import Job

def handler(event, context):
    with Job(event["CodePipeline.job"]):
        print("work")
"""


class _Interface(NamedTuple):
    """The *keys* of an event that asks for a report, what must be called for it, and what happens without."""

    keys: tuple[str, ...]
    words: tuple[str, ...]
    job: str
    outcome: str


#: Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
#: Source: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_lambda-functions.html
#: Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-writing-lambda.html
#: Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
#: Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
_INTERFACES: Final = (
    _Interface(
        ("CodePipeline.job",),
        ("put_job_success_result", "put_job_failure_result"),
        "the CodePipeline job",
        "the stage waits until it times out",
    ),
    _Interface(
        ("invokingEvent", "resultToken"), ("put_evaluations",), "the evaluation for Config", "the rule has no result"
    ),
    _Interface(
        ("getObjectContext",),
        ("write_get_object_response",),
        "the object of S3 Object Lambda",
        "who asked for it gets an error",
    ),
    _Interface(
        ("DeploymentId", "LifecycleEventHookExecutionId"),
        ("put_lifecycle_event_hook_execution_status",),
        "the hook of the deployment",
        "CodeDeploy waits for an hour and rolls back",
    ),
    _Interface(
        ("ClientRequestToken", "Step"),
        ("createSecret", "setSecret", "testSecret", "finishSecret"),
        "the rotation",
        "the secret stays as it was",
    ),
)


@rule(
    "LE016",
    "unreported-job",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": ORDERS, "src/app.py": UNREPORTED},
        {"template.yaml": ORDERS, "src/app.py": ONLY_SUCCESS},
        {"template.yaml": ORDERS, "src/app.py": ROTATION},
    ),
    good=(
        {"template.yaml": ORDERS, "src/app.py": REPORTED, "src/reports.py": REPORTS},
        {"template.yaml": ORDERS, "src/app.py": SOMEBODY},
        {"template.yaml": ORDERS, "src/app.py": "def handler(event, context):\n    return event['Step']\n"},
    ),
)
def check(
    function: Function, entry: Entry, reads: PerModule[EventReads], reports: PerModule[JobReports], calls: PathCalls
) -> Problems:
    if entry.definition is None or any(_hands_on(call, function) for call in calls.calls):
        return
    keys = set(_keys(calls, reads))
    for interface in _INTERFACES:
        if not keys.issuperset(interface.keys):
            continue
        paths = set(function.modules.values())
        said = {word for path in paths if (found := reports.get(path)) is not None for word in found.mentioned}
        missing = [word for word in interface.words if word not in said]
        if not missing:
            continue
        if len(missing) == len(interface.words):
            text = f"{interface.job} is never reported; {interface.outcome}"
        else:
            text = f"{interface.job} has no {' and no '.join(missing)}; then {interface.outcome}"
        yield Problem(entry.definition.span, text)


def _keys(calls: PathCalls, reads: PerModule[EventReads]) -> Iterator[str]:
    """What the function reads of the event, outermost keys only."""
    for path in {path for path, _ in calls.reach.invoke}:
        module = reads.get(path)
        for read in module.reads if module is not None else ():
            if (path, read.scope) in calls.reach.invoke and isinstance(read.keys[0], str):
                yield read.keys[0]


def _hands_on(call: PathCall, function: Function) -> bool:
    """Whether a package that nobody has looked at gets something of the event, and may report."""
    given = (*call.call.args, *call.call.keywords.values())
    if not any(isinstance(part, EventPath) and not part.context for each in given for part in walk(each)):
        return False
    if call.name is None:
        return call.call.name is None
    root = call.name.partition(".")[0].partition("(")[0]
    known = root in sys.stdlib_module_names or root in function.modules or root in ("boto3", "aws_lambda_powertools")
    return "." in call.name and not known and root not in ("str", "list", "dict", "set", "tuple", "bytes")
