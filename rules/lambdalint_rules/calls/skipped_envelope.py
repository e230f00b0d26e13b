"""What SNS or EventBridge puts into a queue stands in an envelope of theirs.

The body of the message is JSON with the topic, a signature and, under ``Message``, what was published; of EventBridge,
with the source and, under ``detail``, what happened.  Keys of the inner message are not there a level further up.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lambdalint.facts.entry import Entry
from lambdalint.facts.event_reads import EventReads, Reading
from lambdalint.rule import (
    Confidence,
    Function,
    Known,
    PerModule,
    Problem,
    Problems,
    Project,
    Related,
    Resource,
    Severity,
    Span,
    Trigger,
    TriggerKind,
    Unknown,
    rule,
)

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs: {{Type: AWS::SQS::Queue}}
  Sold: {{Type: AWS::SNS::Topic}}
  {making}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Events:
        Job: {{Type: SQS, Properties: {{Queue: !GetAtt Jobs.Arn}}}}
"""
_SUBSCRIPTION: Final = """Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Sold, Protocol: sqs, Endpoint: !GetAtt Jobs.Arn%s}"""
TOPIC: Final = TEMPLATE.format(making=_SUBSCRIPTION % "")
RAW: Final = TEMPLATE.format(making=_SUBSCRIPTION % ", RawMessageDelivery: true")
BUS: Final = TEMPLATE.format(
    making="""Rule:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [shop]}, Targets: [{Id: jobs, Arn: !GetAtt Jobs.Arn}]}"""
)
BARE: Final = """\
import json

def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        print(order["id"], order.get("price"))  # finding
"""
ENVELOPE: Final = """\
import json

def handler(event, context):
    for record in event["Records"]:
        order = json.loads(json.loads(record["body"])["Message"])
        print(order["id"])
"""
DETAIL: Final = """\
import json

def handler(event, context):
    for record in event["Records"]:
        body = json.loads(record["body"])
        print(body["detail"]["id"])
"""

#: What an envelope has: by the type of the resource that fills the queue.
#:
#: Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
#: Source: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
_ENVELOPES: Final[Mapping[str, tuple[str, str, frozenset[str]]]] = {
    "AWS::SNS::Subscription": (
        "an SNS envelope; the message is one json.loads() deeper, under Message",
        "json.loads(body['Message'])",
        frozenset(
            (
                "Message",
                "MessageAttributes",
                "MessageId",
                "SequenceNumber",
                "Signature",
                "SignatureVersion",
                "SigningCertURL",
                "Subject",
                "Timestamp",
                "TopicArn",
                "Type",
                "UnsubscribeURL",
            )
        ),
    ),
    "AWS::Events::Rule": (
        "an event of EventBridge; what happened is under detail",
        "body['detail']",
        frozenset(
            (
                "account",
                "detail",
                "detail-type",
                "id",
                "region",
                "replay-name",
                "resources",
                "source",
                "time",
                "version",
            )
        ),
    ),
}
_SHAPING: Final = frozenset(("Input", "InputPath", "InputTransformer"))


@rule(
    "LV009",
    "skipped-envelope",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        {"template.yaml": TOPIC, "src/app.py": BARE},
        {"template.yaml": BUS, "src/app.py": BARE.replace('"id"', '"order"')},
    ),
    good=(
        {"template.yaml": TOPIC, "src/app.py": ENVELOPE},
        {"template.yaml": BUS, "src/app.py": DETAIL},
        {"template.yaml": RAW, "src/app.py": BARE.replace("  # finding", "")},
        {"template.yaml": TEMPLATE.format(making=""), "src/app.py": BARE.replace("  # finding", "")},
    ),
)
def check(function: Function, project: Project, entry: Entry, modules: PerModule[EventReads]) -> Problems:
    found = modules.get(entry.path) if entry.path is not None else None
    if found is None or not function.triggers or any(each.kind is not TriggerKind.SQS for each in function.triggers):
        return
    reads = [each for each in found.reads if len(each.keys) == 4 and each.keys[::2] == ("Records", "body")]
    if not reads or any(each.reading is Reading.TEST or each.forgiven for each in reads):
        return
    fillers = [list(_fillers(each, project, function)) for each in function.triggers]
    kinds = {filler.type if _wraps(filler, queue) else None for each in fillers for filler, queue in each}
    if not all(fillers) or len(kinds) != 1 or (kind := kinds.pop()) is None:
        return
    what, way, keys = _ENVELOPES[kind]
    if any(each.keys[3] is None or each.keys[3] in keys for each in reads):
        return
    yield Problem(
        Span(str(entry.path), *reads[0].lines),
        f"the SQS body is {what}",
        related=(Related(fillers[0][0][0].span, "this fills the queue"),),
        hint=f"look into {way}, or let the subscription deliver raw messages",
    )


def _fillers(trigger: Trigger, project: Project, function: Function) -> Iterator[tuple[Resource, str]]:
    """The subscriptions and rules that send to the queue of *trigger*, which stands beside."""
    queue = trigger.source
    if queue is None:
        return
    for template in project.templates:
        if template.path != function.template:
            continue
        for resource in template.resources.values():
            if resource.type in _ENVELOPES and any(_is_of(each, queue.name) for each in _targets(resource)):
                yield resource, queue.name


def _targets(resource: Resource) -> Iterator[Any]:
    if resource.type == "AWS::SNS::Subscription":
        yield resource.properties.get("Endpoint")
        return
    for target in _rule_targets(resource):
        yield target.get("Arn")


def _rule_targets(resource: Resource) -> Iterator[Mapping[str, Any]]:
    targets = resource.properties.get("Targets")
    for each in targets.value if isinstance(targets, Known) and isinstance(targets.value, tuple) else ():
        if isinstance(each, Known) and isinstance(each.value, Mapping):
            yield each.value


def _is_of(value: Any, queue: str) -> bool:
    return isinstance(value, Unknown) and value.refers is not None and value.refers.resource == queue


def _wraps(filler: Resource, queue: str) -> bool:
    """Whether what arrives surely stands in an envelope."""
    if filler.type == "AWS::SNS::Subscription":
        raw = filler.properties.get("RawMessageDelivery")
        return raw is None or (isinstance(raw, Known) and str(raw.value).lower() == "false")
    return all(_SHAPING.isdisjoint(target) for target in _rule_targets(filler) if _is_of(target.get("Arn"), queue))
