"""``/tmp`` outlives an invocation, and the next one finds in it what this one left.

A file of a constant name is safe as long as every invocation makes it anew before it reads it.  One that is added to,
or made only under a condition and read without it, hands the data of one event to the next.  ``tempfile.mktemp`` only
makes a name up, which somebody else may take before it is used.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
"""

from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files, FileUse
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.module_state import ModuleState
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Problem,
    Problems,
    Related,
    Severity,
    UseTemporary,
    rule,
)
from lambdalint_rules.handler.samples import orders
from lambdalint_rules.handler.temporary import TMP, deletes, invoked, is_checked


@rule(
    "LF002",
    "fixed-tmp-name",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    covers=(
        "ruff:S306",
        "bandit:B306",
        "semgrep:hardcoded-tmp-path",
        "semgrep:mktemp",
        "codeguru:insecure-temp-file",
    ),
    bad=(
        orders("""\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    if "key" in event:
        s3.download_file("orders", event["key"], "/tmp/data.csv")  # finding
    with open("/tmp/data.csv") as data:
        return data.read()
"""),
        orders("""\
import tempfile
from pathlib import Path

def handler(event, context):
    report = tempfile.mktemp()  # finding
    Path(report).write_text(event["text"])
    for order in event["orders"]:
        note(order)
    return Path("/tmp/orders.txt").read_text()

def note(order):
    with open("/tmp/orders.txt", "a") as file:  # finding
        file.write(order)
"""),
    ),
    good=(
        orders("""\
import os
import uuid

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    if not os.path.exists("/tmp/model.bin"):
        s3.download_file("models", "model.bin", "/tmp/model.bin")
    with open("/tmp/model.bin", "rb") as model:
        weights = model.read()
    with open("/tmp/out.csv", "w") as out:
        out.write(event["text"])
    s3.upload_file("/tmp/out.csv", "orders", event["key"])
    with open(f"/tmp/{uuid.uuid4()}.log", "a") as log:
        log.write("done")
    if event.get("detailed"):
        with open("/tmp/details.csv", "w") as details:
            details.write(event["details"])
        s3.upload_file("/tmp/details.csv", "orders", "details")
    return len(weights)
"""),
        orders("""\
import boto3

s3 = boto3.client("s3")
version = None

def handler(event, context):
    global version
    if event["version"] != version:
        s3.download_file("models", event["version"], "/tmp/model.bin")
        version = event["version"]
    if event["kind"] == "csv":
        s3.download_file("orders", event["key"], "/tmp/data.csv")
    else:
        raise ValueError(event["kind"])
    found = event.get("extra")
    if found:
        s3.download_file("orders", found, "/tmp/extra.csv")
    total = 0
    with open("/tmp/model.bin", "rb") as model, open("/tmp/data.csv") as data:
        total += len(model.read()) + len(data.read())
    if found:
        with open("/tmp/extra.csv") as extra:
            total += len(extra.read())
    return total
"""),
        orders("""\
import os

def handler(event, context):
    with open("/tmp/log.txt", "a") as log:
        log.write(event["text"])
    os.remove("/tmp/log.txt")
"""),
    ),
)
def check(function: Function, files: Files, calls: PathCalls, states: PerModule[ModuleState]) -> Problems:
    uses = [use for use in invoked(files) if not is_checked(use.call.guards)]
    seen = set()
    for use in files.uses:
        if use.doing is Doing.NAME and use.call.span not in seen:
            seen.add(use.call.span)
            yield Problem(
                use.call.span,
                "mktemp() only makes up a name in /tmp, which another invocation or process may take first",
                related=files.way(use),
                hint="tempfile.NamedTemporaryFile makes the file with its name",
                fix=_fix(use, None),
            )
    if deletes(files, calls):
        return
    for use in uses:
        name = use.text
        if name is None or not name.startswith(TMP):
            continue
        if use.doing is Doing.APPEND and not _is_made(name, uses):
            yield Problem(
                use.call.span,
                f"every invocation adds to {name}, which still holds what earlier ones wrote",
                related=files.way(use),
                fix=_fix(use, name),
            )
        elif use.doing is Doing.WRITE and not _is_noted(use, states) and (reads := _stale_reads(use, uses)):
            yield Problem(
                use.call.span,
                f"not every invocation writes {name} before reading it; it may read what an earlier one left",
                related=(*files.way(use), Related(reads[0].call.span, f"{name} is read here in any case")),
                fix=_fix(use, name),
            )


def _fix(use: FileUse, name: str | None) -> Fix:
    # What is read without being written had better fail than be empty.
    change = UseTemporary(use.call.span, name, file=use.doing is Doing.APPEND)
    return Fix("work with a temporary file", Applicability.UNSAFE, changes=(change,))


def _is_made(name: str, uses: list[FileUse]) -> bool:
    """Whether a file that is appended to is also made anew somewhere."""
    return any(use.text == name and use.doing is Doing.WRITE for use in uses)


def _stale_reads(write: FileUse, uses: list[FileUse]) -> list[FileUse]:
    """Reads after *write* in the same function that run without it as well; none where another write may help.

    One under conditions of its own may well ask for the same in other words.
    """
    same = [use for use in uses if use.text == write.text]
    writes = [use for use in same if use.doing is not Doing.READ]
    if any((use.path, use.call.scope) != (write.path, write.call.scope) for use in same) or len(writes) != 1:
        return []
    conditions = _conditions(write.call.guards)
    return [
        use
        for use in same
        if use.doing is Doing.READ and use.call.span > write.call.span and _conditions(use.call.guards) < conditions
    ]


def _is_noted(write: FileUse, states: PerModule[ModuleState]) -> bool:
    """Whether a module variable is set under the condition of *write*: the code knows what the file holds."""
    state, conditions = states.get(write.path), _conditions(write.call.guards)
    return any(
        setting.scope == write.call.scope and not conditions.isdisjoint(_conditions(setting.guards))
        for setting in (state.settings if state is not None else ())
    )


def _conditions(guards: tuple[Guard, ...]) -> set[tuple[tuple[int, int], bool]]:
    """The ``if`` statements around; leaving a ``try`` block early is nobody's plan."""
    kinds = (GuardKind.CONDITION, GuardKind.UNSET, GuardKind.ENV)
    return {(guard.at, guard.negated) for guard in guards if guard.kind in kinds}
