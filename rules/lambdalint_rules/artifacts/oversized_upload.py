"""An archive uploaded straight to Lambda may have 50 MB; a larger one has to go through S3.

The limit counts the archive as it is, compressed.  ``sam deploy`` and ``aws cloudformation package`` go through S3 by
themselves; the console and ``aws lambda update-function-code --zip-file`` do not.  Functions at CloudFront's edge may
not have more in any way.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Iterator, Mapping
from functools import partial

from lambdalint.aws.limits import limit
from lambdalint.rule import (
    Artifact,
    ArtifactKind,
    Confidence,
    Known,
    Problem,
    Problems,
    Project,
    Property,
    Severity,
    Span,
    Unknown,
    rule,
)
from lambdalint_rules.artifacts.samples import sized_archive

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Rewrite:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: rewrite.zip{mark}
      Handler: app.handler
      Runtime: python3.13
      AutoPublishAlias: live
"""
AT_THE_EDGE = """\
  Site:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        DefaultCacheBehavior:
          LambdaFunctionAssociations:
            - EventType: origin-request
              LambdaFunctionARN: !Ref Rewrite.Version
"""
MB = 1024 * 1024
LARGE = partial(sized_archive, {"settings.json": (200, 400), "model.bin": (63 * MB, 90 * MB)})
SMALL = partial(sized_archive, {"settings.json": (200, 400), "model.bin": (49 * MB, 90 * MB)})


@rule(
    "LZ008",
    "oversized-upload",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={"template.yaml": TEMPLATE.format(mark="  # finding") + AT_THE_EDGE, "rewrite.zip": LARGE},
    good=(
        {"template.yaml": TEMPLATE.format(mark="") + AT_THE_EDGE, "rewrite.zip": SMALL},
        {"template.yaml": TEMPLATE.format(mark=""), "rewrite.zip": LARGE},
    ),
)
def check(artifact: Artifact, project: Project) -> Problems:
    allowed = limit("artifact", "upload", "max_bytes")
    packed = artifact.packed_bytes
    if packed is None or packed <= allowed or artifact.kind is ArtifactKind.IMAGE:
        return
    at = artifact.source or Span.whole(artifact.path)
    archive = f"the archive has {packed / MB:.1f} MB"
    if artifact.function and artifact.function in _edge_functions(project):
        yield Problem(at, f"{archive}; a function at CloudFront's edge may have {allowed // MB} MB")
    elif not artifact.via_s3:
        yield Problem(
            at,
            f"{archive}; a direct upload takes {allowed // MB} MB, larger ones go through S3",
            hint="put it into a bucket and name that in the function's code",
            confidence=Confidence.MEDIUM if artifact.via_s3 is None else None,
        )


def _edge_functions(project: Project) -> frozenset[str]:
    """The functions of which a distribution runs a version."""
    names: set[str] = set()
    for template in project.templates:
        resources = template.resources
        for resource in resources.values():
            if resource.type != "AWS::CloudFront::Distribution":
                continue
            for name in _associated(Known(resource.properties, resource.span)):
                version = resources.get(name)
                function = version.get("FunctionName") if version and version.type == "AWS::Lambda::Version" else None
                names.add(function.refers.resource if isinstance(function, Unknown) and function.refers else name)
    return frozenset(each.name for each in project.functions if names.intersection((each.name, each.resource.name)))


def _associated(value: Property) -> Iterator[str]:
    """The functions or versions named as LambdaFunctionARN anywhere in *value*."""
    match value:
        case Known(Mapping() as properties):
            for key, item in properties.items():
                if key == "LambdaFunctionARN" and isinstance(item, Unknown):
                    # SAM's Rewrite.Version is no resource of the template, so that it refers to none.
                    name = item.refers.resource if item.refers else item.expression.removeprefix("!Ref ")
                    yield name.removesuffix(".Version")
                else:
                    yield from _associated(item)
        case Known(tuple() as items):
            for item in items:
                yield from _associated(item)
