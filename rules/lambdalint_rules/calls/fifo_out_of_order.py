"""A FIFO queue keeps the order of a message group only if what follows a failed message fails as well.

With ReportBatchItemFailures a loop that notes a failure and goes on handles the later messages of the same group before
the failed one, which comes again after them.  Report all that follows in the group, or stop at the first failure and
report the rest.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from typing import Final

from lambdalint.facts.batches import Batches
from lambdalint.facts.reach import Reach
from lambdalint.facts.records import Records
from lambdalint.facts.tries import Tries
from lambdalint.rule import (
    Confidence,
    Function,
    Known,
    PerModule,
    Problem,
    Problems,
    Related,
    Severity,
    Trigger,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import DECLARED, batch_size, declares_failures

GOING_ON: Final = """\
def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            work(record["body"])
        except Exception:  # finding
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}

def work(body): ...
"""
STOPPING: Final = """\
def handler(event, context):
    failures = []
    for number, record in enumerate(event["Records"]):
        try:
            work(record["body"])
        except Exception:
            failures = [{"itemIdentifier": each["messageId"]} for each in event["Records"][number:]]
            break
    return {"batchItemFailures": failures}

def work(body): ...
"""
BY_GROUP: Final = """\
def handler(event, context):
    failures, failed = [], set()
    for record in event["Records"]:
        group = record["attributes"]["MessageGroupId"]
        try:
            if group in failed:
                raise ValueError("after a failure")
            work(record["body"])
        except Exception:
            failed.add(group)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}

def work(body): ...
"""
FLAGGED: Final = """\
def handler(event, context):
    failures = []
    for record in event["Records"]:
        if failures:
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        try:
            work(record["body"])
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}

def work(body): ...
"""
FIFO: Final = DECLARED.replace(
    "    Type: AWS::SQS::Queue\n", "    Type: AWS::SQS::Queue\n    Properties: {FifoQueue: true}\n"
)


@rule(
    "LE007",
    "fifo-out-of-order",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad={"template.yaml": FIFO, "src/app.py": GOING_ON},
    good=(
        {"template.yaml": FIFO, "src/app.py": STOPPING},
        {"template.yaml": FIFO, "src/app.py": BY_GROUP},
        {"template.yaml": FIFO, "src/app.py": FLAGGED},
        {"template.yaml": DECLARED, "src/app.py": GOING_ON.replace("  # finding", "")},
    ),
)
def check(
    function: Function,
    reach: Reach,
    batches: PerModule[Batches],
    tries: PerModule[Tries],
    records: PerModule[Records],
) -> Problems:
    trigger = next((each for each in function.triggers if _is_ordered(each)), None)
    if trigger is None:
        return
    queue = trigger.source.name if trigger.source is not None else "the queue"
    for path, scope in sorted(reach.invoke):
        module, loops, items = tries.get(path), batches.get(path), records.get(path)
        if module is None or loops is None or items is None or loops.grouped:
            continue
        for loop in loops.loops:
            noted = [each for each in items.failed if loop.scope == scope and loop.body.holds(each.span)]
            for each in module.tries:
                for catch in each.catches if each.scope == scope and loop.body.holds(each.tried) else ():
                    # Where the loop itself reports without a failure of its own, it reports what follows one.
                    if len(noted) == 1 and catch.body.holds(noted[0].span) and not catch.raises and not catch.leaves:
                        yield Problem(
                            catch.head,
                            f"after a failure the loop goes on with the next message of the FIFO queue {queue}",
                            related=(Related(trigger.span, "this delivers the messages in their order"),),
                            hint="report the later messages of the same group as failed, too",
                        )


def _is_ordered(trigger: Trigger) -> bool:
    """Whether it delivers several messages of a FIFO queue and asks which of them failed."""
    if trigger.kind is not TriggerKind.SQS or not declares_failures(trigger) or (batch_size(trigger) or 0) < 2:
        return False
    arn = trigger.settings.get("EventSourceArn")
    if isinstance(arn, Known):
        return str(arn.value).endswith(".fifo")
    fifo = trigger.source.get("FifoQueue") if trigger.source is not None else None
    return isinstance(fifo, Known) and str(fifo.value).lower() == "true"
