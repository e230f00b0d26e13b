"""An archive that no usual tool makes of a usual package, or in a form of which AWS says nothing.

A file that unpacks to hundreds of times its size is most often an accident, a core dump or a log; Lambda's behaviour
with ZIP64 and with more than 65,535 entries is undocumented.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Final
from zipfile import ZipInfo

from lambdalint.aws.limits import limit
from lambdalint.rule import Artifact, Confidence, Problem, Problems, Project, Record, Severity, Span, rule
from lambdalint_rules.artifacts.entry_names import and_more
from lambdalint_rules.artifacts.samples import archive, member, sized_archive, written

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip{mark}
      Handler: index.handler
      Runtime: nodejs22.x
"""
MB = 1024 * 1024
_STORED: Final = 0
#: Below that the few bytes that packing adds are more than a tenth.
_SMALL: Final = 1_024
#: Clocks and time zones differ.
_TOLERANCE: Final = timedelta(days=2)


@rule(
    "LZ005",
    "odd-archive",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE.format(mark="  # finding"),
            "orders.zip": partial(sized_archive, {"index.js": (200, 400), "core": (50_000, 20 * MB)}),
        },
        {
            "template.yaml": TEMPLATE.format(mark="  # finding"),
            "orders.zip": lambda: written([(_dated("index.js", 2107), b"exports.handler = async () => {}\n")]),
        },
    ),
    good={
        "template.yaml": TEMPLATE.format(mark=""),
        "orders.zip": partial(archive, {"index.js": b"exports.handler = async () => {}\n"}),
    },
)
def check(artifact: Artifact, project: Project) -> Problems:
    at = artifact.source or Span.whole(artifact.path)
    yield from (
        Problem(at, f"{artifact.path.rpartition('/')[2]}: {what}") for what in _oddities(artifact, project.today)
    )


def _oddities(artifact: Artifact, today: date) -> Iterator[str]:
    records = artifact.records
    most = limit("archive", "max_entries")
    if len(records) > most:
        yield f"the archive has {len(records):,} entries; nobody says whether Lambda takes more than {most:,}"
    elif artifact.zip64:
        yield "the archive is a ZIP64 one; nobody says whether Lambda takes it"
    ratio, least = limit("archive", "packing", "odd_ratio"), limit("archive", "packing", "odd_from_bytes")
    swelling = [each for each in records if each.size > least and each.size > ratio * max(each.packed_bytes, 1)]
    if swelling:
        times = swelling[0].size // max(swelling[0].packed_bytes, 1)
        yield f"{swelling[0].name} unpacks to {times:,} times its size{and_more(swelling)}"
    growth = 100 + limit("archive", "packing", "odd_growth_percent")
    grown = [
        each
        for each in records
        if each.method != _STORED and each.size > _SMALL and each.packed_bytes * 100 > each.size * growth
    ]
    if grown:
        yield (f"{grown[0].name} has {grown[0].size:,} bytes and {grown[0].packed_bytes:,} packed{and_more(grown)}")
    latest = today + _TOLERANCE
    ahead = [each for each in records if each.modified[:3] > (latest.year, latest.month, latest.day)]
    if ahead:
        yield f"{ahead[0].name} was changed on {_day(ahead[0])}, which is yet to come{and_more(ahead)}"
    dateless = [each for each in records if 0 in each.modified[1:3]]
    if dateless:
        yield f"{dateless[0].name} was changed on {_day(dateless[0])}, which is no date{and_more(dateless)}"


def _day(record: Record) -> str:
    return "{:04}-{:02}-{:02}".format(*record.modified[:3])


def _dated(path: str, year: int) -> ZipInfo:
    info = member(path)
    info.date_time = (year, 1, 1, 0, 0, 0)
    return info
