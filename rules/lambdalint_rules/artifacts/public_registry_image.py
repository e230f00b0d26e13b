"""Lambda pulls images from private repositories of ECR, in its own region, and from nowhere else.

The public gallery, Docker Hub and other registries are for base images.  An image is named by a tag or by its digest.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from typing import Final

from lambdalint.aws.images import is_like_private, private_region
from lambdalint.rule import Dialect, Function, Known, Problem, Problems, Severity, Span, rule
from lambdalint_rules.artifacts.image_samples import BUILT

TEMPLATE = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      PackageType: Image
      Role: arn:aws:iam::111122223333:role/orders
      Code:
        ImageUri: {uri}
"""
PRIVATE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/orders"
SERVERLESS = """\
service: orders
provider:
  name: aws
  region: {region}
functions:
  orders:
    image: {uri}
"""

#: Metadata of SAM and the CDK about how the image is built.
_BUILDS: Final = ("Docker", "aws:asset")
_HINT: Final = "push it to a private repository of ECR in the region of the function"


@rule(
    "LO012",
    "public-registry-image",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE.format(uri="public.ecr.aws/lambda/python:3.13  # finding")},
        {"template.yaml": TEMPLATE.format(uri="ghcr.io/example/orders:1  # finding")},
        {"template.yaml": TEMPLATE.format(uri="orders:latest  # finding")},
        {"template.yaml": TEMPLATE.format(uri=f"{PRIVATE}  # finding")},
        {"serverless.yml": SERVERLESS.format(region="eu-central-1", uri=f"{PRIVATE}:1  # finding")},
    ),
    good=(
        {"template.yaml": TEMPLATE.format(uri=f"{PRIVATE}:1")},
        {"template.yaml": TEMPLATE.format(uri=f"{PRIVATE}@sha256:{'a' * 64}")},
        {"template.yaml": TEMPLATE.format(uri="!Sub ${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/orders:1")},
        {"template.yaml": TEMPLATE.format(uri="ACCOUNT.dkr.ecr.REGION.amazonaws.com/orders:1")},
        {"serverless.yml": SERVERLESS.format(region="eu-west-1", uri=f"{PRIVATE}:1")},
        {"serverless.yml": SERVERLESS.format(region="${opt:region, 'eu-central-1'}", uri=f"{PRIVATE}:1")},
        {"template.yaml": BUILT.replace("Image\n", "Image\n      ImageUri: orders:latest\n")},
    ),
)
def check(function: Function) -> Problems:
    match function.resource.get("Code", "ImageUri"):
        case Known(str(uri), span) if uri and not _is_built(function, uri):
            name, at, _ = uri.partition("@")
            host, slash, rest = name.partition("/")
            if not slash or not any(sign in host for sign in ".:"):
                host, rest = "", name
            region = private_region(host)
            if region is not None:
                yield from _mistakes(function, region, uri, span, named=bool(at) or ":" in rest)
            elif not is_like_private(host):
                where = host or "no registry"
                yield Problem(span, f"Lambda pulls images from private ECR only; {uri} names {where}", hint=_HINT)


def _mistakes(function: Function, region: str, uri: str, span: Span, *, named: bool) -> Problems:
    if not named:
        yield Problem(span, f"{uri} names neither a tag nor a digest", hint="add the tag of the image")
    match function.region:
        case Known(str(own), parameter=None) if own != region:
            yield Problem(
                span,
                f"Lambda pulls images from its own region; the image is in {region}, {function.name} in {own}",
                hint=_HINT,
            )


def _is_built(function: Function, uri: str) -> bool:
    """Whether what the URI names is replaced when the image is built or pushed: so do SAM and local archives."""
    if function.template is None or function.code is None or function.code.build is not None:
        return True
    is_file = uri.startswith((".", "/")) or uri.endswith((".tar", ".tar.gz"))
    stated = any(key.startswith(_BUILDS) for key in function.resource.metadata)
    return stated or is_file or (function.dialect is Dialect.SAM and "/" not in uri)
