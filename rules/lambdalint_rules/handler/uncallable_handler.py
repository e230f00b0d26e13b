"""Lambda calls a handler with two arguments: the event and the context.

A handler that cannot take both fails on every invocation with a ``TypeError`` that unit tests calling ``main(event)``
never see.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from lambdalint.facts.entry import Entry
from lambdalint.facts.symbols import Signature
from lambdalint.rule import (
    AddParameter,
    Applicability,
    Confidence,
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
from lambdalint_rules.handler.orders import HANDLER, ORDERS

BAD = ORDERS.replace("app.handler", "app.handler  # finding")

INSTANCE = """\
class Orders:
    def __init__(self, table):
        self.table = table

    def __call__(self, event):
        return self.table

handler = Orders("orders")
"""
PARTIAL = """\
from functools import partial

def work(table, event, context):
    return table

handler = partial(work, "orders")
"""
DECORATED = """\
from framework import with_context

@with_context
def handler(event):
    return event
"""
POWERTOOLS = """\
from aws_lambda_powertools import Logger

logger = Logger()

@logger.inject_lambda_context(log_event=True)
def handler(event):
    return event
"""
REBOUND = """\
from mangum import Mangum

def handler(event):
    return event

handler = Mangum(handler)
"""
BRANCHES = """\
import os

if os.environ.get("LEGACY"):
    def handler(event, context):
        return event
else:
    def handler(*args):
        return args[0]
"""


@rule(
    "LH003",
    "uncallable-handler",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": HANDLER.format(handler="orders.main  # finding"), "src/orders.py": "def main(event): ...\n"},
        {"template.yaml": BAD, "src/app.py": "def handler(event, context, table): ...\n"},
        {"template.yaml": BAD, "src/app.py": "def handler(event, context, *, table): ...\n"},
        {"template.yaml": BAD, "src/app.py": "handler = lambda event: event\n"},
        {"template.yaml": BAD, "src/app.py": INSTANCE},
        {"template.yaml": BAD, "src/app.py": PARTIAL.replace("table, event, context", "table, event")},
        {"template.yaml": BAD, "src/app.py": POWERTOOLS},
        {"template.yaml": BAD, "src/app.py": "from .impl import handler\n", "src/impl.py": "def handler(): ...\n"},
    ),
    good=(
        {"template.yaml": HANDLER.format(handler="orders.main"), "src/orders.py": "def main(event, context): ...\n"},
        {"template.yaml": ORDERS, "src/app.py": "def handler(event, context=None, *rest, table='orders'): ...\n"},
        {"template.yaml": ORDERS, "src/app.py": "def handler(*args): ...\n"},
        {"template.yaml": ORDERS, "src/app.py": INSTANCE.replace("(self, event)", "(self, event, context)")},
        {"template.yaml": ORDERS, "src/app.py": PARTIAL},
        {"template.yaml": ORDERS, "src/app.py": DECORATED},
        {"template.yaml": ORDERS, "src/app.py": REBOUND},
        {"template.yaml": ORDERS, "src/app.py": BRANCHES},
    ),
)
def check(function: Function, entry: Entry) -> Problems:
    match function:
        case Function(handler=Known(str(), span, parameter=parameter)) if entry.signature and entry.path:
            if entry.signature.takes(2):
                return
            symbol = function.target.symbol
            at = entry.definition.span if entry.definition else None
            yield Problem(
                span,
                f"{symbol}() {_what_it_takes(entry.signature)}; Lambda passes an event and a context",
                related=(Related(at, f"{symbol}() is defined here"),) if at else (),
                confidence=Confidence.MEDIUM if parameter else None,
                fix=_appending(at, entry.signature),
            )


def _appending(at: Span | None, signature: Signature) -> Fix | None:
    """The fix that takes the arguments which are missing; one too many is nothing to fill in."""
    if at is None or signature.keyword_only or signature.most is None or signature.most > 1:
        return None
    name = "context" if signature.most else "event, context"
    return Fix(f"take {name} as well", Applicability.UNSAFE, changes=(AddParameter(at, name),))


def _what_it_takes(signature: Signature) -> str:
    if signature.keyword_only:
        return f"needs the keyword argument {signature.keyword_only[0]}"
    if signature.required > 2:
        return f"needs {signature.required} arguments"
    return "takes one argument" if signature.most == 1 else "takes no argument"
