r"""An entry whose name or kind cannot be unpacked as it is, or not where it belongs.

On Linux ``lib\x.py``, as some programs on Windows write it, is one file with a strange name and no folder.  A name
that leads upwards or is absolute is refused or lands elsewhere; so are devices, and links that lead to nothing.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.facts.stray_links import StrayLinks
from lambdalint.rule import (
    Artifact,
    ArtifactKind,
    Confidence,
    Member,
    Problem,
    Problems,
    Record,
    RecordKind,
    Severity,
    rule,
)
from lambdalint_rules.artifacts.entry_names import and_more
from lambdalint_rules.artifacts.samples import archive, member, written

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip
      Handler: app.handler
      Runtime: python3.13
"""
APP = b"def handler(event, context): ...\n"
_APP = (member("app.py"), APP)
_LINK: Final = 0o120777
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_SET_ID: Final = 0o6000
_PACK_AGAIN: Final = "pack it again on Linux, from inside the folder (zip -r), or with lambdalint package"


@rule(
    "LZ003",
    "unsafe-entry",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "orders.zip": partial(archive, {"app.py": APP, "..\\..\\app.py": APP})},
        {"template.yaml": TEMPLATE, "orders.zip": partial(archive, {"app.py": APP, "lib\\rates.py": b"EUR = 1\n"})},
        {"template.yaml": TEMPLATE, "orders.zip": partial(archive, {"app.py": APP, "/etc/passwd": b"me"})},
        {"template.yaml": TEMPLATE, "orders.zip": lambda: written([_APP, (member("lib", _LINK), b"../shared")])},
    ),
    good=(
        {"template.yaml": TEMPLATE, "orders.zip": partial(archive, {"app.py": APP, "größe.txt": b"1"})},
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: written(
                [_APP, (member("lib/libx.so", _LINK), b"libx.so.1"), (member("lib/libx.so.1"), b"")]
            ),
        },
    ),
)
def check(artifact: Artifact, stray: StrayLinks) -> Problems:
    groups: dict[str, list[str]] = {}
    for record in artifact.records:
        for what in _wrong_with(record):
            groups.setdefault(what, []).append(record.name)
    if not artifact.records:
        for entry in artifact.entries:
            if wrong := _wrong_name(entry.path, is_utf8=True):
                groups.setdefault(wrong, []).append(entry.path)
    for record, astray in stray.links:
        groups.setdefault(f"is a symbolic link that {astray.value}", []).append(record.name)
    targets = {record.name: record.target for record, _ in stray.links}
    for what, names in groups.items():
        name = _readable(names[0])
        link = f" -> {_readable(target)}" if (target := targets.get(names[0])) else ""
        yield Problem(
            Member(artifact.path, name),
            f"{name}{link} {what}{and_more(names)}",
            hint=_PACK_AGAIN,
            # It may be left out, or stop the tool that packs.
            confidence=Confidence.LOW if artifact.kind is ArtifactKind.FOLDER else None,
        )


def _wrong_with(record: Record) -> Iterator[str]:
    if what := _wrong_name(
        record.name.rstrip("/") if record.kind is RecordKind.FOLDER else record.name, record.is_utf8
    ):
        yield what
    if record.kind is RecordKind.OTHER:
        yield "is a device, pipe or socket, which a package cannot have"
    if record.kind is RecordKind.FILE and (record.mode or 0) & _SET_ID:
        yield "is to run with the rights of its owner (setuid or setgid)"


def _wrong_name(name: str, is_utf8: bool) -> str | None:
    parts = name.split("/")
    if not name.strip("/"):
        return None if name else "has no name"
    if "\0" in name:
        return "has a NUL in its name, where some readers end it"
    if _SURROGATE.search(name):
        return (
            "has a name that is said to be UTF-8 and is not"
            if is_utf8
            else "has a name in an encoding that nobody states"
        )
    if name.startswith("/") or _DRIVE.match(name):
        return "has an absolute path"
    if ".." in parts or ("\\" in name and ".." in re.split(r"[/\\]", name)):
        return "leaves the folder it is unpacked into"
    if "\\" in name:
        return "has a backslash in its name: on Linux that is one file and no folder"
    if _CONTROL.search(name):
        return "has control characters in its name"
    longest = limit("archive", "name", "max_bytes")
    if len(name) > longest // 4 and any(len(part.encode("utf-8", "surrogateescape")) > longest for part in parts):
        return f"has a name of more than {longest} bytes"
    longest = limit("archive", "name", "max_path_bytes")
    if len(name) > longest // 4 and len(name.encode("utf-8", "surrogateescape")) >= longest:
        return f"has a path of {longest:,} bytes or more"
    return None


def _readable(name: str) -> str:
    """*name* short enough for a line."""
    return name if len(name) <= 120 else f"{name[:100]}…"
