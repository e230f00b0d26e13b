"""A mapping that asks for the failures of single records takes an answer without any for success.

With ReportBatchItemFailures a handler that catches what goes wrong with a record has to name it in
``batchItemFailures``.  When it returns nothing, or something without that key, every record of the batch counts as
done: SQS deletes the messages, a stream goes on behind them.  The same happens when the key is misspelt.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import re
from typing import Final

from lambdalint.facts.batches import Batches
from lambdalint.facts.entry import Entry
from lambdalint.facts.expressions import NONE, Collection, Expression, Literal
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.returns import Return, Returns
from lambdalint.facts.tries import Tries
from lambdalint.rule import (
    Applicability,
    CollectFailures,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    Related,
    RenameItem,
    Severity,
    Span,
    Trigger,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import DECLARED, IDENTIFIERS, REPORTING, STREAM, TEMPLATE, declares_failures
from lambdalint_rules.calls.swallowing import swallowings

NOTHING: Final = """\
def handler(event, context):  # finding
    for record in event["Records"]:
        try:
            work(record["body"])
        except Exception as error:
            print(error)

def work(body): ...
"""
STATUS: Final = """\
def handler(event, context):
    failures = []
    if not event["Records"]:
        return
    for record in event["Records"]:
        try:
            work(record["body"])
        except Exception:
            failures.append(record["messageId"])
    return {"statusCode": 200}  # finding

def work(body): ...
"""
MISSPELT: Final = """\
def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            work(record["body"])
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemsFailures": failures}  # finding

def work(body): ...
"""
REPORTED: Final = """\
def handler(event, context):
    if event.get("warm"):
        return {"statusCode": 200}
    failures = []
    for record in event["Records"]:
        try:
            work(record["body"])
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}

def work(body): ...
"""
RAISING: Final = """\
def handler(event, context):
    for record in event["Records"]:
        work(record["body"])

def work(body): ...
"""
ELSEWHERE: Final = """\
from batches import answer

def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            work(record["body"])
        except Exception:
            failures.append(record)
    return answer(failures)

def work(body): ...
"""
KINESIS: Final = STREAM + "      FunctionResponseTypes: [ReportBatchItemFailures]\n"

_KEY: Final = "batchItemFailures"
_MISSPELT: Final = re.compile(r"batch_?items?_?failures?|batch_?failures?|items?_?failures?", re.IGNORECASE)


@rule(
    "LE002",
    "unreturned-batch-failures",
    severity=Severity.ERROR,
    fix="unsafe",
    since="0.1.0",
    bad=(
        {"template.yaml": DECLARED, "src/app.py": NOTHING},
        {"template.yaml": DECLARED, "src/app.py": STATUS},
        {"template.yaml": KINESIS, "src/app.py": MISSPELT},
    ),
    good=(
        {"template.yaml": DECLARED, "src/app.py": REPORTED},
        {"template.yaml": DECLARED, "src/app.py": RAISING},
        {"template.yaml": DECLARED, "src/app.py": ELSEWHERE},
        {"template.yaml": TEMPLATE, "src/app.py": NOTHING.replace("  # finding", "")},
    ),
)
def check(
    function: Function,
    entry: Entry,
    batches: PerModule[Batches],
    tries: PerModule[Tries],
    returns: PerModule[Returns],
    calls: PathCalls,
) -> Problems:
    trigger = next((each for each in function.triggers if each.kind in REPORTING and declares_failures(each)), None)
    definition, path = entry.definition, entry.path
    found = returns.get(path) if path is not None else None
    if trigger is None or definition is None or path is None or found is None or definition.is_deferred:
        return
    done = "SQS deletes every message" if trigger.kind is TriggerKind.SQS else "every record counts as done"
    asking = Related(trigger.span, f"{trigger.name} asks for {_KEY}")
    values = found.get(definition.scope)
    for each in values:
        wrong = _misspelt(each.value)
        if wrong is not None:
            fix = Fix(f"return {_KEY}", Applicability.UNSAFE, changes=(RenameItem(each.span, wrong, _KEY),))
            yield Problem(each.span, f"{wrong!r} is not {_KEY!r}: {done}", related=(asking,), fix=fix)
            return
    caught = [each for each in swallowings(function, batches, tries, returns, calls) if each.path == path]
    caught = [each for each in caught if each.scope == definition.scope]
    if not caught:
        return
    first = caught[0].catch
    around = {
        guard.at
        for call in calls.calls
        if call.path == path and caught[0].tried.holds(call.call.span)
        for guard in call.call.guards
    }
    asked = (Related(first.head, "this failure is caught"), asking)
    collecting = _collecting(first.head, trigger)
    for each in values:
        if (
            _is_without(each.value)
            and (each.span.line, each.span.column) > (first.head.line, 0)
            and not _is_early(each, around)
        ):
            what = "nothing" if each.value == NONE else f"no {_KEY}"
            text = f"{trigger.name} expects {_KEY}, but this returns {what}: {done}"
            yield Problem(each.span, text, related=asked, fix=collecting)
            return
    if definition.scope in found.falls_off and not any(_reports(each.value) for each in values):
        text = f"{trigger.name} expects {_KEY}, but {definition.scope}() returns nothing: {done}"
        yield Problem(definition.span, text, related=asked, fix=collecting)


def _collecting(caught: Span, trigger: Trigger) -> Fix | None:
    keys = IDENTIFIERS.get(trigger.kind)
    if keys is None:
        return None
    change = CollectFailures(caught, keys)
    return Fix("collect the failures and return them", Applicability.UNSAFE, changes=(change,))


def _misspelt(value: Expression) -> str | None:
    if not isinstance(value, Collection) or value.kind != "dict" or not value.complete or value.get(_KEY) is not None:
        return None
    for key in value.keys:
        if isinstance(key, Literal) and isinstance(key.value, str) and _MISSPELT.fullmatch(key.value):
            return key.value
    return None


def _is_without(value: Expression) -> bool:
    """Whether it is surely no answer that names failures."""
    if isinstance(value, Collection):
        known = value.complete and all(isinstance(key, Literal) for key in value.keys)
        return value.kind == "dict" and known and value.get(_KEY) is None
    return isinstance(value, Literal)


def _reports(value: Expression) -> bool:
    return not _is_without(value)


def _is_early(each: Return, around: set[tuple[int, int]]) -> bool:
    """Whether it is chosen by the event, and not as the work is: for no records, or for another caller."""
    return any(guard.on_event and guard.at not in around for guard in each.guards)
