"""A handler that exits takes the runtime with it: the invocation fails, and the next one starts cold.

Lambda expects the process to live on and take the next event.  An exit is ``Runtime.ExitError`` whatever its code:
no answer is given, what was asynchronous is tried again, and while the handler is imported the same happens at every
cold start.  An exception says what went wrong, and keeps the environment.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from typing import Final

from lambdalint.facts.calls import Call
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Function, PerModule, Problem, Problems, Severity, rule
from lambdalint_rules.handler.certain import certain_calls, entries, imported
from lambdalint_rules.handler.samples import orders

BAD = """\
import os
import sys
from jobs import settle

def handler(event, context):
    if not event.get("order"):
        sys.exit(1)  # finding
    try:
        return settle(event["order"])
    except ValueError:
        os._exit(2)  # finding
"""
JOBS = """\
class Settlement:
    def __init__(self, order):
        self.order = order

    def run(self):
        if not self.order:
            raise SystemExit("no order")  # finding
        if self.order == "late":
            raise SystemExit  # finding
        return self.order

def settle(order):
    return Settlement(order).run()
"""
AT_IMPORT = """\
import sys

def stop():
    print("not on this system")
    sys.exit(1)  # finding

stop()

def handler(event, context): ...
"""
CAUGHT = """\
import argparse
import os
import sys
import threading

try:
    import orjson
except ImportError:
    sys.exit("install orjson")

if sys.version_info < (3, 9):
    sys.exit(1)

def main(order):
    if not order:
        sys.exit(2)
    return order

def work():
    sys.exit()

def handler(event, context):
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        sys.exit("run this in Lambda")
    try:
        main(event.get("order"))
        raise SystemExit
    except SystemExit as error:
        raise RuntimeError("no order") from error
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return exit()

def exit():
    return "done"

def local():
    parser = argparse.ArgumentParser()
    sys.exit(handler(vars(parser.parse_args()), None))

if __name__ == "__main__":
    local()
    sys.exit(0)
"""

_EXITS: Final = frozenset(("sys.exit", "exit", "quit", "os._exit", "os.abort", "SystemExit"))
_CATCHING: Final = frozenset(("SystemExit", "BaseException"))

#: Variables by which code notices that it does not run in Lambda, or in its emulation.
_ABOUT_LAMBDA: Final = ("AWS_EXECUTION_ENV", "AWS_LAMBDA_", "AWS_SAM_LOCAL", "LAMBDA_", "_HANDLER")


@rule(
    "LH006",
    "process-exit",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(orders(BAD, jobs=JOBS), orders(AT_IMPORT)),
    good=(
        orders(CAUGHT),
        orders("def handler(event, context): ...\n", cli="import sys\n\ndef main():\n    sys.exit(1)\n"),
    ),
)
def check(function: Function, calls: PathCalls, symbols: PerModule[Symbols]) -> Problems:
    at_import = certain_calls(calls, "init", imported(calls), lambda call: not call.guards)
    for each in at_import:
        if each.name in _EXITS:
            yield _problem(each, calls, "runs while the handler is imported; it ends the runtime at every cold start")
    for each in certain_calls(calls, "invoke", entries(function, calls, symbols), _ends):
        if each.name in _EXITS:
            yield _problem(
                each, calls, "is reached from the handler; it ends the runtime, and the invocation counts as failed"
            )


def _problem(each: PathCall, calls: PathCalls, what: str) -> Problem:
    name = "raise SystemExit" if each.name == "SystemExit" else f"{each.name}()"
    return Problem(each.call.span, f"{name} {what}", related=calls.way(each), hint="raise an exception, or return")


def _ends(call: Call) -> bool:
    """Whether nothing around *call* catches what it raises, or keeps it from running in Lambda."""
    for guard in call.guards:
        if guard.kind is GuardKind.VERSION or (guard.kind is GuardKind.TRY and not _CATCHING.isdisjoint(guard.names)):
            return False
        if guard.kind is GuardKind.ENV and any(name.startswith(_ABOUT_LAMBDA) for name in guard.names):
            return False
    return True
