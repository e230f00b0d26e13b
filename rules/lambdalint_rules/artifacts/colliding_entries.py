"""A ZIP can hold one name twice; which of the two files is unpacked depends on the reader.

So it is with a file whose name is also a folder's, and with names that are written by other bytes and look alike:
``é`` is one character or two.  Names that differ by case alone are two files on Lambda, and one on the disk of a Mac.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise

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
from lambdalint_rules.artifacts.entry_names import and_more, unpacked_name
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


@rule(
    "LZ002",
    "colliding-entries",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: written([(member("app.py"), APP), (member("app.py"), APP + b"# newer\n")]),
        },
        {"template.yaml": TEMPLATE, "orders.zip": partial(archive, {"app.py": APP, "rates": b"1", "rates/eur": b"2"})},
        {
            "template.yaml": TEMPLATE,
            "orders.zip": partial(archive, {"app.py": APP, "caf\u00e9.txt": b"1", "cafe\u0301.txt": b"2"}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": partial(archive, {"app.py": APP, "Rates.csv": b"1", "rates.csv": b"2"}),
        },
    ),
    good=(
        {"template.yaml": TEMPLATE, "orders.zip": lambda: written([(member("app.py"), APP), (member("app.py"), APP)])},
        {"template.yaml": TEMPLATE, "orders.zip": partial(archive, {"app.py": APP, "rates/eur": b"2"})},
    ),
)
def check(artifact: Artifact) -> Problems:
    named: dict[str, list[Record]] = {}
    for record in artifact.records:
        if record.kind is not RecordKind.FOLDER:
            named.setdefault(unpacked_name(record), []).append(record)
    if not artifact.records:
        named = {entry.path: [] for entry in artifact.entries}
    collisions = (
        (list(_with_other_content(named)), "with different content; which one runs depends on the reader", None),
        (
            list(_folders_too(artifact, named)),
            "as a file and as a folder; which one is unpacked depends on the reader",
            None,
        ),
        (list(_alike(named, _composed)), "in two Unicode forms of its name; they are one file to some readers", None),
        (list(_alike(named, str.lower)), "in two spellings; where case does not count, one is lost", Confidence.LOW),
    )
    for names, how, confidence in collisions:
        if names:
            yield Problem(
                Member(artifact.path, names[0]),
                f"{names[0]} is in the {_container(artifact)} twice{and_more(names)}, {how}",
                confidence=confidence,
            )


def _with_other_content(named: Mapping[str, list[Record]]) -> Iterator[str]:
    for name, found in named.items():
        if len(found) > 1 and len({(each.crc32, each.size, each.kind) for each in found}) > 1:
            yield name


def _folders_too(artifact: Artifact, named: Iterable[str]) -> Iterator[str]:
    """Names that a folder has too, or that stand before a slash in another."""
    folders = {unpacked_name(record) for record in artifact.records if record.kind is RecordKind.FOLDER}
    # With the slash as the least of all characters, what is in a folder follows it at once.
    ordered = sorted(name.replace("/", "\0") for name in named)
    for name, following in pairwise((*ordered, "")):
        path = name.replace("\0", "/")
        if path in folders or following.startswith(f"{name}\0"):
            yield path


def _alike(names: Iterable[str], form: Callable[[str], str]) -> Iterator[str]:
    """Those of *names* that have one *form* with another before them."""
    first: dict[str, str] = {}
    yield from (name for name in names if first.setdefault(form(name), name) != name)


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _container(artifact: Artifact) -> str:
    return "archive" if artifact.kind is ArtifactKind.ZIP else "package"
