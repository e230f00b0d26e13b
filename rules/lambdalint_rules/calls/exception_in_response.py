"""The text of an exception names tables, hosts, queries and files, which is nobody's business outside.

Whatever an ``except Exception`` catches was not foreseen, and neither was its text.  Log it, and answer with a message
of your own.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
"""

from typing import Final

from lambdalint.facts.reach import Reach
from lambdalint.facts.returns import Returns
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    HideException,
    Known,
    PerModule,
    Problem,
    Problems,
    Severity,
    Trigger,
    rule,
)
from lambdalint_rules.calls.caught_responses import QUEUE, TEMPLATE, answers, called_from, callers, told_exception

TEXT: Final = """\
import json

def handler(event, context):
    try:
        return {"statusCode": 200, "body": json.dumps(work(event))}
    except Exception as error:
        return {  # finding
            "statusCode": 500,
            "body": json.dumps({"message": f"Internal error: {error}"}),
        }

def work(event): ...
"""
HELPER: Final = """\
import json
import traceback

def handler(event, context):
    try:
        return reply(200, work(event))
    except ValueError as error:
        return reply(400, str(error))
    except Exception:
        return reply(500, traceback.format_exc())  # finding

def reply(status, body):
    return {"statusCode": status, "body": json.dumps({"result": body})}

def work(event): ...
"""
GOOD: Final = """\
import json
import os

class Refused(Exception): ...

def handler(event, context):
    try:
        return {"statusCode": 200, "body": json.dumps(work(event))}
    except Refused as refused:
        return {"statusCode": 400, "body": str(refused)}
    except Exception as error:
        print(f"failed: {error}")
        if os.environ.get("DEBUG"):
            return {"statusCode": 500, "body": str(error)}
        return {"statusCode": 500, "body": json.dumps({"message": "Internal error", "kind": type(error).__name__})}

def work(event): ...
"""
IAM: Final = TEMPLATE.replace("Method: get}", "Method: get, Auth: {Authorizer: AWS_IAM}}")
IAM_BY_DEFAULT: Final = (
    TEMPLATE.replace("Method: get}", "Method: get, RestApiId: !Ref Shop}")
    + """\
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Auth: {DefaultAuthorizer: AWS_IAM}
"""
)


@rule(
    "LE011",
    "exception-in-response",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    covers=("codeguru:stack-trace-exposure", "codeguru:improper-error-handling"),
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": TEXT},
        {"template.yaml": TEMPLATE, "src/app.py": HELPER},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": QUEUE, "src/app.py": TEXT.replace("  # finding", "")},
        {"template.yaml": IAM, "src/app.py": TEXT.replace("  # finding", "")},
        {"template.yaml": IAM_BY_DEFAULT, "src/app.py": TEXT.replace("  # finding", "")},
    ),
)
def check(function: Function, reach: Reach, symbols: PerModule[Symbols], returns: PerModule[Returns]) -> Problems:
    triggers = [trigger for trigger in callers(function) if not _is_private(trigger)]
    if not triggers:
        return
    for answer in answers(function, reach, symbols, returns):
        body = answer.response.get("body")
        told = None if body is None else told_exception(body)
        if told is not None:
            yield Problem(
                answer.given.span,
                f"{told} goes to the client, and may name tables, hosts and queries",
                related=(called_from(triggers[0]),),
                hint="log the exception, and answer with a message of your own",
                fix=Fix(
                    "log it, and answer with a message",
                    Applicability.UNSAFE,
                    changes=(HideException(answer.given.span),),
                ),
            )


def _is_private(trigger: Trigger) -> bool:
    """Whether nobody but principals of AWS may call, as far as that is stated or hidden."""
    settings = (trigger.settings, trigger.source.properties if trigger.source is not None else {})
    for key in ("AuthorizationType", "AuthType", "Auth"):
        for each in settings:
            value = each.get(key)
            if value is not None and (not isinstance(value, Known) or "AWS_IAM" in repr(value.value)):
                return True
    return False
