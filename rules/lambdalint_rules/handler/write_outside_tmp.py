"""Code is unpacked into ``/var/task``, which is read-only: only ``/tmp`` and mounted file systems can be written.

A relative path means ``/var/task``, since that is the working directory.  On a developer's machine the same line works,
so the first to see the ``OSError`` is the deployed function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from posixpath import join, normpath
from typing import Final

from lambdalint.facts.expressions import Expression, text, text_prefix
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files, FileUse
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.path_calls import PathCalls
from lambdalint.rule import Applicability, Confidence, Fix, Function, PrefixText, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders

TASK_ROOT: Final = "/var/task"
#: Where something else than the root file system may be: ``/mnt`` holds the mounts, of which others speak.
_WRITABLE: Final = ("/tmp", "/mnt", "/dev", "/proc")  # noqa: S108
_WRITES: Final = (Doing.WRITE, Doing.APPEND, Doing.MAKE, Doing.UNPACK)
_CAUGHT: Final = frozenset(("OSError", "IOError", "EnvironmentError", "PermissionError"))
_LOCAL: Final = re.compile(r"local|debug|offline|test|develop|lambda", re.IGNORECASE)
#: Addresses and names that are no path in the file system: ``s3://``, ``:memory:``, a drive of Windows.
_NO_PATH: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|:|~|\\|\{|$")


@rule(
    "LF001",
    "write-outside-tmp",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        orders("""\
import csv

def handler(event, context):
    with open("out.csv", "w") as file:  # finding
        csv.writer(file).writerows(event["rows"])
"""),
        orders(
            """\
import logging
from pathlib import Path

import store

logging.getLogger().addHandler(logging.FileHandler("app.log"))  # finding
CACHE = Path("/opt") / "cache"

def handler(event, context):
    CACHE.mkdir(exist_ok=True)  # finding
    store.keep(event["key"])
""",
            store="""\
import zipfile

import boto3

s3 = boto3.client("s3")

def keep(key):
    s3.download_file("reports", key, f"reports/{key}")  # finding
    with zipfile.ZipFile("/tmp/all.zip") as archive:
        archive.extractall()  # finding
""",
        ),
    ),
    good=(
        orders("""\
import os
import sqlite3
import tempfile
from pathlib import Path

import boto3

IN_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
FOLDER = os.environ.get("FOLDER", "out")
s3 = boto3.client("s3")

def handler(event, context):
    with open("/tmp/out.csv", "w") as file:
        file.write(event["text"])
    Path("/tmp", "reports").mkdir(exist_ok=True)
    os.makedirs("/mnt/reports/today", exist_ok=True)
    s3.download_file("reports", event["key"], os.path.join(FOLDER, "report"))
    with open("schema.json") as schema, tempfile.NamedTemporaryFile("w") as scratch:
        scratch.write(schema.read())
    print("done", file=open("/dev/stdout", "w"))
    database = sqlite3.connect(":memory:")
    if not IN_LAMBDA:
        Path("debug.txt").write_text(event["text"])
    if os.getenv("AWS_SAM_LOCAL"):
        Path("last.json").write_text(event["text"])
    try:
        os.mkdir("cache")
    except OSError:
        pass

if __name__ == "__main__":
    Path("event.json").write_text("{}")
"""),
        orders("""\
import os

import pandas as pd

def handler(event, context):
    frame = pd.DataFrame(event["rows"])
    frame.to_parquet("s3://reports/all.parquet")
    os.chdir("/tmp")
    frame.to_csv("all.csv")
"""),
        orders(
            """\
from pathlib import Path

def handler(event, context):
    Path("/data/all.csv").write_text(event["text"])
""",
            settings="""\
      FileSystemConfigs:
        - Arn: !Sub arn:aws:elasticfilesystem:${AWS::Region}:${AWS::AccountId}:access-point/fsap-0a1b2c3d4e5f67890
          LocalMountPath: /data
