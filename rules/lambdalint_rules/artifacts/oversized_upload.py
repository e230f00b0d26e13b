"""An archive uploaded straight to Lambda may have 50 MB; a larger one has to go through S3.

The limit counts the archive as it is, compressed.  ``sam deploy`` and ``aws cloudformation package`` go through S3 by
themselves; the console, ``aws lambda update-function-code --zip-file`` and Lambda@Edge do not.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from functools import partial

from lambdalint.aws.limits import limit
from lambdalint.rule import Artifact, Confidence, Problem, Problems, Severity, Span, rule
from lambdalint_rules.artifacts.samples import claiming_archive

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
MB = 1024 * 1024


@rule(
    "LZ008",
    "oversized-upload",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={"orders.zip": partial(claiming_archive, {"app.py": (200, 400), "model.bin": (63 * MB, 90 * MB)})},
    good=(
        {"orders.zip": partial(claiming_archive, {"app.py": (200, 400), "model.bin": (49 * MB, 90 * MB)})},
        {
            "template.yaml": TEMPLATE,
            "orders.zip": partial(claiming_archive, {"app.py": (200, 400), "model.bin": (63 * MB, 90 * MB)}),
        },
    ),
)
def check(artifact: Artifact) -> Problems:
    allowed = limit("artifact", "upload", "max_bytes")
    packed = artifact.packed_bytes
    if packed is None or packed <= allowed or artifact.via_s3:
        return
    yield Problem(
        artifact.source or Span.whole(artifact.path),
        f"the archive has {packed / MB:.1f} MB; a direct upload takes {allowed // MB} MB, larger ones go through S3",
        hint="put it into a bucket and name that in the function's code",
        confidence=Confidence.MEDIUM if artifact.via_s3 is None else None,
    )
