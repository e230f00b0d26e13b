"""A response with a status of 2xx says that all went well, whatever its body says.

Clients, retries, alarms on 5xx and the API's own metrics go by the status.  An ``except`` that answers 200 with an
error message hides every failure from them.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
"""

import re
from typing import Final

from lambdalint.facts.expressions import CallOf, Collection, Expression, Literal, walk
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.returns import Returns
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    Replace,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.calls.caught_responses import QUEUE, TEMPLATE, answers, called_from, callers, told_exception

OK: Final = """\
import json

def handler(event, context):
    try:
        return {"statusCode": 201, "body": json.dumps(work(event))}
    except Exception as error:
        print(error)
        return {"statusCode": 200, "body": json.dumps({"error": "could not work"})}  # finding

def work(event): ...
"""
HELPER: Final = """\
import json

def handler(event, context):
    try:
        return reply(work(event))
    except Exception as error:
        return reply(f"failed: {error}")  # finding

def reply(body):
    return {"statusCode": 200, "body": json.dumps(body)}

def work(event): ...
"""
GOOD: Final = """\
import json

def handler(event, context):
    try:
        return {"statusCode": 200, "body": json.dumps(work(event))}
    except KeyError:
        return {"statusCode": 200, "body": json.dumps({"error": None, "orders": []})}
    except Exception as error:
        print(error)
        return {"statusCode": 500, "body": json.dumps({"error": "could not work"})}

def work(event): ...
"""
EMPTY: Final = OK.replace('{"error": "could not work"}', '{"orders": []}').replace("  # finding", "")
WEBHOOK: Final = """\
import hashlib
import hmac
import json

def handler(event, context):
    try:
        if hmac.new(b"key", event["body"].encode(), hashlib.sha256).hexdigest() != event["headers"]["signature"]:
            return {"statusCode": 401}
        return {"statusCode": 200, "body": json.dumps(work(event))}
    except Exception as error:
        print(error)
        return {"statusCode": 200, "body": json.dumps({"error": "could not work"})}

def work(event): ...
"""

_FAILURE: Final = re.compile(
    r"\b(?:error|errors|exception|fail|failed|failure|could not|unable|went wrong)\b", re.IGNORECASE
)
#: Who calls a webhook wants 200, or calls again and again; a GraphQL response tells errors in its body.
_WEBHOOKS: Final = re.compile(
    r"\b(?:hmac|slack\w*|telegram|telebot|aiogram|linebot|twilio|stripe|graphql|graphene|ariadne|strawberry|nacl)\b",
    re.IGNORECASE,
)


@rule(
    "LE010",
    "error-as-success",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": OK},
        {"template.yaml": TEMPLATE, "src/app.py": HELPER},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": EMPTY},
        {"template.yaml": TEMPLATE, "src/app.py": WEBHOOK},
        {"template.yaml": QUEUE, "src/app.py": OK.replace("  # finding", "")},
    ),
)
def check(function: Function, calls: PathCalls, symbols: PerModule[Symbols], returns: PerModule[Returns]) -> Problems:
    triggers = callers(function)
    if not triggers or any(call.name is not None and _WEBHOOKS.search(call.name) for call in calls.calls):
        return
    for answer in answers(function, calls.reach, symbols, returns):
        status = answer.response.get("statusCode")
        body = answer.response.get("body")
        code = None if status is None else _success(status)
        if code is not None and body is not None and _tells_failure(body):
            yield Problem(
                answer.given.span,
                f"this except branch answers with statusCode {code}",
                related=(called_from(triggers[0]),),
                hint="answer with 500, or with the status that says what was wrong",
                fix=_failing(answer.given.value, answer.given.span, code),
            )


def _failing(value: Expression, at: Span, code: str) -> Fix | None:
    """The fix that answers with 500, where the status is written in the ``return``."""
    step: str | int
    match value:
        case Collection():
            step = "statusCode"
        case CallOf(args=args, keywords=keywords):
            given: list[tuple[str | int, Expression]] = [*enumerate(args), *keywords.items()]
            found = [place for place, each in given if isinstance(each, Literal) and str(each.value) == code]
            if len(found) != 1:
                return None
            (step,) = found
        case _:
            return None
    status = value.get("statusCode") if isinstance(value, Collection) else None
    is_text = isinstance(status, Literal) and isinstance(status.value, str)
    change = Replace(at, '"500"' if is_text else "500", (step,))
    return Fix("answer with 500", Applicability.UNSAFE, changes=(change,))


def _success(status: Expression) -> str | None:
    value = status.value if isinstance(status, Literal) else None
    text = str(value) if isinstance(value, int | str) else ""
    return text if re.fullmatch(r"2\d\d", text) else None


def _tells_failure(body: Expression) -> bool:
    return told_exception(body) is not None or any(
        isinstance(part, Literal) and isinstance(part.value, str) and _FAILURE.search(part.value) for part in walk(body)
    )
