"""A function names one version of a layer by its whole ARN, in the function's own region and partition.

Lambda refuses anything else when the function is created or updated.  The form ``awslayer`` is AWS's own for layers
that it once managed; no ARN of a version stands for them, so that there is nothing to offer in its place.

Source: https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
"""

from collections.abc import Iterator

from lambdalint.aws.layers import max_arn_characters, partition
from lambdalint.rule import Applicability, Confidence, Fix, Function, Known, Problem, Problems, Rewrite, Severity, rule
from lambdalint_rules.artifacts.layer_arns import LayerArn, layer_arn, named_layers

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      Layers:
        - {layer}
"""
TERRAFORM = """\
provider "aws" {{
  region = "{region}"
}}

resource "aws_lambda_function" "orders" {{
  function_name = "orders"
  role          = "arn:aws:iam::111122223333:role/orders"
  filename      = "orders.zip"
  handler       = "app.handler"
  runtime       = "python3.13"
  layers        = [{layer}
}}
"""
ARN = "arn:aws:lambda:eu-central-1:111122223333:layer:deps"
IN_CHINA = "cn-north-1:111122223333:layer:deps:7"


@rule(
    "LY006",
    "malformed-layer-arn",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="safe",
    covers=("cfn-lint:E3716", "cfn-lint:W3702"),
    bad=(
        {"template.yaml": TEMPLATE.format(layer=f"{ARN}  # finding")},
        {"template.yaml": TEMPLATE.format(layer=f"arn:aws:lambda:{IN_CHINA}  # finding")},
        {"template.yaml": TEMPLATE.format(layer="arn:aws:lambda:::awslayer:AmazonLinux1803  # finding")},
        {"template.yaml": TEMPLATE.format(layer=f"{ARN}:7\n        - {ARN.replace('central', 'west')}:7  # finding")},
        {"main.tf": TERRAFORM.format(region="eu-west-1", layer=f'"{ARN}:7"]  # finding')},
    ),
    good=(
        {"main.tf": TERRAFORM.format(region="eu-central-1", layer=f'"{ARN}:7"]')},
        {"template.yaml": TEMPLATE.format(layer=f"{ARN}:7")},
        {"template.yaml": TEMPLATE.format(layer=f"arn:aws-cn:lambda:{IN_CHINA}")},
        {"template.yaml": TEMPLATE.format(layer="!Sub arn:aws:lambda:${AWS::Region}:111122223333:layer:deps:7")},
    ),
)
def check(function: Function) -> Problems:
    if function.image:
        return
    regions: dict[str, str] = {}
    for layer in named_layers(function):
        arn = layer_arn(layer)
        if arn is None:
            said = _not_an_arn(layer)
            if said:
                # The API still takes this form, of layers that may no longer be there.
                managed = ":awslayer:" in layer.value
                yield Problem(layer.span, said, confidence=Confidence.MEDIUM if managed else None)
            continue
        own = _region(function)
        other = next((each for each in regions if each != arn.region), None)
        regions.setdefault(arn.region, arn.name)
        if own is not None and own != arn.region:
            yield Problem(layer.span, f"the layer {arn.name} is of {arn.region}; {function.name} is deployed to {own}")
        elif own is None and other is not None:
            yield Problem(
                layer.span,
                f"the layer {arn.name} is of {arn.region}, and the layer {regions[other]} of {other}; "
                f"{function.name} takes those of its own region",
            )
        else:
            yield from _mistakes(arn)


def _region(function: Function) -> str | None:
    match function.region:
        case Known(str(name), parameter=None):
            return name
    return None


def _not_an_arn(layer: Known[str]) -> str | None:
    if ":awslayer:" in layer.value:
        return f"{layer.value} is of the form awslayer, which names no version; a function names one (…:layer:deps:7)"
    if not layer.value.startswith("arn:"):
        return f"{layer.value} is not the ARN of a layer; a function names one version (…:layer:deps:7)"
    return None


def _mistakes(arn: LayerArn) -> Iterator[Problem]:
    right = partition(arn.region)
    longest = max_arn_characters() + len(arn.partition) + len(arn.region)
    if arn.version is None:
        yield Problem(arn.span, f"the layer ARN has no version; a function names one version (…:layer:{arn.name}:7)")
    elif arn.partition != right:
        new = arn.text.replace(f"arn:{arn.partition}:", f"arn:{right}:", 1)
        yield Problem(
            arn.span,
            f"the layer ARN has the partition {arn.partition}; {arn.region} lies in {right}",
            fix=Fix(f"write {right}", Applicability.SAFE, changes=(Rewrite(arn.span, arn.text, new),)),
        )
    elif len(arn.text) > longest:
        yield Problem(arn.span, f"the layer ARN has {len(arn.text)} characters; {longest} are allowed in {arn.region}")
