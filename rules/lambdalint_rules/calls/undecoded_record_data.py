"""The data of Kinesis, Firehose and Kafka records is base64, and log data is compressed besides.

Lambda puts bytes into JSON as base64.  Parsing that as JSON fails for every record; reading it as text gives text that
nobody wrote.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import UNKNOWN, CallOf, EventPath, Expression, Item, Literal
from lambdalint.rule import Applicability, Fix, Module, Problem, Problems, Severity, Wrap, rule

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
BAD: Final = """\
import base64
import gzip
import json

def handler(event, context):
    for record in event["Records"]:
        print(json.loads(record["kinesis"]["data"]))  # finding
        parse(record)
    print(gzip.decompress(event["awslogs"]["data"]))  # finding
    print(json.loads(base64.b64decode(event["awslogs"]["data"])))  # finding
    firehose(event)
    kafka(event)

def firehose(event):
    for record in event["records"]:
        print(json.loads(record["data"]))  # finding

def kafka(event):
    for partition in event["records"]:
        for record in event["records"][partition]:
            print(json.loads(record["value"]))  # finding

def parse(record):
    return json.loads(record["kinesis"]["data"])  # finding
"""
GOOD: Final = """\
import base64
import gzip
import json
from aws_lambda_powertools.utilities.data_classes import KinesisStreamEvent

def handler(event, context):
    for record in event["Records"]:
        print(json.loads(base64.b64decode(record["kinesis"]["data"])))
        print(json.loads(decoded(record["kinesis"]["data"])))
        print(json.loads(record["body"]))
    for record in KinesisStreamEvent(event).records:
        print(record.kinesis.data_as_json())
    print(json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"]))))
    print(json.loads(event["data"]))

def decoded(data):
    return base64.b64decode(data)
"""

_PARSERS: Final = ("json.loads", "gzip.decompress", "zlib.decompress", "pickle.loads")
_DECODERS: Final = ("base64.b64decode", "base64.standard_b64decode", "base64.decodebytes")


@rule(
    "LV003",
    "undecoded-record-data",
    severity=Severity.ERROR,
    fix="unsafe",
    since="0.1.0",
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good={"template.yaml": TEMPLATE, "src/app.py": GOOD},
)
def check(module: Module, calls: Calls, arguments: Arguments) -> Problems:
    for call in calls.calls:
        if call.name not in _PARSERS or not call.args:
            continue
        values = list(arguments.alternatives(call.args[0], call.scope))
        for value in values:
            sender = _sender(value)
            packed = call.name == "json.loads" and _sender(_decoded(value)) == "CloudWatch Logs"
            if sender is None and not packed:
                continue
            whose, what, way = (
                ("CloudWatch Logs", "compressed", "decompress it first: gzip.decompress(base64.b64decode(data))")
                if packed
                else (sender, "base64", "decode it first: base64.b64decode(data)")
            )
            yield Problem(
                call.span,
                f"the data from {whose} is {what}; {call.name}() of it fails",
                hint=way,
                fix=_decoding(call, packed=packed, logs=whose == "CloudWatch Logs") if len(set(values)) == 1 else None,
            )
            break


def _decoding(call: Call, *, packed: bool, logs: bool) -> Fix:
    if packed:
        change = Wrap(call.span, "gzip.decompress({})", (0,), ("gzip",))
    elif logs and call.name == "json.loads":
        change = Wrap(call.span, "gzip.decompress(base64.b64decode({}))", (0,), ("base64", "gzip"))
    else:
        change = Wrap(call.span, "base64.b64decode({})", (0,), ("base64",))
    return Fix("decode the data first", Applicability.UNSAFE, changes=(change,))


def _decoded(value: Expression) -> Expression:
    """What is decoded in *value*, if that is what it does."""
    return value.args[0] if isinstance(value, CallOf) and value.name in _DECODERS and value.args else UNKNOWN


def _sender(value: Expression) -> str | None:
    """Whose record *value* is the data of, as it stands in the event."""
    match value:
        case EventPath((*_, "kinesis", "data"), False) | Item(Item(_, Literal("kinesis")), Literal("data")):
            return "Kinesis"
        case EventPath(("records", None | int(), "data"), False):
            return "Firehose"
        case EventPath(("records", _, None | int(), "value" | "key"), False):
            return "Kafka"
        case EventPath(("awslogs", "data"), False):
            return "CloudWatch Logs"
        case _:
            return None
