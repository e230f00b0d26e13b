"""CloudFormation takes a new PhysicalResourceId for a new resource, and deletes the one that had the old.

``cfnresponse.send()`` without an id sends the name of the log stream, which is another one in another environment.  An
update that lands there is followed by a Delete for the old id, and a handler that then deletes what it manages deletes
the resource in use.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from typing import Final

from lambdalint.facts.expressions import CallOf, EventPath, Expression, Literal, qualified_name, walk
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.needs import service_call
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.rule import Confidence, Function, Problem, Problems, Severity, TriggerKind, rule
from lambdalint_rules.calls.custom_resources import TEMPLATE, related

APP: Final = """\
import uuid
import boto3
import cfnresponse

ec2 = boto3.client("ec2")

def handler(event, context):
    try:
        name = event["ResourceProperties"]["Name"]
        if event["RequestType"] == "Delete":
            ec2.delete_key_pair(KeyName=name)
        elif event["RequestType"] == "Create":
            ec2.create_key_pair(KeyName=name)
        {sent}
    except Exception as error:
        print(error)
        cfnresponse.send(event, context, cfnresponse.FAILED, {{}})
"""
LOOKUP: Final = """\
import boto3
import cfnresponse

def handler(event, context):
    try:
        zones = boto3.client("ec2").describe_availability_zones()["AvailabilityZones"]
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {"First": zones[0]["ZoneName"]})
    except Exception as error:
        print(error)
        cfnresponse.send(event, context, cfnresponse.FAILED, {})
"""

_SEND: Final = "cfnresponse.send"
_FRESH: Final = (
    "uuid.uuid1",
    "uuid.uuid4",
    "time.time",
    "time.time_ns",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "secrets.token_hex",
)
_REMOVING: Final = ("delete", "remove_", "terminate_", "deregister_", "detach_", "disassociate_", "release_")


@rule(
    "LE013",
    "unstable-physical-id",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": APP.format(sent="cfnresponse.send(event, context, cfnresponse.SUCCESS, {})  # finding"),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": APP.format(
                sent="cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, str(uuid.uuid4()))  # finding"
            ),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": APP.format(sent="cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, name)"),
        },
        {"template.yaml": TEMPLATE, "src/app.py": LOOKUP},
    ),
)
def check(function: Function, calls: PathCalls) -> Problems:
    kinds = {trigger.kind for trigger in function.triggers}
    if not kinds <= {TriggerKind.CUSTOM_RESOURCE} or "cfnresponse" in function.modules:
        return
    if not any(_removes(call) for call in calls.calls):
        return
    for call in calls.calls:
        if call.phase != "invoke" or call.name != _SEND or call.call.may_have_more or _is_failure(call):
            continue
        given = call.call.argument(4, "physicalResourceId")
        where = related(function)
        if given is None or given == Literal(None):
            yield Problem(
                call.call.span,
                "without a PhysicalResourceId the log stream's name is used; a new one on Update deletes the resource",
                related=where,
                hint="send event['PhysicalResourceId'] back on Update and Delete",
            )
        elif _is_fresh(given) and not any(guard.kind is GuardKind.CONDITION for guard in call.call.guards):
            yield Problem(
                call.call.span,
                "the PhysicalResourceId is another one each time; a new one on Update deletes the resource",
                related=where,
                hint="send event['PhysicalResourceId'] back on Update and Delete",
            )


def _removes(call: PathCall) -> bool:
    found = service_call(call.name) if call.phase == "invoke" and call.name is not None else None
    return found is not None and found[1].startswith(_REMOVING)


def _is_failure(call: PathCall) -> bool:
    """Whether it reports a failure: the id then counts for a Create only."""
    status = call.call.argument(2, "responseStatus")
    if status is None:
        return False
    return status == Literal("FAILED") or (qualified_name(status) or "").endswith(".FAILED")


def _is_fresh(given: Expression) -> bool:
    parts = tuple(walk(given))
    if any(isinstance(part, EventPath) and not part.context for part in parts):
        return False
    return any(
        (isinstance(part, CallOf) and part.name in _FRESH)
        or (isinstance(part, EventPath) and part.context and part.keys in _PER_ENVIRONMENT)
        for part in parts
    )


_PER_ENVIRONMENT: Final = (("log_stream_name",), ("aws_request_id",))
