"""A layer is code that runs in the function, and whoever owns its account decides what it is and how long it stays.

AWS and some vendors document the accounts they publish from; any other one deserves a look.  Those that were looked at
are listed in the setting ``allowed-layer-accounts``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

import re

from lambdalint.aws.layers import published_names, publisher_accounts
from lambdalint.rule import Function, Known, Problem, Problems, Profile, Project, Severity, rule
from lambdalint_rules.artifacts.layer_arns import layer_arn, named_layers

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
        - arn:aws:lambda:eu-central-1:{layer}
"""
ROLE = "      Role: arn:aws:iam::111122223333:role/orders\n"


@rule(
    "LY005",
    "foreign-account-layer",
    severity=Severity.INFO,
    profile=Profile.STRICT,
    since="0.1.0",
    covers=("prowler:awslambda_function_using_cross_account_layers",),
    bad={"template.yaml": TEMPLATE.format(layer="111122223333:layer:deps:7  # finding")},
    good=(
        {"template.yaml": TEMPLATE.format(layer="017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:7")},
        {"template.yaml": TEMPLATE.format(layer="111122223333:layer:deps:7") + ROLE},
    ),
)
def check(function: Function, project: Project) -> Problems:
    own = _own_account(function)
    trusted = {own, *publisher_accounts(), *project.policy.layer_accounts}
    for layer in named_layers(function):
        arn = layer_arn(layer)
        if arn is None or arn.account in trusted or arn.name in published_names():
            continue
        yours = f"nor that of {function.name}'s role" if own else "nor a vendor's that is known"
        yield Problem(
            arn.span,
            f"the layer {arn.name} belongs to account {arn.account}, neither AWS's {yours}",
            hint="copy the layer into an account of your own, or list this one in allowed-layer-accounts",
        )


def _own_account(function: Function) -> str | None:
    match function.resource.get("Role"):
        case Known(str(text)) if match := re.match(r"arn:[a-z-]+:iam::(\d{12}):", text):
            return match[1]
    return None
