"""Lambda unpacks plain ZIPs: one file, whole, of entries that are stored or deflated.

Windows Explorer packs large files with Deflate64, newer tools with Zstandard, a download breaks off, a pointer of Git
LFS takes the archive's place; the deployment then fails, or the function has other files than the archive seems to
have.  Where an archive states something twice, in its directory and before each entry, and the two differ, it depends
on the reader what is unpacked.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html
"""

from functools import partial

from lambdalint.rule import Artifact, Confidence, Problem, Problems, Severity, Span, rule
from lambdalint_rules.artifacts.samples import archive, changed, commented

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip{mark}
      Handler: app.handler
      Runtime: python3.13
"""
BAD = TEMPLATE.format(mark="  # finding")
FILES = {"app.py": b"def handler(event, context): ...\n", "rates.csv": b"eur,1.00\n" * 40}


@rule(
    "LZ001",
    "unreadable-archive",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": BAD, "orders.zip": partial(changed, FILES, "rates.csv", method=9)},
        {"template.yaml": BAD, "orders.zip": lambda: archive(FILES)[:-60]},
        {"template.yaml": BAD, "orders.zip": partial(changed, FILES, "rates.csv", only_directory=True, size=400)},
        {
            "template.yaml": BAD,
            "orders.zip": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 512\n",
        },
    ),
    good=(
        {"template.yaml": TEMPLATE.format(mark=""), "orders.zip": partial(archive, FILES)},
        {"template.yaml": TEMPLATE.format(mark=""), "orders.zip": partial(commented, FILES, b"built on Monday")},
    ),
)
def check(artifact: Artifact) -> Problems:
    name = artifact.path.rpartition("/")[2]
    for damage in artifact.damages:
        yield Problem(
            artifact.source or Span.whole(artifact.path),
            f"{name}: {damage.message}",
            hint=damage.hint,
            confidence=None if damage.sure else Confidence.LOW,
        )
