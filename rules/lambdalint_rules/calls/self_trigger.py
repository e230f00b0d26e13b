"""A function that writes to what triggers it invokes itself, again and again.

Every invocation makes the next one, until money or concurrency runs out.  Lambda stops such loops after 16 rounds, but
only by way of SQS, SNS, S3 and its own API: not those through a table, a stream or an event bus.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.expressions import (
    CallOf,
    Collection,
    Env,
    EventPath,
    Expression,
    Joined,
    Literal,
    text,
    text_prefix,
)
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.rule import (
    Function,
    Known,
    PerModule,
    Problem,
    Problems,
    Properties,
    Property,
    Related,
    Severity,
    Trigger,
    TriggerKind,
    Unknown,
    rule,
)
from lambdalint_rules.calls.sources import is_source, variable

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pictures:
    Type: AWS::S3::Bucket
  Jobs:
    Type: AWS::SQS::Queue
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      StreamSpecification: {{StreamViewType: NEW_IMAGE}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Environment:
        Variables: {{BUCKET: !Ref Pictures, QUEUE: !Ref Jobs, TABLE: !Ref Orders}}
      Events:
        Change: {event}
"""
UPLOAD: Final = TEMPLATE.format(event="{Type: S3, Properties: {Bucket: !Ref Pictures, Events: s3:ObjectCreated:*}}")
PREFIXED: Final = UPLOAD.replace(
    "ObjectCreated:*}", "ObjectCreated:*, Filter: {S3Key: {Rules: [{Name: prefix, Value: uploads/}]}}}"
)
JOB: Final = TEMPLATE.format(event="{Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}")
ROW: Final = TEMPLATE.format(
    event="{Type: DynamoDB, Properties: {Stream: !GetAtt Orders.StreamArn, StartingPosition: LATEST}}"
)
FILTERED: Final = ROW.replace(
    "LATEST}", 'LATEST, FilterCriteria: {Filters: [{Pattern: \'{"eventName": ["INSERT"]}\'}]}}'
)

SAME_BUCKET: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
        s3.put_object(Bucket=bucket, Key=f"uploads/small-{key}", Body=b"")  # finding
"""
OTHER_PREFIX: Final = SAME_BUCKET.replace("uploads/small", "thumbnails/small").replace("  # finding", "")
GUARDED: Final = """\
import os
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        if key.endswith("-small.jpg"):
            continue
        s3.put_object(Bucket=os.environ["BUCKET"], Key=key + "-small.jpg", Body=b"")
"""
SAME_QUEUE: Final = """\
import os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        forward(record["body"])

def forward(body):
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=body)  # finding
"""
RETRYING: Final = """\
import os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=record["body"], DelaySeconds=60)
        if record["attributes"]["ApproximateReceiveCount"] == "1":
            forward(record["body"])

def forward(body):
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=body)

def work(record): ...
"""
SAME_TABLE: Final = """\
import os
import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

def handler(event, context):
    for record in event["Records"]:
        table.update_item(Key={"id": "1"}, UpdateExpression="SET seen = :s")  # finding
"""
ITSELF: Final = """\
import boto3

functions = boto3.client("lambda")

def handler(event, context):
    functions.invoke(FunctionName=context.function_name, InvocationType="Event")  # finding
