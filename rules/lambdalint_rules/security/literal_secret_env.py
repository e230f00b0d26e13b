"""A password or key written into a template is known to everyone who may read the template or the configuration.

This one goes by the name of the variable and the look of its value; keys of a known format are ``token-in-env``.
Names, ARNs and paths of secrets, and placeholders, are no secrets.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

from lambdalint.facts.secrets import is_literal_secret, is_secret_access_key, secret_format
from lambdalint.rule import Confidence, Function, Known, Problem, Problems, Severity, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Password: {{Type: String, NoEcho: true}}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      Environment:
        Variables:
          {variable}
"""


@rule(
    "LK002",
    "literal-secret-env",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    covers=("checkov:CKV_AWS_45", "prowler:awslambda_function_no_secrets_in_variables"),
    bad=(
        {"template.yaml": TEMPLATE.format(variable="DB_PASSWORD: h4mst3r-Wheel!  # finding")},
        {"template.yaml": TEMPLATE.format(variable="PARTNER_API_KEY: 7f3a9c2e41d84b06a5  # finding")},
    ),
    good=tuple(
        {"template.yaml": TEMPLATE.format(variable=variable)}
        for variable in (
            "DB_PASSWORD: !Ref Password",
            "DB_PASSWORD: '{{resolve:secretsmanager:orders:SecretString:password}}'",
            "DB_PASSWORD: changeme-please",
            "DB_PASSWORD_PARAMETER: /prod/orders/db-password-2",
            "DB_SECRET: arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-a1B2c3",
            "DB_SECRET: prod/orders/db",
            "GOOGLE_API_KEY: AIzaXXXX",
            "API_KEY: KEYEXAMPLE1234",
            "API_KEY_HEADER: x-partner-key-2",
            "TOKEN_TTL: '86400'",
            "MAX_TOKENS: '4096'",
            "AUTH_TOKEN: http://localhost:2773/secretsmanager/get",
            "DATABASE_URL: postgres://postgres:postgres@db/orders",
        )
    ),
)
def check(function: Function) -> Problems:
    match function.env:
        case Known(variables):
            texts = [value.value for value in variables.values() if isinstance(value, Known)]
            formats = {text: secret_format(text) for text in texts if isinstance(text, str)}
            has_key_id = any(form and form.name == "aws-access-key-id" for form in formats.values())
            for name, value in variables.items():
                match value:
                    # A parameter's default is the parameter's fault, whoever uses it.
                    case Known(str(text), span, parameter=None):
                        has_format = formats[text] or (has_key_id and is_secret_access_key(text))
                        if is_literal_secret(name, text) and not has_format:
                            yield Problem(
                                span,
                                f"{name} has a literal value in the template",
                                secret=True,
                                hint="keep it in Secrets Manager or Parameter Store and give the function its name",
                            )
