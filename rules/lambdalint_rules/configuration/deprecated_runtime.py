"""A deprecated runtime gets no security patches and no support.

Functions on it go on running, until one day they can be neither created nor updated.  Dates are those of the table that
the message names; a runtime past the first of those days is ``blocked-runtime``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from lambdalint.aws.runtimes import as_of, runtime
from lambdalint.rule import Function, Known, Problem, Problems, Project, Severity, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: {runtime}
"""


@rule(
    "LC001",
    "deprecated-runtime",
    severity=Severity.WARNING,
    since="0.1.0",
    covers=(
        "cfn-lint:W2531",
        "serverless-rules:aws_lambda_function_eol_runtime",
        "checkov:CKV_AWS_363",
        "tflint:aws_lambda_function_deprecated_runtime",
        "prowler:awslambda_function_using_supported_runtimes",
        "securityhub:Lambda.2",
        "steampipe:fs_lambda_2",
        "cloudsploit:lambdaOldRuntimes",
        "sls-mentor:noDeprecatedRuntime",
    ),
    bad={"template.yaml": TEMPLATE.format(runtime="python3.9  # finding")},
    good=(
        {"template.yaml": TEMPLATE.format(runtime="python3.14")},
        {"template.yaml": "Parameters:\n  Runtime: {Type: String}\n" + TEMPLATE.format(runtime="!Ref Runtime")},
    ),
)
def check(function: Function, project: Project) -> Problems:
    match function.runtime:
        case Known(name, span) if not function.image:
            known, today = runtime(str(name)), project.today
            if known is None or (known.create_blocked and known.create_blocked <= today):
                return
            if known.deprecated and known.deprecated <= today:
                yield Problem(
                    span,
                    f"{name} has had no security patches since {known.deprecated} (table of {as_of()})",
                    hint=f"move to {known.successor}" if known.successor else None,
                )
