"""Ephemeral storage, the folder /tmp, has 512 to 10,240 MB, in steps of 1 MB.

Lambda refuses any other number.  Functions with an accelerator may have 32,768 MB.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
"""

from lambdalint.aws.limits import limit
from lambdalint.rule import Function, Known, Problem, Problems, Severity, rule
from lambdalint_rules.configuration.ranges import nearest_bound, range_fault

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      EphemeralStorage:
        Size: {size}
"""


@rule(
    "LC014",
    "tmp-out-of-range",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    covers=("cfn-lint:E3034",),
    bad=(
        {"template.yaml": TEMPLATE.format(size="256  # finding")},
        {"template.yaml": TEMPLATE.format(size="20480  # finding")},
    ),
    good={"template.yaml": TEMPLATE.format(size="10240")},
)
def check(function: Function) -> Problems:
    match function.ephemeral_mb:
        case Known(size, span, stated=True) as stated:
            least, most = limit("ephemeral", "min_mb"), limit("ephemeral", "max_mb")
            if function.resource.get("AcceleratorConfig"):
                most = limit("ephemeral", "accelerated", "max_mb")
            if fault := range_fault("ephemeral storage", size, "MB", least, most):
                yield Problem(span, fault, fix=nearest_bound(stated, least, most, "MB"))
