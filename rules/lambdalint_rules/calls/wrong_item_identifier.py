"""A record reported as failed under anything but its own identifier makes the whole batch fail.

SQS knows its messages by ``messageId``, Kinesis its records by ``kinesis.sequenceNumber`` and DynamoDB by
``dynamodb.SequenceNumber``.  Another value, another spelling of ``itemIdentifier`` or a plain string in the list make
Lambda take the whole batch for failed: what was handled is handled again.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from typing import Final

from lambdalint.facts.expressions import Collection, EventPath, Expression, Item, Literal, Parameter
from lambdalint.facts.reach import Reach
from lambdalint.facts.records import FailedItem, Records
from lambdalint.facts.returns import Returns
from lambdalint.rule import (
    Applicability,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    ReadKeys,
    Related,
    RenameKey,
    Severity,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import DECLARED, IDENTIFIERS, REPORTING, STREAM, declares_failures

APP: Final = """\
def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            failures.append({{"{key}": {value}}}){mark}
    return {{"batchItemFailures": failures}}

def work(record): ...
"""
MARK: Final = "  # finding"
STRINGS: Final = """\
def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            failures.append(record["messageId"])
    return {"batchItemFailures": failures}  # finding

def work(record): ...
"""
LISTED: Final = """\
def handler(event, context):
    records = event["Records"]
    return {"batchItemFailures": [{"itemIdentifier": record["receiptHandle"]} for record in records]}  # finding

def work(record): ...
"""
HELPER: Final = """\
def handler(event, context):
    return {"batchItemFailures": [failure(record) for record in event["Records"]]}

def failure(record):
    return {"itemIdentifier": record["receiptHandle"]}  # finding
