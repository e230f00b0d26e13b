"""A mapping hands a function several records at once, and a normal return counts for all of them.

What reads ``event["Records"][0]`` alone, or leaves the loop in its first round, works in every test with one message.
Under load the others of the batch are deleted from the queue, or passed over in the stream, unread.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from typing import Final

from lambdalint.facts.batches import Batches
from lambdalint.facts.expressions import EventPath
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.reach import Reach
from lambdalint.facts.records import Records, RecordsRead
from lambdalint.rule import (
    Applicability,
    Fix,
    Function,
    HandleRecords,
    PerModule,
    Problem,
    Problems,
    Related,
    Severity,
    Span,
    Trigger,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import STREAM, TEMPLATE, batch_size

FIRST: Final = """\
import json

def handler(event, context):
    print(json.dumps(event))
    body = json.loads(event["Records"][0]["body"])  # finding
    print(body)
"""
RETURNING: Final = """\
def handler(event, context):
    for record in event["Records"]:
        print(record["body"])
        return {"statusCode": 200}  # finding
"""
GOOD: Final = """\
def handler(event, context):
    source = event["Records"][0]["eventSourceARN"]
    for record in event["Records"]:
        if record["body"] == "stop":
            return
        print(source, record["body"])
"""
SEARCHING: Final = """\
def handler(event, context):
    for record in event["Records"]:
        if not record["body"]:
            continue
        return record["body"]
"""
HANDED_ON: Final = """\
from records import all_of

def handler(event, context):
    print(event["Records"][0]["body"])
    all_of(event)
"""
BOTH: Final = """\
def handler(event, context):
    print(event["Records"][0]["body"])
    first, *others = event["Records"]
    print(others)
"""
ONE: Final = TEMPLATE.replace("Jobs.Arn}", "Jobs.Arn, BatchSize: 1}")
TOPIC: Final = TEMPLATE.replace("Type: SQS", "Type: SNS").replace("Queue: !GetAtt Jobs.Arn", "Topic: jobs")

_BATCHING: Final = {TriggerKind.SQS: "messages", TriggerKind.KINESIS: "records", TriggerKind.DYNAMODB: "records"}
#: What is the same for all records of a batch.
_COMMON: Final = ("awsRegion", "eventSource", "eventSourceARN", "eventVersion", "invokeIdentityArn")
#: Calls that look at the whole event and handle none of its records.
_LOOKING: Final = ("print", "len", "str", "repr", "type", "json.dumps", "pprint.pprint", "bool")
_LOGGING: Final = ("debug", "info", "warning", "error", "log", "exception")


@rule(
    "LE006",
    "first-record-only",
    severity=Severity.ERROR,
    fix="unsafe",
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": FIRST},
        {"template.yaml": STREAM, "src/app.py": FIRST},
        {"template.yaml": TEMPLATE, "src/app.py": RETURNING},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": SEARCHING},
        {"template.yaml": TEMPLATE, "src/app.py": HANDED_ON, "src/records.py": "def all_of(event): ...\n"},
        {"template.yaml": TEMPLATE, "src/app.py": BOTH},
        {"template.yaml": ONE, "src/app.py": FIRST.replace("  # finding", "")},
        {"template.yaml": TOPIC, "src/app.py": FIRST.replace("  # finding", "")},
    ),
)
def check(
    function: Function, reach: Reach, records: PerModule[Records], batches: PerModule[Batches], calls: PathCalls
) -> Problems:
    triggers = [each for each in function.triggers if each.kind in _BATCHING]
    if not triggers or len(triggers) < len(function.triggers) or not function.triggers_complete:
        return
    sizes = [batch_size(each) for each in triggers]
    largest = max((size for size in sizes if size is not None), default=0)
    if None in sizes or largest < 2 or min(size for size in sizes if size is not None) < 2:
        return
    trigger = triggers[sizes.index(largest)]
    paths = sorted({path for path, _ in reach.invoke})
    for path in paths:
        module = batches.get(path)
        for loop in module.loops if module is not None else ():
            if loop.ended is not None and (path, loop.scope) in reach.invoke:
                yield _problem(loop.ended, "the loop ends in its first round, which handles", trigger, largest)
    reads = [
        each
        for path in paths
        if (found := records.get(path)) is not None
        for each in found.reads
        if (path, each.scope) in reach.invoke
    ]
    if all(each.first for each in reads) and not any(_hands_on(call) for call in calls.calls):
        used = next((each for each in reads if _is_used(each)), None)
        if used is not None:
            yield _problem(used.span, 'event["Records"][0] reads', trigger, largest)


def _problem(span: Span, what: str, trigger: Trigger, largest: int) -> Problem:
    unit = _BATCHING[trigger.kind]
    lost = "deleted unread" if trigger.kind is TriggerKind.SQS else "passed over unread"
    return Problem(
        span,
        f"{what} one of up to {largest:,} {unit}; the others are {lost}",
        related=(Related(trigger.span, f"{trigger.name} delivers up to {largest:,} at once"),),
        hint="go through all records, or set a batch size of 1",
        fix=Fix("go through all records", Applicability.UNSAFE, changes=(HandleRecords(span),)),
    )


def _is_used(read: RecordsRead) -> bool:
    return read.key not in _COMMON


def _hands_on(call: PathCall) -> bool:
    """Whether somebody else gets the whole event, and may handle the rest of it."""
    if call.phase != "invoke" or EventPath() not in (*call.call.args, *call.call.keywords.values()):
        return False
    name = call.name or ""
    return name not in _LOOKING and name.rpartition(".")[2] not in _LOGGING
