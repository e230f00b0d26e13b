"""Files in ``/tmp`` stay for the later invocations of the same environment, and take room until it is full.

``/tmp`` has 512 MB unless the function asks for more.  Names that differ from one event to the next, and those that
``tempfile`` makes up, are never overwritten: without deleting them a busy environment ends with ``No space left on
device``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
"""

from typing import Final

from lambdalint.facts.expressions import CallOf, Expression, carries_event, walk
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files, FileUse
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.path_calls import PathCalls
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Severity,
    UseTemporary,
    rule,
)
from lambdalint_rules.handler.samples import orders
from lambdalint_rules.handler.temporary import deletes, invoked, is_checked, is_in_tmp

#: Calls that give another value every time.
_UNIQUE: Final = ("uuid.uuid1", "uuid.uuid4", "time.time", "time.time_ns", "datetime.datetime.now", "secrets.token_hex")


@rule(
    "LF003",
    "tmp-left-behind",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    covers=("sonar:S7620", "codeguru:resource-leak", "ruff:SIM115"),
    bad=(
        orders("""\
import os

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        convert(record["s3"]["bucket"]["name"], record["s3"]["object"]["key"])

def convert(bucket, key):
    source = os.path.join("/tmp", os.path.basename(key))
    s3.download_file(bucket, key, source)  # finding
    s3.upload_file(source, "converted", key)
"""),
        orders(
            """\
import tempfile
import zipfile
from pathlib import Path

def handler(event, context):
    folder = tempfile.mkdtemp()  # finding
    with zipfile.ZipFile("/opt/templates.zip") as archive:
        archive.extractall(folder)
    return render(event["name"], folder)

def render(name, folder):
    with tempfile.NamedTemporaryFile("w", delete=False) as page:  # finding
        page.write(Path(folder, "page.html").read_text().format(name))
    return Path(page.name).stat().st_size
""",
            settings="      EphemeralStorage: {Size: 1024}\n",
        ),
    ),
    good=(
        orders("""\
import os
import tempfile

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    path = f"/tmp/{event['model']}.bin"
    if not os.path.exists(path):
        s3.download_file("models", event["model"], path)
    s3.download_file("orders", event["key"], "/tmp/order.json")
    with open(f"/tmp/{context.function_name}.log", "w") as log:
        log.write(event["key"])
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as scratch:
        s3.download_file("orders", event["key"], os.path.join(folder, event["key"]))
        s3.download_fileobj("orders", event["key"], scratch)
"""),
        orders("""\
import shutil
import tempfile
from pathlib import Path

def handler(event, context):
    folder = tempfile.mkdtemp()
    try:
        Path(folder, event["name"]).write_text(event["text"])
    finally:
        shutil.rmtree(folder)
"""),
        orders("""\
import tempfile

folder = None

def handler(event, context):
    global folder
    if folder is None:
        folder = tempfile.mkdtemp()
    return folder
"""),
    ),
)
def check(function: Function, files: Files, calls: PathCalls) -> Problems:
    if deletes(files, calls):
        return
    room = function.ephemeral_mb.value if isinstance(function.ephemeral_mb, Known) else None
    limit = f"{room:,} MB fill" if isinstance(room, int) else "it fills"
    told = set()
    for use in invoked(files):
        what = _left(use)
        if what is None or (use.path, use.call.scope, what) in told or _is_kept(use):
            continue
        told.add((use.path, use.call.scope, what))
        yield Problem(
            use.call.span,
            f"{what} in /tmp; {limit} up over warm invocations",
            related=files.way(use),
            hint="delete them when done, or work in a tempfile.TemporaryDirectory",
            fix=Fix("delete it at the end of the block", Applicability.UNSAFE, changes=(UseTemporary(use.call.span),)),
        )


def _left(use: FileUse) -> str | None:
    """What stays behind; ``None`` if nothing does, or under a name that is used again."""
    if use.doing is Doing.TEMPORARY:
        name = (use.call.name or "").rpartition(".")[2]
        return f"what {name}() makes stays"
    if use.doing in (Doing.WRITE, Doing.APPEND, Doing.MAKE, Doing.UNPACK):
        for path in use.paths:
            if is_in_tmp(path):
                if carries_event(path):
                    return "files named after the event stay"
                if any(_is_unique(part) for part in walk(path)):
                    return "files of a new name each time stay"
    return None


def _is_unique(part: Expression) -> bool:
    return isinstance(part, CallOf) and part.name is not None and part.name.startswith(_UNIQUE)


def _is_kept(use: FileUse) -> bool:
    """Whether it is made once, or only when it is not there."""
    return is_checked(use.call.guards) or any(guard.kind is GuardKind.UNSET for guard in use.call.guards)
