"""Lambda calls the handler and turns what it gets into JSON: of a coroutine or a generator it runs nothing.

Calling an ``async def`` only makes a coroutine, and calling a function with ``yield`` a generator.  Neither is run, and
the invocation fails with ``Runtime.MarshalError``.  A plain function that calls ``asyncio.run`` is what Lambda takes.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from lambdalint.facts.entry import Entry
from lambdalint.facts.symbols import Definition
from lambdalint.rule import (
    Applicability,
    AwaitHandler,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Related,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.handler.samples import orders

ELSEWHERE = """\
async def work(event, context):  # finding
    return event
"""
DECORATED = """\
from aws_lambda_powertools import Logger

logger = Logger()

@logger.inject_lambda_context
async def handler(event, context):  # finding
    return event
"""
RUN = """\
import asyncio
import functools
from aws_durable_execution_sdk_python import durable_execution

async def work(event):
    return event

def waits(function):
    @functools.wraps(function)
    def wrapper(event, context):
        return asyncio.run(function(event, context))
    return wrapper

@waits
async def handler(event, context):
    return await work(event)

@durable_execution
async def durable(event, context):
    return await work(event)
"""
INSIDE = """\
import asyncio

def handler(event, context):
    async def work():
        yield event
    def numbers():
        yield 1
    return list(numbers())
"""


@rule(
    "LH004",
    "deferred-handler",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    covers=("sonar:S7614",),
    bad=(
        orders("async def handler(event, context):  # finding\n    return event\n"),
        orders("def handler(event, context):  # finding\n    for each in event:\n        yield each\n"),
        orders("from work import work as handler\n", work=ELSEWHERE),
        orders(DECORATED),
    ),
    good=(
        orders(RUN),
        orders(INSIDE),
        orders(
            "import asyncio\n\ndef handler(event, context):\n    return asyncio.run(work())\n\nasync def work(): ...\n"
        ),
        orders("import anyio\n\n@anyio.run_it\nasync def handler(event, context): ...\n"),
    ),
)
def check(function: Function, entry: Entry) -> Problems:
    match function.handler:
        case Known(value=handler, span=span) if entry.definition is not None and entry.definition.is_deferred:
            name = function.target.symbol
            yield Problem(
                _header(entry.definition),
                f"{name}() is {_kind(entry.definition)}; Lambda runs nothing of it and fails with Runtime.MarshalError",
                related=(Related(span, f"{function.name} has the handler {handler}"),),
                hint="call it from a plain function with asyncio.run()" if entry.definition.is_async else None,
                fix=_awaiting(entry.definition),
            )


def _awaiting(definition: Definition) -> Fix | None:
    if definition.is_generator or definition.is_lambda or definition.decorators:
        return None
    return Fix("call it from a plain function", Applicability.UNSAFE, changes=(AwaitHandler(definition.span),))


def _kind(definition: Definition) -> str:
    if not definition.is_generator:
        return "a coroutine function"
    return "an async generator function" if definition.is_async else "a generator function"


def _header(definition: Definition) -> Span:
    """The ``def`` up to the name."""
    span = definition.span
    width = len("async def " if definition.is_async else "def ") + len(definition.scope.rpartition(".")[2])
    return Span(span.path, span.line, span.column, span.line, span.column + width)