""",
        ),
    ),
)
def check(function: Function, files: Files, calls: PathCalls) -> Problems:
    moved = any(call.name in ("os.chdir", "os.fchdir", "contextlib.chdir", "os.chroot") for call in calls.calls)
    writable = (*_WRITABLE, *function.file_mounts)
    seen = set()
    for use in files.uses:
        if use.doing not in _WRITES or use.call.span in seen or _is_dealt_with(use.call.guards):
            continue
        place = _read_only_place(use, writable)
        if place is None or (not place.startswith("/") and (moved or function.image)) or _is_packaged(function, use):
            continue
        seen.add(use.call.span)
        target = TASK_ROOT if not place.startswith("/") or _is_below(place, (TASK_ROOT,)) else place
        where = f"{target}, which is read-only" if target == TASK_ROOT else f"{target} on the read-only file system"
        yield Problem(
            use.call.span,
            f"{_shown(use)} writes to {where}; only /tmp is writable",
            related=files.way(use),
            confidence=Confidence.MEDIUM if _is_tried(use.call.guards) else None,
            hint="put the file under /tmp",
            fix=_under_tmp(use, files),
        )


def _under_tmp(use: FileUse, files: Files) -> Fix | None:
    """The fix that names the file under ``/tmp`` wherever the function uses it; its folder has to be there already."""
    name = use.text
    if not name or "/" in name or name.startswith("."):
        return None
    changes = {}
    for other in files.uses:
        if other.text != name:
            continue
        call = other.call
        given: Iterator[tuple[int | str, Expression]] = chain(enumerate(call.args), call.keywords.items())
        step = next((step for step, argument in given if text(argument) == name), None)
        if step is None:
            return None
        changes[call.span] = PrefixText(call.span, "/tmp/", (step,))  # noqa: S108
    return Fix(f"write /tmp/{name}", Applicability.UNSAFE, changes=tuple(changes.values()))


def _read_only_place(use: FileUse, writable: Iterable[str]) -> str | None:
    """The beginning of a path that surely cannot be written, as written if relative; ``None`` if it may be writable."""
    places = [_place(text_prefix(path), text(path) is not None, writable) for path in use.paths]
    return places[0] if places and all(places) else None


def _place(known: str, complete: bool, writable: Iterable[str]) -> str | None:
    if _NO_PATH.match(known) or (not complete and "/" not in known and "." not in known and "-" not in known):
        return None
    absolute = normpath(join(TASK_ROOT, known))
    if _is_below(absolute, writable) or (not complete and any(each.startswith(absolute) for each in writable)):
        return None
    return known


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _is_packaged(function: Function, use: FileUse) -> bool:
    """Whether a folder to be made is in the package already, so that ``exist_ok`` leaves it alone."""
    if use.doing is not Doing.MAKE or function.artifact is None or use.text is None:
        return False
    folder = normpath(join(TASK_ROOT, use.text)).removeprefix(f"{TASK_ROOT}/")
    return any(entry.path.startswith(f"{folder}/") for entry in function.artifact.entries)


def _is_dealt_with(guards: tuple[Guard, ...]) -> bool:
    """Whether the code expects the failure, or may be for a developer's machine only."""
    return any(
        guard.kind in (GuardKind.ENV, GuardKind.VERSION)
        or (guard.kind is GuardKind.TRY and not _CAUGHT.isdisjoint(guard.names))
        or (guard.kind in (GuardKind.CONDITION, GuardKind.UNSET) and any(_LOCAL.search(name) for name in guard.names))
        for guard in guards
    )


def _is_tried(guards: tuple[Guard, ...]) -> bool:
    return any(guard.kind is GuardKind.TRY for guard in guards)


def _shown(use: FileUse) -> str:
    """The call as the message names it: ``open("out.csv")``."""
    name = (use.call.name or use.call.method).rpartition(".")[2]
    known = text_prefix(use.paths[0])
    if use.doing is Doing.UNPACK:
        return f"{name}()"
    return f'{name}("{known}")' if text(use.paths[0]) is not None else f'{name}("{known}…")'
