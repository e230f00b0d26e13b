"""Module code runs once in an execution environment, which then serves invocations for hours.

A date, a time or a random value that is read there, or as the default of a parameter, stays as it is: after midnight
the function works with yesterday's date, and ids that should be unique repeat.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from pathlib import PurePosixPath
from typing import Final

from lambdalint.facts.frozen import Fresh, Frozen, FrozenValue
from lambdalint.facts.imports import Imports
from lambdalint.rule import (
    Applicability,
    Confidence,
    DefaultInBody,
    Fix,
    Module,
    MoveIntoFunction,
    PerModule,
    Problem,
    Problems,
    Project,
    Related,
    Severity,
    rule,
)
from lambdalint_rules.handler.samples import orders

_KEEPS: Final = {
    Fresh.TIME: "a warm environment keeps that time",
    Fresh.RANDOM: "all invocations of a warm environment get the same",
    Fresh.TRACE: "later invocations have another",
}


@rule(
    "LS003",
    "frozen-value",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    bad=(
        orders("""\
import os
import uuid
from datetime import date, datetime, timedelta

import boto3

table = boto3.resource("dynamodb").Table("orders")
TODAY = date.today()  # finding
WEEK_AGO = (datetime.now() - timedelta(days=7)).isoformat()  # finding
REQUEST = str(uuid.uuid4())  # finding
TRACE = os.environ.get("_X_AMZN_TRACE_ID")  # finding
KEY = f"orders/{datetime.utcnow():%Y-%m-%d}.json"  # finding

def handler(event, context):
    if event["date"] < TODAY.isoformat():
        return None
    item = {"id": REQUEST, "trace": TRACE}
    table.put_item(Item=item)
    return note(event, KEY)

def note(event, key, at=datetime.now()):  # finding
    return {"key": key, "at": at.isoformat(), "since": WEEK_AGO}
"""),
    ),
    good=(
        orders("""\
import logging
import random
import time
import uuid
from datetime import date, datetime

STARTED_AT = datetime.now()
COLD_START = time.time()
INSTANCE_ID = uuid.uuid4().hex
SEED = random.randint(0, 100)
TODAY = date.today()
BEGIN = time.time()
NOW = None
RELEASE = date(2026, 11, 1)
SHOWN = time.strftime("%Y", time.gmtime(0))
random.seed(SEED)
logger = logging.getLogger()

def handler(event, context):
    global NOW
    NOW = datetime.now()
    logger.info("imported on %s", TODAY)
    today = date.today()
    return {
        "age": time.time() - BEGIN,
        "since": STARTED_AT.isoformat(),
        "id": INSTANCE_ID,
        "at": note(NOW),
        "release": RELEASE.isoformat(),
        "today": today.isoformat(),
        "shown": SHOWN,
    }

def note(at=None, limit=time.monotonic):
    return at or datetime.now(), limit()

if __name__ == "__main__":
    CALLED = datetime.now()
"""),
    ),
)
def check(module: Module, frozen: Frozen, project: Project, imports: PerModule[Imports]) -> Problems:
    for value in frozen.values:
        when = "as the default of a parameter, once, at import" if value.default else "at import"
        yield Problem(
            value.span,
            f"{value.name} is computed {when}; {_KEEPS[value.fresh]}",
            related=(Related(value.use, f"{value.name} is {'the parameter' if value.default else 'used here'}"),),
            hint="compute it in the handler",
            fix=_thawing(value, module.path, project, imports),
        )


def _thawing(value: FrozenValue, path: str, project: Project, imports: PerModule[Imports]) -> Fix | None:
    """The fix that computes it anew, where nobody else may want to import it."""
    if value.default:
        return Fix("compute it in the call", Applicability.UNSAFE, changes=(DefaultInBody(value.span),))
    name = PurePosixPath(path).stem
    for other in project.modules:
        found = imports.get(other.path) if other.path != path else None
        if found is not None and any(name in (*each.module.split("."), each.name) for each in found.imports):
            return None
    # A random value is one for the invocation: only the handler itself runs once in it.
    handlers = tuple(
        each.target.scope or "" for each in project.loaders().get(path, ()) if each.target.scope_path == path
    )
    change = MoveIntoFunction(value.span, handlers if value.fresh is Fresh.RANDOM else None)
    return Fix("compute it in the function", Applicability.UNSAFE, changes=(change,))
