"""Whoever may read a function's configuration reads its environment variables, and templates lie in repositories.

A key or token of a known format in a variable is a secret given away.  Keep it in Secrets Manager or Parameter Store
and give the function the name of it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lambdalint.facts.secrets import is_secret_access_key, secret_format
from lambdalint.rule import Confidence, Function, Known, Problem, Problems, Severity, Span, Value, rule

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
          {variables}
"""
# In two parts, for scanners of this repository: none of these was ever valid.
SLACK = "https://hooks.slack.com/services/" + "T7Q2ZK9XW/B4M8RJ1VD/hT3kq9ZpXw5LmB7cRv2NyG8s"
STRIPE = "sk_live_" + "9fKq2ZtXw7LmB4cRv8NyG3sD"
KEY_ID, KEY = "AKIA" + "Q3ZT5WXN2LRB7CVY", "h7Qp2/Zt9XwLm4BcRv8+NyG3sDk6" + "JfTa1UeHq5Wz"


@rule(
    "LK001",
    "token-in-env",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=(
        "checkov:CKV_AWS_45",
        "checkov:CKV_AWS_41",
        "kics:hardcoded_aws_access_key_in_lambda",
        "semgrep:aws-lambda-environment-credentials",
        "prowler:awslambda_function_no_secrets_in_variables",
        "steampipe:variables_no_sensitive_data",
        "codeguru:exposed-lambda-env-secret-cloudformation",
        "codeguru:exposed-lambda-env-secret-terraform",
    ),
    bad=(
        {"template.yaml": TEMPLATE.format(variables=f"SLACK_HOOK: {SLACK}  # finding")},
        {"template.yaml": TEMPLATE.format(variables=f"STRIPE: {STRIPE}  # finding")},
        {
            "template.yaml": TEMPLATE.format(
                variables=f"UPLOAD_ID: {KEY_ID}  # finding\n          UPLOAD: {KEY}  # finding"
            )
        },
        {"template.yaml": TEMPLATE.format(variables="DB: postgres://orders:hX7-qp2Zt9w@db.internal/o  # finding")},
    ),
    good=(
        {
            "template.yaml": TEMPLATE.format(
                variables="SLACK_HOOK: '{{resolve:secretsmanager:slack:SecretString:hook}}'"
            )
        },
        {"template.yaml": TEMPLATE.format(variables="STRIPE_SECRET_NAME: prod/stripe")},
        {"template.yaml": TEMPLATE.format(variables="STRIPE: sk_live_XXXXXXXXXXXXXXXXXXXXXXXX")},
        {"template.yaml": TEMPLATE.format(variables="UPLOAD_ID: AKIAIOSFODNN7EXAMPLE")},
        {"template.yaml": TEMPLATE.format(variables=f"BUNDLE: {KEY}")},
        {"template.yaml": TEMPLATE.format(variables="DB: postgres://orders:${DbPassword}@db.internal/orders")},
        {"template.yaml": TEMPLATE.format(variables="BROKER: amqp://guest:guest@localhost:5672")},
    ),
)
def check(function: Function) -> Problems:
    match function.env:
        case Known(variables):
            for name, title, span, is_sure in _secrets(variables):
                yield Problem(
                    span,
                    f"{name} holds {title}; anyone who may read the configuration has it",
                    secret=True,
                    hint="revoke it, keep the new one in Secrets Manager and give the function its name",
                    confidence=None if is_sure else Confidence.MEDIUM,
                )


def _secrets(variables: Mapping[str, Value[Any]]) -> Iterator[tuple[str, str, Span, bool]]:
    """Variables that hold a secret: the name, what it holds, where, and whether that is sure."""
    texts = {name: value.value for name, value in variables.items() if isinstance(value, Known)}
    formats = {name: form for name, text in texts.items() if isinstance(text, str) and (form := secret_format(text))}
    has_key_id = any(form.name == "aws-access-key-id" for form in formats.values())
    keys = [name for name, text in texts.items() if has_key_id and isinstance(text, str) and is_secret_access_key(text)]
    for name, form in formats.items():
        yield name, form.title, variables[name].span, form.is_sure and (not form.is_identifier or bool(keys))
    for name in keys:
        if name not in formats:
            yield name, "an AWS secret access key", variables[name].span, True