"""
OTHER: Final = ITSELF.replace("context.function_name", '"billing"').replace("  # finding", "")


class _Write(NamedTuple):
    """Where an operation takes what it writes to: a keyword and a position of its own, none for keywords only."""

    keyword: str
    position: int | None = None


_S3: Final = {
    "put_object": _Write("Bucket"),
    "copy_object": _Write("Bucket"),
    "upload_file": _Write("Bucket", 1),
    "upload_fileobj": _Write("Bucket", 1),
    "copy": _Write("Bucket", 1),
}
_WRITES: Final[Mapping[TriggerKind, Mapping[str, _Write]]] = {
    TriggerKind.S3: {f"client(s3).{operation}": write for operation, write in _S3.items()},
    TriggerKind.SQS: {f"client(sqs).{each}": _Write("QueueUrl") for each in ("send_message", "send_message_batch")},
    TriggerKind.SNS: {f"client(sns).{each}": _Write("TopicArn") for each in ("publish", "publish_batch")},
    TriggerKind.KINESIS: {f"client(kinesis).{each}": _Write("StreamName") for each in ("put_record", "put_records")},
    TriggerKind.DYNAMODB: {
        f"client(dynamodb).{each}": _Write("TableName") for each in ("put_item", "update_item", "delete_item")
    },
}
_TABLE: Final = "boto3.resource(dynamodb).Table"
_TABLE_WRITES: Final = tuple(f"{_TABLE}().{each}" for each in ("put_item", "update_item", "delete_item"))
_INVOKES: Final = ("boto3.client(lambda).invoke", "boto3.client(lambda).invoke_async")
#: Guards that may end the loop.
_ENDING: Final = (GuardKind.CONDITION, GuardKind.UNSET, GuardKind.EXCEPT, GuardKind.ENV, GuardKind.VERSION)
_DECODING: Final = ("urllib.parse.unquote_plus", "urllib.parse.unquote", "str")


@rule(
    "LE014",
    "self-trigger",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": UPLOAD, "src/app.py": SAME_BUCKET},
        {"template.yaml": PREFIXED, "src/app.py": SAME_BUCKET},
        {"template.yaml": JOB, "src/app.py": SAME_QUEUE},
        {"template.yaml": ROW, "src/app.py": SAME_TABLE},
        {"template.yaml": JOB, "src/app.py": ITSELF},
    ),
    good=(
        {"template.yaml": PREFIXED, "src/app.py": OTHER_PREFIX},
        {"template.yaml": UPLOAD, "src/app.py": GUARDED},
        {"template.yaml": JOB, "src/app.py": RETRYING},
        {"template.yaml": FILTERED, "src/app.py": SAME_TABLE.replace("  # finding", "")},
        {"template.yaml": UPLOAD, "src/app.py": SAME_QUEUE.replace("  # finding", "")},
        {"template.yaml": JOB, "src/app.py": OTHER},
    ),
)
def check(function: Function, calls: PathCalls, arguments: PerModule[Arguments]) -> Problems:
    ways = _Ways(function, calls)
    for call in calls.calls:
        if call.phase != "invoke" or call.name is None:
            continue
        if call.name in _INVOKES:
            target = call.call.argument(None, "FunctionName")
            if target is not None and _is_itself(target, function) and ways.is_certain(call):
                text = f"{function.name} invokes itself, and nothing before this asks whether to stop"
                yield Problem(call.call.span, text, related=calls.way(call))
            continue
        for trigger in function.triggers:
            if _writes_to(trigger, call, calls, function, arguments) and ways.is_certain(call):
                source = trigger.source.name if trigger.source is not None else trigger.name
                yield Problem(
                    call.call.span,
                    f"{function.name} writes to {source}{_part(trigger)}, which triggers it",
                    related=(*calls.way(call), Related(trigger.span, "this invokes the function again")),
                )
                break


class _Ways:
    """Tells which calls happen for every event: nothing on the way there may end the loop."""

    def __init__(self, function: Function, calls: PathCalls) -> None:
        dotted = {path: name for name, path in reversed(tuple(function.modules.items()))}
        self._entry = (function.target.scope_path, function.target.scope)
        self._callers: dict[str, list[PathCall]] = {}
        self._dotted = dotted
        for call in calls.calls:
            if call.phase == "invoke" and call.name is not None:
                self._callers.setdefault(call.name, []).append(call)

    def is_certain(self, call: PathCall, depth: int = 0) -> bool:
        """Whether *call* is made whatever the event says."""
        if any(guard.kind in _ENDING for guard in call.call.guards) or depth > 5:
            return False
        if (call.path, call.call.scope) == self._entry:
            return True
        name = f"{self._dotted.get(call.path, '')}.{call.call.scope}"
        return any(self.is_certain(caller, depth + 1) for caller in self._callers.get(name, ()))


def _writes_to(
    trigger: Trigger, call: PathCall, calls: PathCalls, function: Function, arguments: PerModule[Arguments]
) -> bool:
    """Whether *call* surely writes what invokes the function by *trigger*."""
    settings = trigger.settings
    if trigger.source is None or "FilterCriteria" in settings or "FilterPolicy" in settings or call.name is None:
        return False
    if trigger.kind is TriggerKind.DYNAMODB and call.name in _TABLE_WRITES:
        tables = {each.call.argument(0, "name") for each in calls.calls if each.name == _TABLE}
        table = tables.pop() if len(tables) == 1 else None
        conditional = "ConditionExpression" in call.call.keywords or "**" in call.call.keywords
        return table is not None and not conditional and is_source(table, trigger, function)
    write = _WRITES.get(trigger.kind, {}).get(call.name.removeprefix("boto3."))
    target = call.call.argument(write.position, write.keyword) if write else None
    if write is None or target is None or "ConditionExpression" in call.call.keywords:
        return False
    key = call.call.argument(None if write.position is None else write.position + 1, "Key")
    known = arguments.get(call.path)
    for each, at in _filled(target, key, call, known):
        if is_source(each, trigger, function):
            return trigger.kind is not TriggerKind.S3 or _may_match(at, settings)
    return False


def _filled(
    target: Expression, key: Expression | None, call: PathCall, arguments: Arguments | None
) -> Iterator[tuple[Expression, Expression | None]]:
    """The bucket and the key, say, for each way to call the function around."""
    together = Collection("tuple", (target, key or Literal(None)))
    for each in arguments.alternatives(together, call.call.scope) if arguments is not None else (together,):
        if isinstance(each, Collection) and len(each.items) == 2:
            yield each.items[0], None if key is None else each.items[1]


def _is_itself(target: Expression, function: Function) -> bool:
    match target:
        case EventPath(("function_name" | "invoked_function_arn",), True) | Env("AWS_LAMBDA_FUNCTION_NAME"):
            return True
        case Env(name):
            value = variable(function, name)
            return isinstance(value, Unknown) and value.refers is not None and value.refers.resource == function.name
        case _:
            return False


def _may_match(key: Expression | None, settings: Properties) -> bool:
    """Whether an object with *key* surely passes the notification's filter."""
    events = settings.get("Event", settings.get("Events"))
    if not isinstance(events, Known):
        return False
    listed = events.value if isinstance(events.value, tuple) else (events,)
    if not any(isinstance(each, Known) and "ObjectCreated" in str(each.value) for each in listed):
        return False
    rules = _rules(settings)
    if rules is None:
        return False
    if not rules or (key is not None and _is_same(key)):
        return True
    if key is None:
        return False
    start, end = text_prefix(key), _end(key)
    return all(start.startswith(value) if name == "prefix" else end.endswith(value) for name, value in rules)


