"""A permission for principal ``*`` without a condition lets every AWS account invoke the function.

Name the account, role or service that invokes it; for a service, also the resource it invokes it for.

Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from collections.abc import Mapping
from typing import Final

from lambdalint.rule import Known, Permission, Problem, Problems, Property, Severity, Span, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Orders
      Action: {action}
      Principal: {principal}
"""
CONDITIONS: Final = ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken")


@rule(
    "LA001",
    "public-permission",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=(
        "checkov:CKV_AWS_301",
        "kics:lambda_permission_principal_is_wildcard",
        "kics:lambda_function_publicly_accessible",
        "cfn_nag:F13",
        "cdk-nag:LambdaFunctionPublicAccessProhibited",
        "prowler:awslambda_function_not_publicly_accessible",
        "securityhub:Lambda.1",
        "config:lambda-function-public-access-prohibited",
        "guard:LAMBDA_NO_WILDCARD_PRINCIPALS",
        "steampipe:restrict_public_access",
        "cloudsploit:lambdaPublicAccess",
    ),
    bad={"template.yaml": TEMPLATE.format(action="lambda:InvokeFunction", principal='"*"  # finding')},
    good=(
        {
            "template.yaml": TEMPLATE.format(action="lambda:InvokeFunction", principal='"*"')
            + "      PrincipalOrgID: o-a1b2c3d4e5\n"
        },
        {
            "template.yaml": TEMPLATE.format(action="lambda:InvokeFunctionUrl", principal='"*"')
            + "      FunctionUrlAuthType: NONE\n"
        },
        {
            "template.yaml": TEMPLATE.format(action="lambda:InvokeFunction", principal='"*"')
            + "      InvokedViaFunctionUrl: true\n"
        },
        {"template.yaml": TEMPLATE.format(action="lambda:InvokeFunction", principal="s3.amazonaws.com")},
    ),
)
def check(permission: Permission) -> Problems:
    settings = permission.settings
    span = _everybody(settings.get("Principal"))
    if span is None or any(_narrows(settings.get(name)) for name in CONDITIONS) or _is_of_url(settings):
        return
    name = permission.function or "the function"
    match settings.get("Action"):
        case Known(str(action)) if not action.startswith(("lambda:Invoke", "lambda:*", "*")):
            yield Problem(span, f"anyone may call {action} on {name}: principal * with no condition")
        case _:
            yield Problem(span, f"anyone may invoke {name}: principal * with no condition")


def _everybody(principal: Property | None) -> Span | None:
    """Where the principal is said to be anybody; ``None`` when it is somebody, or unknown."""
    match principal:
        case Known("*", span):
            return span
        case Known(Mapping() as kinds):
            return _everybody(kinds.get("AWS"))
        case _:
            return None


def _narrows(condition: Property | None) -> bool:
    """Whether *condition* lets only some in; one that is unknown may."""
    match condition:
        case None | Known("*" | ""):
            return False
        case _:
            return True


def _is_of_url(settings: Mapping[str, Property]) -> bool:
    """Whether it is one of the two permissions that a function URL without authentication needs."""
    match settings.get("FunctionUrlAuthType"):
        case None | Known("AWS_IAM"):
            pass
        case _:
            return True
    match settings.get("InvokedViaFunctionUrl"):
        case None | Known(False | "false"):
            return False
        case _:
            return True
