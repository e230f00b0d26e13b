"""A deprecated runtime gets no security patches and no support.

Functions on it go on running, until one day they can be neither created nor updated.  Dates are those of the table that
the message names; a runtime past the first of those days is ``blocked-runtime``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from lambdalint.aws.runtimes import as_of, runtime
from lambdalint.facts.imports import Imports
from lambdalint.rule import Function, Known, PerModule, Problem, Problems, Project, Severity, rule
from lambdalint_rules.configuration.successors import moving_on

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

OLD = (
    TEMPLATE.format(runtime="python3.9  # finding")
    .replace("index.", "app.")
    .replace('InlineCode: "def handler(event, context): ..."', "CodeUri: src/")
)


@rule(
    "LC001",
    "deprecated-runtime",
    severity=Severity.WARNING,
    since="0.1.0",
    fix="unsafe",
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
    bad=(
        {"template.yaml": TEMPLATE.format(runtime="python3.9  # finding")},
        {"template.yaml": OLD, "src/app.py": "import distutils\n\ndef handler(event, context): ...\n"},
    ),
    good=(
        {"template.yaml": TEMPLATE.format(runtime="python3.14")},
        {"template.yaml": "Parameters:\n  Runtime: {Type: String}\n" + TEMPLATE.format(runtime="!Ref Runtime")},
    ),
)
def check(function: Function, project: Project, imports: PerModule[Imports]) -> Problems:
    match function.runtime:
        case Known(name, span) as stated if not function.image:
            known, today = runtime(str(name)), project.today
            if known is None or (known.create_blocked and known.create_blocked <= today):
                return
            if known.deprecated and known.deprecated <= today:
                yield Problem(
                    span,
                    f"{name} has had no security patches since {known.deprecated} (table of {as_of()})",
                    hint=f"move to {known.successor}" if known.successor else None,
                    fix=moving_on(function, stated, known, imports),
                )
