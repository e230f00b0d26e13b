"""A function may have five layers; extensions count, since they are layers too.

Lambda refuses the configuration with more.  SAM appends the layers of ``Globals`` to a function's own.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from lambdalint.aws.limits import limit
from lambdalint.rule import Function, Known, Problem, Problems, Severity, Unknown, Value, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Traced: {{Type: String}}
Conditions:
  IsTraced: !Equals [!Ref Traced, "yes"]
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      Layers:
        - arn:aws:lambda:eu-central-1:111122223333:layer:requests:3
        - arn:aws:lambda:eu-central-1:111122223333:layer:pandas:7
        - arn:aws:lambda:eu-central-1:111122223333:layer:pillow:2
        - arn:aws:lambda:eu-central-1:111122223333:layer:secrets:11
        - arn:aws:lambda:eu-central-1:111122223333:layer:metrics:1
        - {last}
"""


@rule(
    "LY001",
    "too-many-layers",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={"template.yaml": TEMPLATE.format(last="arn:aws:lambda:eu-central-1:111122223333:layer:tracing:4  # finding")},
    good={
        "template.yaml": TEMPLATE.format(
            last="!If [IsTraced, 'arn:aws:lambda:eu-central-1:111122223333:layer:tracing:4', !Ref AWS::NoValue]"
        )
    },
)
def check(function: Function) -> Problems:
    allowed = limit("layers", "max")
    match function.layers:
        case Known(layers) if not function.image:
            present = [layer for layer in layers if not _may_be_absent(layer)]
            if len(present) > allowed:
                yield Problem(
                    present[allowed].span,
                    f"{function.name} has {len(present)} layers; {allowed} are allowed, extensions included",
                )


def _may_be_absent(layer: Value[str]) -> bool:
    return isinstance(layer, Unknown) and None in layer.choices
