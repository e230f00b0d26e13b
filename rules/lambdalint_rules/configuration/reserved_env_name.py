"""Lambda sets some environment variables itself and refuses a function that declares one of them.

These are exact names, no prefix: ``AWS_LAMBDA_EXEC_WRAPPER`` is there to be set.  For credentials there is the
execution role, and the region is that of the function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from lambdalint.aws.environment import reserved_names
from lambdalint.rule import Function, Known, Problem, Problems, Severity, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      Environment:
        Variables:
          {name}: {value}
"""


@rule(
    "LC017",
    "reserved-env-name",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=(
        "cfn-lint:E3663",
        "semgrep:reserved-aws-lambda-environment-variable",
        "sonar:S7617",
        "codeguru:lambda-override-reserved",
    ),
    bad=(
        {"template.yaml": TEMPLATE.format(name="AWS_REGION", value="eu-central-1  # finding")},
        {"template.yaml": TEMPLATE.format(name="AWS_ACCESS_KEY_ID", value="!Ref AWS::AccountId  # finding")},
    ),
    good=(
        {"template.yaml": TEMPLATE.format(name="AWS_LAMBDA_EXEC_WRAPPER", value="/opt/wrapper")},
        {"template.yaml": TEMPLATE.format(name="AWS_ACCOUNT_ID", value="!Ref AWS::AccountId")},
    ),
)
def check(function: Function) -> Problems:
    match function.env:
        case Known(variables):
            for name in variables.keys() & reserved_names():
                yield Problem(variables[name].span, f"{name} is reserved; Lambda refuses the deployment")
