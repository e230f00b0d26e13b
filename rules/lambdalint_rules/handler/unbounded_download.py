"""``/tmp`` has 512 MB unless a function asks for more, and an object of S3 may be of any size.

The first large upload fails the function with ``No space left on device``, and those after it as long as the file is
there.  An archive may be a thousand times larger unpacked than packed.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
"""

from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call
from lambdalint.facts.expressions import EventPath, carries_event, walk
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files, FileUse
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.rule import Confidence, Function, Known, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders
from lambdalint_rules.handler.temporary import is_in_tmp

DOWNLOAD = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    record = event["Records"][0]["s3"]
    s3.download_file(record["bucket"]["name"], record["object"]["key"], "/tmp/order.csv"){mark}
    with open("/tmp/order.csv") as order:
        return len(order.readlines())
"""
_DEFAULT_MB: Final = 512
#: By what a function learns how large something is, or how much room there is.
_SIZES: Final = frozenset(
    (
        "content_length",
        "disk_usage",
        "file_size",
        "get_object_attributes",
        "getmembers",
        "head_object",
        "infolist",
        "statvfs",
    )
)


@rule(
    "LF007",
    "unbounded-download",
    severity=Severity.INFO,
    confidence=Confidence.LOW,
    since="0.1.0",
    covers=("bandit:B202", "codeguru:zip-bomb-attack"),
    bad=(
        orders(DOWNLOAD.format(mark="  # finding")),
        orders("""\
import zipfile

import boto3

bucket = boto3.resource("s3").Bucket("orders")

def handler(event, context):
    fetch(event["key"])

def fetch(key):
    bucket.download_file(key, "/tmp/orders.zip")  # finding
    with zipfile.ZipFile("/tmp/orders.zip") as archive:
        archive.extractall("/tmp/orders")  # finding
"""),
    ),
    good=(
        orders(DOWNLOAD.format(mark=""), settings="      EphemeralStorage: {Size: 2048}\n"),
        orders(DOWNLOAD.format(mark=""), settings="      EphemeralStorage: {Size: !Ref Size}\n"),
        orders("""\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    record = event["Records"][0]["s3"]
    if record["object"]["size"] > 100_000_000:
        raise ValueError("too large")
    s3.download_file(record["bucket"]["name"], record["object"]["key"], "/tmp/order.csv")
    s3.download_file("models", "orders.bin", "/tmp/orders.bin")
"""),
        orders("""\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    size = s3.head_object(Bucket="orders", Key=event["key"])["ContentLength"]
    assert size < 100_000_000
    s3.download_file("orders", event["key"], "/tmp/order.csv")
"""),
        orders("""\
import zipfile

def handler(event, context):
    with zipfile.ZipFile("templates.zip") as archive:
        archive.extractall("/tmp/templates")
"""),
    ),
)
def check(function: Function, files: Files, calls: PathCalls, arguments: PerModule[Arguments]) -> Problems:
    match function.ephemeral_mb:
        case Known(int(room)) if room <= _DEFAULT_MB:
            pass
        case _:
            return
    invoked = [each for each in calls.calls if each.phase == "invoke"]
    if any((each.name or "").rpartition(".")[2] in _SIZES or _asks_size(each.call) for each in invoked):
        return
    by_place = {each.call.span: each.call for each in invoked}
    downloads = [
        use
        for use in files.uses
        if use.phase == "invoke"
        and use.doing is Doing.WRITE
        and "download_" in use.call.method
        and (passed := arguments.get(use.path)) is not None
        and (call := by_place.get(use.call.span)) is not None
        and not any(guard.on_event for guard in call.guards)
        and _is_named_by_event(call, passed)
        and _is_kept(use)
    ]
    for use in downloads:
        yield Problem(
            use.call.span,
            f"an object of unknown size is downloaded to /tmp, which has {room} MB",
            related=files.way(use),
            hint="look at its size first, stream it, or set EphemeralStorage",
        )
    for use in files.uses if downloads else ():
        if use.phase == "invoke" and use.doing is Doing.UNPACK and _is_kept(use):
            yield Problem(
                use.call.span,
                f"an archive of unknown size is unpacked to /tmp, which has {room} MB",
                related=files.way(use),
                hint="sum up the sizes of its members first",
            )


def _is_kept(use: FileUse) -> bool:
    return bool(use.paths) and all(map(is_in_tmp, use.paths))


def _is_named_by_event(call: Call, passed: Arguments) -> bool:
    """Whether the object is one that the event names."""
    return any(
        carries_event(value)
        for argument in (*call.args, *call.keywords.values())
        for value in passed.alternatives(argument, call.scope)
    )


def _asks_size(call: Call) -> bool:
    """Whether a call is given the size that the event tells, or asks for a part only."""
    return "Range" in call.keywords or any(
        isinstance(part, EventPath) and part.keys[-1:] == ("size",)
        for argument in (*call.args, *call.keywords.values())
        for part in walk(argument)
    )
