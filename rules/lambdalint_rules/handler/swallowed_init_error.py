"""An exception that is caught at import only moves to the first line that needs what is missing.

Left alone, it fails init, and Lambda reports it by its name and starts anew.  Caught, it leaves ``None`` behind, and
every invocation fails with an ``AttributeError`` that says nothing of the reason, as long as the environment lives.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from lambdalint.facts.swallowed_init import SwallowedInit
from lambdalint.rule import Confidence, Module, Problem, Problems, Related, Severity, rule
from lambdalint_rules.handler.samples import orders

BAD = """\
import logging
import os
import boto3

try:
    import orjson
except ImportError:
    orjson = None

table = None
try:
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
except Exception:
    logging.exception("no table")

def handler(event, context):
    table.put_item(Item=event)  # finding
    return orjson.dumps(event)  # finding
"""
GOOD = """\
import json
import logging
import os
import sys
import boto3
import pymysql

try:
    import orjson
except ImportError:
    orjson = None

try:
    import ujson
except ImportError:
    import json as ujson

try:
    import xray
    HAS_XRAY = True
except ImportError:
    HAS_XRAY = False

try:
    queue = boto3.resource("sqs").Queue(os.environ["QUEUE"])
except KeyError:
    queue = None

try:
    connection = pymysql.connect(host=os.environ["HOST"])
except Exception:
    logging.exception("no database")
    sys.exit(1)

try:
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
except Exception:
    table = None

def store():
    global table
    table = table or boto3.resource("dynamodb").Table("orders")
    return table

def handler(event, context):
    if HAS_XRAY:
        xray.start()
    connection.ping()
    store().put_item(Item=event)
    text = json.dumps(event) if orjson is None else orjson.dumps(event)
    return ujson.loads(text), queue.url
"""
TRIED = """\
import boto3

try:
    client = boto3.client("s3")
except Exception:
    client = None

def handler(event, context):
    try:
        return client.list_buckets()
    except AttributeError:
        return []
"""


@rule(
    "LI010",
    "swallowed-init-error",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    covers=("ruff:BLE001",),
    bad=orders(BAD),
    good=(orders(GOOD), orders(TRIED)),
)
def check(module: Module, swallowed: SwallowedInit) -> Problems:
    for each in swallowed.found:
        what = "a failed import" if each.imported else "an exception at import"
        state = "as None" if each.is_none else "unbound"
        yield Problem(
            each.used,
            f"{what} leaves {each.name} {state}; {each.scope}() uses it without asking",
            related=(Related(each.caught, "the exception is swallowed here"),),
            hint="let it raise: Lambda reports the init error by its name",
        )
