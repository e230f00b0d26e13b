"""A while after its deprecation, functions on a runtime can no longer be created, and later not even updated.

A deployment that makes the function anew, in another account or after a rename, then fails.

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


@rule(
    "LC002",
    "blocked-runtime",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    covers=(
        "cfn-lint:E2531",
        "cfn-lint:E2533",
        "tflint:aws_lambda_function_deprecated_runtime",
        "checkov:CKV_AWS_363",
    ),
    bad=(
        {"template.yaml": TEMPLATE.format(runtime="python3.7  # finding")},
        {"template.yaml": TEMPLATE.format(runtime="python3.6  # finding")},
    ),
    good={"template.yaml": TEMPLATE.format(runtime="python3.14")},
)
def check(function: Function, project: Project, imports: PerModule[Imports]) -> Problems:
    match function.runtime:
        case Known(name, span) as stated if not function.image:
            known, today = runtime(str(name)), project.today
            if known is None or known.create_blocked is None or known.create_blocked > today:
                return
            updates = known.update_blocked
            until = f", nor updated {'since' if updates <= today else 'from'} {updates}" if updates else ""
            yield Problem(
                span,
                f"functions on {name} cannot be created since {known.create_blocked}{until} (table of {as_of()})",
                hint=f"move to {known.successor}" if known.successor else None,
                fix=moving_on(function, stated, known, imports),
            )
