"""Lambda freezes an environment after each invocation, and ends it without running what is registered for the exit.

Without an extension there is no time for a shutdown at all: the process is killed.  What is to be flushed, committed
or sent at the exit is lost, or stays in memory until the next event.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import CallOf, Expression, Name
from lambdalint.facts.outline import Outline
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Confidence, Known, Module, Problem, Problems, Project, Severity, Span, rule
from lambdalint_rules.handler.samples import orders

#: What is lost when it does not run, and what only leaves a connection open.
_LOSING: Final = frozenset(
    (
        "commit",
        "flush",
        "flush_metrics",
        "flush_traces",
        "force_flush",
        "publish",
        "put_metric_data",
        "put_object",
        "put_records",
        "send",
        "send_message",
        "upload_file",
    )
)
_CLOSING: Final = frozenset(("close", "disconnect", "shutdown", "stop"))
_ATEXIT: Final = "atexit.register"
_SIGTERM: Final = Name("signal.SIGTERM")


@rule(
    "LS010",
    "exit-time-cleanup",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        orders("""\
import atexit
import signal

from kafka import KafkaProducer
from metrics import Buffer, client

producer = KafkaProducer()
atexit.register(producer.flush)  # finding

@atexit.register  # finding
def leave():
    client.close()

def stop(number, frame):
    client.put_metric_data(Namespace="orders")

signal.signal(signal.SIGTERM, stop)  # finding

class Log:
    def __del__(self):
        client.send_message("done")

log = Log()  # finding

def handler(event, context):
    producer.send("orders", event)
"""),
    ),
    good=(
        orders("""\
import atexit
import logging

from kafka import KafkaProducer

producer = KafkaProducer()
atexit.register(producer.flush)
atexit.register(print, "done")
atexit.register(logging.shutdown)

class Connection:
    def __del__(self):
        self.socket.close()

class Batch:
    def __del__(self):
        self.client.send("done")

connection = Connection()

def handler(event, context):
    Batch()
    producer.send("orders", event)
    producer.flush()

def command():
    atexit.register(producer.commit)

if __name__ == "__main__":
    atexit.register(producer.commit)
"""),
        orders(
            """\
import signal

import boto3

client = boto3.client("cloudwatch")

def stop(number, frame):
    client.put_metric_data(Namespace="orders", MetricData=[])

signal.signal(signal.SIGTERM, stop)

def handler(event, context): ...
""",
            settings="      Layers: [arn:aws:lambda:eu-central-1:111122223333:layer:telemetry:3]\n",
        ),
    ),
)
def check(module: Module, project: Project, calls: Calls, symbols: Symbols, outline: Outline) -> Problems:
    for how, span, cleaning, scope in _registered(calls, symbols, outline):
        word = _lost(cleaning, calls, scope)
        if word is None or (how == "a handler of SIGTERM" and _has_extension(module, project)):
            continue
        yield Problem(
            span,
            f"{how} does not run when the environment is frozen or ended; {word}() is not called",
            confidence=None if word in _LOSING else Confidence.LOW,
            hint=f"call {word}() before the handler returns",
        )


def _registered(
    calls: Calls, symbols: Symbols, outline: Outline
) -> Iterator[tuple[str, Span, frozenset[str], str | None]]:
    """What is to run at the exit: how, where that is said, what it calls by its last name, and in which function."""
    for call in calls.calls:
        if call.skipped or call.decorator:
            continue
        if call.name == _ATEXIT and call.args:
            yield "what atexit registers", call.span, *_cleaning(call.args[0], calls)
        elif call.name == "signal.signal" and len(call.args) == 2 and call.args[0] == _SIGTERM:
            yield "a handler of SIGTERM", call.span, *_cleaning(call.args[1], calls)
    decorator = outline.mentions.get("", {}).get(_ATEXIT)
    for scope, definition in symbols.definitions.items():
        if _ATEXIT in definition.decorators and decorator is not None:
            yield "what atexit registers", Span(definition.span.path, *decorator), _called_in(scope, calls), scope
        elif definition.is_method and scope.endswith(".__del__"):
            owner = scope.removesuffix(".__del__")
            for found in symbols.symbols.values():
                if len(found) == 1 and isinstance(found[0].value, CallOf) and found[0].value.name == f":{owner}":
                    yield f"__del__ of {owner}", found[0].span, _called_in(scope, calls) - _CLOSING, scope


def _cleaning(target: Expression, calls: Calls) -> tuple[frozenset[str], str | None]:
    if isinstance(target, CallOf) and target.name == "functools.partial" and target.args:
        target = target.args[0]
    if not isinstance(target, Name):
        return frozenset(), None
    if target.name.startswith(":") and "(" not in target.name:
        return _called_in(target.name[1:], calls), target.name[1:]
    known = target.name.startswith("logging.")
    return frozenset() if known else frozenset((target.name.rpartition(".")[2],)), None


def _called_in(scope: str, calls: Calls) -> frozenset[str]:
    return frozenset(_last(call) for call in calls.calls if call.scope == scope)


def _last(call: Call) -> str:
    return (call.name or "").rpartition(".")[2]


def _lost(cleaning: frozenset[str], calls: Calls, scope: str | None) -> str | None:
    """What does not happen, unless other functions do it as well."""
    elsewhere = {_last(call) for call in calls.calls if call.scope and call.scope != scope}
    for words in (_LOSING, _CLOSING):
        found = sorted((cleaning & words) - elsewhere)
        if found:
            return found[0]
    return None


def _has_extension(module: Module, project: Project) -> bool:
    """Whether a function that loads the module may have an extension, and with it time for a shutdown."""
    return any(
        each.image or not (each.layers is None or (isinstance(each.layers, Known) and not each.layers.value))
        for each in project.loaders().get(module.path, ())
    )
