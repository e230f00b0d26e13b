"""Which Lambda functions a function invokes through the SDK, and whether it waits for them."""

from dataclasses import dataclass
from typing import Any, Final

from lambdalint.facts.expressions import Env, Expression, Literal
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.model.function import Function
from lambdalint.model.project import Project
from lambdalint.model.values import Known, Unknown, Value

_INVOKE: Final = ".client(lambda).invoke"


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCall:
    """One ``invoke``.

    *callee* is the function where the project declares it, *waits* says that the answer is awaited.
    """

    call: PathCall
    callee: Function | None
    waits: bool


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCalls:
    """All calls of ``invoke`` that a function reaches."""

    calls: tuple[FunctionCall, ...]

    @classmethod
    def of(cls, function: Function, project: Project, calls: PathCalls) -> "FunctionCalls":
        found = [
            FunctionCall(call, _callee(function, project, call.call.keywords.get("FunctionName")), _waits(call))
            for call in calls.calls
            if call.name is not None and call.name.endswith(_INVOKE)
        ]
        return cls(tuple(found))


def _waits(call: PathCall) -> bool:
    kind = call.call.keywords.get("InvocationType")
    return not call.call.may_have_more and kind in (None, Literal("RequestResponse"))


def _callee(function: Function, project: Project, name: Expression | None) -> Function | None:
    """The function of the project that *name* surely names."""
    match name:
        case Literal(str(text)):
            return _named(project, text)
        case Env(variable, _) if isinstance(function.env, Known):
            return _meant(function, project, function.env.value.get(variable))
        case _:
            return None


def _meant(function: Function, project: Project, value: Value[Any] | None) -> Function | None:
    match value:
        case Known(value=str(text)):
            return _named(project, text)
        case Unknown(refers=refers) if refers is not None:
            found = [
                each
                for each in project.functions
                if each.template == function.template and each.resource.name == refers.resource
            ]
            return found[0] if len(found) == 1 else None
        case _:
            return None


def _named(project: Project, text: str) -> Function | None:
    """The one function with the physical name *text*, which may be an ARN or have a qualifier."""
    name = text.partition(":function:")[2] or text
    found = [each for each in project.functions if _physical_name(each) == name.partition(":")[0]]
    return found[0] if len(found) == 1 else None


def _physical_name(function: Function) -> str | None:
    stated = function.resource.get("FunctionName")
    return stated.value if isinstance(stated, Known) and isinstance(stated.value, str) else None
