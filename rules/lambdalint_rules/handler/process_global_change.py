"""Working directory, search path, locale, signal handlers and the like belong to the process, not to one invocation.

The process goes on to serve the next events, which find them changed: relative paths lead elsewhere, ``sys.path`` gets
longer with every event, random numbers start over.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from collections.abc import Mapping
from typing import Final

from lambdalint.facts.expressions import Literal, Name, text
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.kept import Kept, runs_once
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.rule import Confidence, Function, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders

#: What is called, and what comes of it.
_CHANGES: Final[Mapping[str, str]] = {
    "os.chdir": "moves every later invocation too",
    "os.umask": "holds for every later invocation too",
    "sys.path.append": "makes the search path longer with every invocation",
    "sys.path.extend": "makes the search path longer with every invocation",
    "sys.path.insert": "makes the search path longer with every invocation",
    "locale.setlocale": "holds for every later invocation too",
    "signal.signal": "stays for every later invocation",
    "warnings.filterwarnings": "holds for every later invocation too",
    "warnings.simplefilter": "holds for every later invocation too",
    "socket.setdefaulttimeout": "holds for every later invocation too",
    "decimal.setcontext": "holds for every later invocation too",
    "random.seed": "starts the same random numbers over with every invocation",
    "numpy.random.seed": "starts the same random numbers over with every invocation",
}

#: What a scope also calls when it puts back what was there before.
_RESTORING: Final[Mapping[str, frozenset[str]]] = {
    "os.chdir": frozenset(("os.getcwd", "pathlib.Path.cwd", "os.open")),
    "os.umask": frozenset(),
    "locale.setlocale": frozenset(("locale.getlocale",)),
    "signal.signal": frozenset(("signal.getsignal",)),
    "socket.setdefaulttimeout": frozenset(("socket.getdefaulttimeout",)),
    "warnings.filterwarnings": frozenset(("warnings.catch_warnings", "warnings.resetwarnings")),
    "warnings.simplefilter": frozenset(("warnings.catch_warnings", "warnings.resetwarnings")),
    "decimal.setcontext": frozenset(("decimal.getcontext",)),
    "random.seed": frozenset(("random.getstate", "random.setstate")),
    "numpy.random.seed": frozenset(("numpy.random.get_state", "numpy.random.set_state")),
}


@rule(
    "LS009",
    "process-global-change",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        orders("""\
import os
import random
import socket
import sys

def handler(event, context):
    os.chdir(event["folder"])  # finding
    sys.path.insert(0, "/opt/tools")  # finding
    random.seed(42)  # finding
    return load()

def load():
    socket.setdefaulttimeout(5)  # finding
    return socket.create_connection(("example.com", 80))
"""),
    ),
    good=(
        orders(
            """\
import os
import random
import signal
import socket
import sys
import warnings
from contextlib import chdir

socket.setdefaulttimeout(5)
sys.path.append("/opt/tools")
random.seed(42)
ready = False

def handler(event, context):
    global ready
    os.chdir("/tmp")
    random.seed()
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(10)
    before = os.getcwd()
    try:
        work(before)
    finally:
        signal.alarm(0)
    with chdir("/tmp/orders"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
    if "/opt/more" not in sys.path:
        sys.path.append("/opt/more")
    if not ready:
        os.umask(0o77)
        ready = True
    import lazy
    return lazy.answer

def work(before):
    home = os.getcwd()
    os.chdir("/tmp/orders")
    os.chdir(home)

def stop(number, frame): ...

if __name__ == "__main__":
    os.chdir("src")
""",
            lazy="import sys\nsys.path.append('/opt/lazy')\nanswer = 42\n",
        ),
    ),
)
def check(function: Function, calls: PathCalls, kept: Kept) -> Problems:
    called: dict[tuple[str, str], set[str]] = {}
    for each in calls.calls:
        if each.name is not None and each.phase == "invoke":
            called.setdefault((each.path, each.call.scope), set()).add(each.name)
    for each in calls.calls:
        at = (each.path, each.call.scope)
        effect = _CHANGES.get(each.name or "")
        if effect is None or each.phase != "invoke" or at in kept.scopes or _is_meant(each):
            continue
        name = each.name or ""
        if called[at].isdisjoint(_RESTORING.get(name, frozenset())):
            where = "the handler" if at == (function.target.scope_path, function.target.scope) else each.call.scope
            yield Problem(
                each.call.span,
                f"{name}() in {where} {effect}",
                related=calls.way(each),
                hint="do it at module level" if not name.endswith(".chdir") else "use whole paths",
            )


def _is_meant(each: PathCall) -> bool:
    """Whether it does no harm when repeated, is done once, or only where it was not done yet."""
    call = each.call
    if runs_once(call) or any(guard.kind in (GuardKind.ENV, GuardKind.VERSION) for guard in call.guards):
        return True
    match each.name:
        case "os.chdir":
            return bool(call.args) and text(call.args[0]) in ("/tmp", "/tmp/")  # noqa: S108
        case "random.seed" | "numpy.random.seed":
            return not call.args or not isinstance(call.args[0], Literal) or call.args[0].value is None
        case "signal.signal":
            return bool(call.args) and call.args[0] == Name("signal.SIGALRM")
        case "locale.setlocale":
            return len(call.args) < 2 and "locale" not in call.keywords
        case "sys.path.append" | "sys.path.extend" | "sys.path.insert":
            return any("sys.path" in guard.names for guard in call.guards)
        case _:
            return False
