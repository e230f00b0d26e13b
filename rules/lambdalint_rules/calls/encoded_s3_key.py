"""The key in an S3 notification is URL-encoded: a blank comes as ``+``, an umlaut as ``%C3%BC``.

A call for that object fails with ``NoSuchKey``, or touches another one, for every key that is not plain.  Test events
with ``test.txt`` never show it.  The same holds for the keys of S3 batch tasks.  Events of S3 that come by EventBridge
are not encoded, and the data classes of Powertools decode.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import (
    NONE,
    CallOf,
    Collection,
    Either,
    EventPath,
    Expression,
    Item,
    Joined,
    Literal,
)
from lambdalint.rule import Applicability, Confidence, Fix, Module, Problem, Problems, Severity, Wrap, rule

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Thumbnails:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
"""

READ: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)  # finding
"""
PASSED: Final = """\
import json
import os

import boto3

s3 = boto3.resource("s3")
queue = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        convert(record)
    task = event["tasks"][0]
    s3.Object("pictures", task["s3Key"]).delete()  # finding

def convert(record):
    bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
    fetch(bucket, key)
    queue.send_message(QueueUrl="q", MessageBody=json.dumps({"key": key}))  # finding

def fetch(bucket, key):
    path = os.path.join("/tmp", os.path.basename(key))
    s3.Bucket(bucket).download_file(key, path)  # finding
    with open(f"/tmp/{key}.txt", "w") as note:  # finding
        note.write(key)
"""
GOOD: Final = """\
from urllib.parse import unquote_plus

import boto3
from aws_lambda_powertools.utilities.data_classes import S3Event

s3 = boto3.client("s3")

def handler(event, context):
    if "detail" in event:
        return s3.get_object(Bucket="pictures", Key=event["detail"]["object"]["key"])
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        print(f"looking at {key}")
        if key.endswith("/"):
            continue
        key = unquote_plus(key)
        s3.get_object(Bucket="pictures", Key=key)
        s3.head_object(Bucket="pictures", Key=unquote_plus(record["s3"]["object"]["key"], encoding="utf-8"))
        s3.put_object(Bucket="pictures", Key=decoded(record["s3"]["object"]["key"]))
        archive(record["s3"]["object"]["key"])
    for record in S3Event(event).records:
        s3.delete_object(Bucket="pictures", Key=record.s3.get_object.key)

def decoded(key):
    return unquote_plus(key)

def archive(key):
    key = unquote_plus(key)
    s3.delete_object(Bucket="pictures", Key=key)
"""

#: Services that look up an object of S3 by the key they are given.
_READERS: Final = ("s3", "rekognition", "textract")
#: Calls that hand a key on: whoever gets it, gets it encoded.
_MESSAGES: Final = (
    "client(sqs).send_message",
    "client(sns).publish",
    "client(stepfunctions).start_execution",
    "client(lambda).invoke",
)
_OPENERS: Final = ("open", "io.open", "smart_open.open", "pathlib.Path")
#: Calls that leave the encoding as it is.
_KEEPING: Final = ("os.path.join", "os.path.basename", "os.path.splitext", "os.path.split", "str", "json.dumps")


@rule(
    "LV002",
    "encoded-s3-key",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": READ},
        {"template.yaml": TEMPLATE, "src/app.py": PASSED},
    ),
    good=({"template.yaml": TEMPLATE, "src/app.py": GOOD},),
)
def check(module: Module, calls: Calls, arguments: Arguments) -> Problems:
    for call in calls.calls:
        use = None if call.name is None or call.skipped else _use(call.name)
        if use is None or not any(_is_encoded(each) for each in _passed(call, arguments)):
            continue
        what, confidence = use
        yield Problem(
            call.span,
            f'{what} gets the key as the S3 event has it, URL-encoded: "my file.txt" is my+file.txt in it',
            confidence=confidence,
            hint="decode it first: urllib.parse.unquote_plus(key)",
            fix=_decoding(call, arguments),
        )


def _use(name: str) -> tuple[str, Confidence | None] | None:
    """What a call does with a key, as far as the encoding matters to it."""
    if name in _OPENERS:
        return f"{name.rpartition('.')[2]}()", Confidence.MEDIUM
    if not name.startswith(("boto3.", "aioboto3.")):
        return None
    method = name.rpartition(".")[2]
    if name.endswith(_MESSAGES):
        return f"the message of {method}()", Confidence.MEDIUM
    if any(f"client({service})." in name or f"resource({service})." in name for service in _READERS):
        return f"{method}()", None
    return None


def _passed(call: Call, arguments: Arguments) -> Iterator[Expression]:
    for argument in (*call.args, *call.keywords.values()):
        yield from arguments.alternatives(argument, call.scope)


def _decoding(call: Call, arguments: Arguments) -> Fix | None:
    """The fix that decodes the arguments which are a key and nothing else; none where a key is in another one."""
    changes = []
    given: Iterator[tuple[int | str, Expression]] = chain(enumerate(call.args), call.keywords.items())
    for step, argument in given:
        values = list(arguments.alternatives(argument, call.scope))
        if not any(map(_is_encoded, values)):
            continue
        if call.has_star_args or not all(_is_encoded(value) and not _holds_more(value) for value in values):
            return None
        changes.append(Wrap(call.span, "unquote_plus({})", (step,), ("urllib.parse.unquote_plus",)))
    return Fix("decode the key", Applicability.UNSAFE, changes=tuple(changes))


def _holds_more(value: Expression) -> bool:
    match value:
        case Either(options):
            return any(_holds_more(option) for option in options if option != NONE)
        case _:
            return isinstance(value, Joined | Collection | CallOf)


def _is_encoded(value: Expression) -> bool:
    """Whether *value* is, or holds, a key as it stands in a notification."""
    match value:
        case EventPath(keys, False):
            return keys[-3:] == ("s3", "object", "key") or (keys[:1] == ("tasks",) and keys[2:] == ("s3Key",))
        case Item(Item(Item(_, Literal("s3")), Literal("object")), Literal("key")):
            return True
        case Joined(parts):
            return any(map(_is_encoded, parts))
        case Collection(_, items):
            return any(map(_is_encoded, items))
        case Item(of) if not isinstance(of, Item | EventPath):
            return _is_encoded(of)
        case CallOf(name, args) if name in _KEEPING:
            return any(map(_is_encoded, args))
        case Either(options):
            # Names are not followed through time: it may have been decoded before it is used.
            return all(_is_encoded(option) for option in options if option != NONE)
        case _:
            return False
