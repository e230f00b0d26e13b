"""Lambda freezes the environment when the handler returns, and with it whatever still runs there.

A thread, process or task that nobody waits for goes on with the next invocation, hours later or never.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from collections.abc import Mapping
from typing import Final

from lambdalint.facts.kept import Kept, runs_once
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.waits import Waits
from lambdalint.rule import Confidence, Function, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders

#: What starts work of its own, and what it is.
_STARTS: Final[Mapping[str, str]] = {
    "threading.Thread().start": "thread",
    "threading.Timer().start": "timer",
    "multiprocessing.Process().start": "process",
    "multiprocessing.get_context().Process().start": "process",
}
_EXECUTORS: Final = ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.thread.ThreadPoolExecutor")
_SUBMITS: Final = tuple(f"{name}().submit" for name in _EXECUTORS)
#: What waits for all tasks, whoever started them.
_ALL_TASKS: Final = frozenset(("asyncio.all_tasks", "asyncio.Task.all_tasks"))


@rule(
    "LS005",
    "unfinished-work",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=("ruff:RUF006",),
    bad=(
        orders(
            """\
import threading

import helper

def handler(event, context):
    thread = threading.Thread(target=work, args=(event,))
    thread.start()  # finding
    helper.later(event)
    return ", ".join(event["orders"])

def work(event): ...
""",
            helper="""\
from threading import Thread, Timer

def later(event):
    Timer(5, print).start()  # finding
    Thread(target=print, daemon=True).start()  # finding
""",
        ),
        orders("""\
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor()

def handler(event, context):
    pool.submit(print, event)  # finding
"""),
        orders("""\
import asyncio

def handler(event, context):
    return asyncio.run(answer(event))

async def answer(event):
    asyncio.create_task(note(event))  # finding
    unread = asyncio.ensure_future(note(event))  # finding
    return "done"

async def note(event): ...
"""),
    ),
    good=(
        orders("""\
import threading

def collect(): ...

threading.Thread(target=collect, daemon=True).start()
refresher = None

def handler(event, context):
    global refresher
    if refresher is None:
        refresher = threading.Thread(target=collect, daemon=True)
        refresher.start()
    thread = threading.Thread(target=collect)
    thread.start()
    finish([thread])

def finish(threads):
    for thread in threads:
        thread.join(timeout=5)
"""),
        orders("""\
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

pool = ThreadPoolExecutor()

def handler(event, context):
    timer = threading.Timer(context.get_remaining_time_in_millis() / 1000 - 1, print)
    timer.start()
    try:
        return [each.result() for each in as_completed([pool.submit(print, event)])]
    finally:
        timer.cancel()
"""),
        orders("""\
from concurrent.futures import ThreadPoolExecutor

def handler(event, context):
    with ThreadPoolExecutor() as inner:
        inner.submit(print, event)
    outer = ThreadPoolExecutor()
    with outer:
        outer.submit(print, event)
"""),
        orders("""\
import asyncio

def handler(event, context):
    return asyncio.run(answer(event))

async def answer(event):
    first = asyncio.create_task(note(event))
    tasks = [asyncio.create_task(note(event))]
    tasks.append(asyncio.create_task(note(event)))
    async with asyncio.TaskGroup() as group:
        group.create_task(note(event))
    await asyncio.gather(first, *tasks, asyncio.ensure_future(note(event)))

async def note(event): ...
"""),
        orders("""\
import queue
import threading

def handler(event, context):
    answers = queue.Queue()
    threading.Thread(target=answers.put, args=(event,)).start()
    return answers.get(timeout=3)
"""),
    ),
)
def check(function: Function, calls: PathCalls, kept: Kept, waits: PerModule[Waits]) -> Problems:
    reach = calls.reach
    modules = {path: found for path in {path for path, _ in reach.invoke} if (found := waits.get(path)) is not None}
    waited = {
        name
        for path, module in modules.items()
        for scope, found in module.waited.items()
        if (path, scope) in reach.invoke
        for name in found
    }
    closed = any(_is_closed(each, modules) for each in calls.calls if each.name in _EXECUTORS)
    for each in calls.calls:
        if each.phase != "invoke" or (each.path, each.call.scope) in kept.scopes or runs_once(each.call):
            continue
        started = _STARTS.get(each.name or "")
        if started is not None and not waited:
            yield Problem(
                each.call.span,
                f"nothing waits for the {started} before the handler returns; Lambda freezes it",
                related=calls.way(each),
                hint="join it, or send a message to another function",
            )
        elif each.name in _SUBMITS and not waited and not closed:
            yield Problem(
                each.call.span,
                "nothing waits for what is submitted here before the handler returns; Lambda freezes it",
                related=calls.way(each),
                hint="ask for its result(), or open the executor by with",
            )
    if not any(each.name in _ALL_TASKS for each in calls.calls):
        for path, module in sorted(modules.items()):
            for scope, span in module.dropped:
                if (path, scope) in reach.invoke:
                    yield Problem(
                        span,
                        "nothing awaits this task; what is left of it when the loop ends is cancelled or frozen",
                        related=reach.way(path, scope, "invoke"),
                        confidence=Confidence.MEDIUM,
                        hint="await it, or start it in an asyncio.TaskGroup",
                    )


def _is_closed(made: PathCall, modules: Mapping[str, Waits]) -> bool:
    """Whether a ``with`` waits for the executor."""
    module = modules.get(made.path)
    return made.call.entered or (module is not None and made.call.assigned in module.entered)
