"""A function has 128 to 10,240 MB of memory, in steps of 1 MB.

Lambda refuses any other number.  The 32,768 of the API's model is for managed instances, which start at 2,048.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from lambdalint.aws.limits import limit
from lambdalint.rule import Function, Known, Problem, Problems, Severity, rule
from lambdalint_rules.configuration.ranges import nearest_bound, on_managed_instances, range_fault

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      MemorySize: {memory}
"""
MANAGED = """\
      CapacityProviderConfig:
        LambdaManagedInstancesCapacityProviderConfig:
          CapacityProviderArn: arn:aws:lambda:eu-central-1:111122223333:capacity-provider:orders
"""


@rule(
    "LC011",
    "memory-out-of-range",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    covers=("cfn-lint:E3034", "tflint:aws_lambda_function_invalid_memory_size"),
    bad=(
        {"template.yaml": TEMPLATE.format(memory="64  # finding")},
        {"template.yaml": TEMPLATE.format(memory="16384  # finding")},
        {"template.yaml": TEMPLATE.format(memory="512.5  # finding")},
        {"template.yaml": TEMPLATE.format(memory="512  # finding") + MANAGED},
    ),
    good=(
        {"template.yaml": TEMPLATE.format(memory="1769")},
        {"template.yaml": TEMPLATE.format(memory='"1024"')},
        {"template.yaml": TEMPLATE.format(memory="16384") + MANAGED},
    ),
)
def check(function: Function) -> Problems:
    match function.memory_mb:
        case Known(memory, span, stated=True) as stated:
            managed = on_managed_instances(function)
            if managed is None:
                return
            keys = ("memory", "managed_instances") if managed else ("memory",)
            least, most = limit(*keys, "min_mb"), limit(*keys, "max_mb")
            if fault := range_fault("memory", memory, "MB", least, most):
                where = ", the bounds on managed instances" if managed and isinstance(memory, int) else ""
                yield Problem(span, f"{fault}{where}", fix=nearest_bound(stated, least, most, "MB"))
