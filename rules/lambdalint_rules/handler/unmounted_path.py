"""What lies under ``/mnt`` comes from a file system that the function mounts; without one there is nothing.

Lambda mounts EFS access points and S3 Files under ``/mnt/NAME`` and nowhere else, and nothing else puts files there.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-filesystem.html
"""

from typing import Final

from lambdalint.facts.expressions import UNKNOWN, CallOf, Env, Expression, Joined, Literal, text_prefix
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files, FileUse
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.rule import Function, Known, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders
from lambdalint_rules.handler.temporary import is_checked

MOUNTED = """\
      FileSystemConfigs:
        - Arn: !Sub arn:aws:elasticfilesystem:${AWS::Region}:${AWS::AccountId}:access-point/fsap-0a1b2c3d4e5f67890
          LocalMountPath: /mnt/data
"""
_MNT: Final = "/mnt/"
_CAUGHT: Final = frozenset(("BaseException", "Exception", "FileNotFoundError", "IOError", "OSError"))


@rule(
    "LF008",
    "unmounted-path",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        orders(
            """\
from pathlib import Path

def handler(event, context):
    with open("/mnt/models/orders.bin", "rb") as model:  # finding
        weights = model.read()
    Path("/mnt/data", event["name"]).write_bytes(weights)
""",
            settings=MOUNTED,
        ),
        orders(
            """\
import os

MODELS = os.environ["MODELS"]

def handler(event, context):
    with open(os.path.join(MODELS, event["model"])) as model:  # finding
        return model.read()
""",
            settings="      Environment: {Variables: {MODELS: /mnt/models}}\n",
        ),
    ),
    good=(
        orders(
            """\
import os
from pathlib import Path

MODELS = os.environ["MODELS"]
FOLDER = os.environ.get("FOLDER", "/mnt/models")

def handler(event, context):
    with open(os.path.join(MODELS, event["model"])) as model:
        weights = model.read()
    if os.path.exists("/mnt/models/orders.bin"):
        return Path("/mnt/models/orders.bin").read_text()
    try:
        return Path("/mnt/cache/orders.bin").read_text()
    except FileNotFoundError:
        return open(os.path.join(FOLDER, "orders.bin"))
""",
            settings=f"{MOUNTED}      Environment: {{Variables: {{MODELS: /mnt/data/models, FOLDER: !Ref Folder}}}}\n",
        ),
        orders(
            """\
def handler(event, context):
    with open("/mnt/models/orders.bin", "rb") as model:
        return model.read()
""",
            settings="      FileSystemConfigs: !Ref Mounts\n",
        ),
    ),
)
def check(function: Function, files: Files) -> Problems:
    mounts = _mounts(function)
    if mounts is None:
        return
    seen = set()
    for use in files.uses:
        folder = _folder(function, use)
        if folder is None or folder in mounts or use.call.span in seen or _is_dealt_with(use):
            continue
        seen.add(use.call.span)
        has = f"mounts {' and '.join(mounts)}" if mounts else "mounts no file system"
        yield Problem(
            use.call.span,
            f"the code uses {folder}, but the function {has}",
            related=files.way(use),
        )


def _mounts(function: Function) -> tuple[str, ...] | None:
    """The folders at which something is mounted; ``None`` where that is not known."""
    stated = function.resource.get("FileSystemConfigs")
    if function.image or (stated is not None and not isinstance(stated, Known)):
        return None
    complete = stated is None or (
        isinstance(stated.value, list | tuple) and len(stated.value) == len(function.file_mounts)
    )
    return function.file_mounts if complete else None


def _folder(function: Function, use: FileUse) -> str | None:
    """The folder directly in ``/mnt`` that a path is in, whichever way parameters are passed."""
    found = {_mnt(text_prefix(_filled(function, path))) for path in use.paths}
    return found.pop() if len(found) == 1 else None


def _mnt(path: str) -> str | None:
    name, slash, _ = path.removeprefix(_MNT).partition("/")
    return f"{_MNT}{name}" if path.startswith(_MNT) and name and slash else None


def _filled(function: Function, path: Expression) -> Expression:
    """*path* with variables of the function replaced by what the template gives them."""
    match path:
        case Env(name):
            variables = function.env.value if isinstance(function.env, Known) else {}
            value = variables.get(name)
            return Literal(value.value) if isinstance(value, Known) and isinstance(value.value, str) else UNKNOWN
        case Joined(parts):
            return Joined(tuple(_filled(function, part) for part in parts))
        case CallOf(name, args, keywords, receiver):
            return CallOf(name, tuple(_filled(function, each) for each in args), keywords, receiver)
        case _:
            return path


def _is_dealt_with(use: FileUse) -> bool:
    guards = use.call.guards
    return use.doing is Doing.DELETE or is_checked(guards) or any(map(_expects_failure, guards))


def _expects_failure(guard: Guard) -> bool:
    return guard.kind in (GuardKind.ENV, GuardKind.VERSION) or (
        guard.kind is GuardKind.TRY and not _CAUGHT.isdisjoint(guard.names)
    )