def _rules(settings: Properties) -> list[tuple[str, str]] | None:
    """The names and values of the filter's rules, as CloudFormation or the CDK's helper spells them.

    ``None`` where one is not known.
    """
    found: list[tuple[str, str]] = []
    rules: Property | None = settings.get("Filter")
    for key, other in (("S3Key", "Key"), ("Rules", "FilterRules")):
        if rules is None:
            return found
        if not isinstance(rules, Known) or not isinstance(rules.value, Mapping):
            return None
        rules = rules.value.get(key, rules.value.get(other))
    if rules is None:
        return found
    for each in rules.value if isinstance(rules, Known) and isinstance(rules.value, tuple) else (rules,):
        inner = each.value if isinstance(each, Known) and isinstance(each.value, Mapping) else {}
        name, value = inner.get("Name"), inner.get("Value")
        if not isinstance(name, Known) or not isinstance(value, Known):
            return None
        found.append((str(name.value).lower(), str(value.value)))
    return found


def _is_same(key: Expression) -> bool:
    """Whether it is the key of the object that the event tells of."""
    match key:
        case EventPath(keys=(*_, "s3", "object", "key")):
            return True
        case CallOf(str(name), (only, *_)) if name in _DECODING:
            return _is_same(only)
        case _:
            return False


def _end(key: Expression) -> str:
    whole = text(key)
    if whole is not None:
        return whole
    last = key.parts[-1] if isinstance(key, Joined) and key.parts else None
    return last.value if isinstance(last, Literal) and isinstance(last.value, str) else ""


def _part(trigger: Trigger) -> str:
    rules = _rules(trigger.settings) if trigger.kind is TriggerKind.S3 else None
    prefix = next((value for name, value in rules or () if name == "prefix"), "")
    return f" under {prefix}" if prefix else ""
