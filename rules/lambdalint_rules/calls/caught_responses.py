"""What HTTP handlers answer once they have caught an exception, and examples of it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from lambdalint.facts.expressions import CallOf, Collection, Either, Expression, Joined
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.reach import Reach
from lambdalint.facts.returns import Return, Returns
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Function, PerModule, Related, Trigger, TriggerKind

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
        Get: {Type: Api, Properties: {Path: /orders, Method: get}}
"""
QUEUE: Final = TEMPLATE.replace(
    "{Type: Api, Properties: {Path: /orders, Method: get}}",
    "{Type: SQS, Properties: {Queue: arn:aws:sqs:eu-west-1:123456789012:jobs}}",
)

BROAD: Final = ("Exception", "BaseException")
_HTTP: Final = (TriggerKind.REST_API, TriggerKind.HTTP_API, TriggerKind.FUNCTION_URL, TriggerKind.ALB)
_TRACES: Final = ("traceback.format_exc", "traceback.format_exception", "traceback.format_tb")


class Answer(NamedTuple):
    """A ``return`` in an ``except`` that catches whatever goes wrong, and the *response* that it makes."""

    given: Return
    response: Collection


def callers(function: Function) -> tuple[Trigger, ...]:
    """The HTTP triggers of a function that has no others; none otherwise."""
    return function.triggers if all(trigger.kind in _HTTP for trigger in function.triggers) else ()


def called_from(trigger: Trigger) -> Related:
    """The place of the trigger."""
    return Related(trigger.span, "this sends the response on")


def answers(
    function: Function, reach: Reach, symbols: PerModule[Symbols], returns: PerModule[Returns]
) -> Iterator[Answer]:
    """The answers to whatever may go wrong, with the project's functions that make them looked into."""
    names = ProjectNames(function.modules, symbols)
    for path, scope in sorted(reach.invoke):
        found = returns.get(path)
        for each in found.get(scope) if found is not None else ():
            if _is_for_anything(each.guards):
                response = _response(each.value, path, names, symbols, returns)
                if response is not None:
                    yield Answer(each, response)


def _is_for_anything(guards: tuple[Guard, ...]) -> bool:
    """Whether the innermost ``except`` catches everything; nothing else is asked inside of it."""
    for guard in guards:
        if guard.kind is GuardKind.EXCEPT:
            return any(name in BROAD for name in guard.names)
        if guard.kind is not GuardKind.TRY:
            return False
    return False


def _response(
    value: Expression, path: str, names: ProjectNames, symbols: PerModule[Symbols], returns: PerModule[Returns]
) -> Collection | None:
    if isinstance(value, Collection):
        return value if value.kind == "dict" and value.get("statusCode") is not None else None
    if not isinstance(value, CallOf) or value.name is None:
        return None
    found = names.resolve(path, value.name)
    if found is None or found.path is None or found.scope is None or found.is_class or found.is_instance:
        return None
    module, made = symbols.get(found.path), returns.get(found.path)
    definition = None if module is None else module.definitions.get(found.scope)
    results = () if made is None else made.get(found.scope)
    if definition is None or len(results) != 1 or not definition.keeps_signature or definition.is_deferred:
        return None
    parameters = definition.parameters[1:] if definition.is_method else definition.parameters
    given = {**dict(zip(parameters, value.args, strict=False)), **value.keywords}
    response = results[0].filled(given)
    return response if isinstance(response, Collection) and response.get("statusCode") is not None else None


def told_exception(body: Expression) -> str | None:
    """How *body* tells the text of a caught exception or the way to it; ``None`` where it does not."""
    waiting = [body]
    while waiting:
        part = waiting.pop()
        match part:
            case CallOf(str(name)) if name in _TRACES:
                return f"{name.rpartition('.')[2]}()"
            case CallOf("str" | "repr" as name, (only,)) if _is_exception(only):
                return f"{name}() of the exception"
            case CallOf("str.format", args) | Joined(args) if any(_is_exception(each) for each in args):
                return "the text of the exception"
            case CallOf("type"):
                continue
            case CallOf(_, args, keywords):
                waiting += [*args, *keywords.values()]
            case Collection(_, items):
                waiting += items
            case Joined(items) | Either(items):
                waiting += items
            case _:
                continue
    return None


def _is_exception(value: Expression) -> bool:
    options = value.options if isinstance(value, Either) else (value,)
    return any(isinstance(each, CallOf) and each.name in BROAD and not each.args for each in options)
