"""HTTP APIs and function URLs send the names of headers in lower case, whatever the client wrote.

A lookup with a capital letter finds nothing, ever.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from typing import Final

from lambdalint.facts.event_reads import EventReads
from lambdalint.rule import (
    Applicability,
    Fix,
    Module,
    Problem,
    Problems,
    Project,
    ReadKeys,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.calls.event_shapes import shape

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Events:
        Order: {{Type: {kind}, Properties: {{Path: /orders, Method: get}}}}
"""
HTTP_API: Final = TEMPLATE.format(kind="HttpApi")
BAD: Final = """\
def handler(event, context):
    token = event["headers"]["Authorization"]  # finding
    kind = event["headers"].get("Content-Type", "text/plain")  # finding
    return {"statusCode": 200, "body": token + kind}
"""
GOOD: Final = """\
def handler(event, context):
    token = event["headers"].get("Authorization") or event["headers"].get("authorization")
    headers = {name.title(): value for name, value in event["headers"].items()}
    return {"statusCode": 200, "body": token + headers["Content-Type"] + event["headers"]["host"]}
"""


@rule(
    "LV005",
    "header-case",
    severity=Severity.WARNING,
    since="0.1.0",
    fix="unsafe",
    bad={"template.yaml": HTTP_API, "src/app.py": BAD},
    good=(
        {"template.yaml": HTTP_API, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE.format(kind="Api"), "src/app.py": BAD.replace("  # finding", "")},
    ),
)
def check(module: Module, project: Project, found: EventReads) -> Problems:
    reads = {
        each.lines: each.keys[1]
        for each in found.reads
        if len(each.keys) == 2 and each.keys[0] == "headers" and isinstance(each.keys[1], str)
    }
    if all(name == name.lower() for name in reads.values()) or not _sends_lower_case(project, module):
        return
    for lines, name in reads.items():
        if name != name.lower() and name.lower() not in reads.values():
            at = Span(module.path, *lines)
            change = ReadKeys(at, (name,), (name.lower(),))
            yield Problem(
                at,
                f'headers["{name}"] is never there: the names of headers come in lower case',
                hint=f'look up "{name.lower()}"',
                fix=Fix(f'look up "{name.lower()}"', Applicability.UNSAFE, changes=(change,)),
            )


def _sends_lower_case(project: Project, module: Module) -> bool:
    """Whether all that invokes the functions of the module surely sends payload 2.0."""
    loaders = project.loaders().get(module.path, ())
    return bool(loaders) and all(
        each.triggers and each.triggers_complete and all(shape(trigger) == "http" for trigger in each.triggers)
        for each in loaders
    )
