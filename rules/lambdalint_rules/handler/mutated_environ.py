"""Environment variables belong to the process, which serves one invocation after the other.

What the handler puts into ``os.environ`` is still there for the next event, and for every library that looks.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from lambdalint.aws.environment import reserved_names
from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.env_reads import Absence, EnvRead, EnvReads
from lambdalint.facts.expressions import (
    NONE,
    UNKNOWN,
    Collection,
    Either,
    Env,
    EventPath,
    Expression,
    Joined,
    Literal,
    Name,
    carries_event,
)
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.kept import Kept
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.reach import Reach
from lambdalint.rule import Confidence, Function, Problem, Problems, Severity, Span, rule
from lambdalint_rules.handler.samples import orders

_UPDATE: Final = "os.environ.update"
#: What a scope calls when it puts the variables back.
_RESTORING: Final = frozenset(("os.environ.clear", "os.environ.pop", "os.unsetenv"))


@rule(
    "LS008",
    "mutated-environ",
    severity=Severity.WARNING,
    since="0.1.0",
    covers=("codeguru:lambda-override-reserved",),
    bad=(
        orders("""\
import os

def handler(event, context):
    os.environ["STAGE"] = event["stage"]  # finding
    os.environ.update({"TENANT": event["tenant"], "TZ": "UTC"})  # finding
    if event.get("debug"):
        os.environ["LOG_LEVEL"] = "DEBUG"  # finding
    return connect(event["user"])

def connect(user):
    os.putenv("PGUSER", user)  # finding
    os.environ["PGPASSWORD"] = secret()  # finding

def secret(): ...
"""),
    ),
    good=(
        orders(
            """\
import functools
import os

os.environ["MPLCONFIGDIR"] = "/tmp/matplotlib"
os.environ.setdefault("STAGE", "test")
import matplotlib

def handler(event, context):
    os.environ["TZ"] = "UTC"
    os.environ["FUNCTION"] = context.function_name
    os.environ.update(HOME="/tmp")
    os.environ.setdefault("LEVEL", "INFO")
    if "TOKEN" not in os.environ:
        os.environ["TOKEN"] = fetch()
    before = os.environ.get("STAGE")
    try:
        os.environ["STAGE"] = event["stage"]
        return work()
    finally:
        os.environ["STAGE"] = before

def work():
    os.environ["USER"] = token()
    try:
        return matplotlib.rc
    finally:
        del os.environ["USER"]

@functools.cache
def token():
    os.environ["TOKEN"] = fetch()

def fetch(): ...

if __name__ == "__main__":
    os.environ["STAGE"] = "local"
"""
        ),
    ),
)
def check(
    function: Function,
    reach: Reach,
    kept: Kept,
    reads: PerModule[EnvReads],
    calls: PerModule[Calls],
    arguments: PerModule[Arguments],
) -> Problems:
    for path in sorted({path for path, _ in reach.invoke}):
        read, called, passed = reads.get(path), calls.get(path), arguments.get(path)
        if read is None or called is None or passed is None:
            continue
        written = list(_written(read, called))
        restoring = {call.scope for call in called.calls if call.name in _RESTORING} if written else set()
        for number, each in enumerate(written):
            others = written[:number] + written[number + 1 :]
            if (
                (path, each.scope) not in reach.invoke
                or each.name in reserved_names()
                or each.scope in restoring
                or any((other.scope, other.name) == (each.scope, each.name) for other in others)
            ):
                continue
            from_event = any(map(carries_event, passed.alternatives(each.value, each.scope)))
            if not from_event and (
                each.lazily or (path, each.scope) in kept.scopes or any(map(_is_for_once, each.guards))
            ):
                continue
            on_event = any(guard.on_event and guard.kind is GuardKind.CONDITION for guard in each.guards)
            if not from_event and not on_event and _is_the_same(each.value):
                continue
            what = "set from the event" if from_event else "set for one event" if on_event else "set by an invocation"
            yield Problem(
                each.span,
                f"{each.shown} {what} stays set for the next invocation",
                related=reach.way(path, each.scope, "invoke"),
                confidence=None if from_event or on_event else Confidence.MEDIUM,
                hint="pass the value on as an argument",
            )


class _Write(NamedTuple):
    """A variable that is given a value; *name* is ``None`` where that is computed."""

    name: str | None
    value: Expression
    span: Span
    scope: str
    guards: tuple[Guard, ...]
    lazily: bool = False

    @property
    def shown(self) -> str:
        return "os.environ[…]" if self.name is None else f'os.environ["{self.name}"]'


def _written(reads: EnvReads, calls: Calls) -> Iterator[_Write]:
    lazily = {call.span for call in calls.calls if call.name == "os.environ.setdefault"}
    for read in reads.reads:
        if read.absence is Absence.WRITTEN and not read.skipped and read.scope:
            yield _of_read(read, read.span in lazily)
    for call in calls.calls:
        if not call.scope or call.skipped:
            continue
        if call.name == _UPDATE:
            found = next((each for each in _updates(call) if any(map(carries_event, each))), None)
            key, value = found or next(_updates(call), (UNKNOWN, NONE))
            yield _Write(_text(key), value, call.span, call.scope, call.guards)
        elif call.name == "os.putenv" and len(call.args) == 2:
            yield _Write(_text(call.args[0]), call.args[1], call.span, call.scope, call.guards)


def _of_read(read: EnvRead, lazily: bool) -> _Write:
    # ``del`` has no value, and is the same for every invocation.
    value = NONE if read.value is None else read.value
    return _Write(read.name, value, read.span, read.scope, read.guards, lazily)


def _updates(call: Call) -> Iterator[tuple[Expression, Expression]]:
    """What ``os.environ.update`` is given, as far as that can be told."""
    for argument in call.args:
        if isinstance(argument, Collection) and argument.kind == "dict":
            yield from zip(argument.keys, argument.items, strict=True)
        else:
            yield UNKNOWN, argument
    for key, value in call.keywords.items():
        yield (UNKNOWN if key == "**" else Literal(key)), value


def _text(key: Expression) -> str | None:
    return key.value if isinstance(key, Literal) and isinstance(key.value, str) else None


def _is_for_once(guard: Guard) -> bool:
    """Whether the code first looks whether that has been done, or is for a developer's machine."""
    return guard.kind in (GuardKind.ENV, GuardKind.UNSET, GuardKind.VERSION)


def _is_the_same(value: Expression) -> bool:
    """Whether every invocation gives the variable the same value."""
    match value:
        case Literal() | Name():
            return True
        case Env(default=default):
            return default is None or _is_the_same(default)
        case EventPath():
            return not carries_event(value)
        case Joined(parts) | Either(parts):
            return all(map(_is_the_same, parts))
        case _:
            return False
