"""Some triggers work with what the function returns, and fail when it is not what they want.

Cognito wants the event back, after every trigger, also where there is nothing to answer; without it nobody can sign in.
An authorizer has to return a principal with a policy, or ``isAuthorized``.  Firehose wants each record with its id, a
result and data, or the whole batch goes to the errors.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.facts.entry import Entry
from lambdalint.facts.expressions import NONE, Collection, Expression, Literal
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.returns import Return, Returns
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    Related,
    ReturnEvent,
    Severity,
    Span,
    TriggerKind,
    rule,
)

COGNITO: Final = """\
Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      LambdaConfig: {PostConfirmation: !GetAtt Confirmed.Arn}
  Confirmed:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: app.handler
      Runtime: python3.13
      Role: arn:aws:iam::123456789012:role/orders
"""
AUTHORIZER: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Own:
            FunctionArn: !GetAtt Check.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
  Check:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
ALONE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
NOTHING: Final = """\
def handler(event, context):  # finding
    print(event["userName"])
"""
ANSWER: Final = """\
def handler(event, context):
    if event["triggerSource"] == "PostConfirmation_ConfirmSignUp":
        return {"statusCode": 200, "body": "welcome"}  # finding
    return event
"""
EVENT: Final = """\
def handler(event, context):
    if not event["request"]["userAttributes"].get("email"):
        raise ValueError("no email")
    event["response"] = {"autoConfirmUser": True}
    return event
"""
DENIES: Final = """\
def handler(event, context):
    if event["headers"].get("authorization") != "secret":
        return {"authorized": False}  # finding
    return {"isAuthorized": True}
"""
ALLOWS: Final = """\
def handler(event, context):
    if "authorization" not in event["headers"]:
        raise RuntimeError("Unauthorized")
    if event["type"] == "TOKEN":
        return policy("me")
    return {"isAuthorized": event["headers"]["authorization"] == "secret"}

def policy(name):
    return {"principalId": name, "policyDocument": {"Version": "2012-10-17", "Statement": []}}
"""
RECORDS: Final = """\
def handler(event, context):
    done = []
    for record in event["records"]:
        done.append({"recordId": record["recordId"], "result": "OK", "data": record["data"]})
    return {"records": done}  # finding
"""

#: What Firehose knows to do with a record.
#:
#: Source: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
_RESULTS: Final = ("Ok", "Dropped", "ProcessingFailed")


@rule(
    "LV008",
    "incomplete-trigger-response",
    severity=Severity.ERROR,
    fix="unsafe",
    since="0.1.0",
    bad=(
        {"template.yaml": COGNITO, "src/app.py": NOTHING},
        {"template.yaml": COGNITO, "src/app.py": ANSWER},
        {"template.yaml": AUTHORIZER, "src/app.py": DENIES},
        {"template.yaml": ALONE, "src/app.py": RECORDS},
    ),
    good=(
        {"template.yaml": COGNITO, "src/app.py": EVENT},
        {"template.yaml": ALONE, "src/app.py": NOTHING.replace("  # finding", "")},
        {"template.yaml": AUTHORIZER, "src/app.py": ALLOWS},
        {"template.yaml": ALONE, "src/app.py": RECORDS.replace("OK", "Ok").replace("  # finding", "")},
    ),
)
def check(function: Function, entry: Entry, modules: PerModule[Returns]) -> Problems:
    returns = modules.get(entry.path) if entry.path is not None else None
    definition = entry.definition
    if returns is None or definition is None or definition.is_deferred:
        return
    values = returns.get(definition.scope)
    for each in values:
        what = _bad_record(each.value)
        if what is not None:
            yield Problem(each.span, f"{what}; Firehose fails the record", hint="see the status model of Firehose")
    kinds = {trigger.kind for trigger in function.triggers}
    if kinds not in ({TriggerKind.COGNITO}, {TriggerKind.AUTHORIZER}) or not function.triggers_complete:
        return
    trigger = function.triggers[0]
    cognito = trigger.kind is TriggerKind.COGNITO
    wanted = (
        "the Cognito trigger must return the event" if cognito else "an authorizer must return a policy or isAuthorized"
    )
    related = (Related(trigger.span, "this waits for the answer"),)
    for each in values:
        what = _not_event(each.value) if cognito else _no_verdict(each.value)
        if what is not None and not _is_for_others(each):
            fix = _returning(each.span) if cognito else None
            yield Problem(each.span, f"{what} is returned; {wanted}", related=related, fix=fix)
    if not values and definition.scope in returns.falls_off:
        text = f"{definition.scope}() returns nothing; {wanted}"
        yield Problem(definition.span, text, related=related, fix=_returning(definition.span) if cognito else None)
    elif definition.scope in returns.swallowing:
        yield Problem(
            definition.span,
            f"{definition.scope}() returns nothing after an exception that it catches; {wanted}",
            related=related,
            confidence=Confidence.MEDIUM,
            fix=_returning(definition.span) if cognito else None,
        )


def _returning(at: Span) -> Fix:
    return Fix("return the event", Applicability.UNSAFE, changes=(ReturnEvent(at),))


def _is_for_others(each: Return) -> bool:
    """Whether an empty return is chosen by something that was not set: for a warmer, say."""
    return each.value == NONE and any(guard.kind is GuardKind.UNSET for guard in each.guards)


def _not_event(value: Expression) -> str | None:
    """What is returned, where it surely is not an event of Cognito."""
    if value == NONE:
        return "nothing"
    match value:
        case Literal() | Collection("list" | "tuple" | "set"):
            return "something else"
        case Collection("dict", _, keys, True) if _are_known(keys) and value.get("response") is None:
            return "a dict of its own"
        case _:
            return None


def _no_verdict(value: Expression) -> str | None:
    """What is returned, where it surely is neither form of an authorizer's answer."""
    if value == NONE:
        return "nothing"
    match value:
        case Literal() | Collection("list" | "tuple" | "set"):
            return "something else"
        case Collection("dict", _, keys, True) if _are_known(keys):
            policy = value.get("principalId") is not None and value.get("policyDocument") is not None
            return None if policy or value.get("isAuthorized") is not None else "a dict with neither"
        case _:
            return None


def _are_known(keys: tuple[Expression, ...]) -> bool:
    return all(isinstance(key, Literal) for key in keys)


def _bad_record(value: Expression) -> str | None:
    """What is wrong with the records that a transformation for Firehose returns."""
    return next((found for each in _records(value) if (found := _fault(each))), None)


def _records(value: Expression) -> Iterator[Collection]:
    records = value.get("records") if isinstance(value, Collection) and value.kind == "dict" else None
    for each in records.items if isinstance(records, Collection) else ():
        if isinstance(each, Collection) and each.kind == "dict" and each.get("recordId") is not None:
            yield each


def _fault(record: Collection) -> str | None:
    result = record.get("result")
    if result is None:
        return "a record has no result" if record.complete and _are_known(record.keys) else None
    if isinstance(result, Literal) and result.value not in _RESULTS:
        return f"the result {str(result.value)!r} is none of {', '.join(_RESULTS)}"
    return None
