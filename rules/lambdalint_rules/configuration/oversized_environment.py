"""The names and values of all environment variables together may take 4,096 bytes.

Lambda refuses the configuration with more.  Bytes count in UTF-8, and variables from ``Globals`` count as well; a value
that the template does not show counts as nothing, so that there may be even more than is said.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Mapping
from typing import Any

from lambdalint.aws.limits import limit
from lambdalint.rule import Function, Known, Problem, Problems, Severity, Unknown, Value, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Environment:
      Variables:
        RULES: {rules}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      Environment:
        Variables:
          TABLE: !Ref Table
          CONFIG: {config}
  Table:
    Type: AWS::Serverless::SimpleTable
"""


@rule(
    "LC018",
    "oversized-environment",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=("cfn-lint:E3697",),
    bad={"template.yaml": TEMPLATE.format(rules="x" * 1_300, config="é" * 1_400 + "  # finding")},
    good={"template.yaml": TEMPLATE.format(rules="x" * 1_300, config="e" * 2_700)},
)
def check(function: Function) -> Problems:
    match function.env:
        case Known(variables) if variables:
            allowed = limit("environment", "max_bytes")
            sizes = {name: len(name.encode()) + _value_bytes(value) for name, value in variables.items()}
            total = sum(sizes.values())
            if total > allowed:
                largest = max(sizes, key=lambda name: sizes[name])
                taken = f"{'at least ' if _hides(variables) else ''}{total:,} bytes"
                yield Problem(
                    variables[largest].span,
                    f"variables take {taken}; {allowed:,} are allowed ({largest} alone {sizes[largest]:,})",
                    hint="keep large values in Parameter Store, AppConfig or a file of the package",
                )


def _value_bytes(value: Value[Any]) -> int:
    match value:
        case Known(bool(flag)):
            return len("true" if flag else "false")
        case Known(str(text)):
            return len(text.encode(errors="surrogatepass"))
        case Known(int() | float() as number):
            return len(str(number))
        case _:
            return 0


def _hides(variables: Mapping[str, Value[Any]]) -> bool:
    return any(isinstance(value, Unknown) for value in variables.values())