"""
KINESIS: Final = STREAM + "      FunctionResponseTypes: [ReportBatchItemFailures]\n"
DYNAMODB: Final = KINESIS.replace(
    "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
    "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",
)

_KEY: Final = "itemIdentifier"
#: What else a record has that is taken for its identifier.
_OTHERS: Final = frozenset(
    (
        ("receiptHandle",),
        ("messageID",),
        ("MessageId",),
        ("body",),
        ("md5OfBody",),
        ("eventID",),
        ("eventId",),
        ("eventSourceARN",),
        ("sequenceNumber",),
        ("SequenceNumber",),
        ("attributes", "SequenceNumber"),
        ("attributes", "MessageGroupId"),
        ("attributes", "MessageDeduplicationId"),
        ("kinesis", "partitionKey"),
        ("kinesis", "SequenceNumber"),
        ("dynamodb", "sequenceNumber"),
        *IDENTIFIERS.values(),
    )
)


@rule(
    "LE005",
    "wrong-item-identifier",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {
            "template.yaml": DECLARED,
            "src/app.py": APP.format(key=_KEY, value='record["receiptHandle"]', mark=MARK),
        },
        {"template.yaml": KINESIS, "src/app.py": APP.format(key=_KEY, value='record["eventID"]', mark=MARK)},
        {"template.yaml": DYNAMODB, "src/app.py": APP.format(key=_KEY, value='record["eventID"]', mark=MARK)},
        {
            "template.yaml": DECLARED,
            "src/app.py": APP.format(key="itemIdentifer", value='record["messageId"]', mark=MARK),
        },
        {"template.yaml": DECLARED, "src/app.py": STRINGS},
        {"template.yaml": DECLARED, "src/app.py": LISTED},
        {"template.yaml": DECLARED, "src/app.py": HELPER},
    ),
    good=(
        {"template.yaml": DECLARED, "src/app.py": APP.format(key=_KEY, value='record["messageId"]', mark="")},
        {
            "template.yaml": KINESIS,
            "src/app.py": APP.format(key=_KEY, value='record["kinesis"]["sequenceNumber"]', mark=""),
        },
        {
            "template.yaml": DYNAMODB,
            "src/app.py": APP.format(key=_KEY, value='record["dynamodb"]["SequenceNumber"]', mark=""),
        },
        {"template.yaml": DECLARED, "src/app.py": APP.format(key=_KEY, value="identifier(record)", mark="")},
        {
            "template.yaml": KINESIS.replace("arn:aws:kinesis", "arn:aws:kafka"),
            "src/app.py": APP.format(key=_KEY, value='{"partition": record["partition"]}', mark=""),
        },
    ),
)
def check(function: Function, reach: Reach, records: PerModule[Records], returns: PerModule[Returns]) -> Problems:
    triggers = [each for each in function.triggers if each.kind in REPORTING and declares_failures(each)]
    kinds = {each.kind for each in triggers}
    if not triggers or not kinds <= IDENTIFIERS.keys():
        return
    wanted = " or ".join(sorted(".".join(IDENTIFIERS[kind]) for kind in kinds))
    sources = " and ".join(sorted(REPORTING[kind] for kind in kinds))
    asking = Related(triggers[0].span, f"{triggers[0].name} asks for failed records")
    outcome = "so the whole batch is tried again"
    for path, module in sorted((path, module) for path in _paths(reach) if (module := records.get(path)) is not None):
        for each in module.failed:
            if (path, each.scope) not in reach.invoke:
                continue
            if each.key != _KEY:
                if each.whole:
                    yield Problem(
                        each.span, f"{each.key!r} is not {_KEY!r}, {outcome}", related=(asking,), fix=_renaming(each)
                    )
                continue
            keys = _keys(each.value)
            if keys in _OTHERS and keys not in {IDENTIFIERS[kind] for kind in kinds}:
                text = f"{_KEY} is the {'.'.join(keys)}; {sources} wants {wanted}, {outcome}"
                yield Problem(each.span, text, related=(asking,), fix=_reading(each, keys, kinds))
    entry, scope = function.target.scope_path, function.target.scope
    found = returns.get(entry) if entry is not None else None
    for answer in found.get(scope) if found is not None and scope is not None else ():
        if _is_plain(answer.value):
            text = f"batchItemFailures holds plain strings and no dicts with {_KEY}, {outcome}"
            yield Problem(answer.span, text, related=(asking,))


def _renaming(item: FailedItem) -> Fix:
    change = RenameKey(item.span, item.key, _KEY)
    return Fix(f"call it {_KEY}", Applicability.UNSAFE, changes=(change,))


def _reading(item: FailedItem, keys: tuple[str, ...], kinds: set[TriggerKind]) -> Fix | None:
    """The fix that reads what the source knows the record by, where all sources know it by the same."""
    right = {IDENTIFIERS[kind] for kind in kinds}
    if len(right) != 1:
        return None
    (new,) = right
    return Fix(f"report the {'.'.join(new)}", Applicability.UNSAFE, changes=(ReadKeys(item.span, keys, new),))


def _paths(reach: Reach) -> set[str]:
    return {path for path, _ in reach.invoke}


def _keys(value: Expression) -> tuple[str, ...]:
    """What is read of a record; nothing where it is not known to be one."""
    keys: list[str] = []
    while isinstance(value, Item) and isinstance(value.key, Literal) and isinstance(value.key.value, str):
        keys.insert(0, value.key.value)
        value = value.of
    if isinstance(value, Parameter) and value.name in ("record", "message", "msg", "item"):
        return tuple(keys)
    if isinstance(value, EventPath) and value.keys[:1] == ("Records",) and len(value.keys) > 2:
        inside = (*value.keys[2:], *keys)
        return tuple(str(key) for key in inside) if all(isinstance(key, str) for key in inside) else ()
    return ()


def _is_plain(value: Expression) -> bool:
    failures = value.get("batchItemFailures") if isinstance(value, Collection) else None
    if not isinstance(failures, Collection) or failures.kind != "list" or not failures.items:
        return False
    return all(
        (isinstance(each, Literal) and isinstance(each.value, str)) or _keys(each) in IDENTIFIERS.values()
        for each in failures.items
    )
